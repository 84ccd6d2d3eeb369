//! Keys about the data directory, the transaction log, snapshots and the
//! rules of the tree.

use super::Form::{Bare, Config, Either, Property};
use super::Group::{AlmostNone, NearlyAll, Some};
use super::Kind::{Flag, Int, LenientDecimal, LenientInt, LenientLong, LenientNumber};
use super::Kind::{OnlyOff, OnlyOn, Text};
use super::{KeySpec, accepted, acts, ensemble, not_yet};

const TTL_353: &str = "TTL znodes as 3.5.3 wrote them";
const GROUP_COMMIT: &str = "writes that wait while a flush runs share the next one";

#[rustfmt::skip] // One row a line.
pub(super) const KEYS: &[KeySpec] = &[
    acts(NearlyAll, "dataDir", Config(Text), "/var/lib/other"),
    acts(NearlyAll, "dataLogDir", Config(Text), "/var/lib/log"),
    acts(NearlyAll, "autopurge.snapRetainCount", Config(Int), "5"),
    acts(NearlyAll, "autopurge.purgeInterval", Config(Int), "24"),
    acts(Some, "snapCount", Property(LenientInt), "5000"),
    acts(Some, "snapSizeLimitInKb", Property(LenientLong), "1024"),
    acts(Some, "preAllocSize", Property(LenientDecimal), "1024"),
    acts(Some, "forceSync", Property(OnlyOff("no")), "no"),
    acts(Some, "fsync.warningthresholdms", Either(LenientLong), "20"),
    acts(Some, "snapshot.trust.empty", Property(Flag), "true"),
    acts(Some, "snapshot.compression.method", Property(Text), "gz"),
    acts(Some, "datadir.autocreate", Property(Flag), "false"),
    acts(Some, "db.autocreate", Property(Flag), "false"),
    acts(Some, "extendedTypesEnabled", Property(Flag), "true"),
    acts(Some, "enforceQuota", Property(Flag), "true"),
    acts(Some, "skipACL", Property(OnlyOn("yes")), "yes"),
    ensemble(Some, "commitLogCount", Property(LenientDecimal), "1000"),
    ensemble(AlmostNone, "snapshotSizeFactor", Property(LenientNumber), "0.5"),
    acts(AlmostNone, "txnLogSizeLimitInKb", Property(LenientLong), "65536"),
    acts(AlmostNone, "serializeLastProcessedZxid.enabled", Property(Flag), "false"),
    acts(AlmostNone, "digest.enabled", Property(Flag), "false"),
    acts(AlmostNone, "closeSessionTxn.enabled", Property(Flag), "false"),
    not_yet(AlmostNone, "emulate353TTLNodes", Property(Flag), "true", TTL_353),
    acts(AlmostNone, "znode.container.checkIntervalMs", Bare(LenientInt), "30000"),
    acts(AlmostNone, "znode.container.maxPerMinute", Bare(LenientInt), "500"),
    acts(AlmostNone, "znode.container.maxNeverUsedIntervalMs", Bare(LenientLong), "300000"),
    accepted(AlmostNone, "flushDelay", Property(LenientLong), "5", GROUP_COMMIT),
    accepted(AlmostNone, "maxWriteQueuePollTime", Property(LenientLong), "5", GROUP_COMMIT),
    accepted(AlmostNone, "maxBatchSize", Property(LenientInt), "500", GROUP_COMMIT),
];
