//! Keys about watching and steering a server from outside: four-letter words,
//! the admin server, metrics, the audit log.

use super::Form::{Config, Property};
use super::Group::{AlmostNone, NearlyAll, Some};
use super::Kind::{Flag, Int, LenientInt, LenientLong, LenientNumber, OnlyOff, Text};
use super::{Form, KeySpec, accepted, acts, not_yet};

const ADMIN: &str = "the admin server";
const METRICS: &str = "a metrics exporter";
const AUDIT: &str = "the audit log";
const PATHS: &str = "statistics by path";
const NO_JVM: &str = "there is no JVM to tell about";
const NO_TRACKER: &str = "messages of learners are not kept for a later look";
const INT: Form = Property(LenientInt);
const FLAG: Form = Property(Flag);

#[rustfmt::skip] // One row a line.
pub(super) const KEYS: &[KeySpec] = &[
    acts(NearlyAll, "4lw.commands.whitelist", Property(Text), "stat, ruok"),
    not_yet(NearlyAll, "admin.enableServer", Property(OnlyOff("false")), "false", ADMIN),
    not_yet(NearlyAll, "admin.serverPort", INT, "9090", ADMIN),
    not_yet(Some, "admin.serverAddress", Property(Text), "127.0.0.1", ADMIN),
    not_yet(Some, "admin.commandURL", Property(Text), "/zk", ADMIN),
    not_yet(Some, "admin.idleTimeout", INT, "10000", ADMIN),
    not_yet(AlmostNone, "admin.httpVersion", INT, "2", ADMIN),
    not_yet(AlmostNone, "admin.portUnification", FLAG, "true", ADMIN),
    not_yet(AlmostNone, "admin.forceHttps", FLAG, "true", ADMIN),
    not_yet(AlmostNone, "admin.needClientAuth", FLAG, "true", ADMIN),
    not_yet(AlmostNone, "admin.rateLimiterIntervalInMS", Property(Int), "1000", ADMIN),
    not_yet(AlmostNone, "admin.snapshot.enabled", FLAG, "false", ADMIN),
    not_yet(AlmostNone, "admin.restore.enabled", FLAG, "false", ADMIN),
    not_yet(AlmostNone, "IPAuthenticationProvider.usexforwardedfor", FLAG, "true", ADMIN),
    not_yet(Some, "metricsProvider.className", Config(Text), PROMETHEUS, METRICS),
    not_yet(Some, "metricsProvider.httpHost", Config(Text), "127.0.0.1", METRICS),
    not_yet(Some, "metricsProvider.httpPort", Config(Int), "7001", METRICS),
    accepted(Some, "metricsProvider.exportJvmInfo", Config(Flag), "false", NO_JVM),
    not_yet(AlmostNone, "metricsProvider.numWorkerThreads", Config(Int), "2", METRICS),
    not_yet(AlmostNone, "metricsProvider.maxQueueSize", Config(Int), "10000", METRICS),
    not_yet(AlmostNone, "metricsProvider.workerShutdownTimeoutMs", Config(Int), "500", METRICS),
    not_yet(AlmostNone, "metricsProvider.*", Config(Text), "x", METRICS),
    not_yet(Some, "audit.enable", FLAG, "true", AUDIT),
    not_yet(AlmostNone, "audit.impl.class", Property(Text), "com.example.Audit", AUDIT),
    accepted(AlmostNone, "messageTracker.Enabled", FLAG, "true", NO_TRACKER),
    accepted(AlmostNone, "messageTracker.BufferSize", INT, "20", NO_TRACKER),
    not_yet(AlmostNone, "pathStats.enabled", FLAG, "true", PATHS),
    not_yet(AlmostNone, "pathStats.slotCapacity", INT, "30", PATHS),
    not_yet(AlmostNone, "pathStats.slotDuration", INT, "30", PATHS),
    not_yet(AlmostNone, "pathStats.maxDepth", INT, "3", PATHS),
    not_yet(AlmostNone, "pathStats.sampleRate", Property(LenientNumber), "0.5", PATHS),
    not_yet(AlmostNone, "pathStats.initialDelay", Property(LenientLong), "10", PATHS),
    not_yet(AlmostNone, "pathStats.delay", Property(LenientLong), "10", PATHS),
    not_yet(AlmostNone, "pathStats.topPathMax", INT, "10", PATHS),
];

const PROMETHEUS: &str = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
