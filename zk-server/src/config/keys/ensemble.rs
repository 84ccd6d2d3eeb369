//! Keys about the other servers: who they are, how they are reached, elected,
//! followed and synchronized.

use super::Form::{Config, Either, Property};
use super::Group::{AlmostNone, NearlyAll, Some};
use super::Kind::{Bool, Choice, Flag, Int, LenientInt, LenientLong, OnlyOff, Text};
use super::{Form, KeySpec, acts, ensemble};

const INT: Form = Property(LenientInt);
const FLAG: Form = Property(Flag);
const ROLE: Form = Config(Choice(
    &["participant", "observer"],
    "participant or observer",
));
const ALGORITHM: Form = Config(Choice(&["3"], "3, the only algorithm there is"));

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
    ensemble(Some, "peerType", ROLE, "observer"),
    ensemble(Some, "quorumListenOnAllIPs", Config(Bool), "true"),
    ensemble(Some, "syncEnabled", Config(Bool), "false"),
    ensemble(AlmostNone, "observer.syncEnabled", FLAG, "false"),
    ensemble(Some, "leaderServes", Property(OnlyOff("no")), "no"),
    ensemble(Some, "tcpKeepAlive", FLAG, "true"),
    ensemble(Some, "cnxTimeout", Property(Int), "10000"),
    ensemble(Some, "electionPortBindRetry", INT, "10"),
    ensemble(Some, "observerMasterPort", Config(Int), "2191"),
    ensemble(Some, "multiAddress.enabled", Property(Bool), "true"),
    ensemble(Some, "multiAddress.reachabilityCheckEnabled", Property(Bool), "false"),
    ensemble(Some, "multiAddress.reachabilityCheckTimeoutMs", Property(Int), "500"),
    ensemble(Some, "quorum.auth.enableSasl", Config(Bool), "true"),
    ensemble(Some, "quorum.auth.learnerRequireSasl", Config(Bool), "false"),
    ensemble(Some, "quorum.auth.serverRequireSasl", Config(Bool), "false"),
    ensemble(Some, "quorum.auth.learner.saslLoginContext", Config(Text), "Learner"),
    ensemble(Some, "quorum.auth.server.saslLoginContext", Config(Text), "Server"),
    ensemble(Some, "quorum.auth.kerberos.servicePrincipal", Config(Text), "zk/_HOST"),
    ensemble(Some, "quorum.cnxn.threads.size", Config(Int), "40"),
    ensemble(AlmostNone, "electionAlg", ALGORITHM, "3"),
    ensemble(AlmostNone, "connectToLearnerMasterLimit", Config(Int), "5"),
    ensemble(AlmostNone, "oraclePath", Config(Text), "/chroot/oracle"),
    ensemble(AlmostNone, "quorumCnxnTimeoutMs", INT, "4000"),
    ensemble(AlmostNone, "fastleader.minNotificationInterval", INT, "100"),
    ensemble(AlmostNone, "fastleader.maxNotificationInterval", INT, "30000"),
    ensemble(AlmostNone, "leader.maxTimeToWaitForEpoch", INT, "5000")
        .aliases(&["maxTimeToWaitForEpoch"]),
    ensemble(AlmostNone, "leader.maxConcurrentSnapSyncs", INT, "5")
        .aliases(&["maxConcurrentSnapSyncs"]),
    ensemble(AlmostNone, "leader.maxConcurrentDiffSyncs", INT, "50")
        .aliases(&["maxConcurrentDiffSyncs"]),
    ensemble(AlmostNone, "leader.ackLoggingFrequency", INT, "100"),
    ensemble(AlmostNone, "leader.closeSocketAsync", Either(Flag), "true"),
    ensemble(AlmostNone, "learner.closeSocketAsync", Either(Flag), "true"),
    ensemble(AlmostNone, "learner.asyncSending", Either(Flag), "true"),
    ensemble(AlmostNone, "leader.nodelay", Form::Bare(Flag), "false"),
    ensemble(AlmostNone, "follower.nodelay", Form::Bare(Flag), "false"),
    ensemble(AlmostNone, "leaderConnectDelayDuringRetryMs", INT, "50"),
    ensemble(AlmostNone, "observer.reconnectDelayMs", Property(LenientLong), "100"),
    ensemble(AlmostNone, "observer.election.DelayMs", Property(LenientLong), "100"),
    ensemble(AlmostNone, "observerMaster.sizeLimit", INT, "1048576"),
    ensemble(AlmostNone, "follower.skipLearnerRequestToNextProcessor", FLAG, "true"),
    ensemble(AlmostNone, "forward_learner_requests_to_commit_processor_disabled", FLAG, "true"),
    ensemble(AlmostNone, "enableEagerACLCheck", FLAG, "true"),
    ensemble(AlmostNone, "forceSnapshotSync", FLAG, "true"),
    ensemble(AlmostNone, "commitProcessor.numWorkerThreads", INT, "4"),
    ensemble(AlmostNone, "commitProcessor.maxReadBatchSize", INT, "100"),
    ensemble(AlmostNone, "commitProcessor.maxCommitBatchSize", INT, "100"),
    ensemble(AlmostNone, "commitProcessor.shutdownTimeout", Property(LenientLong), "1000"),
];
