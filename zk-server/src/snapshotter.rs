//! Snapshots while the server serves.
//!
//! One at a time, on a thread of its own: the tree is read in short turns,
//! and encoded bytes go to the writer while the lock is free. A snapshot that
//! fails is reported and tried again at the next turn; it never ends the
//! server, because the log still has everything.
//!
//! Snapshots serve the next start, so they stand behind what is served now:
//! their thread has the lowest priority, and after each one there is a rest
//! of some times what it took, unless nothing else is to do. At the highest
//! write rates that makes them rarer than `snapCount` says, within a bound.

use crate::clock::whole_ms;
use crate::pipeline::SnapshotPolicy;
use crate::shared::Shared;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use zk_log::{LogConfig, LogDirs, LogError, SnapshotWriter, Storage};
use zk_tree::SnapshotCursor;

/// Encoded bytes per turn with the tree's read lock.
const CHUNK_BYTES: usize = 64 * 1024;

/// How long no snapshot is begun after one, in times of what that took.
const REST: u64 = 9;

/// The bound, in times of `snapCount`: the next start has to go through that
/// many transactions at most.
const OVERDUE: u64 = 20;

/// Where snapshots go, and what they hold.
#[derive(Clone)]
pub(crate) struct SnapshotTarget {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) dirs: LogDirs,
    pub(crate) config: LogConfig,
    /// `serializeLastProcessedZxid.enabled`.
    pub(crate) last_zxid_part: bool,
}

/// Counts what was logged and writes snapshots when they are due.
pub(crate) struct Snapshotter {
    target: SnapshotTarget,
    policy: SnapshotPolicy,
    random: u64,
    txns: u64,
    bytes: u64,
    due_txns: u64,
    due_bytes: u64,
    turn: Arc<Turn>,
    /// Whether snapshots are written beside the caller or by it.
    beside: bool,
    thread: Option<JoinHandle<()>>,
}

/// Whose turn it is: that of a snapshot or that of a rest.
#[derive(Debug, Default)]
struct Turn {
    busy: AtomicBool,
    /// The snapshot that is being written is not wanted any more.
    cancelled: AtomicBool,
    /// Monotonic ms until which there is a rest.
    rest_until: AtomicU64,
}

impl Turn {
    /// `false` when a snapshot is being written, or has just been.
    fn take(&self, now_ms: u64, rested: bool) -> bool {
        (rested || now_ms >= self.rest_until.load(Ordering::Relaxed))
            && !self.busy.swap(true, Ordering::AcqRel)
    }

    fn pass(&self, began_ms: u64, now_ms: u64) {
        let rest = now_ms.saturating_sub(began_ms) * REST;
        self.rest_until.store(now_ms + rest, Ordering::Relaxed);
        self.busy.store(false, Ordering::Release);
    }
}

impl Snapshotter {
    /// `seed` spreads the snapshots of an ensemble's servers over time.
    pub(crate) fn new(target: SnapshotTarget, policy: SnapshotPolicy, seed: u64) -> Self {
        let mut snapshotter = Self {
            target,
            policy,
            random: seed | 1,
            txns: 0,
            bytes: 0,
            due_txns: 0,
            due_bytes: 0,
            turn: Arc::default(),
            beside: true,
            thread: None,
        };
        snapshotter.reset();
        snapshotter
    }

    /// Lets the caller write the snapshots itself: without threads the same
    /// inputs always give the same files.
    pub(crate) fn without_threads(mut self) -> Self {
        self.beside = false;
        self
    }

    /// Notes what was logged.
    pub(crate) fn count(&mut self, txns: u64, bytes: u64) {
        self.txns += txns;
        self.bytes += bytes;
    }

    pub(crate) fn is_due(&self) -> bool {
        self.txns > self.due_txns || (self.policy.log_bytes > 0 && self.bytes > self.due_bytes)
    }

    /// Starts a snapshot of the tree as it is; `false` when it is not its
    /// turn, and then it is tried again later.
    pub(crate) fn start(&mut self, shared: &Arc<Shared>, idle: bool) -> bool {
        let now_ms = shared.clock.now_ms();
        let overdue = self.txns > self.policy.txn_count.saturating_mul(OVERDUE);
        if !self.turn.take(now_ms, idle || overdue) {
            return false;
        }
        self.reset();
        let cursor = shared.tree.read().snapshot_cursor();
        let job = self.job(shared);
        if !self.beside {
            job.run(cursor);
            return true;
        }
        let spawned = std::thread::Builder::new()
            .name("zk-snapshot".into())
            .spawn(move || {
                yield_to_others();
                job.run(cursor);
            });
        match spawned {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => {
                tracing::error!("cannot start the snapshot thread: {error}");
                self.turn.pass(now_ms, now_ms);
            }
        }
        true
    }

    /// Writes a snapshot on this thread, for who cannot go on without it.
    pub(crate) fn write_now(&self, shared: &Arc<Shared>) -> Result<(), LogError> {
        let cursor = shared.tree.read().snapshot_cursor();
        self.job(shared).write(cursor)
    }

    fn job(&self, shared: &Arc<Shared>) -> Job {
        Job {
            shared: shared.clone(),
            target: self.target.clone(),
            turn: self.turn.clone(),
        }
    }

    /// Gives up the snapshot that is being written, if any: the tree is about
    /// to become another one.
    pub(crate) fn cancel(&mut self) {
        self.turn.cancelled.store(true, Ordering::Release);
        self.wait();
        self.turn.cancelled.store(false, Ordering::Release);
    }

    /// Waits for the snapshot that is being written, if any.
    pub(crate) fn wait(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the snapshot thread panicked");
        }
    }

    /// Half of the limit, and a random part of the other half.
    fn reset(&mut self) {
        self.txns = 0;
        self.bytes = 0;
        self.due_txns = self.policy.txn_count / 2 + self.below(self.policy.txn_count / 2);
        self.due_bytes = self.policy.log_bytes / 2 + self.below(self.policy.log_bytes / 2);
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.checked_rem(bound).unwrap_or(0)
    }
}

struct Job {
    shared: Arc<Shared>,
    target: SnapshotTarget,
    turn: Arc<Turn>,
}

impl Job {
    fn run(self, cursor: SnapshotCursor) {
        let (zxid, began_ms) = (cursor.zxid(), self.shared.clock.now_ms());
        if let Err(error) = self.write(cursor) {
            tracing::error!("snapshot {zxid} failed, and is tried again later: {error}");
        }
        self.turn.pass(began_ms, self.shared.clock.now_ms());
    }

    fn write(&self, cursor: SnapshotCursor) -> Result<(), LogError> {
        let (zxid, started) = (cursor.zxid(), std::time::Instant::now());
        let written = self.write_file(cursor);
        let (metrics, ms) = (&self.shared.stats.metrics, whole_ms(started.elapsed()));
        match written {
            Ok(false) => tracing::info!("snapshot {zxid} was given up"),
            Ok(true) => {
                metrics.snapshottime.add(ms);
                tracing::info!("snapshot {zxid} written in {ms} ms");
            }
            Err(_) => metrics.snapshot_errors.add(1),
        }
        written.map(|_| ())
    }

    /// `false` if it was cancelled, and nothing is left of it.
    fn write_file(&self, mut cursor: SnapshotCursor) -> Result<bool, LogError> {
        let zxid = cursor.zxid();
        let mut writer = SnapshotWriter::create(
            self.target.storage.clone(),
            &self.target.dirs,
            &self.target.config,
            zxid,
        )?;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES * 2);
        cursor.head(&mut chunk);
        writer.write(&chunk)?;
        loop {
            chunk.clear();
            let more = cursor.next_chunk(&self.shared.tree.read(), &mut chunk, CHUNK_BYTES);
            writer.write(&chunk)?;
            if self.turn.cancelled.load(Ordering::Acquire) {
                return Ok(false);
            }
            if !more {
                break;
            }
        }
        chunk.clear();
        let digest = cursor.end(&self.shared.tree.read(), &mut chunk);
        writer.write(&chunk)?;
        let digest = self.shared.tree.read().config().digest.then_some(digest);
        let last_zxid = self.target.last_zxid_part.then_some(zxid);
        writer.finish(digest, last_zxid)?;
        Ok(true)
    }
}

/// Gives this thread the lowest priority.
fn yield_to_others() {
    // Without an id, Linux means the calling thread.
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::debug!("the snapshot thread keeps its priority: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_snapshot_comes_a_rest() {
        let turn = Turn::default();
        assert!(turn.take(1000, false));
        assert!(!turn.take(1000, true), "one at a time");
        turn.pass(1000, 1100);
        assert!(!turn.take(1999, false));
        assert!(turn.take(2000, false));
        turn.pass(2000, 2100);
        assert!(turn.take(2100, true));
    }
}
