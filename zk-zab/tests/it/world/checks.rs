//! What must hold for the whole ensemble, at every moment.

use super::World;
use zk_proto::ensemble::EnsembleConfig;
use zk_zab::Txn;

impl World {
    /// A tree that clients see is the beginning of what is committed, or
    /// continues it.
    pub(super) fn check_tree(&mut self, at: usize) {
        let node = &self.nodes[at];
        let shared = node.tree.len().min(self.committed.len());
        assert_eq!(
            node.tree[..shared],
            self.committed[..shared],
            "I3: {at} differs"
        );
        if node.tree.len() > self.committed.len() {
            assert!(self.leads(at), "I4: {at} has what no leader committed");
            self.committed.clone_from(&node.tree);
        }
        for pair in self.committed.windows(2) {
            let (last, next) = (pair[0].zxid, pair[1].zxid);
            let new = next.epoch() > last.epoch() && next.counter() == 1;
            assert!(last.next() == Some(next) || new, "I7: {next} after {last}");
        }
    }

    /// What a leader commits is on the disks of a quorum of those whose votes
    /// count; what changes them, also of those whose votes count then.
    pub(super) fn check_held(&self, at: usize, txn: &Txn) {
        let before = self.members_behind(&self.nodes[at].tree);
        let behind = txn.reconfiguration().unwrap();
        for members in behind.iter().chain([&before]) {
            let held = self.is_quorum(members, |it| it.disk.holds(txn.zxid));
            assert!(held, "I12: {txn:?} has no quorum of disks of {members}");
        }
    }

    /// What is committed is on the disks of a quorum, at every moment.
    pub(super) fn check_quorum_durability(&self) {
        let members = self.members_behind(&self.committed);
        let whole = self.is_quorum(&members, |it| it.disk.log.starts_with(&self.committed));
        assert!(whole, "I19: the committed is not durable");
    }

    /// A configuration that holds anywhere is committed.
    pub(super) fn check_members(&self, members: &EnsembleConfig) {
        let mut txns = self.committed.iter().filter(|it| it.is_reconfig());
        let committed = txns.any(|it| it.reconfiguration().unwrap().as_ref() == Some(members));
        assert!(
            committed || *members == self.first,
            "{members} is not committed"
        );
    }
}
