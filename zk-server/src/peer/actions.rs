//! What the protocol asks for, done: packets onto links, work for the disk,
//! transactions into the tree. It decides nothing.

use super::install::Install;
use super::{LinkId, Peer, Role, whole_ms};
use crate::pipeline::Core;
use std::time::Duration;
use zk_log::LogError;
use zk_proto::mutation::is_back;
use zk_proto::quorum::PeerState;
use zk_proto::txn::LoggedTxn;
use zk_proto::{Epoch, OpCode, Zxid};
use zk_zab::{Action, LearnerId, Packet, Persist, Phase, Txn, Upcall};

/// Transactions applied under one write lock.
const APPLY_CHUNK: usize = 128;

impl Peer {
    /// Does what the role asks for, in its order.
    pub(super) fn run_role(&mut self, now: Duration) -> Result<(), LogError> {
        while let Some(action) = self.poll_role() {
            self.perform(now, action)?;
        }
        Ok(())
    }

    fn poll_role(&mut self) -> Option<Action> {
        if self.over.is_some() {
            return None;
        }
        match &mut self.role {
            Role::Looking(_) => None,
            Role::Leading(leading) => leading.leader.poll_action(),
            Role::Learning(learning) => learning.learner.as_mut()?.poll_action(),
        }
    }

    fn perform(&mut self, now: Duration, action: Action) -> Result<(), LogError> {
        match action {
            Action::Send { to, packet } => self.send(to, &packet),
            Action::StreamSnapshot { to, at } => {
                if !is_back("snapshot_before_delivery") {
                    self.deliver(now);
                }
                tracing::info!("sending a snapshot of {at} to a learner");
                if let Some(learners) = self.role.learners() {
                    let network = &mut *self.network;
                    learners.streams.begin(&self.shared, network, LinkId(to.0));
                }
            }
            Action::ReadHistory { to, after, .. } => self.read_history(now, to, after)?,
            Action::Close { to, reason } => {
                self.breach = self.breach.or(reason.breach());
                self.close_learner(to, &reason.to_string());
            }
            Action::InstallSnapshot { at } => {
                let config = self.disk.tree_config;
                if let Role::Learning(learning) = &mut self.role {
                    learning.install = Some(Install::new(at, config));
                }
            }
            Action::Persist { token, what } => {
                self.deliver(now);
                let rebuilds = matches!(what, Persist::TruncateAfter(_));
                self.disk.persist(&self.shared, token, what)?;
                if rebuilds {
                    self.write_config_node();
                }
            }
            Action::Deliver(txn) => {
                self.disk.note_delivered(txn.zxid);
                self.deliveries.push(txn);
            }
            Action::Enter(phase) => {
                self.deliver(now);
                self.enter(now, phase);
            }
            Action::Upcall(upcall) => {
                self.deliver(now);
                self.answer_upcall(now, upcall);
            }
            Action::Abdicate(reason) => {
                self.breach = self.breach.or(reason.breach());
                self.over = Some(reason.into());
            }
        }
        Ok(())
    }

    fn send(&mut self, to: LearnerId, packet: &Packet) {
        self.scratch.clear();
        packet
            .encode(&mut self.scratch)
            .expect("a packet is shorter than a length can say");
        match &mut self.role {
            Role::Learning(learning) if to == LearnerId::LEADER => {
                self.network.send(learning.link, &self.scratch);
            }
            role => {
                let link = LinkId(to.0);
                let streams = role.learners().map(|it| &mut it.streams);
                if !streams.is_some_and(|it| it.hold(link, &self.scratch)) {
                    self.network.send(link, &self.scratch);
                }
                self.show_sent(packet.kind);
            }
        }
    }

    fn read_history(&mut self, now: Duration, to: LearnerId, after: Zxid) -> Result<(), LogError> {
        self.disk.flush_log(&self.shared)?;
        let size = self.shared.tree.read().data_size();
        let bytes_max = (size as f64 * self.config.snapshot_size_factor).max(0.0) as u64;
        let txns = match self.disk.read_around(after, bytes_max) {
            Ok(txns) => txns,
            Err(error) => {
                tracing::warn!(
                    "the log cannot be read for a learner, which gets a snapshot: {error}"
                );
                Vec::new()
            }
        };
        match &mut self.role {
            Role::Looking(_) => {}
            Role::Leading(leading) => leading.leader.handle_history(now, to, &txns),
            Role::Learning(learning) => {
                if let Some(learner) = &mut learning.learner {
                    learner.handle_history(now, to, &txns);
                }
            }
        }
        Ok(())
    }

    /// Applies what is committed, in order.
    pub(super) fn deliver(&mut self, now: Duration) {
        if self.deliveries.is_empty() {
            return;
        }
        let txns = std::mem::take(&mut self.deliveries);
        let shared = self.shared.clone();
        for chunk in txns.chunks(APPLY_CHUNK) {
            let mut tree = shared.tree.write();
            self.clients.applier.begin();
            for (at, txn) in chunk.iter().enumerate() {
                let record = decode(txn);
                if at == 0 {
                    self.show_committed(&record.header, chunk.len() as u64);
                }
                self.clients.apply(&mut tree, &record, whole_ms(now));
                if record.header.kind == OpCode::CLOSE_SESSION {
                    self.forget_session(record.header.client_id);
                }
            }
            shared.set_last_zxid(tree.last_zxid());
            drop(tree);
            self.clients.applier.flush();
        }
        if let (Role::Leading(leading), Some(last)) = (&mut self.role, txns.last())
            && let Some(core) = &mut leading.core
        {
            core.applied(last.zxid);
        }
    }

    fn forget_session(&mut self, session: zk_proto::SessionId) {
        if let Role::Leading(leading) = &mut self.role {
            leading.forget_session(session);
        }
    }

    fn enter(&mut self, now: Duration, phase: Phase) {
        if phase != Phase::Broadcast {
            return;
        }
        let (mut vote, state, epoch) = match &mut self.role {
            Role::Looking(_) => return,
            Role::Leading(leading) => {
                let epoch = leading.leader.epoch().unwrap_or(Epoch(0));
                let base = Zxid::new(epoch, 0);
                let prepare = self.config.prepare.clone();
                leading.core = Some(Core::new(prepare, base, self.config.hash_seed));
                (leading.vote, PeerState::Leading, epoch)
            }
            Role::Learning(learning) => {
                let learner = learning.learner.as_ref();
                let epoch = learner.and_then(zk_zab::Learner::epoch).unwrap_or(Epoch(0));
                (learning.vote, learning.state, epoch)
            }
        };
        if state == PeerState::Leading || !is_back("followers_vote_stays") {
            vote.peer_epoch = i64::from(epoch.0);
        }
        self.election.settle(state, vote);
        self.serve(now, state, epoch);
        self.host_observers(now);
    }

    fn answer_upcall(&mut self, now: Duration, upcall: Upcall) {
        match upcall {
            Upcall::Touched { sessions, .. } => self.touched(now, &sessions),
            Upcall::Revalidate { from, session } => self.revalidate(now, from, session),
            Upcall::Request { from, packet } => self.lead_forwarded(now, from, &packet),
            Upcall::Synced(ticket) => {
                for behind in self.clients.synced(ticket, whole_ms(now)) {
                    if is_back("behind_a_sync_forgotten") {
                        continue;
                    }
                    self.take_request(now, behind.item, &behind.body);
                }
            }
            Upcall::Revalidated { session, valid } => self.revalidated(now, session, valid),
            Upcall::Proposed(members) => self.note_proposed_members(now, *members),
            Upcall::Reconfigured { config, .. } => self.adopt_members(now, *config),
            // It holds when `Reconfigured` says so.
            Upcall::Ensemble(text) => self.note_leaders_members(now, &text),
        }
    }
}

impl Peer {
    pub(super) fn accepted(&mut self, link: LinkId, remote: std::net::SocketAddr) {
        match &mut self.role {
            Role::Looking(looking) => looking.accepted(link, remote),
            Role::Leading(leading) => leading.learners.accepted(link, remote, Vec::new()),
            Role::Learning(_) => self.network.close(link),
        }
    }

    pub(super) fn received(
        &mut self,
        now: Duration,
        link: LinkId,
        bytes: Vec<u8>,
    ) -> Result<(), LogError> {
        match &mut self.role {
            Role::Looking(looking) => {
                if !looking.received(link, &bytes) {
                    looking.forget(link);
                    self.network.close(link);
                }
                Ok(())
            }
            Role::Leading(_) => self.take_learner_bytes(now, link, bytes),
            Role::Learning(learning) if learning.link == link => self.take_leader_bytes(now, bytes),
            Role::Learning(_) => self.take_learner_bytes(now, link, bytes),
        }
    }

    pub(super) fn disconnected(&mut self, now: Duration, link: LinkId) -> Result<(), LogError> {
        match &mut self.role {
            Role::Looking(looking) => looking.forget(link),
            Role::Learning(learning) if learning.link == link => self.leader_lost(now),
            Role::Leading(_) | Role::Learning(_) => self.learner_lost(link),
        }
        self.run_role(now)
    }
}

fn decode(txn: &Txn) -> LoggedTxn<'_> {
    LoggedTxn::decode(&txn.payload).expect("it was decoded when it came, or made here")
}
