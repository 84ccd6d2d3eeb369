//! The learner's discovery: who it is, which epoch the leader opens, and its
//! promise of that (`Learner.registerWithLeader`).

use super::{Learner, Promise, Stage};
use crate::Packet;
use crate::action::{Abdication, Persist};
use crate::packet::base;
use crate::persist::Durable;
use zk_proto::mutation::is_back;
use zk_proto::quorum::{LearnerInfo, PacketType};

impl Learner {
    /// FOLLOWERINFO or OBSERVERINFO.
    pub(super) fn say_hello(&mut self) {
        let kind = if self.config.observer {
            PacketType::OBSERVERINFO
        } else {
            PacketType::FOLLOWERINFO
        };
        let info = LearnerInfo {
            server: self.config.server,
            protocol: LearnerInfo::PROTOCOL,
            config_version: self.config.ensemble.version,
        };
        let zxid = base(self.own.accepted_epoch);
        self.send(Packet::with_data(kind, zxid, info.encode()));
    }

    /// LEADERINFO. A leader of before 3.4 would send NEWLEADER here, and is
    /// not followed.
    pub(super) fn leader_info(&mut self, packet: &Packet) -> Result<(), Abdication> {
        match packet.kind {
            PacketType::LEADERINFO if packet.data().len() >= 4 => self.accept(packet),
            PacketType::LEADERINFO => Err(Abdication::Malformed(packet.kind)),
            kind => ignore_unknown(kind),
        }
    }

    fn accept(&mut self, packet: &Packet) -> Result<(), Abdication> {
        let (leader, accepted) = (packet.zxid.epoch(), self.own.accepted_epoch);
        if leader < accepted.max(self.own.current_epoch) {
            return Err(Abdication::StaleLeader { leader, accepted });
        }
        self.epoch = leader;
        let last = self.own.last_zxid;
        if leader == accepted {
            let again = |epoch| Promise::Epoch {
                epoch,
                current: None,
                last,
            };
            let promise = Durable::loaded(&self.own).map(again);
            self.stage = Stage::AwaitPlan;
            self.send(Packet::promise(promise));
        } else {
            self.stage = Stage::Accepting;
            self.persist(Persist::AcceptedEpoch(leader));
            if is_back("epoch_before_sync") {
                self.persist(Persist::CurrentEpoch(leader));
            }
            self.promises.hold(Promise::Epoch {
                epoch: leader,
                current: Some(self.own.current_epoch),
                last,
            });
        }
        Ok(())
    }
}

/// Known types are out of place, unknown ones are ignored.
pub(super) fn ignore_unknown(kind: PacketType) -> Result<(), Abdication> {
    match kind.name() {
        Some(_) => Err(Abdication::Unexpected(kind)),
        None => Ok(()),
    }
}
