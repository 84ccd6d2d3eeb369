//! An ensemble in memory, driven step by step from a seed: links that delay
//! and break, disks that finish late, servers that crash, and an oracle that
//! elects. Every step is checked against what the protocol promises
//! (RELIABILITY: I1, I3, I4, I5, I7, I12, I13, I16 to I20).

mod actions;
mod checks;

use crate::support::config;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use zk_proto::quorum::PacketType;
use zk_proto::{Epoch, Zxid};
use zk_zab::{
    Leader, Learner, LearnerId, OwnHistory, Packet, Persist, PersistToken, SyncTicket, Txn,
};

/// A generator of few words (xorshift*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        number as usize % end.max(1)
    }

    fn chance(&mut self, per_mille: usize) -> bool {
        self.below(1000) < per_mille
    }
}

/// What a crash leaves.
#[derive(Clone, Default)]
struct Disk {
    accepted: Epoch,
    current: Epoch,
    log: Vec<Txn>,
    /// Where the last snapshot stands; it may be an epoch's base.
    snapshot: Zxid,
}

impl Disk {
    fn last(&self) -> Zxid {
        let last = self.log.last().map_or(Zxid::ZERO, |txn| txn.zxid);
        last.max(self.snapshot)
    }

    fn holds(&self, zxid: Zxid) -> bool {
        self.log.iter().any(|txn| txn.zxid == zxid)
    }
}

enum Role {
    Looking,
    Leading(Box<Leader>),
    Learning(Box<Learner>),
}

struct Node {
    up: bool,
    role: Role,
    disk: Disk,
    /// Disk work that is not durable yet.
    work: VecDeque<(PersistToken, Persist)>,
    /// The snapshot that `Persist::Snapshot` will write.
    installed: Vec<Txn>,
    tree: Vec<Txn>,
    /// Whether clients see the tree.
    serving: bool,
    committed: Zxid,
    /// What it last promised on this connection.
    acked: Zxid,
    /// How much was committed when the packet at hand was sent.
    committed_then: usize,
}

enum Item {
    /// With how much was committed when it was sent.
    Packet(Packet, usize),
    Snapshot(Vec<Txn>),
}

/// A connection; the learner's number is its key in the world.
struct Link {
    leader: usize,
    learner: usize,
    up: VecDeque<Packet>,
    down: VecDeque<Item>,
}

pub(crate) struct World {
    pub(crate) random: Random,
    now: Duration,
    voters: usize,
    nodes: Vec<Node>,
    links: BTreeMap<LearnerId, Link>,
    next_link: u64,
    /// Which leader established an epoch, and its history then.
    established: BTreeMap<Epoch, (usize, Vec<Txn>)>,
    /// What is committed, by anybody, for ever.
    committed: Vec<Txn>,
    proposed: u64,
    pub(crate) elections: usize,
    pub(crate) synced: usize,
    pub(crate) plans: BTreeMap<PacketType, usize>,
}

impl World {
    pub(crate) fn new(seed: u64, voters: usize, observers: usize) -> Self {
        let node = |_| Node {
            up: true,
            role: Role::Looking,
            disk: Disk::default(),
            work: VecDeque::new(),
            installed: Vec::new(),
            tree: Vec::new(),
            serving: false,
            committed: Zxid::ZERO,
            acked: Zxid::ZERO,
            committed_then: 0,
        };
        Self {
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            now: Duration::ZERO,
            voters,
            nodes: (0..voters + observers).map(node).collect(),
            links: BTreeMap::new(),
            next_link: 1,
            established: BTreeMap::new(),
            committed: Vec::new(),
            proposed: 0,
            elections: 0,
            synced: 0,
            plans: BTreeMap::new(),
        }
    }

    pub(crate) fn committed(&self) -> usize {
        self.committed.len()
    }

    /// One random thing happens.
    pub(crate) fn step(&mut self, faults: bool) {
        match self.random.below(100) {
            0..=44 => self.deliver_somewhere(),
            45..=74 => self.finish_disk_work_somewhere(),
            75..=88 => self.propose_somewhere(),
            89..=91 => self.sync_somewhere(),
            92..=95 => self.pass_time(),
            _ if !faults => self.pass_time(),
            96 => self.break_link(),
            97 => self.crash_or_start(),
            _ => self.elect_some(),
        }
        self.check_quorum_durability();
    }

    /// Everything is up, and nothing fails any more: a leader must come, and
    /// commit, and all must end equal.
    pub(crate) fn settle(&mut self) {
        (0..self.nodes.len()).for_each(|at| self.leave(at));
        self.nodes.iter_mut().for_each(|node| node.up = true);
        let everybody: Vec<usize> = (0..self.nodes.len()).collect();
        self.elect(&everybody);
        let before = self.committed();
        for _ in 0..4000 {
            self.step(false);
            self.join_everybody();
        }
        assert!(self.committed() > before, "nothing was committed in peace");
        for _ in 0..40_000 {
            self.deliver_somewhere();
            self.finish_disk_work_somewhere();
        }
        for (at, node) in self.nodes.iter().enumerate() {
            assert!(node.serving, "{at} does not serve");
            assert_eq!(node.tree, self.committed, "{at} has another tree");
            assert_eq!(node.disk.log, self.committed, "{at} has another log");
        }
    }

    fn join_everybody(&mut self) {
        for at in 0..self.nodes.len() {
            if matches!(self.nodes[at].role, Role::Looking) {
                let mut leaders = (0..self.nodes.len()).filter(|&it| self.leads(it));
                match leaders.next() {
                    Some(leader) => self.follow(at, leader),
                    None => self.elect(&(0..self.nodes.len()).collect::<Vec<_>>()),
                }
            }
        }
    }

    fn leads(&self, at: usize) -> bool {
        matches!(self.nodes[at].role, Role::Leading(_))
    }

    // Faults.

    fn break_link(&mut self) {
        let ids: Vec<LearnerId> = self.links.keys().copied().collect();
        if !ids.is_empty() {
            let id = ids[self.random.below(ids.len())];
            self.drop_link(id);
        }
    }

    fn crash_or_start(&mut self) {
        let at = self.random.below(self.nodes.len());
        if self.nodes[at].up && self.random.chance(600) {
            // What was not durable is lost, all or in part.
            let kept = self.random.below(self.nodes[at].work.len() + 1);
            self.nodes[at].work.truncate(kept);
            self.leave(at);
            let node = &mut self.nodes[at];
            node.committed = Zxid::ZERO;
            node.up = false;
        } else {
            self.nodes[at].up = true;
        }
    }

    /// The end of a role: its disk work is finished, its tree made anew.
    fn leave(&mut self, at: usize) {
        while self.finish_one(at).is_some() {}
        let node = &mut self.nodes[at];
        node.role = Role::Looking;
        node.serving = false;
        node.tree = node.disk.log.clone();
        let ids: Vec<LearnerId> = self.links.keys().copied().collect();
        for id in ids {
            let touches = self
                .links
                .get(&id)
                .is_some_and(|it| it.leader == at || it.learner == at);
            if touches {
                self.drop_link(id);
            }
        }
    }

    fn drop_link(&mut self, id: LearnerId) {
        let Some(link) = self.links.remove(&id) else {
            return;
        };
        if let Role::Leading(leader) = &mut self.nodes[link.leader].role {
            leader.handle_learner_lost(id);
        }
        if let Role::Learning(learner) = &mut self.nodes[link.learner].role {
            learner.handle_leader_lost();
        }
        self.drain(link.learner);
    }

    // Elections.

    /// A random quorum elects; whoever is outside goes on as before.
    fn elect_some(&mut self) {
        let mut voters: Vec<usize> = (0..self.voters).filter(|&at| self.nodes[at].up).collect();
        while voters.len() > self.voters / 2 + 1 && self.random.chance(400) {
            voters.remove(self.random.below(voters.len()));
        }
        if voters.len() > self.voters / 2 && self.random.chance(300) {
            self.elect(&voters);
        } else {
            self.follow_somebody();
        }
    }

    fn follow_somebody(&mut self) {
        let (at, leader) = (
            self.random.below(self.nodes.len()),
            self.random.below(self.voters),
        );
        let looking = self.nodes[at].up && matches!(self.nodes[at].role, Role::Looking);
        if looking && at != leader && self.leads(leader) {
            self.follow(at, leader);
        }
    }

    fn elect(&mut self, servers: &[usize]) {
        servers.iter().for_each(|&at| self.leave(at));
        let voters = servers.iter().copied().filter(|&at| at < self.voters);
        let rank = |&at: &usize| (self.nodes[at].disk.current, self.nodes[at].disk.last(), at);
        let leader = voters.max_by_key(rank).unwrap();
        self.elections += 1;
        let (own, config) = (self.own(leader), self.config(leader));
        let machine = Leader::new(self.now, config, own);
        self.nodes[leader].role = Role::Leading(Box::new(machine));
        self.drain(leader);
        for &at in servers {
            if at != leader {
                self.follow(at, leader);
            }
        }
    }

    fn follow(&mut self, at: usize, leader: usize) {
        self.leave(at);
        let (own, config) = (self.own(at), self.config(at));
        let machine = Learner::new(self.now, config, own);
        self.nodes[at].role = Role::Learning(Box::new(machine));
        self.nodes[at].acked = Zxid::ZERO;
        let (up, down) = (VecDeque::new(), VecDeque::new());
        let learner = at;
        let link = Link {
            leader,
            learner,
            up,
            down,
        };
        self.links.insert(LearnerId(self.next_link), link);
        self.next_link += 1;
        self.drain(at);
    }

    fn config(&mut self, at: usize) -> zk_zab::ZabConfig {
        let mut config = config(at as i64 + 1, self.voters as i64);
        config.observer = at >= self.voters;
        config.committed_log_max = 1 + self.random.below(12);
        config
    }

    fn own(&mut self, at: usize) -> OwnHistory {
        let kept = self.random.below(10);
        let node = &self.nodes[at];
        let from = node.disk.log.len().saturating_sub(kept);
        OwnHistory {
            accepted_epoch: node.disk.accepted,
            current_epoch: node.disk.current,
            last_zxid: node.disk.last(),
            committed: node.committed,
            recent: node.disk.log[from..].to_vec(),
        }
    }

    // Work.

    fn deliver_somewhere(&mut self) {
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
        if let (Some(packet), Role::Leading(machine)) = (packet, &mut self.nodes[leader].role) {
            machine.handle_learner(self.now, id, &packet);
            self.drain(leader);
        }
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

    fn finish_disk_work_somewhere(&mut self) {
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

    fn finish_one(&mut self, at: usize) -> Option<PersistToken> {
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

    fn propose_somewhere(&mut self) {
        let at = self.random.below(self.voters);
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
    fn sync_somewhere(&mut self) {
        let (at, committed) = (self.random.below(self.voters), self.committed.len() as u64);
        if let Role::Leading(machine) = &mut self.nodes[at].role {
            machine.sync(SyncTicket::Own(committed));
            self.drain(at);
        }
    }

    fn pass_time(&mut self) {
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

#[test]
fn a_peaceful_ensemble_commits() {
    let mut world = World::new(1, 3, 1);
    world.settle();
    assert!(world.committed() > 20);
}
