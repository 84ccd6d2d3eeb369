//! Requests on their way and what comes back of them. It does not know when.

use crate::Error;
use bytes::Bytes;
use zk_proto::{ErrorCode, OpCode, WatcherType, Xid, Zxid};

use super::{Listener, SessionState, WatchKind, WatcherId};

/// An answer: the header's numbers and the record, not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The last zxid that the server had applied; a write's own.
    pub zxid: Zxid,
    /// What became of the request.
    pub err: ErrorCode,
    /// The record; empty on an error. A slice of what was read.
    pub body: Bytes,
}

/// What a request does to the session's watches once it succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchChange {
    /// Sets a watch at the server's path. exists on a missing znode sets
    /// [`WatchKind::Exist`] whatever kind is asked for.
    Set(WatchKind, String, Listener),
    /// Removes watches.
    Remove(WatcherType, String),
    /// Removes persistent watches of this kind to which nobody listens. Before
    /// 3.9 servers do not know the kinds apart: those are asked to remove
    /// whatever there is, unless it serves somebody else.
    Release(WatchKind, String),
}

/// A request that was submitted.
pub(super) struct Call<W> {
    pub(super) xid: Xid,
    pub(super) op: OpCode,
    pub(super) watch: Option<WatchChange>,
    pub(super) waiter: Option<W>,
}

/// An identity, kept to be sent again on each new connection.
pub(super) struct Auth<W> {
    pub(super) scheme: String,
    pub(super) auth: Option<Vec<u8>>,
    pub(super) waiter: Option<W>,
}

impl<W> Call<W> {
    /// Whether it sets a watch at this path, of this kind or of any.
    pub(super) fn sets_watch(&self, kind: Option<WatchKind>, path: &str) -> bool {
        let Some(WatchChange::Set(set, at, _)) = &self.watch else {
            return false;
        };
        at == path && kind.is_none_or(|kind| kind == *set)
    }

    /// Whether it sets a watch for this watcher.
    pub(super) fn is_for(&self, id: WatcherId) -> bool {
        matches!(&self.watch, Some(WatchChange::Set(.., listener)) if *listener == Listener::One(id))
    }

    /// What becomes of it when the session, now in `state`, cannot wait for
    /// its answer.
    pub(super) fn fail(self, state: SessionState, sent: bool) -> Option<(W, Result<Reply, Error>)> {
        // Who wanted the session closed has what he wanted.
        let outcome = match self.op {
            OpCode::CLOSE_SESSION => Ok(Reply::empty()),
            _ => Err(state.error(sent)),
        };
        self.waiter.map(|waiter| (waiter, outcome))
    }
}

impl Reply {
    /// The answer to what needs none.
    pub(super) const fn empty() -> Self {
        Self {
            zxid: Zxid::ZERO,
            err: ErrorCode::OK,
            body: Bytes::new(),
        }
    }
}
