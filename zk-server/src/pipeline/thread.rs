//! The thread that drives the write path, one batch after the other.
//!
//! Prepare everything that waits, append it, flush once, apply it, answer.
//! While the flush runs the next batch gathers: group commit without a timer.
//! No lock of the tree is held while the disk works, and a write lock only
//! for a bounded number of transactions.

use super::Core;
use super::delivery::Delivery;
use super::inbox::{Batch, Item, Origin, Taken};
use super::progress::Progress;
use super::reply;
use super::stage::{Stage, Subject};
use super::tally::Answered;
use crate::clock;
use crate::conn::Conn;
use crate::metrics::usage;
use crate::reads;
use crate::shared::Shared;
use crate::snapshotter::Snapshotter;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use zk_log::{LogError, TxnLog};
use zk_proto::txn::LoggedTxn;
use zk_proto::{ErrorCode, OpCode, RequestHeader, SessionId, Zxid};
use zk_tree::{Applied, DataTree};

/// Transactions applied under one write lock.
const APPLY_CHUNK: usize = 128;
/// Without anything to do for so long, the server is idle enough for a
/// snapshot that is due.
const IDLE: Duration = Duration::from_millis(200);

/// When a snapshot is due (`SyncRequestProcessor.shouldSnapshot`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SnapshotPolicy {
    /// `snapCount`.
    pub(crate) txn_count: u64,
    /// `snapSizeLimitInKb`, in bytes; 0 for no limit.
    pub(crate) log_bytes: u64,
}

/// The write path of a standalone server.
pub(crate) struct Pipeline {
    shared: Arc<Shared>,
    core: Core,
    log: TxnLog,
    snapshotter: Snapshotter,
    batch: Batch,
    /// Payloads of the batch's transactions, one behind the other.
    payloads: Vec<u8>,
    stages: Vec<Stage>,
    /// Whether anybody may watch anything.
    watched: bool,
    delivery: Delivery,
}

impl Pipeline {
    pub(crate) fn new(
        shared: Arc<Shared>,
        core: Core,
        log: TxnLog,
        snapshotter: Snapshotter,
    ) -> Self {
        Self {
            delivery: Delivery::new(shared.clone()),
            shared,
            core,
            log,
            snapshotter,
            batch: Batch::default(),
            payloads: Vec::new(),
            stages: Vec::new(),
            watched: true,
        }
    }

    /// Serves until the inbox is closed. An error means that the log can
    /// promise nothing any more: the process must end.
    pub(crate) fn run(mut self) -> Result<(), LogError> {
        loop {
            let patience = self.snapshotter.is_due().then_some(IDLE);
            match self.shared.inbox.take(&mut self.batch, patience) {
                Taken::Items => self.step()?,
                Taken::Nothing => self.snapshot_if_due(true)?,
                Taken::Closed => break,
            }
        }
        self.snapshotter.wait();
        self.log.close()
    }

    fn step(&mut self) -> Result<(), LogError> {
        let mut progress = self.take();
        self.stage();
        progress.staged(&self.shared.stats.metrics, self.shared.clock.now_ms());
        self.persist(&mut progress)?;
        let batch = std::mem::take(&mut self.batch);
        self.release_large(&batch);
        self.apply(&batch, &progress);
        self.core.applied(self.core.last_zxid());
        self.shared.inbox.settle(batch.items.len());
        self.batch = batch;
        self.batch.recycle();
        self.snapshot_if_due(false)
    }

    fn take(&self) -> Progress {
        let now_ms = self.shared.clock.now_ms();
        Progress::taken(&self.shared.stats.metrics, &self.batch.items, now_ms)
    }

    /// Decides what becomes of each item, against the tree as it is and the
    /// changes of this batch so far.
    fn stage(&mut self) {
        self.payloads.clear();
        self.stages.clear();
        let time_ms = clock::wall_ms();
        let auth_enforced = self.shared.settings.auth.is_enforced();
        let tree = self.shared.tree.read();
        for item in &self.batch.items {
            let body = self.batch.body(item);
            let stage = match (&item.origin, item.op) {
                (Origin::Client(conn), OpCode::AUTH) => {
                    Stage::Auth(reply::authenticate(&self.shared, conn, body))
                }
                (Origin::Client(conn), op)
                    if auth_enforced && lacks_auth(&self.shared, conn, op) =>
                {
                    Stage::Auth(ErrorCode::SESSION_CLOSED_REQUIRE_SASL_AUTH)
                }
                _ => Subject::of(item, body, |subject| {
                    self.core.stage(&tree, subject, time_ms, &mut self.payloads)
                }),
            };
            if item.op == OpCode::CLOSE_SESSION && !matches!(stage, Stage::Auth(_)) {
                close_session(item);
            }
            self.stages.push(stage);
        }
        drop(tree);
        for quota in self.core.refused_by_quota() {
            self.shared.stats.refused_by_quota(&quota.prefix);
        }
    }

    /// Large requests do not count any more when their answers can be read.
    fn release_large(&self, batch: &Batch) {
        let large = &self.shared.large;
        if !large.is_on() {
            return;
        }
        let clients = batch.items.iter().filter(|item| {
            // Nobody else's requests were charged.
            matches!(item.origin, Origin::Client(_))
        });
        large.release(
            clients
                .map(|item| large.size(item.op, item.body.len()))
                .sum(),
        );
    }

    /// Appends and flushes the batch's transactions. Nothing is answered
    /// before this returns.
    fn persist(&mut self, progress: &mut Progress) -> Result<(), LogError> {
        let mut appended = 0;
        for stage in &self.stages {
            if let Stage::Txn(range) = stage {
                let payload = &self.payloads[range.clone()];
                self.log.append(zxid_of(payload), payload)?;
                appended += 1;
            }
        }
        if appended == 0 {
            return Ok(());
        }
        let report = self.log.flush()?;
        self.snapshotter.count(appended, report.bytes);
        let now_ms = self.shared.clock.now_ms();
        progress.durable(&self.shared.stats.metrics, &report, now_ms);
        if report.slow {
            self.shared.stats.slow_fsync();
        }
        Ok(())
    }

    fn apply(&mut self, batch: &Batch, progress: &Progress) {
        let shared = self.shared.clone();
        let now_ms = shared.clock.now_ms();
        progress.applied(&shared.stats.metrics, now_ms);
        for start in (0..self.stages.len()).step_by(APPLY_CHUNK) {
            let end = self.stages.len().min(start + APPLY_CHUNK);
            let mut tree = shared.tree.write();
            // Watches are set under the tree's read lock: none comes now,
            // but for those that this chunk itself sets.
            self.watched = !shared.watches.lock().is_empty();
            for at in start..end {
                self.finish(&mut tree, &batch.items[at], batch, at, now_ms);
            }
            shared.set_last_zxid(tree.last_zxid());
            drop(tree);
            self.delivery.flush();
        }
    }

    /// Applies and answers one item.
    fn finish(&mut self, tree: &mut DataTree, item: &Item, batch: &Batch, at: usize, now_ms: u64) {
        let body = batch.body(item);
        match self.stages[at].clone() {
            Stage::Txn(range) => self.apply_txn(tree, item, range, now_ms),
            Stage::InOrder => self.serve_in_order(tree, item, body, now_ms),
            Stage::Refused(code) => self.refuse(item, tree.last_zxid(), code, now_ms),
            Stage::Auth(code) => {
                self.refuse(item, Zxid::ZERO, code, now_ms);
                if let (Origin::Client(conn), false) = (&item.origin, code.is_ok()) {
                    conn.close_after_flush();
                }
            }
        }
    }

    fn refuse(&mut self, item: &Item, zxid: Zxid, code: ErrorCode, now_ms: u64) {
        let kind = Answered::Read;
        self.delivery.answer(item, zxid, now_ms, kind, |out| {
            reads::header_only(out, item.xid, zxid, code);
        });
    }

    fn apply_txn(&mut self, tree: &mut DataTree, item: &Item, payload: Range<usize>, now_ms: u64) {
        let payload = &self.payloads[payload];
        let txn = LoggedTxn::decode(payload).expect("payloads of our own making decode");
        let applied = if self.watched {
            apply_and_fire(&self.shared, &mut self.delivery, tree, &txn)
        } else {
            tree.apply(&txn, &mut |_| {})
        };
        if let Some(mismatch) = &applied.digest_mismatch {
            self.shared.stats.digest_mismatch();
            tracing::error!(zxid = %txn.header.zxid, ?mismatch, "the tree's digest differs from the transaction's");
        }
        self.delivery.written(&txn.txn);
        let (zxid, kind) = (txn.header.zxid, Answered::Update);
        self.delivery.answer(item, zxid, now_ms, kind, |out| {
            reply::append(item, &txn, &applied, out);
        });
        if txn.header.kind == OpCode::CLOSE_SESSION {
            end_session(&self.shared, item, txn.header.client_id);
        }
    }

    /// Serves what makes no transaction but had to wait for what was before
    /// it.
    fn serve_in_order(&mut self, tree: &DataTree, item: &Item, body: &[u8], now_ms: u64) {
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

    fn snapshot_if_due(&mut self, idle: bool) -> Result<(), LogError> {
        if self.snapshotter.is_due() && self.snapshotter.start(&self.shared, idle) {
            self.log.roll()?;
        }
        Ok(())
    }
}

/// Applies a transaction; who watches is told.
fn apply_and_fire(
    shared: &Shared,
    delivery: &mut Delivery,
    tree: &mut DataTree,
    txn: &LoggedTxn<'_>,
) -> Applied {
    let mut watches = shared.watches.lock();
    tree.apply(txn, &mut |event| delivery.fire(&mut watches, &event))
}

/// The session is gone: its connection ends, behind the answer if the client
/// asked for it.
fn end_session(shared: &Shared, item: &Item, session: SessionId) {
    shared.sessions.remove(session);
    match &item.origin {
        Origin::Client(conn) => conn.close_after_flush(),
        Origin::Expired(_) | Origin::Server => {
            if let Some(conn) = shared.conns.of_session(session) {
                conn.close();
            }
        }
    }
}

/// Whether a request that waited behind its handshake is one of a client that
/// has not authenticated as is asked. The createSession is the handshake.
fn lacks_auth(shared: &Shared, conn: &Conn, op: OpCode) -> bool {
    !matches!(op, OpCode::CREATE_SESSION | OpCode::SASL)
        && !conn.with_identities(|identities| shared.settings.auth.admits(identities))
}

/// Nothing of the session is served behind its closeSession.
fn close_session(item: &Item) {
    if let Origin::Client(conn) = &item.origin
        && let Some(session) = conn.session()
    {
        session.set_closing();
    }
}

/// The zxid in a payload's header.
fn zxid_of(payload: &[u8]) -> Zxid {
    const AT: usize = 12;
    let bytes = payload[AT..].first_chunk::<8>();
    Zxid(i64::from_be_bytes(
        *bytes.expect("a payload starts with a whole header"),
    ))
}
