//! The learner's synchronization: it makes its history that of the leader,
//! writes it, then the epoch, and only then says so
//! (`Learner.syncWithLeader`; ZOOKEEPER-3911, 4394, 4643, 4646, 4785).

use super::discovery::ignore_unknown;
use super::reconfig::{designated, reconfiguration};
use super::{Learner, Promise, Stage};
use crate::action::{Abdication, Action, Persist, Phase};
use crate::packet::base;
use crate::persist::Durable;
use crate::{Packet, Txn};
use zk_proto::mutation::is_back;
use zk_proto::quorum::PacketType;
use zk_proto::{ServerId, Zxid};

impl Learner {
    /// DIFF, TRUNC or SNAP.
    pub(super) fn take_plan(&mut self, packet: &Packet) -> Result<(), Abdication> {
        match packet.kind {
            PacketType::DIFF => self.begin_sync(),
            PacketType::TRUNC => self.truncate(packet.zxid)?,
            PacketType::SNAP => self.expect_snapshot(packet.zxid)?,
            PacketType::PING => {}
            kind => return ignore_unknown(kind),
        }
        Ok(())
    }

    fn begin_sync(&mut self) {
        self.stage = Stage::Syncing;
        self.out.push_back(Action::Enter(Phase::Synchronization));
    }

    fn truncate(&mut self, to: Zxid) -> Result<(), Abdication> {
        self.check_not_lost(to)?;
        if to > self.logged {
            return Err(Abdication::Gap {
                last: self.logged,
                next: to,
            });
        }
        self.begin_sync();
        self.persist(Persist::TruncateAfter(to));
        self.restart_at(to);
        Ok(())
    }

    fn expect_snapshot(&mut self, at: Zxid) -> Result<(), Abdication> {
        self.check_not_lost(at)?;
        self.begin_sync();
        self.stage = Stage::Installing(at);
        self.out.push_back(Action::InstallSnapshot { at });
        Ok(())
    }

    pub(super) fn installed(&mut self, at: Zxid) {
        self.stage = Stage::Syncing;
        self.persist(Persist::Snapshot(at));
        self.restart_at(at);
    }

    fn restart_at(&mut self, zxid: Zxid) {
        self.logged = zxid;
        self.committed = zxid;
    }

    /// What was delivered here was committed for ever.
    fn check_not_lost(&self, to: Zxid) -> Result<(), Abdication> {
        let committed = self.own.committed;
        if to < committed {
            return Err(Abdication::WouldLoseCommitted { to, committed });
        }
        Ok(())
    }

    /// The leader's history, up to NEWLEADER.
    pub(super) fn take_history(&mut self, packet: &Packet) -> Result<(), Abdication> {
        match packet.kind {
            PacketType::PROPOSAL => self.remember(packet.txn()),
            PacketType::COMMIT => self.log_committed(packet.zxid).map(drop),
            PacketType::INFORM => {
                self.remember(packet.txn())?;
                self.log_committed(packet.zxid).map(drop)
            }
            PacketType::COMMITANDACTIVATE => {
                let (leader, _) = designated(packet)?;
                self.log_activated(packet, leader)
            }
            PacketType::INFORMANDACTIVATE => {
                let (leader, txn) = designated(packet)?;
                self.remember(txn)?;
                self.log_activated(packet, leader)
            }
            PacketType::NEWLEADER => self.adopt(packet),
            PacketType::PING => Ok(()),
            kind => ignore_unknown(kind),
        }
    }

    /// A proposal is not logged before it is committed or the epoch is
    /// written: no log runs ahead of its epoch by what a quorum lacks. One
    /// that is in the history already is skipped.
    fn remember(&mut self, txn: Txn) -> Result<(), Abdication> {
        if txn.zxid <= self.last() {
            return Ok(());
        }
        self.check_proposal(&txn)?;
        self.note_proposed(&txn)?;
        self.proposals.push_back(txn);
        Ok(())
    }

    fn log_committed(&mut self, zxid: Zxid) -> Result<Option<Txn>, Abdication> {
        if zxid <= self.committed {
            return Ok(None);
        }
        let txn = self.commit_oldest(zxid)?;
        self.append(txn.clone());
        self.held.push_back(txn.clone());
        Ok(Some(txn))
    }

    /// A reconfiguration of the history has just been committed by a leader
    /// that serves others already.
    fn log_activated(&mut self, packet: &Packet, leader: ServerId) -> Result<(), Abdication> {
        match self.log_committed(packet.zxid)? {
            Some(txn) => self.activate(reconfiguration(&txn, packet.kind)?, leader),
            None => Ok(()),
        }
    }

    /// NEWLEADER: the disk has been given the history; now the epoch, then
    /// the acknowledgement, then what was proposed and not yet committed.
    fn adopt(&mut self, packet: &Packet) -> Result<(), Abdication> {
        let (zxid, epoch) = (packet.zxid, self.epoch);
        if zxid != base(epoch) {
            return Err(Abdication::WrongEpoch { zxid, epoch });
        }
        self.note_offered(packet);
        self.stage = Stage::Adopting;
        if is_back("ack_order") {
            self.log_proposals();
        }
        self.persist(Persist::CurrentEpoch(epoch));
        self.promises.hold(Promise::History(epoch));
        if is_back("pending_forgotten_at_new_leader") {
            self.proposals.clear();
        }
        if !is_back("ack_order") {
            self.log_proposals();
        }
        Ok(())
    }

    /// An observer is told again of what gets committed.
    fn log_proposals(&mut self) {
        if self.config.observer {
            self.proposals.clear();
        }
        for txn in self.proposals.clone() {
            self.log_proposal(txn);
        }
    }

    /// Between NEWLEADER and UPTODATE: transactions are logged, and held back
    /// when committed.
    pub(super) fn take_until_up_to_date(&mut self, packet: &Packet) -> Result<(), Abdication> {
        match (packet.kind, self.stage) {
            (PacketType::UPTODATE, Stage::AwaitUpToDate(history)) => {
                self.adopt_offered()?;
                self.send(Packet::promise(history));
                self.begin_broadcast(history);
                Ok(())
            }
            (PacketType::PING, _) => Ok(()),
            _ => self.take_transaction(packet),
        }
    }

    fn begin_broadcast(&mut self, history: Durable<Promise>) {
        self.stage = Stage::Broadcast(history);
        while let Some(txn) = self.held.pop_front() {
            self.deliver(txn, None);
        }
        self.out.push_back(Action::Enter(Phase::Broadcast));
    }
}
