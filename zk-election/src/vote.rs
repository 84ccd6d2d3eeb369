//! The total order of votes (`FastLeaderElection.totalOrderPredicate`). It
//! does not know rounds or who may vote.

use zk_proto::{Epoch, ServerId, Zxid};

/// A proposal for leader: by its epoch, then its history, then its id. The
/// derived order is the rule, so the fields stand in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// The candidate's current epoch.
    pub epoch: Epoch,
    /// The last transaction in the candidate's log.
    pub zxid: Zxid,
    /// The candidate.
    pub leader: ServerId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(epoch: u32, zxid: i64, leader: i64) -> Vote {
        Vote {
            epoch: Epoch(epoch),
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
}
