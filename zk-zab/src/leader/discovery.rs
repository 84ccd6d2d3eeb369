//! The leader's discovery: which epochs a quorum has accepted, a new one
//! above them all, and a quorum that accepts it (`Leader.getEpochToPropose`,
//! `Leader.waitForEpochAck`).

use super::learners::{LearnerState, Progress, is_ahead};
use super::{Leader, Offer, Stage};
use crate::action::{Abdication, Action, LearnerId, Persist, Phase, Refusal};
use crate::persist::Durable;
use crate::{Packet, next_epoch};
use std::time::Duration;
use zk_proto::mutation::is_back;
use zk_proto::quorum::{AckEpoch, LearnerInfo, PacketType};
use zk_proto::{Epoch, ServerId, Zxid};

impl Leader {
    /// FOLLOWERINFO or OBSERVERINFO, the first packet of a connection.
    pub(super) fn hello(
        &mut self,
        now: Duration,
        from: LearnerId,
        packet: &Packet,
    ) -> Result<(), Refusal> {
        let observer = match packet.kind {
            PacketType::FOLLOWERINFO => false,
            PacketType::OBSERVERINFO => true,
            kind => return Err(Refusal::Unexpected(kind)),
        };
        let info = LearnerInfo::decode(packet.data()).map_err(|_| Refusal::Malformed)?;
        self.check_info(&info)?;
        if self.is_outpromised(info.server, packet.zxid.epoch()) {
            return Ok(());
        }
        self.replace_older(info.server);
        let learner = LearnerState::new(now, info.server, observer);
        self.learners.insert(from, learner);
        if !observer && self.quorums.is_voter(info.server) && self.stage == Stage::AskEpochs {
            self.count_accepted(now, info.server, packet.zxid.epoch());
        }
        self.ask_to_accept(now, from);
        Ok(())
    }

    /// A member may have promised the epoch of a leader that came to nothing,
    /// and must never follow one of before. Only a later epoch takes it in
    /// again: this leader makes the same promise and gives way. (In Apache the
    /// member stays away until there is another leader for other reasons.)
    fn is_outpromised(&mut self, member: ServerId, accepted: Epoch) -> bool {
        let epoch = self.epoch;
        let is_member = self.config.ensemble.members.contains_key(&member);
        if self.stage == Stage::AskEpochs || accepted <= epoch || !is_member {
            return false;
        }
        let token = self.promises.ask();
        let what = Persist::AcceptedEpoch(accepted);
        self.out.push_back(Action::Persist { token, what });
        self.abdicate(Abdication::Outpromised { epoch, accepted });
        true
    }

    fn check_info(&self, info: &LearnerInfo) -> Result<(), Refusal> {
        let next = self.quorums.next().map(|next| next.version);
        let held = self.config.ensemble.version;
        check_info(info, self.config.server, next.unwrap_or(held).max(held))
    }

    /// A server has one connection: what an older one acknowledged may be
    /// lost, and its silence must not count against the new one.
    fn replace_older(&mut self, server: ServerId) {
        let older = self.learners.iter().find(|(_, it)| it.server == server);
        if let Some((&id, _)) = older {
            self.refuse(id, Refusal::Replaced);
        }
    }

    /// Counts what a voter has accepted, and opens an epoch above when that
    /// is a quorum.
    pub(super) fn count_accepted(&mut self, now: Duration, voter: ServerId, accepted: Epoch) {
        self.accepted.insert(voter, accepted);
        if !self.quorums.is_quorum(|id| self.accepted.contains_key(&id)) {
            return;
        }
        match next_epoch(self.accepted.values().copied()) {
            Some(epoch) => self.open_epoch(now, epoch),
            None => self.abdicate(Abdication::EpochsUsedUp),
        }
    }

    fn open_epoch(&mut self, now: Duration, epoch: Epoch) {
        self.enter_stage(now, Stage::Accepting);
        self.epoch = epoch;
        self.persist(Persist::AcceptedEpoch(epoch), Offer::Epoch(epoch));
    }

    /// The epoch is on its own disk: ask the others.
    pub(super) fn offer_epoch(&mut self, now: Duration, offer: Durable<Offer>) {
        self.enter_stage(now, Stage::AwaitEpochAcks);
        self.offer = Some(offer);
        for id in self.learners_at(Progress::Joined) {
            self.ask_to_accept(now, id);
        }
        self.count_epoch_ack(now, self.config.server);
    }

    fn ask_to_accept(&mut self, now: Duration, to: LearnerId) {
        let Some(offer) = self.offer else { return };
        if let Some(learner) = self.learners.get_mut(&to) {
            learner.progress = Progress::Asked;
            learner.heard = now;
            self.send(to, Packet::leader_info(offer));
        }
    }

    /// ACKEPOCH. A learner that has promised the epoch before does not count
    /// and is served.
    pub(super) fn take_epoch_ack(
        &mut self,
        now: Duration,
        from: LearnerId,
        packet: &Packet,
    ) -> Result<(), Refusal> {
        let AckEpoch(current) = AckEpoch::decode(packet.data()).map_err(|_| Refusal::Malformed)?;
        if let Some(current) = current {
            self.check_not_ahead(current, packet)?;
        }
        let learner = self.learners.get_mut(&from);
        let learner = learner.filter(|it| it.progress == Progress::Asked);
        let learner = learner.ok_or(Refusal::Unexpected(packet.kind))?;
        learner.progress = Progress::Accepted;
        learner.last_zxid = packet.zxid;
        let (server, votes) = (learner.server, !learner.observer);
        match self.stage {
            Stage::AwaitEpochAcks if votes && current.is_some() => {
                self.count_epoch_ack(now, server);
            }
            Stage::Synchronize | Stage::Broadcast => self.synchronize(now, from),
            _ => {}
        }
        Ok(())
    }

    /// While the quorum forms, nobody in it may be ahead of this leader. Later
    /// a longer history is one that nobody committed, unless its epoch is
    /// later than this one.
    fn check_not_ahead(&self, epoch: Epoch, packet: &Packet) -> Result<(), Refusal> {
        let zxid = packet.zxid;
        let ahead = match self.stage {
            Stage::AwaitEpochAcks => {
                let own = (self.own.current_epoch, self.own.last_zxid);
                is_ahead((epoch, zxid), own)
            }
            _ => epoch > self.epoch,
        };
        if ahead && !is_back("learner_ahead_taken") {
            return Err(Refusal::Ahead { epoch, zxid });
        }
        Ok(())
    }

    fn count_epoch_ack(&mut self, now: Duration, voter: ServerId) {
        self.epoch_acks.insert(voter);
        let is_enough = self.quorums.is_quorum(|id| self.epoch_acks.contains(&id));
        if is_enough || is_back("epoch_without_quorum") {
            self.begin_synchronization(now);
        }
    }

    fn begin_synchronization(&mut self, now: Duration) {
        self.enter_stage(now, Stage::Synchronize);
        self.out.push_back(Action::Enter(Phase::Synchronization));
        let epoch = self.epoch;
        self.persist(Persist::CurrentEpoch(epoch), Offer::History(epoch));
        for id in self.learners_at(Progress::Accepted) {
            self.synchronize(now, id);
        }
    }

    /// Each step on the way to broadcast has the init limit for itself.
    pub(super) fn enter_stage(&mut self, now: Duration, stage: Stage) {
        self.stage = stage;
        self.deadline = now + self.config.init_limit();
    }
}

/// Whether a learner may have a connection to this server, which knows of no
/// configuration newer than that.
pub(crate) fn check_info(info: &LearnerInfo, own: ServerId, newest: Zxid) -> Result<(), Refusal> {
    if info.protocol < LearnerInfo::PROTOCOL {
        return Err(Refusal::TooOld(info.protocol));
    }
    if info.config_version > newest {
        return Err(Refusal::NewerConfig(info.config_version));
    }
    if info.server == own {
        return Err(Refusal::OwnId(info.server));
    }
    Ok(())
}
