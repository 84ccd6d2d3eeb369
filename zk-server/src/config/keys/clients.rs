//! Keys about the client port, connections and sessions.

use super::Form::{Bare, Config, Property};
use super::Group::{AlmostNone, NearlyAll, Some};
use super::Kind::{Bool, Flag, Int, LenientInt, Port, Text};
use super::{KeySpec, accepted, acts};

const ONE_STACK: &str = "there is one network stack, which needs no choice";
const NO_POOLS: &str = "there are no selector and worker thread pools to size";
const NO_NETTY: &str = "there is no Netty";

#[rustfmt::skip] // One row a line.
pub(super) const KEYS: &[KeySpec] = &[
    acts(NearlyAll, "clientPort", Config(Port), "2182"),
    acts(NearlyAll, "clientPortAddress", Config(Text), "127.0.0.1"),
    acts(NearlyAll, "tickTime", Config(Int), "2500"),
    acts(NearlyAll, "minSessionTimeout", Config(Int), "3000"),
    acts(NearlyAll, "maxSessionTimeout", Config(Int), "90000"),
    acts(NearlyAll, "maxClientCnxns", Config(Int), "600"),
    acts(Some, "maxCnxns", Property(LenientInt), "10000"),
    acts(Some, "clientPortListenBacklog", Config(Int), "1024"),
    acts(Some, "clientTcpKeepAlive", Property(Flag), "true"),
    acts(Some, "readonlymode.enabled", Bare(Flag), "true"),
    acts(Some, "localSessionsEnabled", Config(Bool), "true"),
    acts(Some, "localSessionsUpgradingEnabled", Config(Bool), "true"),
    accepted(Some, "serverCnxnFactory", Property(Text), NETTY, ONE_STACK),
    acts(AlmostNone, "nio.sessionlessCnxnTimeout", Property(LenientInt), "20000"),
    accepted(AlmostNone, "nio.numSelectorThreads", Property(LenientInt), "2", NO_POOLS),
    accepted(AlmostNone, "nio.numWorkerThreads", Property(LenientInt), "8", NO_POOLS),
    accepted(AlmostNone, "nio.directBufferBytes", Property(LenientInt), "0", ONE_STACK),
    accepted(AlmostNone, "nio.shutdownTimeout", Property(LenientInt), "1000", NO_POOLS),
    accepted(AlmostNone, "netty.advancedFlowControl.enabled", Property(Flag), "true", NO_NETTY)
        .aliases(&["advancedFlowControlEnabled"]),
];

const NETTY: &str = "org.apache.zookeeper.server.NettyServerCnxnFactory";
