//! Whether a write stays within the quotas (`ZooKeeperServer.checkQuota`).
//! Only servers that enforce quotas ask; counting is the tree's own work.
//!
//! Limits are those that are applied. What is used is counted with the
//! changes that are pending, so that a batch cannot go further beyond a hard
//! limit than its requests one by one could.

use crate::{DataTree, Pending, StatsTrack};
use std::fmt;
use zk_proto::ErrorCode;

/// What a quota limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotaKind {
    /// Number of znodes.
    Count,
    /// Bytes of data.
    Bytes,
}

/// A limit that a write exceeds, or would.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuotaExceeded {
    /// The path that has the quota.
    pub prefix: String,
    /// What is too much.
    pub kind: QuotaKind,
    /// What there would be after the write.
    pub used: i64,
    /// What there may be.
    pub limit: i64,
    /// Whether the write was refused; a soft limit only asks for a line in
    /// the log.
    pub hard: bool,
}

impl fmt::Display for QuotaExceeded {
    /// Apache's line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, limit) = match self.kind {
            QuotaKind::Count => ("count", "CountLimit"),
            QuotaKind::Bytes => ("bytes", "ByteLimit"),
        };
        let hard = if self.hard { "hard" } else { "soft" };
        write!(
            f,
            "Quota exceeded: {} [current {what}={}, {hard}{limit}={}]",
            self.prefix, self.used, self.limit
        )
    }
}

/// Judges a write at `path` that adds `count` znodes and `bytes` bytes.
///
/// # Errors
/// `MARSHALLING_ERROR` when the quota's znodes hold no numbers, where Apache
/// fails so, too.
pub(crate) fn check(
    tree: &DataTree,
    pending: &Pending,
    path: &str,
    count: i64,
    bytes: i64,
) -> Result<Option<QuotaExceeded>, ErrorCode> {
    let Some(prefix) = tree.quota_prefix(path) else {
        return Ok(None);
    };
    let Some(limits) = track(tree, prefix, "zookeeper_limits")? else {
        return Ok(None);
    };
    let count_limit = Limit::new(limits.count_hard_limit(), limits.count(), count);
    let byte_limit = Limit::new(limits.byte_hard_limit(), limits.bytes(), bytes);
    if count_limit.is_none() && byte_limit.is_none() {
        return Ok(None);
    }
    let Some(used) = track(tree, prefix, "zookeeper_stats")? else {
        return Ok(None);
    };
    let (pending_count, pending_bytes) = pending.quota(tree, prefix);
    let count = used.count() + pending_count + count;
    let bytes = used.bytes() + pending_bytes + bytes;
    let exceeded = |kind, used, limit: Option<Limit>| {
        limit
            .filter(|limit| used > limit.value)
            .map(|limit| QuotaExceeded {
                prefix: prefix.to_owned(),
                kind,
                used,
                limit: limit.value,
                hard: limit.hard,
            })
    };
    let count = exceeded(QuotaKind::Count, count, count_limit);
    let bytes = exceeded(QuotaKind::Bytes, bytes, byte_limit);
    Ok(match (count, bytes) {
        (Some(count), Some(bytes)) if bytes.hard && !count.hard => Some(bytes),
        (count, bytes) => count.or(bytes),
    })
}

#[derive(Clone, Copy)]
struct Limit {
    value: i64,
    hard: bool,
}

impl Limit {
    /// The limit in force, if there is one and the write changes what it
    /// limits. A hard one hides the soft one.
    fn new(hard: i64, soft: i64, change: i64) -> Option<Self> {
        let limit = if hard > -1 {
            Self {
                value: hard,
                hard: true,
            }
        } else {
            Self {
                value: soft,
                hard: false,
            }
        };
        (change != 0 && limit.value > -1).then_some(limit)
    }
}

/// The numbers of one of the two znodes of a quota; `None` when it is not
/// there, which should not be.
fn track(tree: &DataTree, prefix: &str, name: &str) -> Result<Option<StatsTrack>, ErrorCode> {
    let path = format!("/zookeeper/quota{prefix}/{name}");
    let Some(node) = tree.get(&path) else {
        return Ok(None);
    };
    StatsTrack::parse(node.data())
        .map(Some)
        .ok_or(ErrorCode::MARSHALLING_ERROR)
}
