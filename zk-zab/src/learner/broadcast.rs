//! The learner in broadcast (`Follower.processPacket`,
//! `Observer.processPacket`): proposals to the disk, commits to the tree, and
//! the small talk about sessions.

use super::discovery::ignore_unknown;
use super::{Learner, Promise, Stage};
use crate::action::{Abdication, Upcall};
use crate::leader::SyncTicket;
use crate::{Packet, Txn};
use zk_proto::mutation::is_back;
use zk_proto::quorum::{PacketType, Revalidate, SessionTouch};
use zk_proto::{ServerId, SessionId, Zxid};

impl Learner {
    pub(super) fn take_broadcast(&mut self, packet: &Packet) -> Result<(), Abdication> {
        match packet.kind {
            PacketType::PING => self.answer_ping(packet.zxid),
            PacketType::SYNC => self.synced(),
            PacketType::REVALIDATE => self.revalidated(packet)?,
            _ => self.take_transaction(packet)?,
        }
        Ok(())
    }

    /// Transactions, from NEWLEADER on.
    pub(super) fn take_transaction(&mut self, packet: &Packet) -> Result<(), Abdication> {
        match (packet.kind, self.config.observer) {
            (PacketType::PROPOSAL, false) => self.propose(packet.txn()),
            (PacketType::COMMIT, false) => self.commit(packet.zxid, None).map(drop),
            (PacketType::COMMITANDACTIVATE, false) => self.commit_and_activate(packet),
            (PacketType::INFORM, true) => self.inform(packet.txn()).map(drop),
            (PacketType::INFORMANDACTIVATE, true) => self.inform_and_activate(packet),
            // Old leaders propose to observers what they inform them of.
            (PacketType::PROPOSAL | PacketType::COMMIT, true) => Ok(()),
            (kind, _) => ignore_unknown(kind),
        }
    }

    /// A proposal that the log holds already is acknowledged again, with the
    /// disk work asked for so far.
    fn propose(&mut self, txn: Txn) -> Result<(), Abdication> {
        if txn.zxid <= self.last() {
            self.promises.hold(Promise::Proposal(txn.zxid));
            self.release();
            return Ok(());
        }
        self.check_live(&txn)?;
        self.note_proposed(&txn)?;
        self.proposals.push_back(txn.clone());
        self.log_proposal(txn);
        Ok(())
    }

    pub(super) fn log_proposal(&mut self, txn: Txn) {
        let zxid = txn.zxid;
        self.append(txn);
        self.promises.hold(Promise::Proposal(zxid));
        if is_back("ack_before_disk") {
            self.release();
        }
    }

    /// What is proposed from NEWLEADER on is of the leader's own epoch.
    fn check_live(&self, txn: &Txn) -> Result<(), Abdication> {
        let (zxid, epoch) = (txn.zxid, self.epoch);
        if zxid.epoch() != epoch {
            return Err(Abdication::WrongEpoch { zxid, epoch });
        }
        self.check_proposal(txn)
    }

    /// Before UPTODATE a commit may repeat what the history brought, and is
    /// none.
    pub(super) fn commit(
        &mut self,
        zxid: Zxid,
        activates: Option<ServerId>,
    ) -> Result<Option<Txn>, Abdication> {
        let serving = matches!(self.stage, Stage::Broadcast(_));
        if !serving && zxid <= self.committed {
            return Ok(None);
        }
        let txn = self.commit_oldest(zxid)?;
        self.deliver_or_hold(txn.clone(), activates);
        Ok(Some(txn))
    }

    /// Whether it is news.
    pub(super) fn inform(&mut self, txn: Txn) -> Result<bool, Abdication> {
        if txn.zxid <= self.committed {
            return Ok(false);
        }
        self.check_live(&txn)?;
        self.committed = txn.zxid;
        self.append(txn.clone());
        // Observers host nobody.
        self.deliver_or_hold(txn, None);
        Ok(true)
    }

    fn deliver_or_hold(&mut self, txn: Txn, activates: Option<ServerId>) {
        if matches!(self.stage, Stage::Broadcast(_)) {
            self.deliver(txn, activates);
        } else {
            self.held.push_back(txn);
        }
    }

    fn answer_ping(&mut self, zxid: Zxid) {
        let touched = std::mem::take(&mut self.touched).into_iter();
        let touched = touched.map(|(session, timeout_ms)| SessionTouch {
            session,
            timeout_ms,
        });
        let data = SessionTouch::encode_all(&touched.collect::<Vec<_>>());
        self.send(Packet::with_data(PacketType::PING, zxid, data));
    }

    /// Answers come in the order of the questions.
    fn synced(&mut self) {
        match self.syncs.pop_front() {
            Some(SyncTicket::Own(ticket)) => self.upcall(Upcall::Synced(ticket)),
            Some(SyncTicket::Of(to)) => {
                self.send_to_observer(to, Packet::bare(PacketType::SYNC, Zxid::ZERO));
            }
            None => {}
        }
    }

    /// Who asked first about a session is answered first.
    fn revalidated(&mut self, packet: &Packet) -> Result<(), Abdication> {
        let answer: Result<(SessionId, bool), _> = Revalidate::decode_answer(packet.data());
        let (session, valid) = answer.map_err(|_| Abdication::Malformed(packet.kind))?;
        let asked = self.questions.iter().position(|it| it.0 == session);
        match asked.and_then(|at| self.questions.remove(at)) {
            Some((_, Some(to))) => self.send_to_observer(to, packet.clone()),
            _ => self.upcall(Upcall::Revalidated { session, valid }),
        }
        Ok(())
    }
}
