//! One server's part in one round after another, until it knows a leader. It
//! does not know how anything is sent, nor when it is said again.

use crate::ballots::{Ballot, Ballots};
use crate::electorate::Electorate;
use crate::outside::OutOfElection;
use crate::{OwnHistory, Round, Vote};
use std::collections::BTreeSet;
use zk_proto::mutation::is_back;
use zk_proto::quorum::{Notification, PeerState};
use zk_proto::{ServerId, Zxid};

/// A search for a leader (`FastLeaderElection.lookForLeader`).
#[derive(Debug)]
pub(super) struct Looking {
    me: ServerId,
    pub(super) round: Round,
    /// The best that this server has heard of in this round.
    pub(super) vote: Vote,
    /// The vote that it begins each round with: for itself, or for nobody.
    initial: Vote,
    /// Whether its own vote counts, and those of others mean anything to it:
    /// not while it does not know how its history compares.
    compares: bool,
    ballots: Ballots,
    outside: OutOfElection,
}

/// What came of a notification.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing.
    Ignored,
    /// The sender is in an earlier round, and should be told of this one.
    Lagging,
    /// Its vote was noted.
    Counted,
    /// Its vote was noted; it is new, and worse than this server's.
    Worse,
    /// This server changed its vote, or its round, or both.
    Changed,
    /// There is an ensemble that has a leader.
    Found(Vote, Round),
}

/// How the votes of the round stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// No quorum is of this server's opinion.
    Open,
    /// A quorum is, and others may know better.
    Quorum,
    /// Nobody who can be heard may know better.
    Unanimous,
}

impl Looking {
    pub(super) fn new(
        me: ServerId,
        electorate: &Electorate,
        own: OwnHistory,
        round: Round,
    ) -> Self {
        let candidate = electorate.is_candidate(me);
        let initial = if candidate {
            own.vote_for(me)
        } else {
            Vote::NONE
        };
        let compares = own.zxid != Zxid::NONE;
        let mut looking = Self {
            me,
            round,
            vote: initial,
            initial,
            compares,
            ballots: Ballots::default(),
            outside: OutOfElection::default(),
        };
        looking.cast_own();
        looking
    }

    /// Takes in what a voter says.
    pub(super) fn hear(
        &mut self,
        electorate: &Electorate,
        from: ServerId,
        notification: &Notification,
    ) -> Heard {
        let votable = electorate.is_voter(notification.leader);
        match notification.state {
            PeerState::Looking => {
                self.outside.forget(from);
                if Round(notification.round) < self.round {
                    Heard::Lagging
                } else if votable && self.compares && notification.zxid != Zxid::NONE {
                    self.hear_looker(electorate, from, notification)
                } else {
                    Heard::Ignored
                }
            }
            PeerState::Following | PeerState::Leading if votable => {
                self.hear_settled(electorate, from, notification)
            }
            _ => Heard::Ignored,
        }
    }

    fn hear_looker(
        &mut self,
        electorate: &Electorate,
        from: ServerId,
        notification: &Notification,
    ) -> Heard {
        let theirs = Vote::of(notification);
        let before = (self.round, self.vote);
        if Round(notification.round) > self.round {
            self.round = Round(notification.round);
            self.ballots.clear();
            self.vote = self.initial;
        }
        if electorate.is_better(theirs, self.vote) {
            self.vote = theirs;
        }
        let ballot = Ballot {
            vote: theirs,
            state: PeerState::Looking,
        };
        let said_before = self.ballots.cast(from, ballot);
        if (self.round, self.vote) != before {
            self.cast_own();
            Heard::Changed
        } else if theirs != self.vote && said_before != Some(ballot) {
            Heard::Worse
        } else {
            Heard::Counted
        }
    }

    fn hear_settled(
        &mut self,
        electorate: &Electorate,
        from: ServerId,
        notification: &Notification,
    ) -> Heard {
        let round = Round(notification.round);
        let leader = notification.leader;
        let ballot = Ballot {
            vote: Vote::of(notification),
            state: notification.state,
        };
        if round == self.round {
            self.ballots.cast(from, ballot);
            let led = leader == self.me || self.ballots.leads(leader);
            if led && electorate.is_quorum(&self.ballots.supporters(ballot)) {
                return Heard::Found(ballot.vote, round);
            }
        }
        self.outside.note(from, notification);
        // Whom all others call their leader leads, if they mean this round.
        // Of anybody else that word itself is wanted, or the dead would be
        // elected over and over (`FastLeaderElection.checkLeader`).
        let led = match leader == self.me {
            true => round == self.round,
            false => self.outside.leads(leader),
        };
        if led && electorate.is_quorum(&self.outside.supporters(notification)) {
            return Heard::Found(ballot.vote, round);
        }
        Heard::Ignored
    }

    /// Without a vote it does no harm: quorums count voters only.
    fn cast_own(&mut self) {
        if self.compares {
            let ballot = self.own_ballot();
            self.ballots.cast(self.me, ballot);
        }
    }

    fn own_ballot(&self) -> Ballot {
        Ballot {
            vote: self.vote,
            state: PeerState::Looking,
        }
    }

    /// Counts. Nobody waits for voters who are `away`, unless one of them
    /// would be the leader.
    pub(super) fn standing(&self, electorate: &Electorate, away: &BTreeSet<ServerId>) -> Standing {
        let supporters = self.ballots.supporters(self.own_ballot());
        let is_alone = is_back("elected_without_quorum") && self.vote != Vote::NONE;
        if !electorate.is_quorum(&supporters) && !is_alone {
            return Standing::Open;
        }
        let mut others = electorate.voters().difference(&supporters);
        let leader_is_away = away.contains(&self.vote.leader);
        match (leader_is_away, self.initial == Vote::NONE) {
            // Apache's lookers tell observers of the leader that just died
            // (`WorkerReceiver` answers with the last election's vote). Voters
            // who went for somebody who died have to find out together; who
            // has no vote better waits for what they do then.
            (true, true) => Standing::Open,
            (false, _) if others.all(|voter| away.contains(voter)) => Standing::Unanimous,
            _ => Standing::Quorum,
        }
    }
}
