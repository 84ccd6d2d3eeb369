//! This server under a leader: it connects, takes the leader's history, then
//! follows, and forwards what its clients want to write.

use super::clients::{Turn, Waiting};
use super::hosting::LearnerLinks;
use super::install::Install;
use super::links::Input;
use super::masters::{DIALS_MAX, Source};
use super::{LinkId, Over, Peer, PeerConfig, Role, whole_ms};
use crate::conn::{Class, Conn, class};
use crate::pipeline::{Item, Origin, authenticate, close_session, lacks_auth};
use crate::shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use zk_election::Vote;
use zk_log::LogError;
use zk_proto::mutation::is_back;
use zk_proto::quorum::{ForwardedRequest, PacketType, PeerState, Revalidate, SessionTouch};
use zk_proto::txn::LoggedTxn;
use zk_proto::{ErrorCode, Id, OpCode, Request, SessionId};
use zk_zab::{Learner, Packet, PersistToken};

/// A follower or observer.
pub(super) struct Learning {
    pub(super) vote: Vote,
    pub(super) state: PeerState,
    /// Whom it learns from.
    pub(super) source: Source,
    /// The link to that.
    pub(super) link: LinkId,
    /// How often the leader was dialled; once is enough behind others.
    leader_dials: usize,
    /// Others are dialled up to then.
    masters_until: Duration,
    dial_at: Option<Duration>,
    /// The dial may take so long.
    connect_until: Duration,
    /// From the moment when the link is there.
    pub(super) learner: Option<Learner>,
    input: Input,
    /// The snapshot that is coming.
    pub(super) install: Option<Install>,
    /// Sessions heard since then are to be told to the leader, in ms.
    touched_ms: u64,
    /// Those that this server hosts, or will.
    pub(super) observers: LearnerLinks,
}

impl Learning {
    pub(super) fn new(
        now: Duration,
        config: &PeerConfig,
        vote: Vote,
        state: PeerState,
        (source, link): (Source, LinkId),
    ) -> Self {
        Self {
            vote,
            state,
            source,
            link,
            leader_dials: match source {
                Source::Leader(_) => 1,
                Source::Master(_) => DIALS_MAX - 1,
            },
            masters_until: now + config.masters_limit(),
            dial_at: None,
            connect_until: now + config.tick * config.connect_limit_ticks,
            learner: None,
            input: Input::default(),
            install: None,
            touched_ms: 0,
            observers: LearnerLinks::default(),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let streams = self.observers.streams.is_ready().then_some(Duration::ZERO);
        let protocol = match &self.learner {
            Some(learner) => learner.poll_timeout(),
            None => Some(self.dial_at.unwrap_or(self.connect_until)),
        };
        streams.or(protocol)
    }

    /// Whether it takes observers.
    pub(super) fn is_host(&self) -> bool {
        self.learner.as_ref().is_some_and(Learner::hosts_observers)
    }

    /// Whether it takes another election, if this dial failed.
    const fn has_tried_all(&self) -> bool {
        matches!(self.source, Source::Leader(_)) && self.leader_dials >= DIALS_MAX
    }

    /// Whether the other end was there, and hosts nobody.
    fn was_turned_away(&self) -> bool {
        let has_said_nothing = |learner: &Learner| learner.epoch().is_none();
        matches!(self.source, Source::Master(_))
            && self.learner.as_ref().is_some_and(has_said_nothing)
    }

    pub(super) fn persisted(&mut self, token: PersistToken) {
        if let Some(learner) = &mut self.learner {
            learner.handle_persisted(token);
        }
    }
}

impl Peer {
    /// The link to the leader is there.
    pub(super) fn connected(&mut self, now: Duration, link: LinkId) -> Result<(), LogError> {
        let Role::Learning(learning) = &mut self.role else {
            return Ok(());
        };
        self.shared
            .ensemble
            .lock()
            .show_connected(whole_ms(now), learning.source.server());
        if learning.link == link && learning.learner.is_none() {
            let learner = Learner::new(
                now,
                self.config.zab(learning.vote.leader),
                self.disk.history(),
            );
            learning.learner = Some(learner);
        }
        self.run_role(now)
    }

    /// The link to the leader is gone, or could not be had.
    pub(super) fn leader_lost(&mut self, now: Duration) {
        let Role::Learning(learning) = &mut self.role else {
            return;
        };
        if learning.was_turned_away() {
            learning.learner = None;
            learning.input = Input::default();
        }
        let has_tried_all = learning.has_tried_all();
        match &mut learning.learner {
            Some(learner) => learner.handle_leader_lost(),
            None if has_tried_all => {
                self.over = Some(Over::of("the leader cannot be reached"));
            }
            None => learning.dial_at = Some(now + self.config.dial_again),
        }
    }

    pub(super) fn learn_by_clock(&mut self, now: Duration) -> Result<(), LogError> {
        let Role::Learning(learning) = &mut self.role else {
            return Ok(());
        };
        if let Some(learner) = &mut learning.learner {
            learner.handle_timeout(now);
            return self.run_role(now);
        }
        if now >= learning.connect_until {
            self.over = Some(Over::of("the leader could not be reached in time"));
        } else if learning.dial_at.is_some_and(|at| now >= at) {
            self.dial_again(now);
        }
        Ok(())
    }

    /// Dials once more, perhaps another server.
    fn dial_again(&mut self, now: Duration) {
        let Role::Learning(learning) = &mut self.role else {
            return;
        };
        let leader = learning.vote.leader;
        let candidates = self.config.masters(leader);
        let is_late = now >= learning.masters_until;
        learning.source = self.masters.source(&candidates, leader, is_late);
        learning.link = learning.source.dial(&mut *self.network);
        learning.dial_at = None;
        match learning.source {
            Source::Leader(_) => learning.leader_dials += 1,
            Source::Master(_) => learning.leader_dials = DIALS_MAX - 1,
        }
    }

    /// Bytes of the leader: packets, or a snapshot between them.
    pub(super) fn take_leader_bytes(
        &mut self,
        now: Duration,
        bytes: Vec<u8>,
    ) -> Result<(), LogError> {
        if let Role::Learning(learning) = &mut self.role {
            learning.input.push(bytes);
        }
        while self.over.is_none() {
            let Role::Learning(learning) = &mut self.role else {
                break;
            };
            if learning.install.is_some() {
                if !self.install(now)? {
                    break;
                }
                continue;
            }
            match learning.input.packet(self.config.packet_max) {
                Ok(Some(packet)) => self.take_leader_packet(now, &packet)?,
                Ok(None) => break,
                Err(error) => {
                    self.over = Some(Over::of(format!("the leader sent no packet: {error}")));
                }
            }
        }
        Ok(())
    }

    fn take_leader_packet(&mut self, now: Duration, packet: &Packet) -> Result<(), LogError> {
        if let Some(problem) = problem_with(packet) {
            self.over = Some(Over::of(problem));
            return Ok(());
        }
        self.show_received(packet.kind);
        if packet.kind == PacketType::PING {
            self.tell_touched(now);
        }
        if let Role::Learning(learning) = &mut self.role
            && let Some(learner) = &mut learning.learner
        {
            learner.handle_leader(now, packet);
        }
        self.run_role(now)
    }

    /// Takes what came of a snapshot; `true` when it was the last of it.
    fn install(&mut self, now: Duration) -> Result<bool, LogError> {
        let Role::Learning(learning) = &mut self.role else {
            return Ok(false);
        };
        let (Some(install), Some(learner)) = (&mut learning.install, &mut learning.learner) else {
            return Ok(false);
        };
        match install.feed(learning.input.rest()) {
            Ok(taken) => learning.input.take(taken),
            Err(error) => {
                self.over = Some(Over::of(format!(
                    "the leader's snapshot cannot be used: {error}"
                )));
                return Ok(false);
            }
        }
        learner.handle_progress(now);
        if !install.is_done() {
            return Ok(false);
        }
        match learning.install.take().map(Install::finish) {
            Some(Ok(tree)) => {
                self.disk.snapshotter.cancel();
                self.shared.set_last_zxid(tree.last_zxid());
                *self.shared.tree.write() = tree;
                self.write_config_node();
                if let Role::Learning(learning) = &mut self.role
                    && let Some(learner) = &mut learning.learner
                {
                    learner.handle_installed(now);
                }
                self.run_role(now)?;
            }
            Some(Err(error)) => {
                self.over = Some(Over::of(format!(
                    "the leader's snapshot makes no tree: {error}"
                )));
            }
            None => {}
        }
        Ok(true)
    }

    /// The sessions of clients that were heard since the last time.
    fn tell_touched(&mut self, now: Duration) {
        let Role::Learning(learning) = &mut self.role else {
            return;
        };
        let Some(learner) = &mut learning.learner else {
            return;
        };
        for conn in self.shared.conns.all() {
            if is_back("touches_not_told") {
                break;
            }
            if let Some(session) = conn.session()
                && !session.is_local()
                && session.heard_ms() >= learning.touched_ms
            {
                learner.touch(SessionTouch {
                    session: session.id(),
                    timeout_ms: session.timeout_ms(),
                });
            }
        }
        learning.touched_ms = whole_ms(now);
    }

    /// A client's request at a learner.
    pub(super) fn forward_request(&mut self, now: Duration, item: Item, body: &[u8]) {
        let Role::Learning(learning) = &mut self.role else {
            return;
        };
        let Some(learner) = &mut learning.learner else {
            return;
        };
        let turn = match &item.origin {
            Origin::Resuming(_) => match Revalidate::decode_question(body) {
                Ok(question) => {
                    learner.revalidate(question);
                    Turn::Resuming
                }
                Err(_) => Turn::Refused(ErrorCode::SESSION_EXPIRED),
            },
            Origin::Client(conn) => match judge(&self.shared, conn, &item, body) {
                Some(turn) => turn,
                None => {
                    let request = ForwardedRequest {
                        session: conn.session_id(),
                        xid: item.xid,
                        op: item.op,
                        body,
                    };
                    let data = request.encode();
                    let auth = identities(conn, item.op);
                    if item.op == OpCode::SYNC {
                        let ticket = self.clients.ticket(conn.id());
                        learner.sync(ticket, data, auth);
                        Turn::Sync(ticket)
                    } else {
                        learner.request(data, auth);
                        close_if_last(&item);
                        Turn::Txn {
                            after: self.disk.last_zxid(),
                        }
                    }
                }
            },
            Origin::Expired(_) | Origin::Server => return,
        };
        let keeps_body = matches!(turn, Turn::InOrder | Turn::Sync(_) | Turn::Resuming);
        let waiting = Waiting {
            body: if keeps_body {
                body.to_vec()
            } else {
                Vec::new()
            },
            item,
            turn,
        };
        self.clients.put(waiting, whole_ms(now));
    }

    /// The leader's word on a session that a client wants to go on with here.
    pub(super) fn revalidated(&mut self, now: Duration, session: SessionId, valid: bool) {
        let asks = self.clients.resuming().find_map(|waiting| {
            let question = Revalidate::decode_question(&waiting.body).ok()?;
            let Origin::Resuming(conn) = &waiting.item.origin else {
                return None;
            };
            (question.session == session).then(|| (conn.clone(), question))
        });
        if let Some((conn, question)) = asks {
            let session = valid.then(|| {
                let now_ms = whole_ms(now);
                let sessions = &self.shared.sessions;
                sessions.adopt(question.session, question.timeout_ms, now_ms)
            });
            self.finish_resume(now, &conn, session);
        }
    }

    /// Answers a request to resume, and takes up what waited behind it.
    pub(super) fn finish_resume(
        &mut self,
        now: Duration,
        conn: &Arc<Conn>,
        session: Option<Arc<crate::session::Session>>,
    ) {
        let mut waiting = self.clients.resumed(conn.id());
        let Some(first) = waiting.pop_front() else {
            return;
        };
        let is_valid = session.is_some();
        if let Some(session) = session {
            let id = session.id();
            conn.bind(session);
            if let Some(older) = self.shared.conns.own(id, conn)
                && older.id() != conn.id()
            {
                older.close();
            }
        }
        self.clients
            .applier
            .answer_resume(&first.item, whole_ms(now));
        self.shared.inbox.settle(1);
        for Waiting { item, body, .. } in waiting {
            if is_valid {
                self.take_request(now, item, &body);
            } else {
                self.shared.inbox.settle(1);
            }
        }
    }
}

/// What becomes of a request without the leader; `None` if it is for the
/// leader.
pub(super) fn judge(shared: &Shared, conn: &Arc<Conn>, item: &Item, body: &[u8]) -> Option<Turn> {
    if item.op == OpCode::AUTH {
        return Some(Turn::Auth(authenticate(shared, conn, body)));
    }
    if shared.settings.auth.is_enforced() && lacks_auth(shared, conn, item.op) {
        return Some(Turn::Auth(ErrorCode::SESSION_CLOSED_REQUIRE_SASL_AUTH));
    }
    if class(item.op) != Class::Write {
        return Some(Turn::InOrder);
    }
    if item.op == OpCode::SYNC {
        return None;
    }
    let session_is_closing = conn.session().is_some_and(|session| session.is_closing());
    if session_is_closing {
        return Some(Turn::Refused(ErrorCode::SESSION_EXPIRED));
    }
    let undecodable = Request::decode(item.op, body).is_err();
    undecodable.then_some(Turn::Refused(ErrorCode::MARSHALLING_ERROR))
}

/// Who the client is; nobody yet when its session begins.
fn identities(conn: &Conn, op: OpCode) -> Option<Vec<Id<'static>>> {
    (op != OpCode::CREATE_SESSION).then(|| conn.with_identities(<[_]>::to_vec))
}

fn close_if_last(item: &Item) {
    if item.op == OpCode::CLOSE_SESSION {
        close_session(item);
    }
}

/// Why a packet must not be believed: a transaction that cannot be read would
/// stop every server that logs it.
fn problem_with(packet: &Packet) -> Option<String> {
    if !matches!(packet.kind, PacketType::PROPOSAL | PacketType::INFORM) {
        return None;
    }
    match LoggedTxn::decode(packet.data()) {
        Ok(txn) if txn.header.zxid == packet.zxid => None,
        Ok(txn) => Some(format!(
            "the leader proposed {} as {}",
            txn.header.zxid, packet.zxid
        )),
        Err(error) => Some(format!(
            "the leader proposed {}, which cannot be read: {error}",
            packet.zxid
        )),
    }
}
