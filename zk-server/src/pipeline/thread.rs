//! The thread that drives the write path, one batch after the other.
//!
//! Prepare everything that waits, append it, flush once, apply it, answer.
//! While the flush runs the next batch gathers: group commit without a timer.
//! No lock of the tree is held while the disk works, and a write lock only
//! for a bounded number of transactions.

use super::Core;
use super::applier::{Applier, close_session, lacks_auth};
use super::inbox::{Batch, Item, Origin, Taken};
use super::progress::Progress;
use super::reply;
use super::stage::{Stage, Subject};
use crate::shared::Shared;
use crate::snapshotter::Snapshotter;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use zk_log::{LogError, TxnLog};
use zk_proto::txn::LoggedTxn;
use zk_proto::{ErrorCode, OpCode, Zxid};
use zk_tree::DataTree;

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
    applier: Applier,
}

impl Pipeline {
    pub(crate) fn new(
        shared: Arc<Shared>,
        core: Core,
        log: TxnLog,
        snapshotter: Snapshotter,
    ) -> Self {
        Self {
            applier: Applier::new(shared.clone()),
            shared,
            core,
            log,
            snapshotter,
            batch: Batch::default(),
            payloads: Vec::new(),
            stages: Vec::new(),
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
        let time_ms = self.shared.clock.wall_ms();
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
            self.applier.begin();
            for at in start..end {
                self.finish(&mut tree, &batch.items[at], batch, at, now_ms);
            }
            shared.set_last_zxid(tree.last_zxid());
            drop(tree);
            self.applier.flush();
        }
    }

    /// Applies and answers one item.
    fn finish(&mut self, tree: &mut DataTree, item: &Item, batch: &Batch, at: usize, now_ms: u64) {
        let body = batch.body(item);
        match self.stages[at].clone() {
            Stage::Txn(range) => self.apply_txn(tree, item, range, now_ms),
            Stage::InOrder => self.applier.serve_in_order(tree, item, body, now_ms),
            Stage::Refused(code) => self.applier.refuse(item, tree.last_zxid(), code, now_ms),
            Stage::Auth(code) => self.applier.answer_auth(item, code, now_ms),
        }
    }

    fn apply_txn(&mut self, tree: &mut DataTree, item: &Item, payload: Range<usize>, now_ms: u64) {
        let payload = &self.payloads[payload];
        let txn = LoggedTxn::decode(payload).expect("payloads of our own making decode");
        self.applier.apply(tree, &txn, Some(item), now_ms);
    }

    fn snapshot_if_due(&mut self, idle: bool) -> Result<(), LogError> {
        if self.snapshotter.is_due() && self.snapshotter.start(&self.shared, idle) {
            self.log.roll()?;
        }
        Ok(())
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
