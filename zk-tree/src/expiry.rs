//! Which containers and TTL znodes may be deleted
//! (`ContainerManager.getCandidates`). When to look, and deleting them, is
//! the caller's business.

use crate::DataTree;
use crate::node::{Node, NodeId};
use zk_proto::EphemeralType;

/// When an unused znode is past its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryRule {
    /// Wall clock, ms since 1970.
    pub now_ms: i64,
    /// Containers that never had children go after so long; 0 for never
    /// (`znode.container.maxNeverUsedIntervalMs`).
    pub max_never_used_ms: i64,
}

/// How far a look through all candidates has come. Znodes that come or go
/// between its steps may be missed; the next look finds them.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExpiryScan {
    stage: Stage,
    /// The last one that was looked at in this stage.
    last: Option<NodeId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Containers,
    Ttls,
    Done,
}

impl ExpiryScan {
    /// Whether there is nothing left to look at.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }
}

impl DataTree {
    /// Paths of containers and TTL znodes that may be deleted, at most
    /// `limit`. Containers go once they had children and have none; TTL
    /// znodes when they have no children and were not set for their time to
    /// live.
    ///
    /// Looks at all of them if need be: where there may be very many, use
    /// [`DataTree::scan_expired`].
    #[must_use]
    pub fn expired(&self, now_ms: i64, limit: usize, max_never_used_ms: i64) -> Vec<String> {
        let rule = ExpiryRule {
            now_ms,
            max_never_used_ms,
        };
        let containers = self.owners.containers_after(None);
        let ttls = self.owners.ttls_after(None);
        containers
            .chain(ttls)
            .filter(|&id| self.is_expired(id, rule))
            .take(limit)
            .map(|id| self.path_of(id))
            .collect()
    }

    /// The same in steps, so that a lock need not be held for long: looks at
    /// no more than `budget` znodes, from where `scan` stands.
    #[must_use]
    pub fn scan_expired(
        &self,
        scan: &mut ExpiryScan,
        budget: usize,
        rule: ExpiryRule,
    ) -> Vec<String> {
        let (ids, next): (Vec<NodeId>, Stage) = match scan.stage {
            Stage::Containers => {
                let ids = self.owners.containers_after(scan.last);
                (ids.take(budget).collect(), Stage::Ttls)
            }
            Stage::Ttls => {
                let ids = self.owners.ttls_after(scan.last);
                (ids.take(budget).collect(), Stage::Done)
            }
            Stage::Done => return Vec::new(),
        };
        *scan = match ids.last() {
            Some(&last) if ids.len() == budget => ExpiryScan {
                stage: scan.stage,
                last: Some(last),
            },
            _ => ExpiryScan {
                stage: next,
                last: None,
            },
        };
        ids.into_iter()
            .filter(|&id| self.is_expired(id, rule))
            .map(|id| self.path_of(id))
            .collect()
    }

    fn is_expired(&self, id: NodeId, rule: ExpiryRule) -> bool {
        let node = self.node(id);
        if !node.children().is_empty() {
            return false;
        }
        let age_ms = rule.now_ms.saturating_sub(node.mtime);
        match self.kind(node.owner) {
            EphemeralType::Container => is_container_expired(node, age_ms, rule),
            EphemeralType::Ttl(ttl_ms) => ttl_ms != 0 && age_ms > ttl_ms,
            _ => false,
        }
    }
}

const fn is_container_expired(node: &Node, age_ms: i64, rule: ExpiryRule) -> bool {
    node.cversion > 0 || rule.max_never_used_ms != 0 && age_ms > rule.max_never_used_ms
}
