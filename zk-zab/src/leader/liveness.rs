//! What a leader does as time passes: pings, limits, and giving up when it
//! hears no quorum (`Leader.lead`, `LearnerHandler.ping`).

use super::learners::{LearnerState, Progress};
use super::{Leader, Stage};
use crate::Packet;
use crate::action::{Abdication, Action, LearnerId, Refusal, Upcall};
use std::time::Duration;
use zk_proto::mutation::is_back;
use zk_proto::quorum::{PacketType, SessionTouch};

impl Leader {
    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        match self.stage {
            Stage::Over => {}
            Stage::Broadcast if now >= self.next_ping => self.half_tick(now),
            Stage::Broadcast => self.check_silence(now),
            Stage::Leaving(_) if now >= self.deadline => self.leave(),
            Stage::Leaving(_) => {}
            _ => self.check_deadline(now),
        }
    }

    /// When [`Leader::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        match self.stage {
            Stage::Over => None,
            Stage::Broadcast => self.silent_or(self.next_ping),
            Stage::Leaving(_) => Some(self.deadline),
            _ => self.silent_or(self.deadline),
        }
    }

    /// When the first learner has been silent for too long, or before.
    fn silent_or(&self, deadline: Duration) -> Option<Duration> {
        let learners = self.learners.values();
        let silent = learners.filter_map(|it| it.silent_at(&self.config));
        silent.chain([deadline]).min()
    }

    /// A learner that falls silent may be the one that the quorum needs, and
    /// then not even half a tick is to be lost.
    fn check_silence(&mut self, now: Duration) {
        let before = self.learners.len();
        self.drop_late(now);
        if self.learners.len() < before && !self.has_live_quorum(now) {
            self.abdicate(Abdication::QuorumLost);
        }
    }

    fn check_deadline(&mut self, now: Duration) {
        self.drop_late(now);
        if let Some(phase) = self.phase().filter(|_| now >= self.deadline) {
            self.abdicate(Abdication::NoQuorumInTime(phase));
        }
    }

    fn half_tick(&mut self, now: Duration) {
        // A timer that comes late does not make up for lost pings.
        self.next_ping = now + self.config.tick / 2;
        self.drop_late(now);
        self.whole_tick = !self.whole_tick;
        if !self.whole_tick && !self.has_live_quorum(now) {
            self.abdicate(Abdication::QuorumLost);
            return;
        }
        self.ping_all();
    }

    /// Only what is heard counts: a leader that is deaf steps down, however
    /// well it is heard.
    fn has_live_quorum(&self, now: Duration) -> bool {
        let limit = self.config.sync_limit();
        let alive = |it: &LearnerState| it.progress >= Progress::Synced && now < it.heard + limit;
        is_back("lone_leader_goes_on")
            || self.quorums.is_quorum(|id| self.voter_has(id, true, alive))
    }

    fn drop_late(&mut self, now: Duration) {
        let late = |(id, it): (&LearnerId, &LearnerState)| {
            let reason = self.lateness(now, it)?;
            Some((*id, reason))
        };
        let late: Vec<_> = self.learners.iter().filter_map(late).collect();
        for (id, reason) in late {
            self.refuse(id, reason);
        }
    }

    /// Why a learner is too late, if it is.
    fn lateness(&self, now: Duration, learner: &LearnerState) -> Option<Refusal> {
        if learner.silent_at(&self.config).is_some_and(|at| now >= at) {
            return Some(Refusal::Silent);
        }
        let limit = self.config.sync_limit();
        let slow = learner
            .watched
            .filter(|_| learner.progress == Progress::Active);
        let slow = slow.filter(|(_, since)| now >= *since + limit);
        slow.map(|(zxid, _)| Refusal::Slow(zxid))
    }

    /// A round of pings, which is also a proof of leadership if a quorum
    /// answers. Only who was sent UPTODATE answers every ping.
    pub(super) fn ping_all(&mut self) {
        let round = self.barrier.next_round();
        let packet = Packet::bare(PacketType::PING, self.last_proposed);
        for (&to, learner) in &mut self.learners {
            if learner.progress == Progress::Active {
                learner.pings.push_back(round);
                let packet = packet.clone();
                self.out.push_back(Action::Send { to, packet });
            }
        }
    }

    /// The answer to the oldest ping that has none.
    pub(super) fn take_ping(&mut self, from: LearnerId, packet: &Packet) -> Result<(), Refusal> {
        self.check_synced(from, packet.kind)?;
        let sessions = SessionTouch::decode_all(packet.data()).map_err(|_| Refusal::Malformed)?;
        if let Some(learner) = self.learners.get_mut(&from) {
            learner.answered = learner.pings.pop_front().unwrap_or(learner.answered);
        }
        if !sessions.is_empty() {
            self.upcall(Upcall::Touched { from, sessions });
        }
        self.release_syncs();
        self.prove_again();
        Ok(())
    }
}
