//! An ensemble in memory, driven step by step from a seed: links that delay
//! and break, disks that finish late, servers that crash, and an oracle that
//! elects; and whose members change on the way. Every step is checked against
//! what the protocol promises (RELIABILITY: I1, I3, I4, I5, I7, I12, I13, I16
//! to I20).

mod actions;
mod checks;
mod members;
mod roles;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::PacketType;
use zk_proto::{Epoch, ServerId, Zxid};
use zk_zab::{Leader, Learner, LearnerId, Packet, Persist, PersistToken, Txn};

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
#[derive(Clone)]
struct Disk {
    /// The dynamic file: the last configuration known to be committed.
    members: EnsembleConfig,
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
    /// Whom the last leader named as the next.
    designated: Option<ServerId>,
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

/// A connection; the learner's number is its key in the world. The leader's
/// end is a follower's, if that hosts the learner.
struct Link {
    leader: usize,
    learner: usize,
    up: VecDeque<Packet>,
    down: VecDeque<Item>,
}

pub(crate) struct World {
    pub(crate) random: Random,
    now: Duration,
    /// The members of the beginning.
    first: EnsembleConfig,
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
    /// Leaders that began with a reconfiguration in their history.
    pub(crate) completed: usize,
    /// Leaders that left for another one.
    pub(crate) handed_over: usize,
    /// Transactions that left a follower for an observer.
    pub(crate) informed: usize,
    /// Observers that came to a follower and served.
    pub(crate) hosted: usize,
}

impl World {
    /// Servers from 1 on, of which some are members of the first
    /// configuration.
    pub(crate) fn new(seed: u64, servers: usize, first: EnsembleConfig) -> Self {
        let node = |_| Node {
            up: true,
            role: Role::Looking,
            disk: Disk {
                members: first.clone(),
                accepted: Epoch(0),
                current: Epoch(0),
                log: Vec::new(),
                snapshot: Zxid::ZERO,
            },
            designated: None,
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
            nodes: (0..servers).map(node).collect(),
            first,
            links: BTreeMap::new(),
            next_link: 1,
            established: BTreeMap::new(),
            committed: Vec::new(),
            proposed: 0,
            elections: 0,
            synced: 0,
            plans: BTreeMap::new(),
            completed: 0,
            handed_over: 0,
            informed: 0,
            hosted: 0,
        }
    }

    pub(crate) fn committed(&self) -> usize {
        self.committed.len()
    }

    pub(crate) fn reconfigured(&self) -> usize {
        self.committed.iter().filter(|it| it.is_reconfig()).count()
    }

    /// One random thing happens.
    pub(crate) fn step(&mut self, faults: bool) {
        match self.random.below(100) {
            0..=45 => self.for_each_server(Self::deliver_somewhere),
            46..=75 => self.for_each_server(Self::finish_disk_work_somewhere),
            76..=86 => self.propose_somewhere(),
            87..=89 if faults => self.reconfigure_somewhere(),
            87..=89 => self.propose_somewhere(),
            90..=92 => self.sync_somewhere(),
            93..=95 => self.pass_time(),
            _ if !faults => self.pass_time(),
            96 => {
                self.join_somewhere();
                self.move_observers();
            }
            97 => self.break_link(),
            98 => self.crash_or_start(),
            _ => self.elect_some(),
        }
        self.check_quorum_durability();
    }

    /// As often as there are servers, so that many get as far as few.
    fn for_each_server(&mut self, something: fn(&mut Self)) {
        (0..self.nodes.len()).for_each(|_| something(self));
    }

    /// Everything is up, and nothing fails any more: a leader must come, and
    /// commit, and all must end equal.
    pub(crate) fn settle(&mut self) {
        (0..self.nodes.len()).for_each(|at| self.leave(at));
        self.nodes.iter_mut().for_each(|node| node.up = true);
        self.elect_everybody();
        let before = self.committed();
        for _ in 0..4000 {
            self.step(false);
            self.join_everybody();
        }
        assert!(self.committed() > before, "nothing was committed in peace");
        for _ in 0..40_000 {
            self.deliver_somewhere();
            self.finish_disk_work_somewhere();
            self.join_everybody();
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
                    None => self.elect_everybody(),
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
        match &mut self.nodes[link.leader].role {
            Role::Looking => {}
            Role::Leading(leader) => leader.handle_learner_lost(id),
            Role::Learning(follower) => follower.handle_observer_lost(id),
        }
        if let Role::Learning(learner) = &mut self.nodes[link.learner].role {
            learner.handle_leader_lost();
        }
        self.drain(link.learner);
    }
}

#[test]
fn a_peaceful_ensemble_commits() {
    let mut world = World::new(1, 4, crate::support::members(&[1, 2, 3], &[4], Zxid(1)));
    world.settle();
    assert!(world.committed() > 20);
}
