//! How a leader changes the members (`Leader.propose`, `Leader.tryToCommit`,
//! `Leader.getDesignatedLeader`): one change at a time, with a quorum of the
//! old and of the new voters, and by handing over if it may not lead the new
//! ones. It does not know which changes are allowed.

use super::broadcast::ProposeError;
use super::learners::{LearnerState, Progress};
use super::quorum::Voters;
use super::{Leader, Stage};
use crate::action::{Abdication, Action, Upcall};
use crate::packet::is_base;
use crate::{OwnHistory, Packet, Txn, ZabConfig};
use std::cmp::Reverse;
use std::time::Duration;
use zk_proto::ensemble::{EnsembleConfig, Member, Role};
use zk_proto::quorum::PacketType;
use zk_proto::{ServerId, Zxid};

impl Leader {
    /// Whether a quorum of this configuration's voters follows and holds the
    /// history. Without one a reconfiguration to it would only block
    /// (`Leader.isQuorumSynced`). Who is an observer now is not counted, even
    /// if it has not yet left its connection as a follower: if this leader
    /// died it would come back as an observer, and be of no use to the next.
    #[must_use]
    pub fn is_quorum_synced(&self, of: &EnsembleConfig) -> bool {
        let serves = self.stage == Stage::Broadcast;
        let observes = |id| self.config.ensemble.observers().any(|it| it.id == id);
        let synced = |it: &LearnerState| it.progress >= Progress::Synced && !observes(it.server);
        serves && Voters::new(of).is_quorum(|id| self.voter_has(id, true, synced))
    }

    /// The configuration that holds: the last one committed.
    #[must_use]
    pub const fn ensemble(&self) -> &EnsembleConfig {
        &self.config.ensemble
    }

    /// The configuration that is proposed and not committed.
    #[must_use]
    pub fn next_ensemble(&self) -> Option<&EnsembleConfig> {
        self.quorums.next()
    }

    /// Command: proposes a reconfiguration, with the zxid of
    /// [`Leader::next_zxid`], which is also the version of `new`. From it on
    /// nothing is committed without a quorum of the old and of the new voters,
    /// until it is itself.
    ///
    /// # Errors
    /// As [`Leader::propose`]; and another one in progress, reconfigurations
    /// switched off, or a transaction that does not say what `new` does.
    pub fn propose_reconfig(
        &mut self,
        now: Duration,
        txn: Txn,
        new: EnsembleConfig,
    ) -> Result<(), ProposeError> {
        self.check_next(txn.zxid)?;
        if !self.config.reconfig {
            return Err(ProposeError::ReconfigDisabled);
        }
        if self.quorums.next().is_some() {
            return Err(ProposeError::ReconfigInProgress);
        }
        if txn.reconfiguration().ok().flatten().as_ref() != Some(&new) {
            return Err(ProposeError::NotItsConfig);
        }
        self.upcall(Upcall::Proposed(Box::new(new.clone())));
        self.quorums.propose(new, txn.zxid);
        self.send_proposal(now, txn);
        Ok(())
    }

    /// The reconfiguration has its two quorums.
    pub(super) fn commit_reconfig(&mut self, now: Duration, txn: Txn) {
        let Some(new) = self.quorums.adopt() else {
            return;
        };
        let leader = self.designate(&new, txn.zxid);
        self.send_activation(&txn, leader);
        self.note_committed(txn);
        self.hold(new, Some(leader));
        if leader == self.config.server {
            self.release_syncs();
        } else {
            self.hand_over(now, Some(leader));
        }
    }

    /// A configuration holds from now on.
    pub(super) fn hold(&mut self, config: EnsembleConfig, leader: Option<ServerId>) {
        self.config.ensemble = config.clone();
        let config = Box::new(config);
        self.upcall(Upcall::Reconfigured { config, leader });
    }

    fn send_activation(&mut self, txn: &Txn, leader: ServerId) {
        let followers = Packet::activation(txn.zxid, leader);
        let observers = Packet::informed_activation(txn, leader);
        for (&to, learner) in &self.learners {
            if learner.progress >= Progress::Syncing {
                let packet = if learner.observer {
                    &observers
                } else {
                    &followers
                };
                let packet = packet.clone();
                self.out.push_back(Action::Send { to, packet });
            }
        }
    }

    /// Who leads under the new configuration: this server if it may, else the
    /// new voter that has acknowledged most, as nothing of that is lost then.
    fn designate(&self, new: &EnsembleConfig, reconfig: Zxid) -> ServerId {
        if self.may_lead(new) {
            return self.config.server;
        }
        let system = new.quorum_system();
        let candidates = self.learners.values().filter(|it| {
            let synced = !it.observer && it.progress >= Progress::Synced;
            synced && it.acked >= reconfig && system.weight(it.server) > 0
        });
        let best = candidates.max_by_key(|it| (it.acked, Reverse(it.server)));
        best.map_or(self.config.server, |it| it.server)
    }

    /// Whether this server votes in it, and is where the others look for it.
    pub(super) fn may_lead(&self, new: &EnsembleConfig) -> bool {
        let me = &self.config.server;
        let Some(then) = new.members.get(me) else {
            return false;
        };
        let now = self.config.ensemble.members.get(me);
        let moved = now.is_some_and(|now| !same_quorum_addresses(now, then));
        then.role == Role::Participant && !moved
    }

    /// Commits nothing more. The learners know whom to follow, and close
    /// their connections; who closes first may destroy what is on its way.
    pub(super) fn hand_over(&mut self, now: Duration, to: Option<ServerId>) {
        self.stage = Stage::Leaving(to);
        self.deadline = now + self.config.tick;
        self.leave_if_alone();
    }

    pub(super) fn leave_if_alone(&mut self) {
        let mut learners = self.learners.values();
        if !learners.any(|it| it.progress >= Progress::Syncing) {
            self.leave();
        }
    }

    pub(super) fn leave(&mut self) {
        if let Stage::Leaving(leader) = self.stage {
            self.abdicate(Abdication::Reconfigured { leader });
        }
    }
}

/// What the log says of the members counts for more than what was written
/// down beside it: its last reconfiguration may be committed, the one before
/// that is, and one behind its end was cut out of it.
pub(super) fn trust_the_log(config: &mut ZabConfig, own: &OwnHistory) {
    let newest_first = own.recent.iter().rev();
    let mut logged = newest_first.filter_map(|txn| txn.reconfiguration().ok().flatten());
    let (last, before) = (logged.next(), logged.next());
    let held = config.ensemble.version;
    if let Some(before) = before.filter(|it| it.version > held) {
        config.ensemble = before;
    }
    // The version of a whole epoch is no transaction's.
    let is_logged = |it: &EnsembleConfig| it.version <= own.last_zxid || is_base(it.version);
    let known = config.next.take().filter(is_logged);
    let newest = last.into_iter().chain(known).max_by_key(|it| it.version);
    config.next = newest.filter(|it| it.version > config.ensemble.version);
}

/// Their order is of no meaning.
fn same_quorum_addresses(a: &Member, b: &Member) -> bool {
    let addresses = |member: &Member| {
        let all = member.addresses.iter();
        let mut all: Vec<_> = all.map(|it| (it.host.clone(), it.quorum_port)).collect();
        all.sort();
        all
    };
    addresses(a) == addresses(b)
}

impl Packet {
    /// COMMITANDACTIVATE.
    fn activation(zxid: Zxid, leader: ServerId) -> Self {
        let data = leader.0.to_be_bytes().to_vec();
        Self::with_data(PacketType::COMMITANDACTIVATE, zxid, data)
    }

    /// INFORMANDACTIVATE.
    pub(crate) fn informed_activation(txn: &Txn, leader: ServerId) -> Self {
        let mut data = leader.0.to_be_bytes().to_vec();
        data.extend_from_slice(&txn.payload);
        Self::with_data(PacketType::INFORMANDACTIVATE, txn.zxid, data)
    }
}
