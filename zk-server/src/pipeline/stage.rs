//! The steps between an item and its answer.

use super::inbox::{Item, Origin};
use crate::conn::{Class, class};
use std::ops::Range;
use zk_proto::quorum::ForwardedRequest;
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
    /// An auth request took effect, or did not, for what comes behind it; or
    /// a request lacked the authentication that is asked for. The answer waits
    /// for its turn; an error ends the connection.
    Auth(ErrorCode),
}

/// An item as the core sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) op: OpCode,
    pub(crate) cxid: i32,
    pub(crate) body: &'a [u8],
    pub(crate) session: SessionId,
    session_is_closing: bool,
    /// The server closes the session because its time is up.
    is_expiry: bool,
    identities: &'a [Id<'static>],
}

impl<'a> Subject<'a> {
    /// Lets `judge` see an item.
    pub(crate) fn of<T>(item: &Item, body: &[u8], judge: impl FnOnce(&Subject<'_>) -> T) -> T {
        let subject = Subject {
            op: item.op,
            cxid: item.xid.0,
            body,
            session: SessionId::NONE,
            session_is_closing: false,
            is_expiry: false,
            identities: &[],
        };
        match &item.origin {
            Origin::Client(conn) => conn.with_identities(|identities| {
                let session = conn.session();
                judge(&Subject {
                    session: session.map_or(SessionId::NONE, |session| session.id()),
                    session_is_closing: session.is_some_and(|session| session.is_closing()),
                    identities,
                    ..subject
                })
            }),
            Origin::Expired(session) => judge(&Subject {
                session: session.id(),
                is_expiry: true,
                ..subject
            }),
            Origin::Resuming(_) | Origin::Server => judge(&subject),
        }
    }

    /// A request that a learner forwards.
    pub(crate) fn forwarded(
        request: &ForwardedRequest<'a>,
        identities: &'a [Id<'static>],
        session_is_closing: bool,
    ) -> Self {
        Self {
            op: request.op,
            cxid: request.xid.0,
            body: request.body,
            session: request.session,
            session_is_closing,
            is_expiry: false,
            identities,
        }
    }

    /// Whether it waits for its turn and makes no transaction.
    pub(crate) fn is_in_order_only(&self) -> bool {
        self.op == OpCode::SYNC || class(self.op) != Class::Write
    }

    /// Whether its session has ended meanwhile.
    pub(crate) fn is_too_late(&self) -> bool {
        self.session_is_closing && !self.is_expiry
    }

    pub(crate) fn caller(&self) -> Caller<'a> {
        Caller {
            session: self.session,
            cxid: self.cxid,
            identities: self.identities,
        }
    }
}
