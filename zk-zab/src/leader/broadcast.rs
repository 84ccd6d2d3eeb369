//! The leader in broadcast (`Leader.propose`, `Leader.processAck`,
//! `Leader.tryToCommit`): proposals to all followers, and commits strictly in
//! order, each with a quorum of disks.

use super::learners::Progress;
use super::{Leader, Offer, Stage};
use crate::action::{Abdication, Action, LearnerId, Persist, Refusal};
use crate::{Packet, Txn};
use std::time::Duration;
use zk_proto::Zxid;
use zk_proto::mutation::is_back;
use zk_proto::quorum::PacketType;

/// Why a transaction cannot be proposed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProposeError {
    /// No epoch is established, or not any more.
    #[error("the leader is not in broadcast")]
    NotServing,
    /// Another zxid is next.
    #[error("{given} is not the next zxid, {next} is")]
    NotNext {
        /// What was given.
        given: Zxid,
        /// What should have been.
        next: Zxid,
    },
    /// Every zxid of the epoch is used, and the leader steps down.
    #[error("the zxids of the epoch are used up")]
    UsedUp,
    /// A reconfiguration is not proposed like any other transaction.
    #[error("a reconfiguration was proposed as if it were none")]
    IsReconfig,
    /// The one before it is not committed yet.
    #[error("another reconfiguration is in progress")]
    ReconfigInProgress,
    /// They are switched off.
    #[error("reconfigurations are switched off")]
    ReconfigDisabled,
    /// The transaction does not say what the given configuration does.
    #[error("the reconfiguration's transaction says something else")]
    NotItsConfig,
}

impl Leader {
    /// The zxid of the next proposal; `None` when none can be made.
    #[must_use]
    pub fn next_zxid(&self) -> Option<Zxid> {
        match self.stage {
            Stage::Broadcast => self.unused_zxid(),
            _ => None,
        }
    }

    /// The last counter of an epoch is never used (ZOOKEEPER-1277).
    fn unused_zxid(&self) -> Option<Zxid> {
        let next = self.last_proposed.next();
        next.filter(|zxid| zxid.counter() < u32::MAX)
    }

    /// Command: proposes a transaction, with the zxid of
    /// [`Leader::next_zxid`].
    ///
    /// # Errors
    /// Not in broadcast, another zxid, none left; the last ends the role. A
    /// reconfiguration, which [`Leader::propose_reconfig`] is for.
    pub fn propose(&mut self, now: Duration, txn: Txn) -> Result<(), ProposeError> {
        self.check_next(txn.zxid)?;
        if txn.is_reconfig() {
            return Err(ProposeError::IsReconfig);
        }
        self.send_proposal(now, txn);
        Ok(())
    }

    /// Whether this zxid is the next to be proposed.
    pub(super) fn check_next(&mut self, given: Zxid) -> Result<(), ProposeError> {
        if self.stage != Stage::Broadcast {
            return Err(ProposeError::NotServing);
        }
        let Some(next) = self.unused_zxid() else {
            self.abdicate(Abdication::ZxidsUsedUp(self.epoch));
            return Err(ProposeError::UsedUp);
        };
        if given != next {
            return Err(ProposeError::NotNext { given, next });
        }
        Ok(())
    }

    pub(super) fn send_proposal(&mut self, now: Duration, txn: Txn) {
        self.last_proposed = txn.zxid;
        self.persist(Persist::Append(txn.clone()), Offer::Proposal(txn.zxid));
        self.forward(now, &txn);
        self.outstanding.push_back(txn);
    }

    /// To every follower that was sent NEWLEADER, not only to those that
    /// acknowledged it: nobody else would ever send it to them.
    fn forward(&mut self, now: Duration, txn: &Txn) {
        for (&to, learner) in &mut self.learners {
            let is_told = match is_back("not_proposed_before_ack") {
                true => Progress::Synced,
                false => Progress::Syncing,
            };
            if learner.progress >= is_told && !learner.observer {
                learner.note_sent(now, txn.zxid);
                let packet = Packet::with_txn(PacketType::PROPOSAL, txn);
                self.out.push_back(Action::Send { to, packet });
            }
        }
    }

    /// An ACK. Those of what was committed before it connected are old
    /// followers' and mean nothing; one before the ACK of NEWLEADER counts
    /// from there on (ZOOKEEPER-4685).
    pub(super) fn take_ack(
        &mut self,
        now: Duration,
        from: LearnerId,
        zxid: Zxid,
    ) -> Result<(), Refusal> {
        let unexpected = Refusal::Unexpected(PacketType::ACK);
        let learner = self.learners.get_mut(&from);
        let early = is_back("ack_order") && zxid.counter() > 0;
        let learner = learner.filter(|it| it.progress >= Progress::Syncing);
        let learner = learner.filter(|it| !early || it.progress >= Progress::Synced);
        let learner = learner.ok_or(unexpected)?;
        if zxid.counter() == 0 {
            return self.take_epoch_base_ack(now, from, zxid);
        }
        if zxid > learner.sent {
            return Err(Refusal::NeverProposed(zxid));
        }
        if zxid <= learner.acked {
            return Ok(());
        }
        match learner.acked.next() {
            Some(next) if next == zxid => learner.note_acked(now, zxid),
            next => {
                let missing = next.unwrap_or(zxid);
                return Err(Refusal::AckGap {
                    acked: zxid,
                    missing,
                });
            }
        }
        self.commit_what_is_held(now);
        Ok(())
    }

    /// Commits the oldest proposals, as many as a quorum of disks holds.
    pub(super) fn commit_what_is_held(&mut self, now: Duration) {
        while let Some(oldest) = self.outstanding.front() {
            if self.stage != Stage::Broadcast || !self.is_held(oldest.zxid) {
                break;
            }
            match self.outstanding.pop_front() {
                Some(txn) if self.quorums.is_proposed_by(txn.zxid) => {
                    self.commit_reconfig(now, txn);
                }
                Some(txn) => self.commit(txn),
                None => {}
            }
        }
    }

    /// Acks have no gaps, so that who acknowledged this one or a later one
    /// holds everything up to it.
    fn is_held(&self, zxid: Zxid) -> bool {
        let own = self.own_acked >= zxid;
        if is_back("commit_without_quorum") && own {
            return true;
        }
        self.quorums.is_enough(zxid, |id| {
            self.voter_has(id, own, |it| {
                it.progress >= Progress::Synced && it.acked >= zxid
            })
        })
    }

    fn commit(&mut self, txn: Txn) {
        for (&to, learner) in &self.learners {
            if learner.progress >= Progress::Syncing {
                let packet = if learner.observer {
                    Packet::with_txn(PacketType::INFORM, &txn)
                } else {
                    Packet::bare(PacketType::COMMIT, txn.zxid)
                };
                self.out.push_back(Action::Send { to, packet });
            }
        }
        self.note_committed(txn);
        self.release_syncs();
    }

    pub(super) fn note_committed(&mut self, txn: Txn) {
        self.window.push(txn.clone());
        self.out.push_back(Action::Deliver(txn));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OwnHistory, ZabConfig};
    use zk_proto::ensemble::EnsembleConfig;
    use zk_proto::{Epoch, ServerId};

    /// The last zxid of an epoch is not used: the role ends.
    #[test]
    fn zxids_roll_over_by_a_new_leader() {
        let ensemble = EnsembleConfig::parse("server.1=a:1:2", false).unwrap();
        let config = ZabConfig::new(ServerId(1), ensemble);
        let own = OwnHistory {
            accepted_epoch: Epoch(0),
            current_epoch: Epoch(0),
            last_zxid: Zxid::ZERO,
            committed: Zxid::ZERO,
            recent: Vec::new(),
        };
        let now = Duration::ZERO;
        let mut leader = Leader::new(now, config, own);
        while leader.stage != Stage::Broadcast {
            if let Some(Action::Persist { token, .. }) = leader.poll_action() {
                leader.handle_persisted(now, token);
            }
        }
        leader.last_proposed = Zxid::new(Epoch(1), u32::MAX - 2);
        let zxid = Zxid::new(Epoch(1), u32::MAX - 1);
        let payload = bytes::Bytes::new();
        let txn = Txn { zxid, payload };
        assert_eq!(leader.propose(now, txn.clone()), Ok(()));
        assert_eq!(leader.next_zxid(), None);
        assert_eq!(leader.propose(now, txn), Err(ProposeError::UsedUp));
        let abdication = Abdication::ZxidsUsedUp(Epoch(1));
        assert_eq!(leader.out.back(), Some(&Action::Abdicate(abdication)));
    }
}
