//! Requests become transactions (`PrepRequestProcessor`): each is checked
//! against the tree and the changes that are pending, in Apache's order of
//! precedence, and everything that it left open is settled.
//!
//! Every write that arrives here becomes a transaction: one that fails is an
//! error transaction, which changes nothing and takes its zxid all the same.
//! This module gives out no zxids, and neither logs, applies nor answers.

mod change;
mod create;
mod multi;
mod reconfig;
mod session;

pub use reconfig::{PreparedReconfig, ReconfigContext, prepare_reconfig};

use crate::acl_check::AclRules;
use crate::pending::{NodeState, Seen};
use crate::quota_check::{self, QuotaExceeded};
use crate::{DataTree, Pending};
use zk_proto::jute;
use zk_proto::txn::{DIGEST_VERSION, TxnDigest, TxnHeader};
use zk_proto::{ErrorCode, Id, OpCode, Perms, Request, SessionId, Zxid};

/// How a server judges requests. What concerns the tree itself is in
/// [`crate::TreeConfig`].
#[derive(Clone, Debug)]
pub struct PrepareConfig {
    /// `skipACL` and the schemes that exist.
    pub acl: AclRules,
    /// Whether quotas are looked at (`enforceQuota`). Off by default.
    pub enforce_quota: bool,
    /// Whether the end of a session lists its ephemerals
    /// (`zookeeper.closeSessionTxn.enabled`). On by default.
    pub close_session_txn: bool,
    /// `reconfigEnabled`. Off by default. A server that stands alone answers
    /// `UNIMPLEMENTED` even when it is on; an ensemble's leader prepares a
    /// reconfig with [`prepare_reconfig`].
    pub reconfig: bool,
    /// Whether sessions that the tree does not know may write: those of one
    /// server alone (`localSessionsEnabled`). They own no znodes. Off by
    /// default.
    pub local_sessions: bool,
}

impl Default for PrepareConfig {
    fn default() -> Self {
        Self {
            acl: AclRules::default(),
            enforce_quota: false,
            close_session_txn: true,
            reconfig: false,
            local_sessions: false,
        }
    }
}

/// Whose request it is. The server's own requests (an expired session, a
/// container to delete) have no identities.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The session; 0 for deleting containers.
    pub session: SessionId,
    /// The request's xid.
    pub cxid: i32,
    /// The identities of the connection.
    pub identities: &'a [Id<'static>],
}

/// Where and when in the history the transaction will stand.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// One more than the last.
    pub zxid: Zxid,
    /// Wall clock, ms since 1970.
    pub time_ms: i64,
}

/// What is to be said of a prepared request.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Prepared {
    /// The error that the answer's header will carry. OK for a multi even if
    /// it failed.
    pub error: ErrorCode,
    /// A quota that was exceeded, to be logged.
    pub quota: Option<Box<QuotaExceeded>>,
}

/// Checks `request` and appends its transaction to `out`: header, record and,
/// where the tree keeps one, the digest of the tree after it. `pending` then
/// knows what it will change.
///
/// Requests that are no writes do not belong here; they become error
/// transactions with `UNIMPLEMENTED`.
pub fn prepare(
    tree: &DataTree,
    pending: &mut Pending,
    config: &PrepareConfig,
    caller: &Caller<'_>,
    stamp: Stamp,
    request: &Request<'_>,
    out: &mut Vec<u8>,
) -> Prepared {
    let mut step = Step {
        tree,
        pending,
        config,
        caller,
        stamp,
        quota: None,
    };
    finished(&mut step, request.op(), out, |step, out| {
        step.request(request, out)
    })
}

/// Header, what `write` appends, and digest; or the transaction of the error.
fn finished<'p>(
    step: &mut Step<'p>,
    kind: OpCode,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Step<'p>, &mut Vec<u8>) -> Result<(), ErrorCode>,
) -> Prepared {
    let (caller, stamp, start) = (step.caller, step.stamp, out.len());
    let written = append_header(out, caller, stamp, kind)
        .and_then(|()| write(step, out))
        .and_then(|()| step.append_digest(out));
    let error = match written {
        Ok(()) => ErrorCode::OK,
        Err(error) => {
            out.truncate(start);
            prepare_error(caller, stamp, error, out);
            error
        }
    };
    let quota = step.quota.take();
    Prepared { error, quota }
}

/// Appends the transaction of a request that failed before it could be
/// checked: one whose body cannot be decoded. It has no digest, as in Apache.
pub fn prepare_error(caller: &Caller<'_>, stamp: Stamp, error: ErrorCode, out: &mut Vec<u8>) {
    append_header(out, caller, stamp, OpCode::ERROR)
        .and_then(|()| appended(jute::append(out, &error)))
        .expect("numbers always have a jute form");
}

fn append_header(
    out: &mut Vec<u8>,
    caller: &Caller<'_>,
    stamp: Stamp,
    kind: OpCode,
) -> Result<(), ErrorCode> {
    let header = TxnHeader {
        client_id: caller.session,
        cxid: caller.cxid,
        zxid: stamp.zxid,
        time: stamp.time_ms,
        kind,
    };
    appended(jute::append(out, &header))
}

/// Only lengths beyond 2 GiB have no Jute form.
fn appended(result: Result<(), jute::Error>) -> Result<(), ErrorCode> {
    result.map_err(|_| ErrorCode::MARSHALLING_ERROR)
}

/// One request on its way.
struct Step<'p> {
    tree: &'p DataTree,
    pending: &'p mut Pending,
    config: &'p PrepareConfig,
    caller: &'p Caller<'p>,
    stamp: Stamp,
    quota: Option<Box<QuotaExceeded>>,
}

impl Step<'_> {
    /// Appends the record and notes the changes, or does neither.
    fn request(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        match request {
            Request::Create(op, record) => self.create(*op, &record.into(), out),
            Request::CreateTtl(record) => self.create(OpCode::CREATE_TTL, &record.into(), out),
            Request::Delete(record) => self.delete(record, out),
            Request::DeleteContainer(record) => self.delete_container(record, out),
            Request::SetData(record) => self.set_data(record, out),
            Request::SetAcl(record) => self.set_acl(record, out),
            Request::Multi(ops) => self.multi(ops, out),
            Request::CreateSession(timeout_ms) => self.create_session(*timeout_ms, out),
            Request::CloseSession => self.close_session(out),
            Request::Reconfig(_) => self.reconfigure_alone(),
            _ => Err(ErrorCode::UNIMPLEMENTED),
        }
    }

    fn append_digest(&self, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        if !self.tree.config().digest {
            return Ok(());
        }
        let digest = TxnDigest {
            version: DIGEST_VERSION,
            tree: self.pending.digest(self.tree).cast_signed(),
        };
        appended(jute::append(out, &digest))
    }

    fn find(&self, path: &str) -> Seen {
        self.pending.find(self.tree, path)
    }

    fn find_node(&self, path: &str) -> Result<(Seen, NodeState), ErrorCode> {
        let seen = self.find(path);
        let state = seen.state.ok_or(ErrorCode::NO_NODE)?;
        Ok((seen, state))
    }

    /// Notes what a znode will be.
    fn put(&mut self, path: &str, seen: &Seen, state: Option<NodeState>) {
        if self.config.enforce_quota {
            self.put_quota(path, seen.state.as_ref(), state.as_ref());
        }
        self.pending
            .put(self.tree, path, seen, state, self.stamp.zxid);
    }

    fn put_quota(&mut self, path: &str, before: Option<&NodeState>, after: Option<&NodeState>) {
        let count = |state: Option<&NodeState>| i64::from(state.is_some());
        let bytes = |state: Option<&NodeState>| state.map_or(0, |state| state.data_len as i64);
        let change = (count(after) - count(before), bytes(after) - bytes(before));
        if change == (0, 0) {
            return;
        }
        if let Some(prefix) = self.tree.quota_prefix(path) {
            self.pending
                .put_quota(prefix, change.0, change.1, self.stamp.zxid);
        }
    }

    fn check_acl(&self, state: &NodeState, wanted: Perms) -> Result<(), ErrorCode> {
        let (entries, open) = self.pending.acl(self.tree, state.acl);
        if open
            || self
                .config
                .acl
                .allows(entries, wanted, self.caller.identities)
        {
            Ok(())
        } else {
            Err(ErrorCode::NO_AUTH)
        }
    }

    fn check_quota(&mut self, path: &str, count: i64, bytes: i64) -> Result<(), ErrorCode> {
        if !self.config.enforce_quota {
            return Ok(());
        }
        let Some(exceeded) = quota_check::check(self.tree, self.pending, path, count, bytes)?
        else {
            return Ok(());
        };
        let hard = exceeded.hard;
        self.quota = Some(Box::new(exceeded));
        if hard {
            Err(ErrorCode::QUOTA_EXCEEDED)
        } else {
            Ok(())
        }
    }
}
