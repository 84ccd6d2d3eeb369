//! What becomes of each item: a pure state machine over tree, pending changes
//! and the next zxid. Time comes in as an argument; bytes go out.
//!
//! A standalone server appends what comes out and applies it; an ensemble
//! proposes it and applies it when a quorum has it. The rules here do not
//! change with that.

use super::stage::{Stage, Subject};
use std::ops::Range;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::{CreateMode, ErrorCode, MultiOp, OpCode, Request, Zxid};
use zk_tree::{
    DataTree, Pending, PrepareConfig, QuotaExceeded, ReconfigContext, Stamp, prepare,
    prepare_error, prepare_reconfig,
};

/// What a reconfig is judged by, besides the tree.
pub(crate) struct ReconfigRules<'a> {
    /// The members that hold.
    pub(crate) current: &'a EnsembleConfig,
    /// Whether others are proposed already.
    pub(crate) in_progress: bool,
    pub(crate) standalone_enabled: bool,
    pub(crate) many_addresses: bool,
    /// Whether enough of the new voters follow.
    pub(crate) is_quorum_synced: &'a dyn Fn(&EnsembleConfig) -> bool,
}

/// Turns requests into transactions, in order.
#[derive(Debug)]
pub(crate) struct Core {
    config: PrepareConfig,
    pending: Pending,
    last_zxid: Zxid,
    /// Quotas for whose sake requests were refused.
    refused_by: Vec<QuotaExceeded>,
}

impl Core {
    /// Continues behind `last_zxid`, the last one of the tree.
    pub(crate) fn new(config: PrepareConfig, last_zxid: Zxid, hash_seed: u64) -> Self {
        Self {
            config,
            pending: Pending::new(hash_seed),
            last_zxid,
            refused_by: Vec::new(),
        }
    }

    /// The zxid that was given out last.
    pub(crate) fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// Decides what becomes of one request. A transaction's payload is
    /// appended to `out`.
    pub(crate) fn stage(
        &mut self,
        tree: &DataTree,
        subject: &Subject<'_>,
        time_ms: i64,
        out: &mut Vec<u8>,
    ) -> Stage {
        if subject.is_in_order_only() {
            return Stage::InOrder;
        }
        let start = out.len();
        let stamp = Stamp {
            zxid: Zxid(self.last_zxid.0 + 1),
            time_ms,
        };
        match Request::decode(subject.op, subject.body) {
            _ if subject.is_too_late() => {
                prepare_error(&subject.caller(), stamp, ErrorCode::SESSION_EXPIRED, out);
            }
            Ok(Request::Multi(ops)) if stumbles(&ops) => {
                return Stage::Refused(ErrorCode::MARSHALLING_ERROR);
            }
            Ok(Request::DeleteContainer(request)) if request.path.is_none() => {
                return Stage::Refused(ErrorCode::MARSHALLING_ERROR);
            }
            Ok(request) => self.prepare(tree, subject, stamp, &request, out),
            Err(_) if has_zxid_already(subject) => {
                prepare_error(&subject.caller(), stamp, ErrorCode::MARSHALLING_ERROR, out);
            }
            // Apache logs these under a zxid that it has used already, which
            // stops an ensemble. They make no transaction here.
            Err(_) => return Stage::Refused(ErrorCode::MARSHALLING_ERROR),
        }
        self.last_zxid = stamp.zxid;
        Stage::Txn(start..out.len())
    }

    fn prepare(
        &mut self,
        tree: &DataTree,
        subject: &Subject<'_>,
        stamp: Stamp,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) {
        let prepared = prepare(
            tree,
            &mut self.pending,
            &self.config,
            &subject.caller(),
            stamp,
            request,
            out,
        );
        if let Some(quota) = prepared.quota {
            tracing::warn!(session = %subject.session, "quota exceeded: {quota:?}");
            if quota.hard {
                self.refused_by.push(*quota);
            }
        }
    }

    /// As [`Core::stage`], for a reconfig at the leader of an ensemble, whose
    /// members are `current`.
    pub(crate) fn stage_reconfig(
        &mut self,
        tree: &DataTree,
        subject: &Subject<'_>,
        time_ms: i64,
        members: &ReconfigRules<'_>,
        out: &mut Vec<u8>,
    ) -> Stage {
        let Ok(Request::Reconfig(request)) = Request::decode(subject.op, subject.body) else {
            return Stage::Refused(ErrorCode::MARSHALLING_ERROR);
        };
        if subject.is_too_late() {
            return Stage::Txn(self.stage_error(subject, ErrorCode::SESSION_EXPIRED, time_ms, out));
        }
        let context = ReconfigContext {
            rules: &self.config,
            current: members.current,
            in_progress: members.in_progress,
            standalone_enabled: members.standalone_enabled,
            many_addresses: members.many_addresses,
            is_quorum_synced: members.is_quorum_synced,
        };
        let stamp = Stamp {
            zxid: Zxid(self.last_zxid.0 + 1),
            time_ms,
        };
        let (start, pending) = (out.len(), &mut self.pending);
        let caller = subject.caller();
        let reconfig = prepare_reconfig(tree, pending, &context, &caller, stamp, &request, out);
        if let Some(new) = reconfig.new {
            tracing::info!(session = %subject.session, "a client asks for new members: {new}");
        }
        self.last_zxid = stamp.zxid;
        Stage::Txn(start..out.len())
    }

    /// Makes a request's failure a transaction: whoever forwarded it waits
    /// for one.
    pub(crate) fn stage_error(
        &mut self,
        subject: &Subject<'_>,
        code: ErrorCode,
        time_ms: i64,
        out: &mut Vec<u8>,
    ) -> Range<usize> {
        let start = out.len();
        let stamp = Stamp {
            zxid: Zxid(self.last_zxid.0 + 1),
            time_ms,
        };
        prepare_error(&subject.caller(), stamp, code, out);
        self.last_zxid = stamp.zxid;
        start..out.len()
    }

    /// The quotas for whose sake requests were refused since the last time.
    pub(crate) fn refused_by_quota(&mut self) -> impl Iterator<Item = QuotaExceeded> {
        self.refused_by.drain(..)
    }

    /// Everything up to `zxid` is in the tree.
    pub(crate) fn applied(&mut self, zxid: Zxid) {
        self.pending.applied(zxid);
    }
}

/// Whether Apache gives a request its zxid before it finds out that it cannot
/// decode it.
fn has_zxid_already(subject: &Subject<'_>) -> bool {
    match subject.op {
        OpCode::MULTI => !stumbles(&MultiOp::decode_prefix(subject.body)),
        OpCode::CREATE_SESSION => true,
        _ => false,
    }
}

/// Whether Apache's decoding of a multi ends with an exception that it does
/// not expect, before the request has a zxid: at a create without an ACL list
/// (`CreateOptions`), unless it stumbled over flags before.
fn stumbles(ops: &[MultiOp<'_>]) -> bool {
    for op in ops {
        let MultiOp::Create(_, record) = op else {
            continue;
        };
        match CreateMode::from_flags(record.flags) {
            None => return false,
            Some(_) if record.acl.is_none() => return true,
            Some(mode) if mode.is_ttl() => return false,
            Some(_) => {}
        }
    }
    false
}
