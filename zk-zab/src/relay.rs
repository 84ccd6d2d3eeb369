//! The observers of a follower (Apache's `ObserverMaster`): they get the
//! committed history from it and then every transaction that it delivers, and
//! what they want of the leader is told. It promises nothing but what the
//! follower's disk holds, and refuses to know what is only proposed: that
//! never comes here.

use crate::action::{Action, LearnerId, Refusal};
use crate::leader::{
    Decision, HistoryWindow, LearnerState, Offer, Progress, SyncPlan, check_info, send_history,
};
use crate::packet::base;
use crate::persist::Durable;
use crate::{Packet, Txn, ZabConfig};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use zk_proto::quorum::{
    AckEpoch, ForwardedRequest, LearnerInfo, PacketType, Revalidate, SessionTouch,
};
use zk_proto::{Epoch, OpCode, ServerId, Zxid};

/// What an observer wants of the leader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Wish {
    /// To know that clients of these sessions were heard.
    Touch(Vec<SessionTouch>),
    /// Its word on a session.
    Revalidate(SessionTouch),
    /// A transaction.
    Request(Packet),
    /// A sync, as it came.
    Sync(Packet),
}

/// A follower's side towards its observers, as long as it is in broadcast.
///
/// What it wants done is in `out` after every call.
#[derive(Debug)]
pub(crate) struct Relay {
    /// The epoch that the follower serves, which its disk holds.
    offer: Durable<Offer>,
    /// The committed history, as far back as it is kept.
    window: HistoryWindow,
    observers: BTreeMap<LearnerId, LearnerState>,
    next_ping: Duration,
    pub(crate) out: VecDeque<Action>,
}

impl Relay {
    /// Of a follower that has delivered everything up to `committed`, of
    /// which `recent` is the end.
    pub(crate) fn new(
        now: Duration,
        config: &ZabConfig,
        offer: Durable<Offer>,
        recent: Vec<Txn>,
        committed: Zxid,
    ) -> Self {
        let mut window = HistoryWindow::new(recent, committed, config.committed_log_max);
        let epoch = offer.what().epoch();
        if committed < base(epoch) {
            window.begin_epoch(epoch);
        }
        Self {
            offer,
            window,
            observers: BTreeMap::new(),
            next_ping: now + config.tick / 2,
            out: VecDeque::new(),
        }
    }

    /// Observers that get every transaction.
    pub(crate) fn count(&self) -> usize {
        let observers = self.observers.values();
        observers
            .filter(|it| it.progress >= Progress::Syncing)
            .count()
    }

    /// Takes a packet of an observer; the first one of a connection makes it
    /// known. What it wants of the leader.
    pub(crate) fn take(
        &mut self,
        now: Duration,
        config: &ZabConfig,
        from: LearnerId,
        packet: &Packet,
    ) -> Option<Wish> {
        let done = match self.observers.get_mut(&from) {
            None => self.hello(now, config, from, packet).map(|()| None),
            Some(observer) => {
                observer.heard = now;
                self.answer(now, config, from, packet)
            }
        };
        done.unwrap_or_else(|reason| {
            self.refuse(from, reason);
            None
        })
    }

    fn answer(
        &mut self,
        now: Duration,
        config: &ZabConfig,
        from: LearnerId,
        packet: &Packet,
    ) -> Result<Option<Wish>, Refusal> {
        match packet.kind {
            PacketType::ACKEPOCH => self.take_epoch_ack(now, config, from, packet)?,
            PacketType::ACK => self.take_history_ack(now, from, packet.zxid)?,
            PacketType::PING | PacketType::REVALIDATE | PacketType::REQUEST => {
                self.check_synced(from, packet.kind)?;
                return wish(packet).map(Some);
            }
            kind if kind.name().is_some() => return Err(Refusal::Unexpected(kind)),
            _ => {}
        }
        Ok(None)
    }

    /// OBSERVERINFO: who it is. It is asked to accept the epoch.
    fn hello(
        &mut self,
        now: Duration,
        config: &ZabConfig,
        from: LearnerId,
        packet: &Packet,
    ) -> Result<(), Refusal> {
        if packet.kind != PacketType::OBSERVERINFO {
            return Err(Refusal::Unexpected(packet.kind));
        }
        let info = LearnerInfo::decode(packet.data()).map_err(|_| Refusal::Malformed)?;
        check_info(&info, config.server, config.ensemble.version)?;
        self.replace_older(info.server);
        let mut observer = LearnerState::new(now, info.server, true);
        observer.progress = Progress::Asked;
        self.observers.insert(from, observer);
        self.send(from, Packet::leader_info(self.offer));
        Ok(())
    }

    fn replace_older(&mut self, server: ServerId) {
        let older = self.observers.iter().find(|(_, it)| it.server == server);
        if let Some((&id, _)) = older {
            self.refuse(id, Refusal::Replaced);
        }
    }

    /// ACKEPOCH: what it has.
    fn take_epoch_ack(
        &mut self,
        now: Duration,
        config: &ZabConfig,
        from: LearnerId,
        packet: &Packet,
    ) -> Result<(), Refusal> {
        let AckEpoch(current) = AckEpoch::decode(packet.data()).map_err(|_| Refusal::Malformed)?;
        let zxid = packet.zxid;
        let epoch = current.unwrap_or(Epoch(0)).max(zxid.epoch());
        if epoch > self.epoch() {
            return Err(Refusal::Ahead { epoch, zxid });
        }
        let observer = self.observers.get_mut(&from);
        let observer = observer.filter(|it| it.progress == Progress::Asked);
        let observer = observer.ok_or(Refusal::Unexpected(packet.kind))?;
        observer.progress = Progress::Accepted;
        observer.last_zxid = zxid;
        self.synchronize(now, config, from);
        Ok(())
    }

    /// Decides what an observer gets, or has the disk read for that. One that
    /// has more of this epoch than this server knows to be committed has it
    /// from the leader: to cut that would take back what its clients have
    /// seen. It waits until this server has it, too. (Apache's is told to cut
    /// it.)
    fn synchronize(&mut self, now: Duration, config: &ZabConfig, to: LearnerId) {
        let Some(observer) = self.observers.get_mut(&to) else {
            return;
        };
        let after = observer.last_zxid;
        if after.epoch() == self.offer.what().epoch() && after > self.window.committed() {
            return;
        }
        match self.window.plan(after) {
            Decision::Plan(plan) => self.carry_out(now, config, to, plan, &[]),
            Decision::ReadDisk { through } => {
                observer.progress = Progress::Reading;
                self.out
                    .push_back(Action::ReadHistory { to, after, through });
            }
        }
    }

    /// Takes the answer to [`Action::ReadHistory`]; empty if there is none.
    pub(crate) fn take_history(
        &mut self,
        now: Duration,
        config: &ZabConfig,
        to: LearnerId,
        disk: &[Txn],
    ) {
        let observer = self.observers.get(&to);
        if let Some(observer) = observer.filter(|it| it.progress == Progress::Reading) {
            let plan = self.window.plan_with_disk(observer.last_zxid, disk);
            self.carry_out(now, config, to, plan, disk);
        }
    }

    fn carry_out(
        &mut self,
        now: Duration,
        config: &ZabConfig,
        to: LearnerId,
        plan: SyncPlan,
        disk: &[Txn],
    ) {
        send_history(&mut self.out, to, &self.window, plan, disk);
        let members = config.ensemble.to_string().into_bytes();
        let zxid = base(self.epoch());
        self.send(to, Packet::with_data(PacketType::NEWLEADER, zxid, members));
        if let Some(observer) = self.observers.get_mut(&to) {
            observer.progress = Progress::Syncing;
            observer.heard = now;
        }
    }

    /// The acknowledgement of NEWLEADER, and then of UPTODATE: there are no
    /// others, as nothing is proposed to it.
    fn take_history_ack(
        &mut self,
        now: Duration,
        from: LearnerId,
        zxid: Zxid,
    ) -> Result<(), Refusal> {
        let observer = self.observers.get_mut(&from);
        let observer = observer.filter(|it| it.progress >= Progress::Syncing);
        let observer = observer.ok_or(Refusal::Unexpected(PacketType::ACK))?;
        if zxid != base(self.offer.what().epoch()) {
            return Err(Refusal::NeverProposed(zxid));
        }
        if observer.progress == Progress::Syncing {
            observer.activate(now);
            self.send(from, Packet::bare(PacketType::UPTODATE, Zxid::NONE));
        }
        Ok(())
    }

    fn check_synced(&self, from: LearnerId, kind: PacketType) -> Result<(), Refusal> {
        match self.observers.get(&from) {
            Some(observer) if observer.progress >= Progress::Synced => Ok(()),
            _ => Err(Refusal::Unexpected(kind)),
        }
    }

    /// The follower has delivered a transaction, which may have made other
    /// members hold, under that leader.
    pub(crate) fn delivered(
        &mut self,
        now: Duration,
        config: &ZabConfig,
        txn: Txn,
        activates: Option<ServerId>,
    ) {
        let packet = match activates {
            Some(leader) => Packet::informed_activation(&txn, leader),
            None => Packet::with_txn(PacketType::INFORM, &txn),
        };
        for (&to, observer) in &self.observers {
            if observer.progress >= Progress::Syncing {
                let packet = packet.clone();
                self.out.push_back(Action::Send { to, packet });
            }
        }
        self.window.push(txn);
        let waiting = |(id, it): (&LearnerId, &LearnerState)| {
            (it.progress == Progress::Accepted).then_some(*id)
        };
        let waiting: Vec<_> = self.observers.iter().filter_map(waiting).collect();
        for id in waiting {
            self.synchronize(now, config, id);
        }
    }

    /// The connection is gone.
    pub(crate) fn forget(&mut self, observer: LearnerId) {
        self.observers.remove(&observer);
    }

    /// Bytes of a snapshot left for an observer.
    pub(crate) fn note_progress(&mut self, now: Duration, to: LearnerId) {
        if let Some(observer) = self.observers.get_mut(&to) {
            observer.heard = now;
        }
    }

    /// Time has passed: pings, and the end of who is silent.
    pub(crate) fn handle_timeout(&mut self, now: Duration, config: &ZabConfig) {
        let silent = |(id, it): (&LearnerId, &LearnerState)| {
            let at = it.silent_at(config)?;
            (now >= at).then_some(*id)
        };
        let silent: Vec<_> = self.observers.iter().filter_map(silent).collect();
        for id in silent {
            self.refuse(id, Refusal::Silent);
        }
        if now >= self.next_ping {
            self.next_ping = now + config.tick / 2;
            self.ping_all();
        }
    }

    /// When that is due.
    pub(crate) fn poll_timeout(&self, config: &ZabConfig) -> Option<Duration> {
        let silent = self
            .observers
            .values()
            .filter_map(|it| it.silent_at(config));
        silent.chain([self.next_ping]).min()
    }

    fn ping_all(&mut self) {
        let packet = Packet::bare(PacketType::PING, self.window.committed());
        for (&to, observer) in &self.observers {
            if observer.progress == Progress::Active {
                let packet = packet.clone();
                self.out.push_back(Action::Send { to, packet });
            }
        }
    }

    const fn epoch(&self) -> Epoch {
        self.offer.what().epoch()
    }

    /// Sends a packet to an observer that is still there.
    pub(crate) fn send(&mut self, to: LearnerId, packet: Packet) {
        if self.observers.contains_key(&to) {
            self.out.push_back(Action::Send { to, packet });
        }
    }

    fn refuse(&mut self, to: LearnerId, reason: Refusal) {
        self.observers.remove(&to);
        self.out.push_back(Action::Close { to, reason });
    }
}

/// What a packet asks of the leader.
fn wish(packet: &Packet) -> Result<Wish, Refusal> {
    let data = packet.data();
    let wish = match packet.kind {
        PacketType::PING => SessionTouch::decode_all(data).map(Wish::Touch),
        PacketType::REVALIDATE => Revalidate::decode_question(data).map(Wish::Revalidate),
        _ => ForwardedRequest::decode(data).map(|request| match request.op {
            OpCode::SYNC => Wish::Sync(packet.clone()),
            _ => Wish::Request(packet.clone()),
        }),
    };
    wish.map_err(|_| Refusal::Malformed)
}
