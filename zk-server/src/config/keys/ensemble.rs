//! Keys about the other servers: who they are, how they are reached, elected,
//! followed and synchronized.

use super::Form::{Config, Either, Property};
use super::Group::{AlmostNone, NearlyAll, Some};
use super::Kind::{Bool, Choice, Flag, Int, LenientInt, LenientLong, OnlyOff, Text};
use super::{Form, KeySpec, acts, ensemble, missing, needless};

const INT: Form = Property(LenientInt);
const FLAG: Form = Property(Flag);
const ROLE: Form = Config(Choice(
    &["participant", "observer"],
    "participant or observer",
));
const ALGORITHM: Form = Config(Choice(&["3"], "3, the only algorithm there is"));
const SASL: &str = "SASL between servers";
const NO_WAIT: &str = "no server waits for a socket";
const NO_PROCESSOR: &str = "there are no processors that pass requests on";

#[rustfmt::skip] // One row a line.
pub(super) const KEYS: &[KeySpec] = &[
    ensemble(NearlyAll, "initLimit", Config(Int), "20"),
    ensemble(NearlyAll, "syncLimit", Config(Int), "10"),
    ensemble(NearlyAll, "server.*", Config(Text), "zk1:2888:3888"),
    ensemble(Some, "group.*", Config(Text), "1:2:3"),
    ensemble(Some, "weight.*", Config(Text), "2"),
    ensemble(AlmostNone, "version", Config(Text), "100000000"),
    acts(Some, "standaloneEnabled", Config(Bool), "false"),
    acts(Some, "reconfigEnabled", Config(Bool), "true"),
    acts(Some, "dynamicConfigFile", Config(Text), "zoo.cfg.dynamic"),
    needless(Some, "peerType", ROLE, "observer", "the list of servers says who votes"),
    ensemble(Some, "quorumListenOnAllIPs", Config(Bool), "true"),
    needless(Some, "syncEnabled", Config(Bool), "false", "an observer logs all that it learns"),
    needless(AlmostNone, "observer.syncEnabled", FLAG, "false", "an observer logs all that it learns"),
    ensemble(Some, "leaderServes", Property(OnlyOff("no")), "no"),
    ensemble(Some, "tcpKeepAlive", FLAG, "true"),
    ensemble(Some, "cnxTimeout", Property(Int), "10000"),
    ensemble(Some, "electionPortBindRetry", INT, "10"),
    ensemble(Some, "observerMasterPort", Config(Int), "2191"),
    ensemble(Some, "multiAddress.enabled", Property(Bool), "true"),
    needless(Some, "multiAddress.reachabilityCheckEnabled", Property(Bool), "false", "addresses are tried one after the other"),
    needless(Some, "multiAddress.reachabilityCheckTimeoutMs", Property(Int), "500", "addresses are tried one after the other"),
    missing(Some, "quorum.auth.enableSasl", Config(Bool), "true", SASL),
    missing(Some, "quorum.auth.learnerRequireSasl", Config(Bool), "false", SASL),
    missing(Some, "quorum.auth.serverRequireSasl", Config(Bool), "false", SASL),
    missing(Some, "quorum.auth.learner.saslLoginContext", Config(Text), "Learner", SASL),
    missing(Some, "quorum.auth.server.saslLoginContext", Config(Text), "Server", SASL),
    missing(Some, "quorum.auth.kerberos.servicePrincipal", Config(Text), "zk/_HOST", SASL),
    needless(Some, "quorum.cnxn.threads.size", Config(Int), "40", "connections need no threads of their own"),
    needless(AlmostNone, "electionAlg", ALGORITHM, "3", "there is no other algorithm"),
    ensemble(AlmostNone, "connectToLearnerMasterLimit", Config(Int), "5"),
    missing(AlmostNone, "oraclePath", Config(Text), "/chroot/oracle", "an oracle for two servers"),
    needless(AlmostNone, "quorumCnxnTimeoutMs", INT, "4000", "a connection for votes may be silent"),
    ensemble(AlmostNone, "fastleader.minNotificationInterval", INT, "100"),
    ensemble(AlmostNone, "fastleader.maxNotificationInterval", INT, "30000"),
    needless(AlmostNone, "leader.maxTimeToWaitForEpoch", INT, "5000", "a leader waits as long as initLimit says")
        .aliases(&["maxTimeToWaitForEpoch"]),
    needless(AlmostNone, "leader.maxConcurrentSnapSyncs", INT, "5", "histories are sent in pieces, to all at once")
        .aliases(&["maxConcurrentSnapSyncs"]),
    needless(AlmostNone, "leader.maxConcurrentDiffSyncs", INT, "50", "histories are sent in pieces, to all at once")
        .aliases(&["maxConcurrentDiffSyncs"]),
    needless(AlmostNone, "leader.ackLoggingFrequency", INT, "100", "acknowledgements are not logged one by one"),
    needless(AlmostNone, "leader.closeSocketAsync", Either(Flag), "true", NO_WAIT),
    needless(AlmostNone, "learner.closeSocketAsync", Either(Flag), "true", NO_WAIT),
    needless(AlmostNone, "learner.asyncSending", Either(Flag), "true", NO_WAIT),
    needless(AlmostNone, "leader.nodelay", Form::Bare(Flag), "false", "packets are never held back"),
    needless(AlmostNone, "follower.nodelay", Form::Bare(Flag), "false", "packets are never held back"),
    ensemble(AlmostNone, "leaderConnectDelayDuringRetryMs", INT, "50"),
    needless(AlmostNone, "observer.reconnectDelayMs", Property(LenientLong), "100", "an observer comes back at once"),
    needless(AlmostNone, "observer.election.DelayMs", Property(LenientLong), "100", "an observer comes back at once"),
    needless(AlmostNone, "observerMaster.sizeLimit", INT, "1048576", "observers that come late are served from the log"),
    needless(AlmostNone, "follower.skipLearnerRequestToNextProcessor", FLAG, "true", NO_PROCESSOR),
    needless(AlmostNone, "forward_learner_requests_to_commit_processor_disabled", FLAG, "true", NO_PROCESSOR),
    needless(AlmostNone, "enableEagerACLCheck", FLAG, "true", "the leader checks every write"),
    needless(AlmostNone, "forceSnapshotSync", FLAG, "true", "a learner gets as little as will do"),
    needless(AlmostNone, "commitProcessor.numWorkerThreads", INT, "4", NO_PROCESSOR),
    needless(AlmostNone, "commitProcessor.maxReadBatchSize", INT, "100", NO_PROCESSOR),
    needless(AlmostNone, "commitProcessor.maxCommitBatchSize", INT, "100", NO_PROCESSOR),
    needless(AlmostNone, "commitProcessor.shutdownTimeout", Property(LenientLong), "1000", NO_PROCESSOR),
];
