//! The state machine. It does not know what it decides about: that is in
//! `looking`; here inputs become actions, and deadlines.

mod looking;
mod steps;

use crate::early::Early;
use crate::electorate::Electorate;
use crate::pace::Resend;
use crate::{ElectionAction, ElectionConfig, OwnHistory, Round, Vote};
use looking::{Looking, Standing};
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
            self.count();
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
