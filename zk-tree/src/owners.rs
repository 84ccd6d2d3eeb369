//! Which znodes belong to a session, and which the server itself deletes one
//! day: containers and those with a time to live. Rebuilt from the znodes'
//! owner fields whenever a snapshot is loaded.

use crate::node::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use zk_proto::{EphemeralType, SessionId};

#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// A session stays here, without znodes, until it is closed.
    ephemerals: BTreeMap<SessionId, BTreeSet<NodeId>>,
    ephemeral_count: usize,
    containers: BTreeSet<NodeId>,
    ttls: BTreeSet<NodeId>,
}

impl Owners {
    pub(crate) fn add(&mut self, kind: EphemeralType, id: NodeId) {
        match kind {
            EphemeralType::Void => {}
            EphemeralType::Normal(session) => {
                self.ephemerals
                    .entry(SessionId(session))
                    .or_default()
                    .insert(id);
                self.ephemeral_count += 1;
            }
            EphemeralType::Container => {
                self.containers.insert(id);
            }
            EphemeralType::Ttl(_) => {
                self.ttls.insert(id);
            }
        }
    }

    pub(crate) fn remove(&mut self, kind: EphemeralType, id: NodeId) {
        match kind {
            EphemeralType::Void => {}
            EphemeralType::Normal(session) => self.remove_ephemeral(SessionId(session), id),
            EphemeralType::Container => {
                self.containers.remove(&id);
            }
            EphemeralType::Ttl(_) => {
                self.ttls.remove(&id);
            }
        }
    }

    fn remove_ephemeral(&mut self, session: SessionId, id: NodeId) {
        let removed = self
            .ephemerals
            .get_mut(&session)
            .is_some_and(|nodes| nodes.remove(&id));
        assert!(removed, "every ephemeral is listed under its session");
        self.ephemeral_count -= 1;
    }

    /// Forgets a session that has no znodes left.
    pub(crate) fn close(&mut self, session: SessionId) {
        let left = self.ephemerals.remove(&session);
        assert!(
            left.is_none_or(|nodes| nodes.is_empty()),
            "a closed session has no ephemerals"
        );
    }

    pub(crate) fn ephemerals(&self, session: SessionId) -> impl Iterator<Item = NodeId> {
        self.ephemerals.get(&session).into_iter().flatten().copied()
    }

    /// Sessions that have or had ephemerals and were not closed since.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.ephemerals.keys().copied()
    }

    pub(crate) const fn ephemeral_count(&self) -> usize {
        self.ephemeral_count
    }

    /// Containers with greater numbers than `last`, in order.
    pub(crate) fn containers_after(&self, last: Option<NodeId>) -> impl Iterator<Item = NodeId> {
        after(&self.containers, last)
    }

    /// TTL znodes with greater numbers than `last`, in order.
    pub(crate) fn ttls_after(&self, last: Option<NodeId>) -> impl Iterator<Item = NodeId> {
        after(&self.ttls, last)
    }
}

fn after(nodes: &BTreeSet<NodeId>, last: Option<NodeId>) -> impl Iterator<Item = NodeId> {
    let start = last.map_or(Bound::Unbounded, Bound::Excluded);
    nodes.range((start, Bound::Unbounded)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn znodes_are_listed_by_kind() {
        let mut owners = Owners::default();
        let kinds = [
            EphemeralType::Void,
            EphemeralType::Normal(5),
            EphemeralType::Container,
            EphemeralType::Ttl(9),
        ];
        for (id, kind) in (1..).zip(kinds) {
            owners.add(kind, NodeId(id));
        }
        assert_eq!(
            owners.ephemerals(SessionId(5)).collect::<Vec<_>>(),
            [NodeId(2)]
        );
        assert_eq!(owners.ephemeral_count(), 1);
        assert_eq!(
            owners.containers_after(None).collect::<Vec<_>>(),
            [NodeId(3)]
        );
        assert_eq!(owners.ttls_after(None).collect::<Vec<_>>(), [NodeId(4)]);
        for (id, kind) in (1..).zip(kinds) {
            owners.remove(kind, NodeId(id));
        }
        assert_eq!(owners.ephemeral_count(), 0);
        assert_eq!(owners.sessions().count(), 1, "listed until it is closed");
        owners.close(SessionId(5));
        assert_eq!(owners.sessions().count(), 0);
    }
}
