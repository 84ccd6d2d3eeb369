//! An ensemble in virtual time: servers that elect, crash and come back with
//! what is on disk, a network that loses, delays, reorders, repeats and is
//! cut, and above the elections just enough of a leader and followers to
//! notice that they have none. One seed is one run.

mod chance;
mod ghost;
mod network;
mod node;

pub(crate) use chance::Chance;
use ghost::{Cause, Ghost};
use network::{Message, Network};
use node::{Node, Role};
use std::collections::BTreeSet;
use std::time::Duration;
use zk_election::{Election, ElectionAction, ElectionConfig, OwnHistory};
use zk_proto::ensemble::{EnsembleConfig, QuorumSystem};
use zk_proto::quorum::PeerState;
use zk_proto::{Epoch, ServerId, Zxid};

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// How often followers and leaders look after one another.
const TICK: Duration = ms(50);
/// How long a leader and its followers may take to find one another.
const PATIENCE: Duration = ms(400);

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) now: Duration,
    pub(crate) nodes: Vec<Node>,
    pub(crate) ghost: Ghost,
    network: Network,
    ensemble: EnsembleConfig,
    quorums: QuorumSystem,
    next_tick: Duration,
    next_fault: Duration,
    /// One line an event, if anybody wants to read them.
    pub(crate) trace: Option<Vec<String>>,
    pub(crate) events: u64,
    pub(crate) restarts: u64,
}

impl World {
    /// `ordered` links are as those of TCP: what is sent first comes first.
    pub(crate) fn new(
        seed: u64,
        ensemble: EnsembleConfig,
        delay_max_ms: u64,
        ordered: bool,
    ) -> Self {
        let mut chance = Chance::new(seed);
        let ids: Vec<ServerId> = ensemble.members.keys().copied().collect();
        let nodes = ids
            .iter()
            .map(|id| Node::new(*id, random_history(&mut chance)));
        Self {
            nodes: nodes.collect(),
            chance,
            now: Duration::ZERO,
            ghost: Ghost::default(),
            network: Network::new(delay_max_ms, ordered),
            quorums: ensemble.quorum_system(),
            ensemble,
            next_tick: TICK,
            next_fault: Duration::ZERO,
            trace: None,
            events: 0,
            restarts: 0,
        }
    }

    /// Everybody starts within this time, and nothing goes wrong.
    pub(crate) fn boot(&mut self, within_ms: u64) -> Result<(), String> {
        let count = self.nodes.len();
        let mut order: Vec<(u64, usize)> = (0..count)
            .map(|at| (self.chance.between(0, within_ms), at))
            .collect();
        order.sort_unstable();
        for (at, node) in order {
            self.run_until(ms(at), |_| false)?;
            self.restart(node)?;
        }
        Ok(())
    }

    /// Lets faults happen up to that time.
    pub(crate) fn misbehave_until(&mut self, end: Duration) -> Result<(), String> {
        while self.now < end {
            let next = self.next_fault.min(end);
            self.run_until(next, |_| false)?;
            if self.now >= self.next_fault {
                self.fault()?;
                self.next_fault = self.now + ms(self.chance.between(10, 150));
            }
        }
        Ok(())
    }

    /// Repairs everything.
    pub(crate) fn heal(&mut self) -> Result<(), String> {
        self.note(|| "healed".to_owned());
        self.network.heal();
        for node in 0..self.nodes.len() {
            if !self.nodes[node].is_up() {
                self.restart(node)?;
            }
        }
        self.tell_links()
    }

    /// Whether all servers are settled under one leader that leads them.
    pub(crate) fn agrees(&self) -> bool {
        let leader = self.nodes.iter().find(|node| node.attached && node.leads());
        leader.is_some_and(|leader| {
            let follows = |node: &Node| node.attached && node.leader() == Some(leader.id);
            self.nodes.iter().all(follows)
        })
    }

    /// Runs up to that time, or until what is wanted is true.
    pub(crate) fn run_until(
        &mut self,
        end: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> Result<(), String> {
        while !done(self) {
            let timeouts = self.nodes.iter().filter_map(Node::timeout);
            let wake = timeouts.min().unwrap_or(Duration::MAX);
            let message = self.network.next_at().unwrap_or(Duration::MAX);
            let next = wake.min(message).min(self.next_tick);
            if next > end {
                self.now = self.now.max(end);
                return Ok(());
            }
            self.now = self.now.max(next);
            self.events += 1;
            if next == message {
                self.deliver()?;
            } else if next == wake {
                self.wake(wake)?;
            } else {
                self.tick()?;
                self.next_tick += TICK;
            }
        }
        Ok(())
    }

    fn deliver(&mut self) -> Result<(), String> {
        let Some(message) = self.network.take() else {
            return Ok(());
        };
        let Message { from, to, what } = message;
        if self.network.is_cut(from, to) {
            return Ok(());
        }
        let cause = match what.state {
            PeerState::Looking => Cause::Votes,
            _ => Cause::Told,
        };
        self.note(|| {
            format!(
                "{from}->{to} {:?} {} r{}",
                what.state, what.leader, what.round
            )
        });
        let at = self.index(to);
        self.step(at, cause, |election, now| {
            election.handle_notification(now, from, what)
        })
    }

    fn wake(&mut self, deadline: Duration) -> Result<(), String> {
        let due = self
            .nodes
            .iter()
            .position(|it| it.timeout() == Some(deadline));
        match due {
            Some(node) => self.step(node, Cause::Votes, Election::handle_timeout),
            None => Ok(()),
        }
    }

    /// One input of one server, and all that comes of it.
    fn step(
        &mut self,
        at: usize,
        cause: Cause,
        input: impl FnOnce(&mut Election, Duration),
    ) -> Result<(), String> {
        let now = self.now;
        let node = &mut self.nodes[at];
        let id = node.id;
        let Some(election) = &mut node.election else {
            return Ok(());
        };
        input(election, now);
        let mut decision = None;
        while let Some(action) = election.poll_action() {
            match action {
                ElectionAction::Send { to, notification } => {
                    let message = Message {
                        from: id,
                        to,
                        what: notification,
                    };
                    self.network.send(&mut self.chance, now, message);
                }
                ElectionAction::Decide { state, vote, round } => {
                    decision = Some((state, vote, round));
                }
                ElectionAction::Connect => {}
                ElectionAction::AdoptConfig(_) => return Err("nobody sent a config".to_owned()),
            }
        }
        if election.state() == PeerState::Looking || decision.is_some() {
            self.ghost.enters(election.round(), id, node.own_vote());
        }
        let Some((state, vote, round)) = decision else {
            return Ok(());
        };
        node.role = Some(Role {
            state,
            vote,
            since: now,
        });
        node.decisions += 1;
        self.note(|| format!("{id} decides {state:?} {vote:?} {round:?}"));
        let judged = self.ghost.judge(&self.quorums, id, (vote, round), cause);
        judged.map_err(|why| format!("server {id} decided {state:?} by {cause:?}: {why}"))
    }

    fn look(&mut self, at: usize) -> Result<(), String> {
        let node = &mut self.nodes[at];
        node.role = None;
        node.attached = false;
        node.candidacy = node.history;
        let (id, own) = (node.id, node.history);
        self.note(|| format!("{id} looks with {own:?}"));
        self.step(at, Cause::Votes, |election, now| election.start(now, own))
    }

    fn restart(&mut self, at: usize) -> Result<(), String> {
        let id = self.nodes[at].id;
        let mut config = ElectionConfig::new(id, self.ensemble.clone());
        config.resend_max = ms(2000);
        self.nodes[at].election = Some(Election::new(config));
        self.restarts += 1;
        self.look(at)
    }

    fn crash(&mut self, at: usize) -> Result<(), String> {
        let node = &mut self.nodes[at];
        node.election = None;
        node.role = None;
        node.attached = false;
        let id = node.id;
        self.note(|| format!("{id} crashes"));
        self.tell_links()
    }

    /// Most drivers notice most changes of links, sooner or later.
    fn tell_links(&mut self) -> Result<(), String> {
        for at in 0..self.nodes.len() {
            for other in 0..self.nodes.len() {
                if at == other || !self.chance.percent(70) {
                    continue;
                }
                let peer = self.nodes[other].id;
                if self.linked(at, other) {
                    self.step(at, Cause::Votes, |it, now| it.handle_connected(now, peer))?;
                } else {
                    self.step(at, Cause::Votes, |it, now| {
                        it.handle_disconnected(now, peer)
                    })?;
                }
            }
        }
        Ok(())
    }

    fn linked(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.nodes[a], &self.nodes[b]);
        let cut = self.network.is_cut(a.id, b.id) || self.network.is_cut(b.id, a.id);
        a.is_up() && b.is_up() && !cut
    }

    fn fault(&mut self) -> Result<(), String> {
        let node = self.chance.below(self.nodes.len() as u64) as usize;
        match self.chance.below(8) {
            0 if self.nodes[node].is_up() => self.crash(node),
            0..=2 if !self.nodes[node].is_up() => self.restart(node),
            3 => {
                let ids: Vec<ServerId> = self.nodes.iter().map(|it| it.id).collect();
                self.network.split(&mut self.chance, &ids);
                self.tell_links()
            }
            4 => {
                let other = self.chance.below(self.nodes.len() as u64) as usize;
                self.network.cut(self.nodes[node].id, self.nodes[other].id);
                self.tell_links()
            }
            5 => {
                self.network.heal();
                self.tell_links()
            }
            6 => {
                self.network.loss_percent = self.chance.below(40);
                Ok(())
            }
            _ if self.nodes[node].is_up() => self.look(node),
            _ => Ok(()),
        }
    }

    fn tick(&mut self) -> Result<(), String> {
        for at in 0..self.nodes.len() {
            let healthy = match self.nodes[at].role {
                Some(Role {
                    state: PeerState::Leading,
                    ..
                }) => self.lead(at),
                Some(role) => self.follow(at, role.vote.leader),
                None => continue,
            };
            let node = &self.nodes[at];
            let waited = node
                .role
                .is_some_and(|role| self.now - role.since > PATIENCE);
            if !healthy && (node.attached || waited) {
                self.look(at)?;
            }
        }
        Ok(())
    }

    /// A leader with a quorum takes up the next epoch, or writes.
    fn lead(&mut self, at: usize) -> bool {
        let id = self.nodes[at].id;
        let count = self.nodes.len();
        let followers: Vec<usize> = (0..count)
            .filter(|&it| it == at || self.linked(at, it) && self.nodes[it].leader() == Some(id))
            .collect();
        let ids: BTreeSet<ServerId> = followers.iter().map(|&it| self.nodes[it].id).collect();
        if !self.quorums.is_quorum(&ids) {
            return false;
        }
        let mut history = self.nodes[at].history;
        if !self.nodes[at].attached {
            let epochs = followers
                .iter()
                .map(|&it| self.nodes[it].history.current_epoch.0);
            history.current_epoch = Epoch(epochs.max().unwrap_or(0) + 1);
        } else if self.chance.percent(50) {
            let counter = history.zxid.counter() + 1;
            history.zxid = Zxid::new(history.current_epoch, counter);
        }
        for it in followers {
            if it == at || self.chance.percent(90) {
                self.nodes[it].attach(history);
            }
        }
        true
    }

    fn follow(&mut self, at: usize, leader: ServerId) -> bool {
        let leader = self.index(leader);
        self.linked(at, leader) && self.nodes[leader].leads()
    }

    fn index(&self, id: ServerId) -> usize {
        let found = self.nodes.iter().position(|node| node.id == id);
        found.expect("messages go to members")
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>8.1?} {}", self.now, line()));
        }
    }
}

fn random_history(chance: &mut Chance) -> OwnHistory {
    let current_epoch = Epoch(chance.below(3) as u32);
    OwnHistory {
        zxid: Zxid::new(current_epoch, chance.below(4) as u32),
        current_epoch,
    }
}
