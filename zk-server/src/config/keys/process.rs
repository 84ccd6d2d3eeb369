//! Keys about the process around the server: the JVM, logging, tests, and
//! keys of the client library that strayed into a server's configuration.

use super::Form::{Config, Property};
use super::Group::AlmostNone;
use super::Kind::{Bool, Flag, Long, Text};
use super::{Form, KeySpec, accepted};

const NO_JVM: &str = "there is no JVM that could pause";
const NO_JMX: &str = "there is no JVM and no JMX";
const LOGGING: &str = "log lines go to standard error";
const TESTS: &str = "it belongs to Apache's own tests";
const CLIENTS: &str = "it concerns clients";
const TEXT: Form = Property(Text);
const FLAG: Form = Property(Flag);

#[rustfmt::skip] // One row a line.
pub(super) const KEYS: &[KeySpec] = &[
    accepted(AlmostNone, "jvm.pause.monitor", Config(Bool), "true", NO_JVM),
    accepted(AlmostNone, "jvm.pause.info-threshold.ms", Config(Long), "500", NO_JVM),
    accepted(AlmostNone, "jvm.pause.warn-threshold.ms", Config(Long), "5000", NO_JVM),
    accepted(AlmostNone, "jvm.pause.sleep.time.ms", Config(Long), "250", NO_JVM),
    accepted(AlmostNone, "jmx.log4j.disable", FLAG, "true", NO_JMX),
    accepted(AlmostNone, "jmx.log4j.mbean", TEXT, "log4j:hierarchy=default", NO_JMX),
    accepted(AlmostNone, "log.dir", TEXT, "/var/log/zookeeper", LOGGING),
    accepted(AlmostNone, "log.file", TEXT, "zookeeper.log", LOGGING),
    accepted(AlmostNone, "log.threshold", TEXT, "INFO", LOGGING),
    accepted(AlmostNone, "log.maxfilesize", TEXT, "256MB", LOGGING),
    accepted(AlmostNone, "log.maxbackupindex", TEXT, "20", LOGGING),
    accepted(AlmostNone, "root.logger", TEXT, "INFO,CONSOLE", LOGGING),
    accepted(AlmostNone, "console.threshold", TEXT, "INFO", LOGGING),
    accepted(AlmostNone, "tracelog.dir", TEXT, "/var/log/zookeeper", LOGGING),
    accepted(AlmostNone, "tracelog.file", TEXT, "trace.log", LOGGING),
    accepted(AlmostNone, "auditlog.file", TEXT, "audit.log", LOGGING),
    accepted(AlmostNone, "auditlog.threshold", TEXT, "INFO", LOGGING),
    accepted(AlmostNone, "test.allowDiscontinuousProposals", FLAG, "true", TESTS),
    accepted(AlmostNone, "testingonly.initialZxid", TEXT, "0x100000000", TESTS),
    accepted(AlmostNone, "controllerPort", TEXT, "8081", TESTS),
    accepted(AlmostNone, "client.secure", FLAG, "true", CLIENTS),
    accepted(AlmostNone, "clientCnxnSocket", TEXT, "x.ClientCnxnSocketNetty", CLIENTS),
    accepted(AlmostNone, "disableAutoWatchReset", FLAG, "true", CLIENTS),
    accepted(AlmostNone, "request.timeout", TEXT, "10000", CLIENTS),
    accepted(AlmostNone, "sasl.client", FLAG, "true", CLIENTS),
    accepted(AlmostNone, "sasl.client.username", TEXT, "zookeeper", CLIENTS),
    accepted(AlmostNone, "sasl.client.canonicalize.hostname", FLAG, "true", CLIENTS),
    accepted(AlmostNone, "sasl.clientconfig", TEXT, "Client", CLIENTS),
    accepted(AlmostNone, "server.principal", TEXT, "zookeeper/host", CLIENTS),
];
