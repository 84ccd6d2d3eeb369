//! The state machine. It does not know what it decides about: that is in
//! `looking`; here inputs become actions, and deadlines.

mod looking;

use crate::early::Early;
use crate::electorate::Electorate;
use crate::pace::Resend;
use crate::{ElectionAction, ElectionConfig, OwnHistory, Round, Vote};
use looking::{Heard, Looking, Standing};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::{Notification, PeerState};

/// One server's side of all its elections.
///
/// Its methods are of four kinds: getters, inputs (`handle_*`), commands
/// (`start`, `settle`, `reconfigure`) and outputs (`poll_*`). After an input
/// or a command, [`poll_action`](Self::poll_action) is called until it gives
/// nothing, then [`poll_timeout`](Self::poll_timeout) once; debug builds
/// insist. `now` is the time since some start of the caller's choice, and
/// does not run backwards; if it does it stands still.
#[derive(Debug)]
pub struct Election {
    config: ElectionConfig,
    electorate: Electorate,
    /// As of the last start.
    own: OwnHistory,
    /// Of the search that is on, or that of the ensemble this server is in.
    round: Round,
    phase: Phase,
    early: Early,
    /// Voters that the driver could not reach, until it or they say otherwise.
    away: BTreeSet<ServerId>,
    actions: VecDeque<ElectionAction>,
    now: Duration,
}

#[derive(Debug)]
enum Phase {
    /// Before the first start.
    Idle,
    Looking {
        search: Looking,
        resend: Resend,
        /// When a quorum has waited long enough for something better.
        finalize_at: Option<Duration>,
    },
    Settled {
        state: PeerState,
        vote: Vote,
    },
}

impl Election {
    /// An election that has not started: it says nothing and hears nothing.
    #[must_use]
    pub fn new(config: ElectionConfig) -> Self {
        let electorate = Electorate::new(config.ensemble.clone(), config.next.clone());
        Self {
            config,
            electorate,
            own: OwnHistory::default(),
            round: Round::default(),
            phase: Phase::Idle,
            early: Early::default(),
            away: BTreeSet::new(),
            actions: VecDeque::new(),
            now: Duration::ZERO,
        }
    }

    /// What this server does. Before the first start it looks.
    #[must_use]
    pub fn state(&self) -> PeerState {
        match self.phase {
            Phase::Settled { state, .. } => state,
            _ => PeerState::Looking,
        }
    }

    /// What this server votes for, or is settled under.
    #[must_use]
    pub fn vote(&self) -> Vote {
        match &self.phase {
            Phase::Idle => Vote::NONE,
            Phase::Looking { search, .. } => search.vote,
            Phase::Settled { vote, .. } => *vote,
        }
    }

    /// The round of the search that is on, or of the ensemble this server is in.
    #[must_use]
    pub fn round(&self) -> Round {
        match &self.phase {
            Phase::Looking { search, .. } => search.round,
            _ => self.round,
        }
    }

    /// The configuration that holds: the last one given, or adopted since.
    #[must_use]
    pub fn ensemble(&self) -> &EnsembleConfig {
        self.electorate.config()
    }
}

/// Inputs.
impl Election {
    /// A notification came. It may say anything; what makes no sense is
    /// ignored.
    pub fn handle_notification(
        &mut self,
        now: Duration,
        from: ServerId,
        notification: Notification,
    ) {
        self.begin(now);
        if from == self.config.me {
            return;
        }
        self.away.remove(&from);
        match self.phase {
            Phase::Idle => {}
            Phase::Looking { .. } => self.hear(from, &notification),
            Phase::Settled { .. } => self.hear_while_settled(from, notification),
        }
    }

    /// A link to the server came up. Who looks tells its vote at once, so that
    /// a healed cut is noticed before the next repetition.
    pub fn handle_connected(&mut self, now: Duration, server: ServerId) {
        self.begin(now);
        self.away.remove(&server);
        let looking = matches!(self.phase, Phase::Looking { .. });
        if looking && server != self.config.me && self.electorate.is_voter(server) {
            self.send(server);
        }
    }

    /// The server cannot be reached: its link broke, or a dial failed. When
    /// all others agree nobody waits for it. Not to be told is safe, and takes
    /// the finalize wait.
    pub fn handle_disconnected(&mut self, now: Duration, server: ServerId) {
        self.begin(now);
        self.early.forget(server);
        if self.electorate.is_voter(server) {
            self.away.insert(server);
            self.count();
        }
    }

    /// A deadline of [`poll_timeout`](Self::poll_timeout) passed. Coming early
    /// does nothing.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.begin(now);
        let Phase::Looking {
            search,
            resend,
            finalize_at,
        } = &mut self.phase
        else {
            return;
        };
        if finalize_at.is_some_and(|at| self.now >= at) {
            *finalize_at = None;
            if search.standing(&self.electorate, &self.away) != Standing::Open {
                let (vote, round) = (search.vote, search.round);
                return self.decide(vote, round);
            }
        }
        if resend.is_due(self.now) {
            resend.back_off(self.now);
            self.send_to_all();
            self.actions.push_back(ElectionAction::Connect);
        }
    }
}

/// Commands.
impl Election {
    /// Goes looking, in a new round, with what is on disk now.
    pub fn start(&mut self, now: Duration, own: OwnHistory) {
        self.begin(now);
        self.own = own;
        self.begin_round();
    }

    /// Changes what late lookers are told. After synchronizing that is the
    /// vote of the decision with the new epoch in the place of the candidate's
    /// (`QuorumPeer.updateElectionVote`); after a reconfiguration that hands
    /// over without an election it is the designated leader's.
    pub fn settle(&mut self, state: PeerState, vote: Vote) {
        self.round = self.round();
        self.phase = Phase::Settled { state, vote };
    }

    /// The configuration changed, or another one is pending. Who looks begins
    /// a new round.
    pub fn reconfigure(
        &mut self,
        now: Duration,
        ensemble: EnsembleConfig,
        next: Option<EnsembleConfig>,
    ) {
        self.begin(now);
        self.electorate = Electorate::new(ensemble, next);
        self.away.retain(|it| self.electorate.is_voter(*it));
        if matches!(self.phase, Phase::Looking { .. }) {
            self.begin_round();
        }
    }
}

/// Outputs.
impl Election {
    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<ElectionAction> {
        self.actions.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) if nothing else
    /// happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        debug_assert!(self.actions.is_empty(), "actions are polled first");
        match &self.phase {
            Phase::Looking {
                resend,
                finalize_at,
                ..
            } => Some(finalize_at.map_or(resend.at(), |at| at.min(resend.at()))),
            _ => None,
        }
    }
}

impl Election {
    fn begin(&mut self, now: Duration) {
        debug_assert!(
            self.actions.is_empty(),
            "actions are polled before the next input"
        );
        self.now = self.now.max(now);
    }

    fn begin_round(&mut self) {
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

    fn hear(&mut self, from: ServerId, notification: &Notification) {
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

    fn hear_while_settled(&mut self, from: ServerId, notification: Notification) {
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
        self.electorate.adopt(newer.clone());
        self.actions.push_back(ElectionAction::AdoptConfig(newer));
        self.begin_round();
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
    fn count(&mut self) {
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

    fn decide(&mut self, vote: Vote, round: Round) {
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

    fn send_to_all(&mut self) {
        let me = self.config.me;
        let others = self.electorate.voters().iter().filter(|it| **it != me);
        for to in others.copied().collect::<Vec<_>>() {
            self.send(to);
        }
    }

    fn send(&mut self, to: ServerId) {
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
