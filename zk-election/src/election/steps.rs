//! What an input comes to: votes heard, answered, counted, and a decision. It
//! does not know which inputs there are.

use super::looking::{Heard, Looking, Standing};
use super::{Election, Phase};
use crate::pace::Resend;
use crate::{ElectionAction, ElectionConfig, Round, Vote};
use std::time::Duration;
use zk_proto::ServerId;
use zk_proto::quorum::{Notification, PeerState};

impl Election {
    pub(super) fn begin(&mut self, now: Duration) {
        debug_assert!(
            self.actions.is_empty(),
            "actions are polled before the next input"
        );
        self.now = self.now.max(now);
    }

    pub(super) fn begin_round(&mut self) {
        let round = self.round().next();
        let mut search = Looking::new(self.config.me, &self.electorate, self.own, round);
        for (from, notification) in self.early.take(self.now) {
            if self.electorate.is_voter(from) {
                search.hear(&self.electorate, from, &notification);
            }
        }
        let ElectionConfig {
            resend_min,
            resend_max,
            ..
        } = self.config;
        self.phase = Phase::Looking {
            search,
            resend: Resend::new(self.now, resend_min, resend_max),
            finalize_at: None,
        };
        self.send_to_all();
        self.count();
    }

    pub(super) fn hear(&mut self, from: ServerId, notification: &Notification) {
        self.adopt_newer_config(notification);
        if !self.electorate.is_voter(from) {
            if notification.state == PeerState::Looking {
                self.answer(from);
            }
            return;
        }
        let Phase::Looking { search, .. } = &mut self.phase else {
            return;
        };
        match search.hear(&self.electorate, from, notification) {
            Heard::Ignored => {}
            Heard::Lagging => self.answer(from),
            Heard::Counted => self.count(),
            Heard::Worse => {
                // It may have begun the round after it was told of our vote.
                self.answer(from);
                self.count();
            }
            Heard::Changed => {
                self.announce();
                self.count();
            }
            Heard::Found(vote, round) => self.decide(vote, round),
        }
    }

    pub(super) fn hear_while_settled(&mut self, from: ServerId, notification: Notification) {
        let voter = self.electorate.is_voter(from);
        if notification.state != PeerState::Looking {
            self.early.forget(from);
            return;
        }
        self.answer(from);
        if voter {
            self.early.keep(self.now, from, notification);
        }
    }

    /// A configuration that cannot be read is no reason to ignore the vote.
    fn adopt_newer_config(&mut self, notification: &Notification) {
        if !self.config.adopts_configs {
            return;
        }
        let text = notification.config.as_deref();
        let Some(newer) = text.and_then(|text| self.electorate.newer(text)) else {
            return;
        };
        let votes_count_otherwise = self.electorate.adopt(newer.clone());
        self.actions.push_back(ElectionAction::AdoptConfig(newer));
        if votes_count_otherwise {
            self.begin_round();
        }
    }

    /// Says a new vote or round to everybody.
    fn announce(&mut self) {
        if let Phase::Looking {
            resend,
            finalize_at,
            ..
        } = &mut self.phase
        {
            resend.restart(self.now);
            *finalize_at = None;
        }
        self.send_to_all();
    }

    /// Decides, or waits for a better vote, or for more.
    pub(super) fn count(&mut self) {
        let Phase::Looking {
            search,
            finalize_at,
            ..
        } = &mut self.phase
        else {
            return;
        };
        match search.standing(&self.electorate, &self.away) {
            Standing::Open => *finalize_at = None,
            Standing::Quorum => {
                let at = self.now.saturating_add(self.config.finalize_wait);
                finalize_at.get_or_insert(at);
            }
            Standing::Unanimous => {
                let (vote, round) = (search.vote, search.round);
                self.decide(vote, round);
            }
        }
    }

    pub(super) fn decide(&mut self, vote: Vote, round: Round) {
        let me = self.config.me;
        let state = if vote.leader == me {
            PeerState::Leading
        } else if self.electorate.is_observer(me) {
            PeerState::Observing
        } else {
            PeerState::Following
        };
        self.round = round;
        self.phase = Phase::Settled { state, vote };
        let decision = ElectionAction::Decide { state, vote, round };
        self.actions.push_back(decision);
    }

    /// Who has no vote has nothing to tell a looker. Two that take each other
    /// for strangers would also never stop.
    fn answer(&mut self, to: ServerId) {
        if self.electorate.is_voter(self.config.me) {
            self.send(to);
        }
    }

    pub(super) fn send_to_all(&mut self) {
        let me = self.config.me;
        let others = self.electorate.voters().iter().filter(|it| **it != me);
        for to in others.copied().collect::<Vec<_>>() {
            self.send(to);
        }
    }

    pub(super) fn send(&mut self, to: ServerId) {
        let vote = self.vote();
        let notification = Notification {
            state: self.state(),
            leader: vote.leader,
            zxid: vote.zxid,
            round: self.round().0,
            peer_epoch: vote.peer_epoch,
            version: Notification::VERSION,
            config: Some(self.electorate.text().to_owned()),
        };
        let send = ElectionAction::Send { to, notification };
        self.actions.push_back(send);
    }
}
