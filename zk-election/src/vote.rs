//! What is voted for, and in which round. It does not know who may vote, nor
//! whose vote has which weight.

use zk_proto::quorum::Notification;
use zk_proto::{Epoch, ServerId, Zxid};

/// A proposal for leader: by its epoch, then its history, then its id
/// (`FastLeaderElection.totalOrderPredicate`). The derived order is the rule,
/// so the fields stand in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// The candidate's current epoch. It is 64 bits wide and signed, as on the
    /// wire: [`Vote::NONE`] lies below every epoch, and a peer may send anything.
    pub peer_epoch: i64,
    /// The last transaction in the candidate's log.
    pub zxid: Zxid,
    /// The candidate.
    pub leader: ServerId,
}

impl Vote {
    /// What a server without a vote sends: an observer, or one that is no
    /// member. It is below every other vote.
    pub const NONE: Self = Self {
        peer_epoch: i64::MIN,
        zxid: Zxid(i64::MIN),
        leader: ServerId(i64::MIN),
    };

    pub(crate) fn of(notification: &Notification) -> Self {
        Self {
            peer_epoch: notification.peer_epoch,
            zxid: notification.zxid,
            leader: notification.leader,
        }
    }
}

/// What a server has on disk when it goes looking: all that its own candidacy
/// rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnHistory {
    /// The last transaction in the log, committed or not. [`Zxid::NONE`] when
    /// the history is unknown, as after an incomplete loss of the disk: such a
    /// server neither votes nor counts votes, it only joins an ensemble that
    /// is settled.
    pub zxid: Zxid,
    /// `currentEpoch`: of the last leader that this server synced with.
    pub current_epoch: Epoch,
}

impl OwnHistory {
    pub(crate) fn vote_for(self, me: ServerId) -> Vote {
        Vote {
            peer_epoch: i64::from(self.current_epoch.0),
            zxid: self.zxid,
            leader: me,
        }
    }
}

/// A round of election (`logicalclock`, `electionEpoch`). Votes are compared
/// and counted within one round only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Round(pub i64);

impl Round {
    /// The round after it. Beyond the last one it goes on at the first, as in
    /// Java: a peer may announce any round, and the greatest must not be a
    /// dead end.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(peer_epoch: i64, zxid: i64, leader: i64) -> Vote {
        Vote {
            peer_epoch,
            zxid: Zxid(zxid),
            leader: ServerId(leader),
        }
    }

    #[test]
    fn epoch_beats_history_beats_id() {
        assert!(vote(2, 1, 1) > vote(1, 9, 9));
        assert!(vote(1, 9, 1) > vote(1, 1, 9));
        assert!(vote(1, 1, 2) > vote(1, 1, 1));
    }

    #[test]
    fn no_vote_is_below_every_vote() {
        assert!(vote(0, 0, 0) > Vote::NONE);
        assert!(vote(-1, -1, -1) > Vote::NONE);
    }

    #[test]
    fn rounds_have_no_end() {
        assert_eq!(Round(1).next(), Round(2));
        assert_eq!(Round(i64::MAX).next(), Round(i64::MIN));
    }
}
