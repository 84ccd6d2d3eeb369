//! A learner: a follower or, by configuration, an observer. It takes a
//! leader's history, then its proposals, and acknowledges what its disk
//! holds. It protects itself: a leader that is behind, leaves something out
//! or takes back what was committed is left.

mod broadcast;
mod discovery;
mod hosting;
mod reconfig;
mod sync;

use crate::action::{Abdication, Action, LearnerId, Persist, Phase, Upcall};
use crate::leader::SyncTicket;
use crate::packet::follows;
use crate::persist::{Durable, PersistToken, Promises};
use crate::relay::Relay;
use crate::{OwnHistory, Packet, Txn, ZabConfig};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::mutation::is_back;
use zk_proto::quorum::{PacketType, SessionTouch};
use zk_proto::{Epoch, Id, ServerId, SessionId, Zxid};

/// What a learner says once its disk holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Promise {
    /// Never to follow a leader of an epoch before this one.
    Epoch {
        /// The epoch.
        epoch: Epoch,
        /// That of its history; `None` if it had promised before, and may
        /// not count twice.
        current: Option<Epoch>,
        /// Its last transaction.
        last: Zxid,
    },
    /// The leader's history up to NEWLEADER, and then its epoch.
    History(Epoch),
    /// A proposal.
    Proposal(Zxid),
}

/// How far a learner is.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// LEADERINFO has to come.
    Hello,
    /// The new epoch is being written.
    Accepting,
    /// DIFF, TRUNC or SNAP has to come.
    AwaitPlan,
    /// A snapshot comes, outside of packets.
    Installing(Zxid),
    /// The leader's history comes, up to NEWLEADER.
    Syncing,
    /// The history and the epoch are being written.
    Adopting,
    /// NEWLEADER is acknowledged, as proved here; UPTODATE has to come.
    AwaitUpToDate(Durable<Promise>),
    /// New transactions. The history and its epoch are on the disk.
    Broadcast(Durable<Promise>),
    /// It has abdicated.
    Over,
}

/// A follower's or observer's side of the protocol.
///
/// After each call of a `handle_*` method or a command, [`Learner::poll_action`]
/// is called until it gives nothing; then [`Learner::poll_timeout`] says when
/// [`Learner::handle_timeout`] is due at the latest. `now` never goes back.
#[derive(Debug)]
pub struct Learner {
    config: ZabConfig,
    /// Of a history without `recent`, which only a leader needs.
    own: OwnHistory,
    stage: Stage,
    out: VecDeque<Action>,
    promises: Promises<Promise>,
    /// The leader's epoch, from LEADERINFO on.
    epoch: Epoch,
    /// The last transaction that was given to the disk.
    logged: Zxid,
    /// The last transaction known to be committed: delivered, or in `held`.
    committed: Zxid,
    /// Proposed and not committed, behind `committed`. Up to NEWLEADER none
    /// of them is in the log, from there on all are.
    proposals: VecDeque<Txn>,
    /// Committed before UPTODATE, and delivered with it: only then is it
    /// known that a quorum has them.
    held: VecDeque<Txn>,
    /// The last configuration that was proposed to it.
    proposed: Option<EnsembleConfig>,
    /// The configuration that NEWLEADER brought, up to UPTODATE.
    offered: Option<EnsembleConfig>,
    /// Sessions that were heard since the last PING.
    touched: BTreeMap<SessionId, i32>,
    /// Syncs that are on their way to the leader.
    syncs: VecDeque<SyncTicket>,
    /// Sessions that the leader was asked about, and the observers that want
    /// to know.
    questions: VecDeque<(SessionId, Option<LearnerId>)>,
    /// Its observers, if it hosts any.
    relay: Option<Relay>,
    /// When something last came.
    heard: Duration,
}

impl Learner {
    /// A learner that has just connected to its leader. It says hello first.
    #[must_use]
    pub fn new(now: Duration, config: ZabConfig, own: OwnHistory) -> Self {
        let mut learner = Self {
            stage: Stage::Hello,
            out: VecDeque::new(),
            promises: Promises::new(),
            epoch: Epoch(0),
            logged: own.last_zxid,
            committed: own.last_zxid,
            proposals: VecDeque::new(),
            held: VecDeque::new(),
            proposed: None,
            offered: None,
            touched: BTreeMap::new(),
            syncs: VecDeque::new(),
            questions: VecDeque::new(),
            relay: None,
            heard: now,
            config,
            own,
        };
        learner.out.push_back(Action::Enter(Phase::Discovery));
        learner.say_hello();
        learner
    }

    /// The leader's epoch, once it is known.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        (!matches!(self.stage, Stage::Hello)).then_some(self.epoch)
    }

    /// Where it is; `None` when it has abdicated.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        match self.stage {
            Stage::Hello | Stage::Accepting | Stage::AwaitPlan => Some(Phase::Discovery),
            Stage::Installing(_) | Stage::Syncing => Some(Phase::Synchronization),
            Stage::Adopting | Stage::AwaitUpToDate(_) => Some(Phase::Synchronization),
            Stage::Broadcast(_) => Some(Phase::Broadcast),
            Stage::Over => None,
        }
    }

    /// Takes a packet of the leader. Unknown types are ignored.
    pub fn handle_leader(&mut self, now: Duration, packet: &Packet) {
        self.heard = now;
        let done = match self.stage {
            Stage::Over => return,
            Stage::Hello => self.leader_info(packet),
            Stage::AwaitPlan => self.take_plan(packet),
            Stage::Accepting | Stage::Installing(_) => Err(Abdication::Unexpected(packet.kind)),
            Stage::Syncing => self.take_history(packet),
            Stage::Adopting | Stage::AwaitUpToDate(_) => self.take_until_up_to_date(packet),
            Stage::Broadcast(_) => self.take_broadcast(packet),
        };
        if let Err(reason) = done {
            self.abdicate(reason);
        }
    }

    /// The snapshot that was announced is in the tree.
    pub fn handle_installed(&mut self, now: Duration) {
        self.heard = now;
        if let Stage::Installing(at) = self.stage {
            self.installed(at);
        }
    }

    /// Bytes of a snapshot came: the leader is not silent.
    pub fn handle_progress(&mut self, now: Duration) {
        self.heard = now;
    }

    /// The connection is gone.
    pub fn handle_leader_lost(&mut self) {
        self.abdicate(Abdication::LeaderLost);
    }

    /// Disk work is durable, and with it all that was asked for before.
    pub fn handle_persisted(&mut self, token: PersistToken) {
        self.promises.complete(token);
        self.release();
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.silent_at().is_some_and(|deadline| now >= deadline) {
            self.abdicate(Abdication::LeaderSilent);
        }
        if let Some(relay) = &mut self.relay {
            relay.handle_timeout(now, &self.config);
            self.drain_relay();
        }
    }

    /// Command: forwards a client's request, a `ForwardedRequest`, and who
    /// the client is; nobody yet in a createSession.
    pub fn request(&mut self, request: impl Into<bytes::Bytes>, auth: Option<Vec<Id<'static>>>) {
        let data = request.into();
        let packet = Packet::with_data(PacketType::REQUEST, Zxid::NONE, data);
        self.send(Packet { auth, ..packet });
    }

    /// Command: forwards a client's sync, itself a `ForwardedRequest`. The
    /// ticket comes back in [`Upcall::Synced`].
    pub fn sync(
        &mut self,
        ticket: u64,
        request: impl Into<bytes::Bytes>,
        auth: Option<Vec<Id<'static>>>,
    ) {
        self.syncs.push_back(SyncTicket::Own(ticket));
        self.request(request, auth);
    }

    /// Command: asks whether a session may go on here.
    pub fn revalidate(&mut self, session: SessionTouch) {
        self.ask(None, session);
    }

    /// Command: a client of this session was heard. The leader is told with
    /// the next PING.
    pub fn touch(&mut self, session: SessionTouch) {
        self.touched.insert(session.session, session.timeout_ms);
    }

    /// What is to be done next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    /// When [`Learner::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let relay = self.relay.as_ref();
        let hosting = relay.and_then(|relay| relay.poll_timeout(&self.config));
        [self.silent_at(), hosting].into_iter().flatten().min()
    }

    /// When the leader has been silent for too long.
    fn silent_at(&self) -> Option<Duration> {
        let limit = match self.stage {
            Stage::Over => return None,
            Stage::AwaitUpToDate(_) | Stage::Broadcast(_) => self.config.sync_limit(),
            _ => self.config.init_limit(),
        };
        Some(self.heard + limit)
    }

    /// Says what may be said now that the disk has got further.
    fn release(&mut self) {
        while let Some(promise) = self.promises.release() {
            match (promise.what(), self.stage) {
                (_, Stage::Over) => continue,
                (Promise::Epoch { epoch, .. }, _) => {
                    self.own.accepted_epoch = epoch;
                    self.stage = Stage::AwaitPlan;
                }
                (Promise::History(epoch), _) => {
                    self.own.current_epoch = epoch;
                    self.stage = Stage::AwaitUpToDate(promise);
                    if is_back("serves_before_up_to_date") {
                        self.out.push_back(Action::Enter(Phase::Broadcast));
                    }
                }
                (Promise::Proposal(_), _) => {}
            }
            self.send(Packet::promise(promise));
        }
    }

    /// Takes a proposal for the log, or holds it back.
    fn check_proposal(&self, txn: &Txn) -> Result<(), Abdication> {
        let (last, next) = (self.last(), txn.zxid);
        if next.epoch() > self.epoch {
            let epoch = self.epoch;
            return Err(Abdication::WrongEpoch { zxid: next, epoch });
        }
        if !follows(last, next) && !is_back("memory_with_holes") {
            return Err(Abdication::Gap { last, next });
        }
        Ok(())
    }

    /// The end of its history: the last proposal, or the last of the log.
    fn last(&self) -> Zxid {
        self.proposals.back().map_or(self.logged, |txn| txn.zxid)
    }

    /// The oldest proposal, if that is what is committed.
    fn commit_oldest(&mut self, zxid: Zxid) -> Result<Txn, Abdication> {
        let oldest = self.proposals.front().map(|txn| txn.zxid);
        match self.proposals.pop_front_if(|txn| txn.zxid == zxid) {
            Some(txn) => {
                self.committed = zxid;
                Ok(txn)
            }
            None => Err(Abdication::WrongCommit {
                committed: zxid,
                oldest,
            }),
        }
    }

    fn append(&mut self, txn: Txn) {
        self.logged = txn.zxid;
        self.persist(Persist::Append(txn));
    }

    fn persist(&mut self, what: Persist) {
        let token = self.promises.ask();
        self.out.push_back(Action::Persist { token, what });
    }

    /// `activates`: whom the leader has named, if other members hold now.
    fn deliver(&mut self, txn: Txn, activates: Option<ServerId>) {
        self.out.push_back(Action::Deliver(txn.clone()));
        self.inform_observers(txn, activates);
    }

    fn upcall(&mut self, upcall: Upcall) {
        self.out.push_back(Action::Upcall(upcall));
    }

    fn send(&mut self, packet: Packet) {
        if !matches!(self.stage, Stage::Over) {
            let to = LearnerId::LEADER;
            self.out.push_back(Action::Send { to, packet });
        }
    }

    fn abdicate(&mut self, reason: Abdication) {
        if !matches!(self.stage, Stage::Over) {
            self.stage = Stage::Over;
            self.relay = None;
            self.out.push_back(Action::Abdicate(reason));
        }
    }
}
