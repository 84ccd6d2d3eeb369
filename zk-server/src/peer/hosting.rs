//! Links to learners: a leader's to all of them, a follower's to the observers
//! that it hosts. Their bytes become packets here, and snapshots leave for
//! them. It refuses to know what a packet asks for.

use super::links::Input;
use super::streams::Streams;
use super::{LinkId, Peer, Role};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use zk_log::LogError;
use zk_proto::jute;
use zk_zab::{LearnerId, Packet};

/// Bytes that are kept of a learner that came too early.
pub(super) const EARLY_MAX: usize = 4096;

struct LearnerLink {
    remote: SocketAddr,
    input: Input,
}

/// All links to learners.
#[derive(Default)]
pub(super) struct LearnerLinks {
    links: BTreeMap<LinkId, LearnerLink>,
    /// Links whose bytes came before this server could do anything with them.
    early: Vec<LinkId>,
    pub(super) streams: Streams,
}

impl LearnerLinks {
    pub(super) fn accepted(&mut self, link: LinkId, remote: SocketAddr, bytes: Vec<u8>) {
        let mut input = Input::default();
        if !bytes.is_empty() {
            self.early.push(link);
            input.push(bytes);
        }
        self.links.insert(link, LearnerLink { remote, input });
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = LinkId> {
        self.links.keys().copied()
    }

    pub(super) fn remote(&self, link: LinkId) -> Option<SocketAddr> {
        self.links.get(&link).map(|it| it.remote)
    }

    pub(super) fn forget(&mut self, link: LinkId) {
        self.links.remove(&link);
        self.streams.forget(link);
    }

    /// Keeps what came too early; `false` if it is more than a learner says
    /// unasked.
    fn keep(&mut self, link: LinkId, bytes: Vec<u8>) -> bool {
        let Some(learner) = self.links.get_mut(&link) else {
            return true;
        };
        self.early.push(link);
        learner.input.push(bytes);
        learner.input.rest().len() <= EARLY_MAX
    }

    fn push(&mut self, link: LinkId, bytes: Vec<u8>) {
        if let Some(learner) = self.links.get_mut(&link) {
            learner.input.push(bytes);
        }
    }

    fn packet(&mut self, link: LinkId, max: usize) -> Result<Option<Packet>, jute::Error> {
        let learner = self.links.get_mut(&link);
        learner.map_or(Ok(None), |learner| learner.input.packet(max))
    }
}

impl Role {
    pub(super) fn learners(&mut self) -> Option<&mut LearnerLinks> {
        match self {
            Self::Looking(_) => None,
            Self::Leading(leading) => Some(&mut leading.learners),
            Self::Learning(learning) => Some(&mut learning.observers),
        }
    }

    /// Whether learners' packets mean anything to it yet.
    fn is_host(&self) -> bool {
        match self {
            Self::Looking(_) => false,
            Self::Leading(_) => true,
            Self::Learning(learning) => learning.is_host(),
        }
    }

    fn handle_learner(&mut self, now: Duration, from: LearnerId, packet: &Packet) {
        match self {
            Self::Looking(_) => {}
            Self::Leading(leading) => leading.leader.handle_learner(now, from, packet),
            Self::Learning(learning) => {
                if let Some(learner) = &mut learning.learner {
                    learner.handle_observer(now, from, packet);
                }
            }
        }
    }

    fn handle_learner_lost(&mut self, learner: LearnerId) {
        match self {
            Self::Looking(_) => {}
            Self::Leading(leading) => leading.leader.handle_learner_lost(learner),
            Self::Learning(learning) => {
                if let Some(machine) = &mut learning.learner {
                    machine.handle_observer_lost(learner);
                }
            }
        }
    }

    fn handle_sent(&mut self, now: Duration, to: LearnerId) {
        match self {
            Self::Looking(_) => {}
            Self::Leading(leading) => leading.leader.handle_progress(now, to),
            Self::Learning(learning) => {
                if let Some(learner) = &mut learning.learner {
                    learner.handle_observer_progress(now, to);
                }
            }
        }
    }
}

impl Peer {
    /// An observer connected to the port for such. It is kept by a follower
    /// that is not in broadcast yet, since both may have heard of the same
    /// election; nobody else has any use for it.
    pub(super) fn observer_accepted(&mut self, link: LinkId, remote: SocketAddr) {
        let hosts = self.config.observer_masters && !self.config.is_observer();
        match &mut self.role {
            Role::Learning(learning) if hosts => {
                learning.observers.accepted(link, remote, Vec::new());
            }
            _ => self.network.close(link),
        }
    }

    /// A follower in broadcast takes observers.
    pub(super) fn host_observers(&mut self, now: Duration) {
        if !self.config.observer_masters {
            return;
        }
        if let Role::Learning(learning) = &mut self.role
            && let Some(learner) = &mut learning.learner
        {
            learner.host_observers(now, self.disk.recent());
            self.unsettled = true;
        }
    }

    /// Bytes of a learner.
    pub(super) fn take_learner_bytes(
        &mut self,
        now: Duration,
        link: LinkId,
        bytes: Vec<u8>,
    ) -> Result<(), LogError> {
        let is_host = self.role.is_host();
        let Some(learners) = self.role.learners() else {
            return Ok(());
        };
        if is_host {
            learners.push(link, bytes);
            return self.take_learner_packets(now, link);
        }
        if !learners.keep(link, bytes) {
            learners.forget(link);
            self.network.close(link);
        }
        Ok(())
    }

    /// Learners that spoke too early.
    pub(super) fn take_early_learners(&mut self, now: Duration) -> Result<(), LogError> {
        if !self.role.is_host() {
            return Ok(());
        }
        let early = self.role.learners().map(|it| std::mem::take(&mut it.early));
        for link in early.unwrap_or_default() {
            self.take_learner_packets(now, link)?;
        }
        Ok(())
    }

    /// Whole packets that came of a learner.
    fn take_learner_packets(&mut self, now: Duration, link: LinkId) -> Result<(), LogError> {
        while self.over.is_none() {
            let Some(learners) = self.role.learners() else {
                break;
            };
            match learners.packet(link, self.config.packet_max) {
                Ok(Some(packet)) => {
                    self.role.handle_learner(now, LearnerId(link.0), &packet);
                    self.run_role(now)?;
                }
                Ok(None) => break,
                Err(error) => {
                    if let Some(remote) = learners.remote(link) {
                        tracing::warn!(learner = %remote, "closing the connection, whose bytes make no packet: {error}");
                    }
                    self.learner_lost(link);
                    self.network.close(link);
                }
            }
        }
        Ok(())
    }

    /// The link to a learner is gone.
    pub(super) fn learner_lost(&mut self, link: LinkId) {
        self.role.handle_learner_lost(LearnerId(link.0));
        if let Some(learners) = self.role.learners() {
            learners.forget(link);
        }
    }

    /// The protocol wants no more of a learner.
    pub(super) fn close_learner(&mut self, to: LearnerId, reason: &str) {
        let link = LinkId(to.0);
        if let Some(learners) = self.role.learners() {
            match learners.remote(link) {
                Some(learner) => tracing::warn!(%learner, "closing the connection: {reason}"),
                None => tracing::warn!("closing a learner's connection: {reason}"),
            }
            learners.forget(link);
        }
        self.network.close(link);
    }

    /// Goes on with snapshots for learners.
    pub(super) fn advance_streams(&mut self, now: Duration) {
        let Some(learners) = self.role.learners() else {
            return;
        };
        if learners.streams.is_empty() {
            return;
        }
        let moved = learners.streams.advance(&self.shared, &mut *self.network);
        for link in moved {
            self.role.handle_sent(now, LearnerId(link.0));
        }
    }
}
