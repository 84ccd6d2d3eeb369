//! Keeps the numbers in `/zookeeper/quota/.../zookeeper_stats` in step with
//! the znodes that they count (`DataTree.updateQuotaStat` and its kin). The
//! data of these znodes change in place: no transaction, no new stat, no
//! digest. Whether a limit is kept is not decided here.

use crate::node::NodeId;
use crate::{DataTree, StatsTrack};

const QUOTA: &str = "/zookeeper/quota";
const LIMITS: &str = "zookeeper_limits";
const STATS: &str = "zookeeper_stats";

impl DataTree {
    /// The longest path at or above `path` that has a quota
    /// (`getMaxPrefixWithQuota`). Only the longest one counts a change.
    #[must_use]
    pub fn quota_prefix(&self, path: &str) -> Option<&str> {
        self.quotas.longest_prefix(path)
    }

    /// After a create of `name` under `parent`: a limit begins to count, or
    /// its stats are counted for the first time.
    pub(crate) fn quota_znode_created(&mut self, parent: &str, name: &str) {
        let Some(counted) = parent.strip_prefix(QUOTA) else {
            return;
        };
        match name {
            LIMITS => self.quotas.add(counted),
            STATS => self.recount(counted),
            _ => {}
        }
    }

    /// After a delete of `name` under `parent`: a limit no longer counts.
    pub(crate) fn quota_znode_deleted(&mut self, parent: &str, name: &str) {
        if name == LIMITS
            && let Some(counted) = parent.strip_prefix(QUOTA)
        {
            self.quotas.remove(counted);
        }
    }

    /// Adds a change at `path` to the stats of its quota, if it has one.
    /// Stats that do not read as such stay as they are.
    pub(crate) fn count_change(&mut self, path: &str, count: i64, bytes: i64) {
        let Some(prefix) = self.quota_prefix(path) else {
            return;
        };
        let Some(stats) = self.lookup(&stats_path(prefix)) else {
            tracing::error!(prefix, "a quota has no znode for its stats");
            return;
        };
        let Some(mut track) = StatsTrack::parse(self.node(stats).data()) else {
            tracing::error!(prefix, "the stats of a quota cannot be read");
            return;
        };
        track.set_count(track.count().wrapping_add(count));
        track.set_bytes(track.bytes().wrapping_add(bytes));
        self.write_stats(stats, &track);
    }

    /// Finds all limits and counts what they limit, after a load.
    pub(crate) fn set_up_quotas(&mut self) {
        let Some(quota) = self.lookup(QUOTA) else {
            return;
        };
        let limits: Vec<NodeId> = self
            .subtree(quota)
            .filter(|&id| self.node(id).children().is_empty() && self.node(id).name() == LIMITS)
            .collect();
        for id in limits {
            let path = self.path_of(id);
            if let Some(counted) = counted_by(&path) {
                self.recount(counted);
                self.quotas.add(counted);
            }
        }
    }

    /// Counts the znodes at and under `top` afresh.
    fn recount(&mut self, top: &str) {
        let Some(stats) = self.lookup(&stats_path(top)) else {
            tracing::warn!(top, "a quota has no znode for its stats");
            return;
        };
        let (count, bytes) = match self.lookup(top) {
            Some(top) => self.subtree(top).fold((0, 0), |(count, bytes), id| {
                (count + 1, bytes + self.node(id).data_len() as i64)
            }),
            None => (0, 0),
        };
        self.write_stats(stats, &StatsTrack::new(count, bytes));
    }

    fn write_stats(&mut self, stats: NodeId, track: &StatsTrack) {
        let text = track.to_string();
        let node = self.slab.node_mut(stats);
        self.data_size += text.len() as i64 - node.data_len() as i64;
        node.set_data(Some(text.as_bytes()));
    }
}

fn stats_path(prefix: &str) -> String {
    [QUOTA, prefix, "/", STATS].concat()
}

/// What the limits at `path` limit: everything between the quota znode and
/// the first component that is called like one.
fn counted_by(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(QUOTA)?;
    let end = path
        .find(&["/", LIMITS].concat())?
        .checked_sub(QUOTA.len())?;
    rest.get(..end).filter(|counted| !counted.is_empty())
}
