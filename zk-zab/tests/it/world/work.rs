//! What servers do when nothing fails: packets and disk work, proposals and
//! syncs, time.

use super::{Item, Role, World};
use std::time::Duration;
use zk_proto::quorum::ForwardedRequest;
use zk_proto::{OpCode, SessionId, Xid};
use zk_zab::{LearnerId, Persist, PersistToken, SyncTicket, Txn};

/// A client's sync, as a learner forwards it.
const SYNC: ForwardedRequest<'_> = ForwardedRequest {
    session: SessionId(1),
    xid: Xid(1),
    op: OpCode::SYNC,
    body: &[],
};

impl World {
    pub(super) fn deliver_somewhere(&mut self) {
        let ids: Vec<LearnerId> = self.links.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.random.below(ids.len())];
        if self.random.chance(500) {
            self.deliver_up(id);
        } else {
            self.deliver_down(id);
        }
    }

    fn deliver_up(&mut self, id: LearnerId) {
        let link = self.links.get_mut(&id).unwrap();
        let (leader, packet) = (link.leader, link.up.pop_front());
        let Some(packet) = packet else { return };
        match &mut self.nodes[leader].role {
            Role::Looking => {}
            Role::Leading(machine) => machine.handle_learner(self.now, id, &packet),
            Role::Learning(machine) => machine.handle_observer(self.now, id, &packet),
        }
        self.drain(leader);
    }

    fn deliver_down(&mut self, id: LearnerId) {
        let link = self.links.get_mut(&id).unwrap();
        let (at, item) = (link.learner, link.down.pop_front());
        let node = &mut self.nodes[at];
        let Role::Learning(machine) = &mut node.role else {
            return;
        };
        match item {
            Some(Item::Packet(packet, committed)) => {
                node.committed_then = committed;
                machine.handle_leader(self.now, &packet);
            }
            Some(Item::Snapshot(history)) => {
                node.tree.clone_from(&history);
                node.installed = history;
                machine.handle_installed(self.now);
            }
            None => {}
        }
        self.drain(at);
    }

    pub(super) fn finish_disk_work_somewhere(&mut self) {
        let at = self.random.below(self.nodes.len());
        // Several are finished with one flush, and the last token says so.
        let several = 1 + self.random.below(3);
        let done = (0..several).filter_map(|_| self.finish_one(at)).last();
        if let Some(token) = done {
            match &mut self.nodes[at].role {
                Role::Looking => {}
                Role::Leading(machine) => machine.handle_persisted(self.now, token),
                Role::Learning(machine) => machine.handle_persisted(token),
            }
            self.drain(at);
        }
    }

    pub(super) fn finish_one(&mut self, at: usize) -> Option<PersistToken> {
        let node = &mut self.nodes[at];
        let (token, what) = node.work.pop_front()?;
        let disk = &mut node.disk;
        match what {
            Persist::AcceptedEpoch(epoch) => {
                assert!(epoch > disk.accepted, "I15: accepted epochs only grow");
                disk.accepted = epoch;
            }
            Persist::CurrentEpoch(epoch) => {
                assert!(epoch >= disk.current && epoch <= disk.accepted, "I15");
                disk.current = epoch;
            }
            Persist::Append(txn) => {
                assert!(
                    txn.zxid > disk.last(),
                    "the log of {at} goes back to {txn:?}"
                );
                assert!(txn.zxid.epoch() <= disk.accepted, "I16: {txn:?}");
                disk.log.push(txn);
            }
            Persist::TruncateAfter(to) => {
                disk.log.retain(|txn| txn.zxid <= to);
                disk.snapshot = disk.snapshot.min(to);
            }
            Persist::Snapshot(zxid) => {
                disk.log = std::mem::take(&mut node.installed);
                disk.snapshot = zxid;
            }
        }
        Some(token)
    }

    pub(super) fn propose_somewhere(&mut self) {
        let at = self.leader_somewhere();
        if let Role::Leading(machine) = &mut self.nodes[at].role
            && let Some(zxid) = machine.next_zxid()
        {
            self.proposed += 1;
            let payload = format!("{at} {}", self.proposed).into();
            machine.propose(self.now, Txn { zxid, payload }).unwrap();
            self.drain(at);
        }
    }

    /// The ticket of a sync is how much was committed when it was asked for.
    pub(super) fn sync_somewhere(&mut self) {
        let committed = self.committed.len() as u64;
        let leader = self.leader_somewhere();
        for at in [leader, self.random.below(self.nodes.len())] {
            let node = &mut self.nodes[at];
            match &mut node.role {
                Role::Leading(machine) => machine.sync(SyncTicket::Own(committed)),
                Role::Learning(machine) if node.serving => {
                    machine.sync(committed, SYNC.encode(), None);
                }
                Role::Looking | Role::Learning(_) => {}
            }
            self.drain(at);
        }
    }

    pub(super) fn pass_time(&mut self) {
        let ms = if self.random.chance(20) { 3000 } else { 100 };
        self.now += Duration::from_millis(ms);
        for at in 0..self.nodes.len() {
            match &mut self.nodes[at].role {
                Role::Looking => {}
                Role::Leading(machine) => machine.handle_timeout(self.now),
                Role::Learning(machine) => machine.handle_timeout(self.now),
            }
            self.drain(at);
        }
    }
}
