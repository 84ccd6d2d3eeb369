//! Sessions that no other server knows: local sessions
//! (`localSessionsEnabled`), until they need an ephemeral; and all sessions
//! of read-only mode. They begin, live and end here, without a transaction.

use super::clients::{Turn, Waiting, client_of};
use super::{Peer, Role, whole_ms};
use crate::conn::{Class, class};
use crate::pipeline::{Item, Origin, authenticate};
use crate::role::ServerRole;
use crate::session::Session;
use crate::shared::Shared;
use std::time::Duration;
use zk_proto::quorum::{ForwardedRequest, Revalidate};
use zk_proto::{CreateMode, ErrorCode, MultiOp, OpCode, Request, SessionId, Xid};

/// How long a server looks at least before it serves reads alone.
const READ_ONLY_AFTER: Duration = Duration::from_secs(2);

/// What becomes of sessions that only this server knows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LocalSessions {
    /// `localSessionsEnabled`.
    pub(super) enabled: bool,
    /// `localSessionsUpgradingEnabled`.
    pub(super) upgrading: bool,
    /// `readonlymode.enabled`.
    pub(super) read_only_mode: bool,
}

impl Peer {
    /// Whether a new session begins here alone.
    pub(super) fn begins_local(&self) -> bool {
        self.config.local.enabled || self.shared.role.get() == ServerRole::ReadOnly
    }

    /// Begins a session here alone: its createSession is not asked of anyone.
    pub(super) fn begin_local(&mut self, now: Duration, item: &Item) {
        let conn = client_of(item);
        if let Some(session) = conn.and_then(|conn| conn.session()) {
            session.set_local(true);
        }
        self.clients.applier.answer_open(item, whole_ms(now));
        self.shared.inbox.settle(1);
    }

    /// A client comes back to a session that only this server knows; `None`
    /// if this is no such session.
    pub(super) fn resume_local(&mut self, now: Duration, item: Item, body: &[u8]) -> Option<Item> {
        let question = Revalidate::decode_question(body).ok();
        let known = question.and_then(|question| self.shared.sessions.get(question.session));
        let is_local = known.is_some_and(|session| session.is_local());
        let is_read_only = self.shared.role.get() == ServerRole::ReadOnly;
        if !is_local && !is_read_only {
            return Some(item);
        }
        if !is_local {
            self.leave_in_doubt(&item);
            return None;
        }
        let now_ms = whole_ms(now);
        let resumed = question.and_then(|question| {
            let sessions = &self.shared.sessions;
            sessions.resume(question.session, question.timeout_ms, now_ms)
        });
        if let Some(conn) = client_of(&item).cloned() {
            let (turn, body) = (Turn::Resuming, Vec::new());
            self.clients.put(Waiting { item, body, turn }, now_ms);
            self.finish_resume(now, &conn, resumed);
        }
        None
    }

    /// A server without a leader cannot say whether a session of the ensemble
    /// goes on. An answer would end it, and its ephemerals may be there: the
    /// client is to ask elsewhere, or later.
    fn leave_in_doubt(&self, item: &Item) {
        if let Some(conn) = client_of(item) {
            tracing::info!(client = %conn.remote(), "refusing a session of the ensemble until there is a leader");
            conn.close();
        }
        self.shared.inbox.settle(1);
    }

    /// What a request of a local session needs before it can be made: nothing
    /// (`None`), its own end, or a refusal. A session that needs an ephemeral
    /// becomes one that all servers know.
    /// (`QuorumZooKeeperServer.checkUpgradeSession`)
    pub(super) fn judge_local(&mut self, item: &Item, body: &[u8]) -> Option<Turn> {
        let conn = client_of(item)?.clone();
        let session = conn.session().filter(|session| session.is_local())?;
        if item.op == OpCode::CLOSE_SESSION {
            return Some(Turn::EndLocal);
        }
        if !makes_ephemeral(item.op, body) {
            return None;
        }
        if !self.config.local.upgrading {
            // The leader refuses the ephemerals of a multi one by one.
            if item.op == OpCode::MULTI {
                return None;
            }
            return Some(Turn::Refused(ErrorCode::EPHEMERAL_ON_LOCAL_SESSION));
        }
        tracing::info!(session = %session.id(), "the local session becomes a global one");
        session.set_local(false);
        self.create_global(session.id(), session.timeout_ms());
        None
    }

    /// Sessions that only this server knows and whose time is up.
    pub(super) fn expire_local(&mut self, now: Duration) {
        for session in self.shared.sessions.expire_local(whole_ms(now)) {
            tracing::info!(session = %session.id(), "expiring the local session, timeout of {} ms exceeded", session.timeout_ms());
            end_local(&self.shared, &session);
        }
    }

    /// When the next of them may be due. A leader looks after all sessions
    /// anyway.
    pub(super) fn local_deadline(&self) -> Option<Duration> {
        let has_some = self.begins_local() && !matches!(self.role, Role::Leading(_));
        let deadline = self.shared.sessions.next_deadline();
        deadline.filter(|_| has_some).map(Duration::from_millis)
    }

    /// Lets all servers know of a session: its createSession goes the way of
    /// every other.
    fn create_global(&mut self, session: SessionId, timeout_ms: i32) {
        let request = ForwardedRequest {
            session,
            xid: Xid(0),
            op: OpCode::CREATE_SESSION,
            body: &timeout_ms.to_be_bytes(),
        };
        match &mut self.role {
            Role::Looking(_) => {}
            Role::Leading(leading) => leading.create_session(&self.shared, &request),
            Role::Learning(learning) => {
                if let Some(learner) = &mut learning.learner {
                    learner.request(request.encode(), None);
                }
            }
        }
    }

    /// When a server that has no leader begins to serve reads.
    pub(super) fn read_only_at(&self) -> Option<Duration> {
        let Role::Looking(looking) = &self.role else {
            return None;
        };
        let waits = self.config.local.read_only_mode && !self.shared.role.get().serves();
        waits.then(|| looking.since + READ_ONLY_AFTER.max(self.config.tick))
    }

    /// A server without a leader, by the clock.
    pub(super) fn look_by_clock(&mut self, now: Duration) {
        if self.read_only_at().is_some_and(|at| now >= at) {
            tracing::info!("serving clients that only read, until there is a leader");
            self.shared.role.set(ServerRole::ReadOnly);
        }
        if self.shared.role.get() == ServerRole::ReadOnly {
            self.expire_local(now);
        }
    }

    /// There is a leader again.
    pub(super) fn end_read_only(&mut self) {
        if self.shared.role.get() == ServerRole::ReadOnly {
            self.shared.role.set(ServerRole::Looking);
            self.clients.end_all();
            self.shared.sessions.restart(std::iter::empty(), 0);
        }
    }

    /// A client's request in read-only mode (`ReadOnlyRequestProcessor`).
    pub(super) fn read_only_request(&mut self, now: Duration, item: Item, body: &[u8]) {
        let turn = match (&item.origin, item.op) {
            (Origin::Client(conn), OpCode::AUTH) => {
                Turn::Auth(authenticate(&self.shared, conn, body))
            }
            (_, OpCode::CLOSE_SESSION) => Turn::EndLocal,
            (_, op) if class(op) == Class::Write => Turn::Refused(ErrorCode::NOT_READ_ONLY),
            _ => Turn::InOrder,
        };
        let body = body.to_vec();
        self.clients
            .put(Waiting { item, body, turn }, whole_ms(now));
    }
}

/// Ends a session that only this server knows and whose time is up.
pub(super) fn end_local(shared: &Shared, session: &Session) {
    shared.stats.session_expired();
    shared.sessions.remove(session.id());
    if let Some(conn) = shared.conns.of_session(session.id()) {
        conn.close();
    }
}

/// Whether a request creates a znode that its session owns.
fn makes_ephemeral(op: OpCode, body: &[u8]) -> bool {
    let is_ephemeral = |flags| CreateMode::from_flags(flags).is_some_and(CreateMode::is_ephemeral);
    match Request::decode(op, body) {
        Ok(Request::Create(_, record)) => is_ephemeral(record.flags),
        Ok(Request::Multi(ops)) => ops.iter().any(|op| match op {
            MultiOp::Create(_, record) => is_ephemeral(record.flags),
            _ => false,
        }),
        _ => false,
    }
}
