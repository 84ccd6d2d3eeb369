//! Keys about sizes, throttling, caches and watch bookkeeping.

use super::Form::{Bare, Property};
use super::Group::{AlmostNone, NearlyAll, Some};
use super::Kind::{Flag, LenientInt, Number, Text};
use super::{Form, KeySpec, accepted, acts, not_yet};

const CONNECTIONS: &str = "throttling of new connections";
const REQUESTS: &str = "holding requests back before they are processed";
const ANY_RECORD: &str = "records on disk are checked against their file, not against a limit";
const NO_CACHE: &str = "answers are written straight from the tree, there is no cache of them";
const NO_CLEANER: &str = "watches of a closed connection are removed at once";
const NO_BUFFER: &str = "buffers grow as needed";
const INT: Form = Property(LenientInt);

#[rustfmt::skip] // One row a line.
pub(super) const KEYS: &[KeySpec] = &[
    acts(NearlyAll, "jute.maxbuffer", Bare(LenientInt), "4194304"),
    acts(Some, "globalOutstandingLimit", INT, "2000"),
    accepted(AlmostNone, "jute.maxbuffer.extrasize", INT, "2097152", ANY_RECORD),
    not_yet(AlmostNone, "throttled_op_wait_time", INT, "1000", REQUESTS)
        .aliases(&["throttledOpWaitTime"]),
    not_yet(AlmostNone, "request_throttle_max_requests", INT, "5000", REQUESTS)
        .aliases(&["requestThrottleLimit"]),
    not_yet(AlmostNone, "request_throttle_stall_time", INT, "50", REQUESTS)
        .aliases(&["requestThrottleStallTime"]),
    not_yet(AlmostNone, "request_throttle_drop_stale", FLAG, "false", REQUESTS)
        .aliases(&["requestThrottleDropStale"]),
    not_yet(AlmostNone, "request_stale_latency_check", FLAG, "true", REQUESTS)
        .aliases(&["requestStaleLatencyCheck"]),
    not_yet(AlmostNone, "request_stale_connection_check", FLAG, "false", REQUESTS)
        .aliases(&["requestStaleConnectionCheck"]),
    accepted(AlmostNone, "request_throttler.shutdownTimeout", INT, "5000", NO_QUEUE),
    acts(AlmostNone, "largeRequestMaxBytes", INT, "1048576"),
    acts(AlmostNone, "largeRequestThreshold", INT, "65536"),
    not_yet(AlmostNone, "connection_throttle_tokens", INT, "100", CONNECTIONS)
        .aliases(&["connectionMaxTokens"]),
    not_yet(AlmostNone, "connection_throttle_fill_time", INT, "10", CONNECTIONS)
        .aliases(&["connectionTokenFillTime"]),
    not_yet(AlmostNone, "connection_throttle_fill_count", INT, "5", CONNECTIONS)
        .aliases(&["connectionTokenFillCount"]),
    not_yet(AlmostNone, "connection_throttle_freeze_time", INT, "100", CONNECTIONS)
        .aliases(&["connectionFreezeTime"]),
    not_yet(AlmostNone, "connection_throttle_drop_increase", NUMBER, "0.05", CONNECTIONS)
        .aliases(&["connectionDropIncrease"]),
    not_yet(AlmostNone, "connection_throttle_drop_decrease", NUMBER, "0.005", CONNECTIONS)
        .aliases(&["connectionDropDecrease"]),
    not_yet(AlmostNone, "connection_throttle_decrease_ratio", NUMBER, "0.1", CONNECTIONS)
        .aliases(&["connectionDecreaseRatio"]),
    not_yet(AlmostNone, "connection_throttle_weight_enabled", FLAG, "true", CONNECTIONS),
    not_yet(AlmostNone, "connection_throttle_global_session_weight", INT, "4", CONNECTIONS),
    not_yet(AlmostNone, "connection_throttle_local_session_weight", INT, "2", CONNECTIONS),
    not_yet(AlmostNone, "connection_throttle_renew_session_weight", INT, "3", CONNECTIONS),
    accepted(AlmostNone, "maxResponseCacheSize", INT, "0", NO_CACHE),
    accepted(AlmostNone, "maxGetChildrenResponseCacheSize", INT, "0", NO_CACHE),
    accepted(AlmostNone, "intBufferStartingSizeBytes", INT, "2048", NO_BUFFER),
    accepted(AlmostNone, "watchManagerName", Property(Text), OPTIMIZED, ONE_MANAGER),
    accepted(AlmostNone, "watcherCleanThreadsNum", INT, "4", NO_CLEANER),
    accepted(AlmostNone, "watcherCleanThreshold", INT, "500", NO_CLEANER),
    accepted(AlmostNone, "watcherCleanIntervalInSeconds", INT, "60", NO_CLEANER),
    accepted(AlmostNone, "maxInProcessingDeadWatchers", INT, "10000", NO_CLEANER),
    accepted(AlmostNone, "bitHashCacheSize", INT, "20", ONE_MANAGER),
];

const FLAG: Form = Property(Flag);
const NUMBER: Form = Property(Number);
const NO_QUEUE: &str = "requests do not wait in a queue of their own at shutdown";
const OPTIMIZED: &str = "org.apache.zookeeper.server.watch.WatchManagerOptimized";
const ONE_MANAGER: &str = "there is one keeper of watches, which is compact already";
