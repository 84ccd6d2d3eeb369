//! The leader's synchronization: each learner gets what it lacks, then
//! everything that is still outstanding, then NEWLEADER; and once a quorum
//! has written that, clients are served (`LearnerHandler.syncFollower`,
//! `Leader.startForwarding`, `Leader.waitForNewLeaderAck`).

use super::history::{Decision, HistoryWindow};
use super::learners::Progress;
use super::{Leader, Stage, SyncPlan};
use crate::action::{Action, LearnerId, Phase, Refusal, Upcall};
use crate::packet::base;
use crate::{Packet, Txn};
use std::collections::VecDeque;
use std::time::Duration;
use zk_proto::Zxid;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::mutation::is_back;
use zk_proto::quorum::PacketType;

impl Leader {
    /// Decides what a learner gets, or has the disk read for that.
    pub(super) fn synchronize(&mut self, now: Duration, to: LearnerId) {
        let Some(learner) = self.learners.get_mut(&to) else {
            return;
        };
        let after = learner.last_zxid;
        match self.window.plan(after) {
            Decision::Plan(plan) => self.carry_out(now, to, plan, &[]),
            Decision::ReadDisk { through } => {
                learner.progress = Progress::Reading;
                self.out
                    .push_back(Action::ReadHistory { to, after, through });
            }
        }
    }

    /// Takes the answer to [`Action::ReadHistory`]; empty if there is none.
    pub fn handle_history(&mut self, now: Duration, to: LearnerId, disk: &[Txn]) {
        let learner = self.learners.get(&to);
        let Some(learner) = learner.filter(|it| it.progress == Progress::Reading) else {
            return;
        };
        if !self.is_leaving() {
            let plan = self.window.plan_with_disk(learner.last_zxid, disk);
            self.carry_out(now, to, plan, disk);
        }
    }

    fn carry_out(&mut self, now: Duration, to: LearnerId, plan: SyncPlan, disk: &[Txn]) {
        let plan = match plan {
            SyncPlan::Snapshot { at } if is_back("snapshot_stamped_ahead") => {
                let at = self.last_proposed.max(at);
                SyncPlan::Snapshot { at }
            }
            plan => plan,
        };
        send_history(&mut self.out, to, &self.window, plan, disk);
        if self.stage == Stage::Broadcast && self.quorums.next().is_some() {
            // What NEWLEADER says takes the place of what was proposed before
            // it, for Apache's learners.
            self.send_new_leader(now, to);
            self.send_outstanding(now, to);
        } else {
            self.send_outstanding(now, to);
            self.send_new_leader(now, to);
        }
    }

    /// Everything that may still be committed, also to a learner that has
    /// yet to acknowledge NEWLEADER: its acknowledgements may be needed.
    fn send_outstanding(&mut self, now: Duration, to: LearnerId) {
        let begin = self.window.committed().max(base(self.epoch));
        let last_proposed = self.last_proposed.max(begin);
        let Some(learner) = self.learners.get_mut(&to) else {
            return;
        };
        learner.acked = begin;
        learner.sent = begin;
        if learner.observer {
            return;
        }
        if last_proposed > begin {
            learner.note_sent(now, last_proposed);
        }
        for at in 0..self.outstanding.len() {
            let packet = Packet::with_txn(PacketType::PROPOSAL, &self.outstanding[at]);
            self.send(to, packet);
        }
    }

    fn send_new_leader(&mut self, now: Duration, to: LearnerId) {
        let zxid = base(self.epoch);
        let ensemble = self.new_ensemble().to_string().into_bytes();
        self.send(to, Packet::with_data(PacketType::NEWLEADER, zxid, ensemble));
        if let Some(learner) = self.learners.get_mut(&to) {
            learner.progress = Progress::Syncing;
            learner.heard = now;
        }
    }

    /// The configuration of this epoch. One of the history that may not be
    /// committed gets so with it (ZOOKEEPER-1324); not so one that is
    /// proposed. One that was never agreed upon, of version 0, gets the
    /// version of this epoch (ZOOKEEPER-1783).
    fn new_ensemble(&self) -> EnsembleConfig {
        let next = self
            .quorums
            .next()
            .filter(|_| self.stage != Stage::Broadcast);
        if let Some(next) = next {
            return next.clone();
        }
        let mut ensemble = self.config.ensemble.clone();
        if self.config.reconfig && ensemble.version == Zxid::ZERO {
            ensemble.version = base(self.epoch);
        }
        ensemble
    }

    /// The acknowledgement of NEWLEADER.
    pub(super) fn take_history_ack(&mut self, now: Duration, from: LearnerId) {
        if let Some(learner) = self.learners.get_mut(&from) {
            learner.progress = Progress::Synced;
            learner.heard = now;
        }
        match self.stage {
            Stage::Broadcast => self.send_up_to_date(now, from),
            _ => self.try_to_serve(now),
        }
        self.commit_what_is_held(now);
    }

    /// Broadcast begins when a quorum holds the history and the epoch.
    pub(super) fn try_to_serve(&mut self, now: Duration) {
        let synced = |it: &super::LearnerState| it.progress >= Progress::Synced;
        let held = |id| self.voter_has(id, self.own_history, synced);
        let is_enough = self.quorums.is_quorum(held) || is_back("serve_without_quorum");
        if self.stage != Stage::Synchronize || !is_enough {
            return;
        }
        let ensemble = self.new_ensemble();
        let may_lead = self.quorums.next().is_none_or(|next| self.may_lead(next));
        self.quorums.adopt();
        self.stage = Stage::Broadcast;
        self.last_proposed = base(self.epoch);
        self.own_acked = self.last_proposed;
        self.window.begin_epoch(self.epoch);
        self.next_ping = now + self.config.tick / 2;
        let leader = may_lead.then_some(self.config.server);
        let text = ensemble.to_string();
        if ensemble.version > self.config.ensemble.version {
            self.hold(ensemble, leader);
        }
        if may_lead {
            self.upcall(Upcall::Ensemble(text.into()));
            self.out.push_back(Action::Enter(Phase::Broadcast));
        }
        for id in self.learners_at(Progress::Synced) {
            self.send_up_to_date(now, id);
        }
        if !may_lead {
            self.hand_over(now, None);
        }
    }

    fn send_up_to_date(&mut self, now: Duration, to: LearnerId) {
        if let Some(learner) = self.learners.get_mut(&to) {
            learner.activate(now);
            self.send(to, Packet::bare(PacketType::UPTODATE, Zxid::NONE));
        }
    }

    /// An ACK of the epoch itself: of NEWLEADER first, of UPTODATE then.
    pub(super) fn take_epoch_base_ack(
        &mut self,
        now: Duration,
        from: LearnerId,
        zxid: Zxid,
    ) -> Result<(), Refusal> {
        if zxid != base(self.epoch) {
            return Err(Refusal::NeverProposed(zxid));
        }
        let progress = self.learners.get(&from).map(|it| it.progress);
        if progress == Some(Progress::Syncing) {
            self.take_history_ack(now, from);
        }
        Ok(())
    }
}

/// Has a learner sent what a plan says: the committed history, up to its end.
pub(crate) fn send_history(
    out: &mut VecDeque<Action>,
    to: LearnerId,
    window: &HistoryWindow,
    plan: SyncPlan,
    disk: &[Txn],
) {
    let (kind, zxid, after) = match plan {
        SyncPlan::Diff { to, after } => (PacketType::DIFF, to, after),
        SyncPlan::Truncate { to } => (PacketType::TRUNC, to, to),
        SyncPlan::Snapshot { at } => (PacketType::SNAP, at, at),
    };
    let packet = Packet::bare(kind, zxid);
    out.push_back(Action::Send { to, packet });
    if let SyncPlan::Snapshot { at } = plan {
        out.push_back(Action::StreamSnapshot { to, at });
    }
    for txn in window.behind(after, disk) {
        for packet in [
            Packet::with_txn(PacketType::PROPOSAL, &txn),
            Packet::bare(PacketType::COMMIT, txn.zxid),
        ] {
            out.push_back(Action::Send { to, packet });
        }
    }
}
