//! What must hold for the whole ensemble, at every moment.

use super::World;
use zk_proto::Zxid;

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

    pub(super) fn is_held(&self, zxid: Zxid) -> bool {
        let voters = &self.nodes[..self.voters];
        voters.iter().filter(|it| it.disk.holds(zxid)).count() > self.voters / 2
    }

    /// What is committed is on the disks of a quorum, at every moment.
    pub(super) fn check_quorum_durability(&self) {
        let voters = &self.nodes[..self.voters];
        let whole = voters
            .iter()
            .filter(|it| it.disk.log.starts_with(&self.committed));
        assert!(
            whole.count() > self.voters / 2,
            "I19: the committed is not durable"
        );
    }
}
