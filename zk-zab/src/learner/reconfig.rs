//! The learner when the members change (`QuorumPeer.processReconfig`): it
//! takes over what is committed, and leaves when it is to have another leader
//! or another role.

use super::Learner;
use crate::action::{Abdication, Upcall};
use crate::packet::is_base;
use crate::{Packet, Txn};
use zk_proto::ensemble::{EnsembleConfig, Member, Role};
use zk_proto::quorum::PacketType;
use zk_proto::{ServerId, Zxid};

impl Learner {
    /// Tells of a proposal that changes the members. One behind another
    /// proves that the first is committed: there is one at a time.
    pub(super) fn note_proposed(&mut self, txn: &Txn) -> Result<(), Abdication> {
        if !self.config.reconfig || !txn.is_reconfig() {
            return Ok(());
        }
        let config = reconfiguration(txn, PacketType::PROPOSAL)?;
        if let Some(before) = self.proposed.replace(config.clone()) {
            self.hold(before, None);
        }
        self.upcall(Upcall::Proposed(Box::new(config)));
        Ok(())
    }

    /// COMMITANDACTIVATE.
    pub(super) fn commit_and_activate(&mut self, packet: &Packet) -> Result<(), Abdication> {
        let (leader, _) = designated(packet)?;
        match self.commit(packet.zxid, Some(leader))? {
            Some(txn) => self.activate(reconfiguration(&txn, packet.kind)?, leader),
            None => Ok(()),
        }
    }

    /// INFORMANDACTIVATE.
    pub(super) fn inform_and_activate(&mut self, packet: &Packet) -> Result<(), Abdication> {
        let (leader, txn) = designated(packet)?;
        let config = reconfiguration(&txn, packet.kind)?;
        if self.inform(txn)? {
            self.activate(config, leader)?;
        }
        Ok(())
    }

    /// What the leader has committed holds here, too.
    pub(super) fn activate(
        &mut self,
        new: EnsembleConfig,
        leader: ServerId,
    ) -> Result<(), Abdication> {
        if !self.config.reconfig {
            return Ok(());
        }
        let stays = self.config.leader == Some(leader) && self.keeps_its_role(&new);
        let leader = Some(leader);
        self.hold(new, leader);
        if stays {
            Ok(())
        } else {
            Err(Abdication::Reconfigured { leader })
        }
    }

    /// NEWLEADER's configuration, unless it is one that is only proposed: an
    /// Apache leader offers that, too, and may still fail to commit it.
    pub(super) fn note_offered(&mut self, packet: &Packet) {
        let data = packet.data.as_ref().filter(|data| data.len() > 1);
        let Some(data) = data.filter(|_| self.config.reconfig) else {
            return;
        };
        let text = std::str::from_utf8(data).ok();
        let config = text.and_then(|text| EnsembleConfig::parse(text, true).ok());
        if !config
            .as_ref()
            .is_some_and(|it| self.is_undecided(it.version))
        {
            self.offered = config;
            self.upcall(Upcall::Ensemble(data.clone()));
        }
    }

    /// Whether a transaction of this version is of the leader's epoch and not
    /// committed.
    fn is_undecided(&self, version: Zxid) -> bool {
        version.epoch() == self.epoch && !is_base(version) && version > self.committed
    }

    /// UPTODATE: what NEWLEADER offered holds.
    pub(super) fn adopt_offered(&mut self) -> Result<(), Abdication> {
        let offered = self.offered.take();
        let newer = offered.filter(|it| it.version > self.config.ensemble.version);
        let Some(new) = newer else { return Ok(()) };
        let leader = self.config.leader;
        let leads = |id: ServerId| new.members.get(&id).is_some_and(is_voter);
        let stays = leader.is_none_or(leads) || same_members(&new, &self.config.ensemble);
        let stays = stays && self.keeps_its_role(&new);
        let leader = leader.filter(|&id| leads(id));
        self.hold(new, leader);
        if stays {
            Ok(())
        } else {
            Err(Abdication::Reconfigured { leader })
        }
    }

    fn hold(&mut self, new: EnsembleConfig, leader: Option<ServerId>) {
        if new.version > self.config.ensemble.version {
            self.config.ensemble = new.clone();
            let config = Box::new(new);
            self.upcall(Upcall::Reconfigured { config, leader });
        }
    }

    /// Whether it is an observer in the new configuration if it is one now.
    /// Who is no member stays what it is. (Apache makes a follower without a
    /// vote of it.)
    fn keeps_its_role(&self, new: &EnsembleConfig) -> bool {
        let known = &self.config.ensemble;
        if new.version <= known.version || same_members(new, known) {
            return true;
        }
        let member = new.members.get(&self.config.server);
        let observes = |member: &Member| member.role == Role::Observer;
        member.is_none_or(|member| observes(member) == self.config.observer)
    }
}

fn is_voter(member: &Member) -> bool {
    member.role == Role::Participant
}

/// Whether nothing but the version differs.
fn same_members(a: &EnsembleConfig, b: &EnsembleConfig) -> bool {
    (&a.members, &a.groups, &a.weights) == (&b.members, &b.groups, &b.weights)
}

/// The configuration that this packet makes hold.
pub(super) fn reconfiguration(txn: &Txn, kind: PacketType) -> Result<EnsembleConfig, Abdication> {
    let config = txn.reconfiguration().ok().flatten();
    config.ok_or(Abdication::Malformed(kind))
}

/// Whom the leader has chosen, and what is behind that.
pub(super) fn designated(packet: &Packet) -> Result<(ServerId, Txn), Abdication> {
    let data = packet.data.clone().unwrap_or_default();
    let id = data.first_chunk().copied().map(i64::from_be_bytes);
    let id = id.ok_or(Abdication::Malformed(packet.kind))?;
    let txn = Txn {
        zxid: packet.zxid,
        payload: data.slice(8..),
    };
    Ok((ServerId(id), txn))
}
