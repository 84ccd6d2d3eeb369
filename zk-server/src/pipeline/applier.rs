//! The last step of every request: its transaction goes into the tree, who
//! watches hears of it, and its client gets the answer. It refuses to know
//! how a transaction came to be decided.

use super::delivery::Delivery;
use super::inbox::{Item, Origin};
use super::reply;
use super::tally::Answered;
use crate::conn::Conn;
use crate::metrics::usage;
use crate::reads;
use crate::role::ServerRole;
use crate::shared::Shared;
use std::sync::Arc;
use zk_proto::mutation::is_back;
use zk_proto::txn::{LoggedTxn, Txn};
use zk_proto::{ErrorCode, OpCode, RequestHeader, SessionId, Zxid};
use zk_tree::{Applied, DataTree};

/// Applies, answers, and lets leave.
pub(crate) struct Applier {
    shared: Arc<Shared>,
    delivery: Delivery,
    /// Whether anybody may watch anything.
    watched: bool,
}

impl Applier {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            delivery: Delivery::new(shared.clone()),
            shared,
            watched: true,
        }
    }

    /// The tree's write lock was just taken: nobody sets a watch now but
    /// through this.
    pub(crate) fn begin(&mut self) {
        self.watched = !self.shared.watches.lock().is_empty();
    }

    /// Lets leave what was answered and told.
    pub(crate) fn flush(&mut self) {
        self.delivery.flush();
    }

    /// Applies a transaction and answers the request that it comes from, if a
    /// client of this server asked.
    pub(crate) fn apply(
        &mut self,
        tree: &mut DataTree,
        txn: &LoggedTxn<'_>,
        item: Option<&Item>,
        now_ms: u64,
    ) {
        let applied = self.apply_and_fire(tree, txn);
        if let Some(mismatch) = &applied.digest_mismatch {
            self.shared.stats.digest_mismatch();
            tracing::error!(zxid = %txn.header.zxid, ?mismatch, "the tree's digest differs from the transaction's");
        }
        self.delivery.written(&txn.txn);
        if let Some(item) = item {
            if let Txn::Error(code) = txn.txn {
                leave_if_moved(item, code);
            }
            let (zxid, kind) = (txn.header.zxid, Answered::Update);
            self.delivery.answer(item, zxid, now_ms, kind, |out| {
                reply::append(item, txn, &applied, out);
            });
        }
        if txn.header.kind == OpCode::CLOSE_SESSION {
            end_session(&self.shared, item, txn.header.client_id);
        }
    }

    fn apply_and_fire(&mut self, tree: &mut DataTree, txn: &LoggedTxn<'_>) -> Applied {
        if !self.watched || is_back("watches_forgotten") {
            return tree.apply(txn, &mut |_| {});
        }
        let mut watches = self.shared.watches.lock();
        let delivery = &mut self.delivery;
        tree.apply(txn, &mut |event| delivery.fire(&mut watches, &event))
    }

    /// Answers with an error and nothing else.
    pub(crate) fn refuse(&mut self, item: &Item, zxid: Zxid, code: ErrorCode, now_ms: u64) {
        leave_if_moved(item, code);
        let kind = Answered::Read;
        self.delivery.answer(item, zxid, now_ms, kind, |out| {
            reads::header_only(out, item.xid, zxid, code);
        });
    }

    /// Answers an auth request; an error ends the connection.
    pub(crate) fn answer_auth(&mut self, item: &Item, code: ErrorCode, now_ms: u64) {
        self.refuse(item, Zxid::ZERO, code, now_ms);
        if let (Origin::Client(conn), false) = (&item.origin, code.is_ok()) {
            conn.close_after_flush();
        }
    }

    /// Answers a request for a session that began here alone.
    pub(crate) fn answer_open(&mut self, item: &Item, now_ms: u64) {
        let is_read_only = self.is_read_only();
        let (zxid, kind) = (Zxid::ZERO, Answered::Update);
        self.delivery.answer(item, zxid, now_ms, kind, |out| {
            reply::opened(item, is_read_only, out);
        });
    }

    /// Answers the end of a session that only this server knows.
    pub(crate) fn end_local(&mut self, item: &Item, zxid: Zxid, now_ms: u64) {
        self.refuse(item, zxid, ErrorCode::OK, now_ms);
        if let Origin::Client(conn) = &item.origin {
            self.shared.sessions.remove(conn.session_id());
            conn.close_after_flush();
        }
    }

    fn is_read_only(&self) -> bool {
        self.shared.role.get() == ServerRole::ReadOnly
    }

    /// Answers a request to go on with a session: with the session that is
    /// bound to the connection, or with a refusal, which ends it.
    pub(crate) fn answer_resume(&mut self, item: &Item, now_ms: u64) {
        let is_read_only = self.is_read_only();
        let (zxid, kind) = (Zxid::ZERO, Answered::Update);
        self.delivery.answer(item, zxid, now_ms, kind, |out| {
            reply::resumed(item, is_read_only, out);
        });
        if let Origin::Resuming(conn) = &item.origin
            && conn.session().is_none()
        {
            conn.close_after_flush();
        }
    }

    /// Serves what makes no transaction but had to wait for what was before
    /// it.
    pub(crate) fn serve_in_order(
        &mut self,
        tree: &DataTree,
        item: &Item,
        body: &[u8],
        now_ms: u64,
    ) {
        let Origin::Client(conn) = &item.origin else {
            return;
        };
        let header = RequestHeader {
            xid: item.xid,
            op: item.op,
        };
        let shared = self.shared.clone();
        let (mut ends, mut looked_at) = (false, None);
        let (zxid, kind) = (tree.last_zxid(), Answered::Read);
        self.delivery.answer(item, zxid, now_ms, kind, |out| {
            let before = out.len();
            ends = reply::in_order(&shared, tree, conn, header, body, out);
            looked_at = usage::of_read(header.op, body, &out[before..]);
        });
        if let Some((path, bytes)) = looked_at {
            self.delivery.read(path, bytes);
        }
        self.watched = true;
        if shared.conns.get(conn.id()).is_none() {
            // It ended meanwhile, and must not leave a watch behind.
            shared.watches.lock().remove_watcher(conn.id());
        }
        if ends {
            conn.close_after_flush();
        }
    }
}

/// A session that has moved to another server is not answered here: its
/// connection ends behind the answers before (ZOOKEEPER-710).
fn leave_if_moved(item: &Item, code: ErrorCode) {
    if let (Origin::Client(conn), ErrorCode::SESSION_MOVED) = (&item.origin, code) {
        conn.close_after_flush();
    }
}

/// The session is gone: its connection ends, behind the answer if the client
/// asked for it.
fn end_session(shared: &Shared, item: Option<&Item>, session: SessionId) {
    shared.sessions.remove(session);
    if let Some(Origin::Client(conn)) = item.map(|item| &item.origin) {
        conn.close_after_flush();
    } else if let Some(conn) = shared.conns.of_session(session) {
        conn.close();
    }
}

/// Whether a request that waited behind its handshake is one of a client that
/// has not authenticated as is asked. The createSession is the handshake.
pub(crate) fn lacks_auth(shared: &Shared, conn: &Conn, op: OpCode) -> bool {
    !matches!(op, OpCode::CREATE_SESSION | OpCode::SASL)
        && !conn.with_identities(|identities| shared.settings.auth.admits(identities))
}

/// Nothing of the session is served behind its closeSession.
pub(crate) fn close_session(item: &Item) {
    if let Origin::Client(conn) = &item.origin
        && let Some(session) = conn.session()
    {
        session.set_closing();
    }
}
