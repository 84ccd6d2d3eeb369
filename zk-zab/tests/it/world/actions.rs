//! What the machines ask for, carried out and checked on its way.

use super::{Item, Role, World};
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::PacketType;
use zk_proto::{Epoch, Zxid};
use zk_zab::{
    Abdication, Action, LearnerId, Packet, Persist, Phase, Refusal, SyncTicket, Txn, Upcall,
};

impl World {
    pub(super) fn drain(&mut self, at: usize) {
        loop {
            let action = match &mut self.nodes[at].role {
                Role::Looking => None,
                Role::Leading(machine) => machine.poll_action(),
                Role::Learning(machine) => machine.poll_action(),
            };
            let Some(action) = action else { break };
            self.carry_out(at, action);
        }
    }

    pub(super) fn carry_out(&mut self, at: usize, action: Action) {
        let leads = self.leads(at);
        match action {
            Action::Send { to, packet } if leads || to != LearnerId::LEADER => {
                self.send_down(at, to, packet);
            }
            Action::Send { packet, .. } => self.send_up(at, packet),
            Action::StreamSnapshot { to, at: zxid } => self.stream_snapshot(at, to, zxid),
            Action::ReadHistory { to, after, .. } => self.read_history(at, to, after),
            Action::Close { to, reason } => self.close(to, &reason),
            Action::InstallSnapshot { .. } => {}
            Action::Persist { token, what } => {
                if let Persist::TruncateAfter(zxid) = what {
                    self.truncate_tree(at, zxid);
                }
                self.nodes[at].work.push_back((token, what));
            }
            Action::Deliver(txn) => self.deliver(at, txn, leads),
            Action::Enter(phase) => self.enter(at, phase, leads),
            Action::Upcall(Upcall::Synced(committed)) => {
                let tree = self.nodes[at].tree.len() as u64;
                assert!(
                    tree >= committed,
                    "a sync was answered without what was committed"
                );
            }
            Action::Upcall(Upcall::Reconfigured { config, .. }) => {
                if leads {
                    self.check_tree(at);
                }
                self.hold(at, *config);
            }
            Action::Upcall(Upcall::Request { from, .. }) => {
                if let Role::Leading(machine) = &mut self.nodes[at].role {
                    machine.sync(SyncTicket::Of(from));
                }
            }
            Action::Upcall(_) => {}
            Action::Abdicate(reason) => {
                if let Abdication::Reconfigured { leader } = reason {
                    self.nodes[at].designated = leader;
                    self.handed_over += usize::from(leads);
                }
                let wrong = !matches!(
                    reason,
                    Abdication::NoQuorumInTime(_)
                        | Abdication::QuorumLost
                        | Abdication::LeaderLost
                        | Abdication::LeaderSilent
                        | Abdication::StaleLeader { .. }
                        | Abdication::Reconfigured { .. }
                );
                assert!(!wrong, "{at} abdicates: {reason}");
                self.leave(at);
            }
        }
    }

    pub(super) fn send_down(&mut self, at: usize, to: LearnerId, packet: Packet) {
        let disk = &self.nodes[at].disk;
        if packet.kind == PacketType::LEADERINFO {
            assert_eq!(
                disk.accepted,
                packet.zxid.epoch(),
                "LEADERINFO before its epoch"
            );
        }
        if [PacketType::DIFF, PacketType::TRUNC, PacketType::SNAP].contains(&packet.kind) {
            *self.plans.entry(packet.kind).or_default() += 1;
        }
        if packet.kind == PacketType::COMMIT && self.nodes[at].serving {
            let known = self.committed.iter().any(|it| it.zxid == packet.zxid);
            let before = self.members_behind(&self.nodes[at].tree);
            let held = self.is_quorum(&before, |it| it.disk.holds(packet.zxid));
            assert!(known || held, "I12: {} has no quorum", packet.zxid);
        }
        if !self.leads(at) && [PacketType::COMMIT, PacketType::INFORM].contains(&packet.kind) {
            let known = self.committed.iter().any(|it| it.zxid == packet.zxid);
            assert!(known, "a follower passes on {}", packet.zxid);
            self.informed += 1;
        }
        if let Some(link) = self.links.get_mut(&to) {
            let committed = self.committed.len();
            link.down.push_back(Item::Packet(packet, committed));
        }
    }

    pub(super) fn send_up(&mut self, at: usize, packet: Packet) {
        let zxid = packet.zxid;
        let node = &mut self.nodes[at];
        match packet.kind {
            PacketType::ACKEPOCH => {
                let asked = node.disk.accepted;
                assert!(
                    node.work.is_empty() && asked > Epoch(0),
                    "I16: unwritten promise"
                );
            }
            PacketType::ACK if zxid.counter() == 0 => {
                assert_eq!(
                    node.disk.current,
                    zxid.epoch(),
                    "I18: the epoch is not written"
                );
                let history = &self.established[&zxid.epoch()].1;
                assert!(
                    node.disk.log.starts_with(history),
                    "I18: the history is not written"
                );
            }
            PacketType::ACK => {
                assert!(
                    node.disk.holds(zxid),
                    "I17: {at} acknowledges {zxid} unwritten"
                );
                assert_eq!(node.disk.accepted, zxid.epoch(), "I16");
                assert!(zxid >= node.acked, "I13: acks go back");
                node.acked = zxid;
            }
            _ => {}
        }
        if let Some(link) = self.links.values_mut().find(|it| it.learner == at) {
            link.up.push_back(packet);
        }
    }

    pub(super) fn stream_snapshot(&mut self, at: usize, to: LearnerId, zxid: Zxid) {
        let tree = self.nodes[at].tree.clone();
        let whole = tree.last().is_none_or(|txn| txn.zxid <= zxid);
        assert!(whole, "more was delivered than the snapshot says");
        if let Some(link) = self.links.get_mut(&to) {
            link.down.push_back(Item::Snapshot(tree));
        }
    }

    pub(super) fn read_history(&mut self, at: usize, to: LearnerId, after: Zxid) {
        let node = &mut self.nodes[at];
        let from = node.tree.iter().rposition(|txn| txn.zxid <= after);
        let part = from.map(|from| node.tree[from..].to_vec());
        // Sometimes the log does not reach back.
        let part = part
            .filter(|_| !self.random.0.is_multiple_of(4))
            .unwrap_or_default();
        match &mut node.role {
            Role::Looking => {}
            Role::Leading(machine) => machine.handle_history(self.now, to, &part),
            Role::Learning(machine) => machine.handle_history(self.now, to, &part),
        }
    }

    pub(super) fn close(&mut self, to: LearnerId, reason: &Refusal) {
        let right = matches!(
            reason,
            Refusal::Silent
                | Refusal::Slow(_)
                | Refusal::Ahead { .. }
                | Refusal::Replaced
                | Refusal::NewerConfig(_)
        );
        assert!(right, "a learner is refused: {reason}");
        self.drop_link(to);
    }

    /// What is cut may get committed while the order to cut it travels, by a
    /// quorum without this server (which is then sent it again), and not
    /// before.
    pub(super) fn truncate_tree(&mut self, at: usize, to: Zxid) {
        let node = &mut self.nodes[at];
        let cut = node.tree.iter().filter(|txn| txn.zxid > to);
        for txn in cut {
            let committed = &self.committed[..node.committed_then];
            assert!(!committed.contains(txn), "I20: {txn:?} is cut");
        }
        node.tree.retain(|txn| txn.zxid <= to);
    }

    pub(super) fn deliver(&mut self, at: usize, txn: Txn, leads: bool) {
        if leads {
            self.check_held(at, &txn);
        }
        let node = &mut self.nodes[at];
        node.committed = txn.zxid;
        node.tree.push(txn);
        self.check_tree(at);
    }

    pub(super) fn enter(&mut self, at: usize, phase: Phase, leads: bool) {
        if leads && phase == Phase::Synchronization {
            let node = &self.nodes[at];
            let epoch = node.disk.accepted;
            let before = self.established.insert(epoch, (at, node.tree.clone()));
            assert!(before.is_none(), "I1: {epoch} has two leaders");
        }
        if phase == Phase::Broadcast {
            self.synced += 1;
            let mut links = self.links.values();
            let link = links.find(|it| it.learner == at);
            self.hosted += usize::from(link.is_some_and(|it| !self.leads(it.leader)));
            self.nodes[at].serving = true;
            self.check_tree(at);
            self.host(at);
        }
    }

    /// A follower hosts observers, with as much of its history as it likes.
    fn host(&mut self, at: usize) {
        let kept = self.random.below(10);
        let node = &mut self.nodes[at];
        let recent = node.tree[node.tree.len().saturating_sub(kept)..].to_vec();
        if let Role::Learning(machine) = &mut node.role {
            machine.host_observers(self.now, recent);
        }
    }

    /// The dynamic file is written.
    fn hold(&mut self, at: usize, members: EnsembleConfig) {
        self.check_members(&members);
        let file = &mut self.nodes[at].disk.members;
        if members.version > file.version {
            *file = members;
        }
    }
}
