//! The steps between an item and its answer.

use super::inbox::{Item, Origin};
use crate::conn::Identities;
use std::ops::Range;
use zk_proto::{ErrorCode, Id, OpCode, SessionId};
use zk_tree::Caller;

/// What an item became when the core looked at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A transaction; its payload lies here in the batch's payloads.
    Txn(Range<usize>),
    /// No transaction: it is served when its turn comes.
    InOrder,
    /// No transaction: this error is answered when its turn comes.
    Refused(ErrorCode),
    /// An auth request took effect, or did not, for what comes behind it; the
    /// answer waits for its turn.
    Auth(ErrorCode),
}

/// An item as the core sees it.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) op: OpCode,
    pub(crate) cxid: i32,
    pub(crate) body: &'a [u8],
    pub(crate) session: SessionId,
    pub(crate) session_is_closing: bool,
    /// The server closes the session because its time is up.
    pub(crate) is_expiry: bool,
    pub(crate) identities: Identities,
}

impl<'a> Subject<'a> {
    pub(crate) fn of(item: &Item, body: &'a [u8]) -> Self {
        let (session, identities) = match &item.origin {
            Origin::Client(conn) => (conn.session().cloned(), conn.identities()),
            Origin::Expired(session) => (Some(session.clone()), no_identities()),
            Origin::Server => (None, no_identities()),
        };
        Self {
            op: item.op,
            cxid: item.xid.0,
            body,
            session: session.as_ref().map_or(SessionId::NONE, |s| s.id()),
            session_is_closing: session.is_some_and(|session| session.is_closing()),
            is_expiry: matches!(item.origin, Origin::Expired(_)),
            identities,
        }
    }

    /// Whether it waits for its turn and makes no transaction.
    pub(crate) fn is_in_order_only(&self) -> bool {
        use crate::conn::{Class, class};
        self.op == OpCode::SYNC || class(self.op) != Class::Write
    }

    /// Whether its session has ended meanwhile.
    pub(crate) fn is_too_late(&self) -> bool {
        self.session_is_closing && !self.is_expiry
    }

    pub(crate) fn caller(&self) -> Caller<'_> {
        let identities: &[Id<'static>] = &self.identities;
        Caller {
            session: self.session,
            cxid: self.cxid,
            identities,
        }
    }
}

fn no_identities() -> Identities {
    Identities::from([])
}
