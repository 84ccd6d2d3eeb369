//! A leader: it opens an epoch, gives every learner its history, and then
//! proposes and commits. It counts only voters, and of them only what their
//! disks hold; itself it counts like any other, by its own disk. While other
//! voters are proposed it counts both.

mod barrier;
mod broadcast;
mod discovery;
mod history;
mod learners;
mod liveness;
mod quorum;
mod reconfig;
mod sync;

pub use barrier::SyncTicket;
pub use broadcast::ProposeError;
pub use history::{HistoryWindow, SyncPlan};
pub use learners::Census;

pub(crate) use discovery::check_info;
pub(crate) use history::Decision;
pub(crate) use learners::{LearnerState, Progress};
pub(crate) use sync::send_history;

use crate::action::{Abdication, Action, LearnerId, Persist, Phase, Refusal, Upcall};
use crate::persist::{Durable, PersistToken, Promises};
use crate::{OwnHistory, Packet, Txn, ZabConfig};
use barrier::Barrier;
use quorum::Quorums;
use reconfig::trust_the_log;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use zk_proto::quorum::{PacketType, Revalidate};
use zk_proto::{Epoch, ServerId, SessionId, Zxid};

/// What a leader may do once its disk holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Offer {
    /// Ask others to accept the epoch.
    Epoch(Epoch),
    /// Count itself among those who hold the history of the epoch.
    History(Epoch),
    /// Count itself among those who hold the proposal.
    Proposal(Zxid),
}

impl Offer {
    pub(crate) const fn epoch(self) -> Epoch {
        match self {
            Self::Epoch(epoch) | Self::History(epoch) => epoch,
            Self::Proposal(zxid) => zxid.epoch(),
        }
    }
}

/// How far a leader is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// A quorum has to say which epochs it has accepted.
    AskEpochs,
    /// The new epoch is being written.
    Accepting,
    /// A quorum has to accept it.
    AwaitEpochAcks,
    /// A quorum has to hold the history.
    Synchronize,
    /// New transactions.
    Broadcast,
    /// Another one shall lead the new voters, if it is known who: the others
    /// are leaving.
    Leaving(Option<ServerId>),
    /// It has abdicated.
    Over,
}

/// A leader's side of the protocol, for all its learners.
///
/// After each call of a `handle_*` method or a command, [`Leader::poll_action`]
/// is called until it gives nothing; then [`Leader::poll_timeout`] says when
/// [`Leader::handle_timeout`] is due at the latest. `now` never goes back.
#[derive(Debug)]
pub struct Leader {
    config: ZabConfig,
    quorums: Quorums,
    /// What the disk held when it began; `recent` has moved to `window`.
    own: OwnHistory,
    stage: Stage,
    /// When the stage has to be over; not of broadcast.
    deadline: Duration,
    out: VecDeque<Action>,
    promises: Promises<Offer>,
    /// The new epoch, once this server has accepted it itself.
    offer: Option<Durable<Offer>>,
    /// The epoch that it opens; meaningful from `Stage::Accepting` on.
    epoch: Epoch,
    learners: BTreeMap<LearnerId, LearnerState>,
    /// What voters have accepted, this server included.
    accepted: BTreeMap<ServerId, Epoch>,
    /// Voters that accepted the new epoch.
    epoch_acks: BTreeSet<ServerId>,
    /// Whether its own disk holds the epoch of its history.
    own_history: bool,
    /// The last of its proposals that its own disk holds.
    own_acked: Zxid,
    /// The committed history, as far back as it is kept.
    window: HistoryWindow,
    /// Proposed, not committed, in order and without holes.
    outstanding: VecDeque<Txn>,
    last_proposed: Zxid,
    /// Syncs that wait for commits and a proof of leadership.
    barrier: Barrier,
    next_ping: Duration,
    /// Every other ping is a whole tick, with a check of the quorum.
    whole_tick: bool,
}

impl Leader {
    /// A leader that was just elected.
    #[must_use]
    pub fn new(now: Duration, mut config: ZabConfig, mut own: OwnHistory) -> Self {
        trust_the_log(&mut config, &own);
        let recent = std::mem::take(&mut own.recent);
        let next = config.next.clone();
        let window = HistoryWindow::new(recent, own.last_zxid, config.committed_log_max);
        let mut leader = Self {
            quorums: Quorums::new(&config.ensemble, next),
            stage: Stage::AskEpochs,
            deadline: now + config.init_limit(),
            out: VecDeque::new(),
            promises: Promises::new(),
            offer: None,
            epoch: Epoch(0),
            learners: BTreeMap::new(),
            accepted: BTreeMap::new(),
            epoch_acks: BTreeSet::new(),
            own_history: false,
            own_acked: Zxid::ZERO,
            window,
            outstanding: VecDeque::new(),
            last_proposed: own.last_zxid,
            barrier: Barrier::default(),
            next_ping: now,
            whole_tick: false,
            config,
            own,
        };
        leader.out.push_back(Action::Enter(Phase::Discovery));
        leader.count_accepted(now, leader.config.server, leader.own.accepted_epoch);
        leader
    }

    /// The epoch that it opens, once it is known.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        (self.stage != Stage::AskEpochs && self.epoch > Epoch(0)).then_some(self.epoch)
    }

    /// Where it is; `None` when it has abdicated.
    #[must_use]
    pub const fn phase(&self) -> Option<Phase> {
        match self.stage {
            Stage::AskEpochs | Stage::Accepting | Stage::AwaitEpochAcks => Some(Phase::Discovery),
            Stage::Synchronize => Some(Phase::Synchronization),
            Stage::Broadcast | Stage::Leaving(_) => Some(Phase::Broadcast),
            Stage::Over => None,
        }
    }

    /// The last zxid that is committed; from broadcast on at least that
    /// before the first of the epoch.
    #[must_use]
    pub const fn committed(&self) -> Zxid {
        self.window.committed()
    }

    /// How many proposals are not committed yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// The server on a connection, once it has said hello.
    #[must_use]
    pub fn server(&self, learner: LearnerId) -> Option<ServerId> {
        self.learners.get(&learner).map(|it| it.server)
    }

    /// Takes a packet of a learner; the first one of a connection makes it
    /// known. Unknown types are ignored.
    pub fn handle_learner(&mut self, now: Duration, from: LearnerId, packet: &Packet) {
        if self.is_leaving() {
            return;
        }
        let done = match self.learners.get_mut(&from) {
            None => self.hello(now, from, packet),
            Some(learner) => {
                learner.heard = now;
                self.take(now, from, packet)
            }
        };
        if let Err(reason) = done {
            self.refuse(from, reason);
        }
    }

    /// Whether it has nothing to tell learners any more.
    const fn is_leaving(&self) -> bool {
        matches!(self.stage, Stage::Leaving(_) | Stage::Over)
    }

    fn take(&mut self, now: Duration, from: LearnerId, packet: &Packet) -> Result<(), Refusal> {
        match packet.kind {
            PacketType::ACKEPOCH => self.take_epoch_ack(now, from, packet),
            PacketType::ACK => self.take_ack(now, from, packet.zxid),
            PacketType::PING => self.take_ping(from, packet),
            PacketType::REVALIDATE => self.take_revalidate(from, packet),
            PacketType::REQUEST => self.take_request(from, packet),
            kind if kind.name().is_some() => Err(Refusal::Unexpected(kind)),
            _ => Ok(()),
        }
    }

    /// The connection is gone, and with it what the learner acknowledged: it
    /// may be told to cut that from its log when it comes back.
    pub fn handle_learner_lost(&mut self, learner: LearnerId) {
        self.learners.remove(&learner);
        if matches!(self.stage, Stage::Leaving(_)) {
            self.leave_if_alone();
        }
    }

    /// Bytes of a snapshot left for a learner: it has reason to be silent.
    pub fn handle_progress(&mut self, now: Duration, to: LearnerId) {
        if let Some(learner) = self.learners.get_mut(&to) {
            learner.heard = now;
        }
    }

    /// Disk work is durable, and with it all that was asked for before.
    pub fn handle_persisted(&mut self, now: Duration, token: PersistToken) {
        self.promises.complete(token);
        while let Some(offer) = self.promises.release() {
            match offer.what() {
                _ if self.stage == Stage::Over => {}
                Offer::Epoch(_) => self.offer_epoch(now, offer),
                Offer::History(_) => {
                    self.own_history = true;
                    self.try_to_serve(now);
                }
                Offer::Proposal(zxid) => {
                    self.own_acked = zxid;
                    self.commit_what_is_held(now);
                }
            }
        }
    }

    /// Command: answers [`Upcall::Revalidate`].
    pub fn revalidated(&mut self, to: LearnerId, session: SessionId, valid: bool) {
        let data = Revalidate::encode_answer(session, valid);
        self.send(
            to,
            Packet::with_data(PacketType::REVALIDATE, Zxid::NONE, data),
        );
    }

    /// What is to be done next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    fn take_revalidate(&mut self, from: LearnerId, packet: &Packet) -> Result<(), Refusal> {
        self.check_synced(from, packet.kind)?;
        let session = Revalidate::decode_question(packet.data()).map_err(|_| Refusal::Malformed)?;
        self.upcall(Upcall::Revalidate { from, session });
        Ok(())
    }

    fn take_request(&mut self, from: LearnerId, packet: &Packet) -> Result<(), Refusal> {
        self.check_synced(from, packet.kind)?;
        let packet = packet.clone();
        self.upcall(Upcall::Request { from, packet });
        Ok(())
    }

    fn check_synced(&self, from: LearnerId, kind: PacketType) -> Result<(), Refusal> {
        match self.learners.get(&from) {
            Some(learner) if learner.progress >= Progress::Synced => Ok(()),
            _ => Err(Refusal::Unexpected(kind)),
        }
    }

    fn persist(&mut self, what: Persist, offer: Offer) {
        let token = self.promises.ask();
        self.promises.hold(offer);
        self.out.push_back(Action::Persist { token, what });
    }

    fn upcall(&mut self, upcall: Upcall) {
        self.out.push_back(Action::Upcall(upcall));
    }

    fn send(&mut self, to: LearnerId, packet: Packet) {
        if self.stage != Stage::Over && self.learners.contains_key(&to) {
            self.out.push_back(Action::Send { to, packet });
        }
    }

    fn refuse(&mut self, to: LearnerId, reason: Refusal) {
        self.learners.remove(&to);
        self.out.push_back(Action::Close { to, reason });
    }

    fn abdicate(&mut self, reason: Abdication) {
        if self.stage != Stage::Over {
            self.stage = Stage::Over;
            self.out.push_back(Action::Abdicate(reason));
        }
    }
}
