//! Who leads and who follows: an oracle elects, as an election might; or the
//! last leader has named the next one.

use super::{Link, Role, World};
use crate::support::config_of;
use std::collections::VecDeque;
use zk_proto::ServerId;
use zk_proto::Zxid;
use zk_proto::ensemble::Role as Vote;
use zk_zab::{Leader, Learner, LearnerId, OwnHistory, ZabConfig};

impl World {
    /// Some elect; whoever is outside goes on as before.
    pub(super) fn elect_some(&mut self) {
        let mut servers: Vec<usize> = (0..self.nodes.len()).collect();
        servers.retain(|&at| self.nodes[at].up && !self.random.chance(200));
        if self.random.chance(300) {
            let right = self.random.chance(850);
            self.elect(&servers, right);
        }
    }

    pub(super) fn elect_everybody(&mut self) {
        let everybody: Vec<usize> = (0..self.nodes.len()).collect();
        self.elect(&everybody, true);
    }

    /// A server that looks does what its last leader said, that is leads or
    /// follows another; or it follows anybody.
    pub(super) fn join_somewhere(&mut self) {
        let looking = |&at: &usize| self.nodes[at].up && self.looks(at);
        let looking: Vec<usize> = (0..self.nodes.len()).filter(looking).collect();
        let Some(&at) = looking.get(self.random.below(looking.len())) else {
            return;
        };
        let designated = self.nodes[at].designated.take();
        let designated = designated.map(|ServerId(id)| id as usize - 1);
        let anybody = Some(self.leader_somewhere()).filter(|&it| self.leads(it));
        match designated
            .filter(|it| *it == at || self.leads(*it))
            .or(anybody)
        {
            Some(leader) if leader == at => self.lead(at),
            Some(leader) => self.follow(at, leader),
            None => {}
        }
    }

    /// One of those who lead, if anybody does.
    pub(super) fn leader_somewhere(&mut self) -> usize {
        let leading: Vec<usize> = (0..self.nodes.len()).filter(|&at| self.leads(at)).collect();
        let chosen = self.random.below(leading.len());
        leading.get(chosen).copied().unwrap_or(chosen)
    }

    fn looks(&self, at: usize) -> bool {
        matches!(self.nodes[at].role, Role::Looking)
    }

    /// Who has most leads, or, in a wrong election, anybody: the protocol has
    /// to see to it that nothing is lost. It takes a quorum of what holds for
    /// the leader, and of what may.
    fn elect(&mut self, servers: &[usize], right: bool) {
        if right {
            self.gossip(servers);
        }
        let mut candidates = servers.to_vec();
        candidates.retain(|&at| self.may_lead(at, servers));
        let rank = |&at: &usize| (self.nodes[at].disk.current, self.nodes[at].disk.last(), at);
        candidates.sort_by_key(rank);
        let chosen = match candidates.len() {
            0 => return,
            all if right => all - 1,
            all => self.random.below(all),
        };
        let leader = candidates[chosen];
        servers.iter().for_each(|&at| self.leave(at));
        self.lead(leader);
        for &at in servers {
            if at != leader {
                self.follow(at, leader);
            }
        }
    }

    /// Votes say which members hold.
    fn gossip(&mut self, servers: &[usize]) {
        let all = servers.iter().map(|&at| &self.nodes[at].disk.members);
        let Some(newest) = all.max_by_key(|it| it.version).cloned() else {
            return;
        };
        for &at in servers {
            self.nodes[at].disk.members.clone_from(&newest);
        }
    }

    fn may_lead(&self, at: usize, servers: &[usize]) -> bool {
        let (ensemble, next) = self.nodes[at].members();
        let id = ServerId(at as i64 + 1);
        let asked = servers.iter().map(|&at| ServerId(at as i64 + 1)).collect();
        let votes = ensemble.quorum_system().weight(id) > 0;
        let mut both = next.iter().chain([&ensemble]);
        votes && both.all(|it| it.quorum_system().is_quorum(&asked))
    }

    fn lead(&mut self, at: usize) {
        self.leave(at);
        self.elections += 1;
        let (own, config) = (self.own(at), self.config(at));
        self.completed += usize::from(config.next.is_some());
        let machine = Leader::new(self.now, config, own);
        self.nodes[at].role = Role::Leading(Box::new(machine));
        self.drain(at);
    }

    pub(super) fn follow(&mut self, at: usize, leader: usize) {
        self.leave(at);
        let (own, mut config) = (self.own(at), self.config(at));
        config.leader = Some(ServerId(leader as i64 + 1));
        let host = self.host_of(leader).filter(|_| config.observer);
        let leader = host.unwrap_or(leader);
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

    /// Observers go to another host of the same leader.
    pub(super) fn move_observers(&mut self) {
        let leader = self.leader_somewhere();
        let observes = |at: &usize| {
            let (members, _) = self.nodes[*at].members();
            let member = members.members.get(&ServerId(*at as i64 + 1));
            self.nodes[*at].up && member.is_some_and(|it| it.role == Vote::Observer)
        };
        let observers: Vec<usize> = (0..self.nodes.len()).filter(observes).collect();
        for at in observers {
            if at != leader && self.leads(leader) {
                self.follow(at, leader);
            }
        }
    }

    /// Sometimes a follower that serves under that leader.
    fn host_of(&mut self, leader: usize) -> Option<usize> {
        let follows = |it: &&Link| it.leader == leader && self.nodes[it.learner].serving;
        let hosts = |at: &usize| match &self.nodes[*at].role {
            Role::Learning(machine) => machine.hosts_observers(),
            _ => false,
        };
        let followers = self.links.values().filter(follows).map(|it| it.learner);
        let followers: Vec<usize> = followers.filter(hosts).collect();
        let chosen = self.random.below(followers.len() + 1);
        followers.get(chosen).copied()
    }

    fn config(&mut self, at: usize) -> ZabConfig {
        let (ensemble, next) = self.nodes[at].members();
        let id = ServerId(at as i64 + 1);
        let member = ensemble.members.get(&id);
        let observer = member.is_some_and(|it| it.role == Vote::Observer);
        ZabConfig {
            next,
            observer,
            committed_log_max: 1 + self.random.below(12),
            ..config_of(id.0, ensemble)
        }
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
}
