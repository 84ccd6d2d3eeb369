//! The votes of the round at hand. It does not know what a quorum is, nor
//! whether anything said earlier still holds.

use crate::Vote;
use std::collections::{BTreeMap, BTreeSet};
use zk_proto::ServerId;
use zk_proto::quorum::PeerState;

/// The last vote of each voter in this round (`recvset`).
#[derive(Debug, Default)]
pub(crate) struct Ballots(BTreeMap<ServerId, Ballot>);

/// A vote and what its voter was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ballot {
    pub(crate) vote: Vote,
    pub(crate) state: PeerState,
}

impl Ballot {
    /// Whether two votes of one round are for the same thing. Settled servers
    /// may have learned the new epoch already or not yet, so that among them
    /// the leader alone counts; any other vote must be the same in all.
    fn agrees(self, other: Self) -> bool {
        if self.state == PeerState::Looking || other.state == PeerState::Looking {
            self.vote == other.vote
        } else {
            self.vote.leader == other.vote.leader
        }
    }
}

impl Ballots {
    /// Puts the vote in the place of what the voter said before, which is
    /// returned.
    pub(crate) fn cast(&mut self, voter: ServerId, ballot: Ballot) -> Option<Ballot> {
        self.0.insert(voter, ballot)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Who agrees.
    pub(crate) fn supporters(&self, of: Ballot) -> BTreeSet<ServerId> {
        let agreeing = self.0.iter().filter(|(_, ballot)| ballot.agrees(of));
        agreeing.map(|(voter, _)| *voter).collect()
    }

    /// Whether the server itself said in this round that it leads.
    pub(crate) fn leads(&self, server: ServerId) -> bool {
        let ballot = self.0.get(&server);
        ballot.is_some_and(|ballot| ballot.state == PeerState::Leading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::Zxid;

    fn ballot(state: PeerState, leader: i64, peer_epoch: i64) -> Ballot {
        let vote = Vote {
            peer_epoch,
            zxid: Zxid(1),
            leader: ServerId(leader),
        };
        Ballot { vote, state }
    }

    #[test]
    fn settled_votes_agree_by_leader_and_others_in_all() {
        use PeerState::{Following, Leading, Looking};
        let ours = ballot(Looking, 3, 1);
        assert!(ballot(Looking, 3, 1).agrees(ours));
        assert!(ballot(Following, 3, 1).agrees(ours));
        assert!(!ballot(Following, 3, 2).agrees(ours));
        assert!(ballot(Following, 3, 2).agrees(ballot(Leading, 3, 1)));
        assert!(!ballot(Following, 3, 2).agrees(ballot(Leading, 2, 2)));
    }

    #[test]
    fn the_last_vote_of_a_voter_counts() {
        let mut ballots = Ballots::default();
        let (one, two) = (
            ballot(PeerState::Looking, 1, 1),
            ballot(PeerState::Looking, 2, 1),
        );
        assert_eq!(ballots.cast(ServerId(1), one), None);
        assert_eq!(ballots.cast(ServerId(1), two), Some(one));
        assert!(ballots.supporters(one).is_empty());
        assert_eq!(ballots.supporters(two), [ServerId(1)].into());
    }
}
