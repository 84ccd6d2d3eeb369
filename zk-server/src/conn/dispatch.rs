//! From frames to answers or to the pipeline.
//!
//! While nothing of this connection is in the pipeline, reads are answered
//! here, all of one read from the socket under one lock of the tree. As soon
//! as something is, everything goes through the pipeline, which keeps the
//! order.

use super::Conn;
use super::task::{Stop, next_frame};
use crate::auth::Verdict;
use crate::metrics::{NamespaceTally, SizeTally, usage};
use crate::pipeline::InboxGuard;
use crate::reads;
use crate::shared::Shared;
use parking_lot::RwLockReadGuard;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use zk_proto::{AuthPacket, Buffer, ErrorCode, OpCode, RequestHeader, Xid, Zxid, jute};
use zk_tree::DataTree;

thread_local! {
    static REPLIES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// How an operation is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Answered from the tree, or from nothing at all.
    Read,
    /// Goes through the pipeline.
    Write,
    /// Changes the connection's identities.
    Auth,
    /// No such operation: an error, then the end.
    Unknown,
}

/// The class of an operation as a client may send it.
pub(crate) const fn class(op: OpCode) -> Class {
    match op {
        OpCode::EXISTS
        | OpCode::GET_DATA
        | OpCode::GET_ACL
        | OpCode::GET_CHILDREN
        | OpCode::GET_CHILDREN2
        | OpCode::PING
        | OpCode::MULTI_READ
        | OpCode::CHECK_WATCHES
        | OpCode::REMOVE_WATCHES
        | OpCode::SET_WATCHES
        | OpCode::SET_WATCHES2
        | OpCode::SASL
        | OpCode::GET_EPHEMERALS
        | OpCode::GET_ALL_CHILDREN_NUMBER
        | OpCode::ADD_WATCH
        | OpCode::WHO_AM_I => Class::Read,
        OpCode::CREATE
        | OpCode::CREATE2
        | OpCode::CREATE_CONTAINER
        | OpCode::CREATE_TTL
        | OpCode::DELETE
        | OpCode::DELETE_CONTAINER
        | OpCode::SET_DATA
        | OpCode::SET_ACL
        | OpCode::MULTI
        | OpCode::RECONFIG
        | OpCode::SYNC
        | OpCode::CREATE_SESSION
        | OpCode::CLOSE_SESSION => Class::Write,
        OpCode::AUTH => Class::Auth,
        _ => Class::Unknown,
    }
}

/// Handles all whole frames of `bytes`; returns how many bytes they took.
pub(super) fn requests(
    shared: &Arc<Shared>,
    conn: &Arc<Conn>,
    bytes: &[u8],
) -> Result<usize, Stop> {
    REPLIES.with_borrow_mut(|replies| {
        let mut batch = Batch::new(shared, conn, replies);
        let handled = batch.frames(bytes);
        batch.finish();
        if let Ok(consumed) = handled {
            shared.stats.received_bytes(consumed as u64);
        }
        handled
    })
}

/// The requests of one read from the socket.
struct Batch<'a> {
    shared: &'a Arc<Shared>,
    conn: &'a Arc<Conn>,
    now_ms: u64,
    /// Whether requests are looked at before they are handled.
    guarded: bool,
    /// Answers that are not in the outbox yet.
    replies: &'a mut Vec<u8>,
    tree: Option<RwLockReadGuard<'a, DataTree>>,
    inbox: Option<InboxGuard<'a>>,
    received: u64,
    /// The answers that were given here, without their lengths.
    answered: SizeTally,
    read: NamespaceTally,
    last: Option<RequestHeader>,
}

impl<'a> Batch<'a> {
    fn new(shared: &'a Arc<Shared>, conn: &'a Arc<Conn>, replies: &'a mut Vec<u8>) -> Self {
        replies.clear();
        Self {
            shared,
            conn,
            now_ms: shared.clock.now_ms(),
            guarded: shared.large.is_on() || shared.settings.auth.is_enforced(),
            replies,
            tree: None,
            inbox: None,
            received: 0,
            answered: SizeTally::default(),
            read: NamespaceTally::default(),
            last: None,
        }
    }

    fn frames(&mut self, bytes: &[u8]) -> Result<usize, Stop> {
        let mut consumed = 0;
        while let Some(payload) = next_frame(self.shared, self.conn, &bytes[consumed..])? {
            consumed += payload.len() + 4;
            self.request(payload)?;
        }
        if self.guarded && !self.shared.large.fits_announced(&bytes[consumed..]) {
            return Err(self.reject_large());
        }
        Ok(consumed)
    }

    fn request(&mut self, payload: &[u8]) -> Result<(), Stop> {
        let Ok((header, body)) = RequestHeader::split(payload) else {
            tracing::warn!(client = %self.conn.remote(), session = %self.conn.session_id(), "a frame of {} bytes holds no request: closing the connection", payload.len());
            return Err(Stop::Close);
        };
        self.received += 1;
        if header.op == OpCode::SASL && !has_token(body) {
            return Err(Stop::Close);
        }
        let in_order = self.inbox.is_some() || self.conn.pending() > 0;
        if self.guarded {
            self.guard(header, payload.len(), in_order)?;
        }
        match class(header.op) {
            Class::Read if !in_order => {
                self.read(header, body);
                Ok(())
            }
            Class::Auth if !in_order => self.auth(header.xid, body),
            Class::Unknown if !in_order => self.unknown(header.xid),
            _ => self.submit(header, body),
        }
    }

    /// What a request must pass before it is handled: the budget of large
    /// requests, and `enforce.auth.schemes`.
    fn guard(&mut self, header: RequestHeader, len: usize, in_order: bool) -> Result<(), Stop> {
        if !self.shared.large.fits(len) {
            return Err(self.reject_large());
        }
        // An auth packet may wait behind the handshake, so the pipeline looks
        // at what comes behind it. A client's createSession it would take for
        // the handshake.
        let is_looked_at_later = in_order && header.op != OpCode::CREATE_SESSION;
        let auth = &self.shared.settings.auth;
        if is_looked_at_later
            || matches!(header.op, OpCode::AUTH | OpCode::SASL)
            || self
                .conn
                .with_identities(|identities| auth.admits(identities))
        {
            return Ok(());
        }
        self.refuse_unauthenticated(header.xid)
    }

    fn reject_large(&self) -> Stop {
        self.shared.stats.metrics.large_requests_rejected.add(1);
        tracing::warn!(client = %self.conn.remote(), session = %self.conn.session_id(), "rejecting a large request: closing the connection");
        Stop::Close
    }

    fn read(&mut self, header: RequestHeader, body: &[u8]) {
        let shared = self.shared;
        let tree = self.tree.get_or_insert_with(|| shared.tree.read());
        let reader = reads::Reader {
            tree,
            watches: &shared.watches,
            conn: self.conn,
            config: &shared.settings.reads,
        };
        let before = self.replies.len();
        reads::answer(&reader, header, body, self.replies);
        let answer = &self.replies[before..];
        self.answered.add_frame(answer);
        if let Some((path, bytes)) = usage::of_read(header.op, body, answer) {
            self.read.note(&shared.stats.metrics.reads, path, bytes);
        }
        self.last = Some(header);
    }

    fn auth(&mut self, xid: Xid, body: &[u8]) -> Result<(), Stop> {
        let packet: AuthPacket<'_> = jute::from_prefix(body).map_err(|_| Stop::Close)?;
        let config = &self.shared.settings.auth;
        let metrics = &self.shared.stats.metrics;
        let address = self.conn.remote().ip();
        match crate::auth::authenticate(config, &packet, address, metrics) {
            Verdict::Proven(identities) => {
                self.conn.add_identities(identities);
                self.header_only(xid, Zxid::ZERO, ErrorCode::OK);
                Ok(())
            }
            Verdict::Elsewhere => {
                tracing::warn!(client = %self.conn.remote(), "the client looks for another ensemble: closing the connection");
                Err(Stop::Close)
            }
            Verdict::Failed => {
                tracing::warn!(client = %self.conn.remote(), scheme = ?packet.scheme, "authentication failed");
                self.header_only(xid, Zxid::ZERO, ErrorCode::AUTH_FAILED);
                Err(Stop::CloseAfterFlush)
            }
        }
    }

    fn unknown(&mut self, xid: Xid) -> Result<(), Stop> {
        self.header_only(xid, Zxid::NONE, ErrorCode::UNIMPLEMENTED);
        Err(Stop::CloseAfterFlush)
    }

    fn refuse_unauthenticated(&mut self, xid: Xid) -> Result<(), Stop> {
        tracing::error!(client = %self.conn.remote(), "the client has none of the authentication schemes {:?}: closing the connection", self.shared.settings.auth.enforced_schemes);
        let code = ErrorCode::SESSION_CLOSED_REQUIRE_SASL_AUTH;
        self.header_only(xid, Zxid::ZERO, code);
        Err(Stop::CloseAfterFlush)
    }

    fn header_only(&mut self, xid: Xid, zxid: Zxid, code: ErrorCode) {
        let before = self.replies.len();
        reads::header_only(self.replies, xid, zxid, code);
        self.answered.add_frame(&self.replies[before..]);
    }

    /// Hands the request to the pipeline. What was answered so far goes into
    /// the outbox first, because the pipeline's answers will come behind it.
    fn submit(&mut self, header: RequestHeader, body: &[u8]) -> Result<(), Stop> {
        if self.guarded && !self.shared.large.charge(header.op, body.len()) {
            return Err(self.reject_large());
        }
        if self.inbox.is_none() {
            self.hand_over_replies();
            self.tree = None;
            self.inbox = Some(self.shared.inbox.open());
        }
        if let Some(inbox) = &mut self.inbox {
            inbox.client(self.conn, header.xid, header.op, body, self.now_ms);
        }
        match header.op {
            OpCode::CLOSE_SESSION => Err(Stop::Drain),
            op if class(op) == Class::Unknown => Err(Stop::Drain),
            _ => Ok(()),
        }
    }

    /// Puts the answers into the outbox. The tree's lock is still held: an
    /// event of a watch that one of them set must not come before it.
    fn hand_over_replies(&mut self) {
        if !self.replies.is_empty() {
            self.conn.push_bytes(self.replies);
            self.replies.clear();
        }
    }

    /// Sends the answers and wakes the pipeline.
    fn finish(&mut self) {
        let has_replies = !self.replies.is_empty();
        self.hand_over_replies();
        self.tree = None;
        if has_replies {
            // This runs in the connection's task, which goes on with what the
            // socket does not take.
            self.conn.flush();
        }
        self.inbox = None;
        self.note();
    }

    fn note(&mut self) {
        if self.received == 0 {
            return;
        }
        if let Some(session) = self.conn.session() {
            session.touch(self.now_ms);
        }
        self.shared.stats.received(self.received);
        let stats = &self.conn.stats;
        stats.received.fetch_add(self.received, Ordering::Relaxed);
        let count = self.answered.count();
        if count == 0 {
            return;
        }
        self.shared.stats.answered_at_once(&self.answered);
        self.read.flush(&self.shared.stats.metrics.reads);
        stats.sent.fetch_add(count, Ordering::Relaxed);
        if let Some(last) = self.last {
            stats.answered(last.op, last.xid, self.shared.last_zxid(), self.now_ms);
        }
        stats.latency(0, count);
    }
}

/// A SASL request without a token ends the connection, as in Apache.
fn has_token(body: &[u8]) -> bool {
    matches!(jute::from_prefix::<Option<Buffer<'_>>>(body), Ok(Some(_)))
}
