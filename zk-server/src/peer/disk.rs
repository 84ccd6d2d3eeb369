//! The files of a server of an ensemble: its log, its epochs, its snapshots,
//! and the end of its history in memory. It does what the protocol asks of
//! the disk and refuses to know why.

use crate::recovery::TreeSink;
use crate::shared::Shared;
use crate::snapshotter::Snapshotter;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use zk_log::{Epochs, LogConfig, LogDirs, LogError, Storage, TxnLog};
use zk_proto::mutation::is_back;
use zk_proto::txn::LoggedTxn;
use zk_proto::{OpCode, Zxid};
use zk_tree::TreeConfig;
use zk_zab::{Persist, PersistToken, Txn};

/// Where the files are, and what is in them.
pub(crate) struct Disk {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) dirs: LogDirs,
    pub(super) config: LogConfig,
    pub(super) tree_config: TreeConfig,
    log: TxnLog,
    pub(super) epochs: Epochs,
    pub(super) snapshotter: Snapshotter,
    /// Logged and not in the tree, in order.
    unapplied: VecDeque<Txn>,
    /// The end of the log, for learners that come late.
    recent: VecDeque<Txn>,
    recent_max: usize,
    /// What the protocol waits for: the token of the last work done.
    done: Option<PersistToken>,
    /// The highest zxid that is known to be committed, by an earlier role.
    pub(super) committed: Zxid,
}

impl Disk {
    /// Goes on behind `last`, where recovery ended; the tree has it all.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        dirs: LogDirs,
        config: LogConfig,
        tree_config: TreeConfig,
        snapshotter: Snapshotter,
        last: Zxid,
        recent_max: usize,
    ) -> Result<Self, LogError> {
        let log = TxnLog::open(storage.clone(), &dirs.log_dir, &config, last);
        let epochs = Epochs::open(storage.clone(), &dirs.snap_dir, last)?;
        let recent = end_of_log(&*storage, &dirs, recent_max);
        Ok(Self {
            storage,
            dirs,
            config,
            tree_config,
            log,
            epochs,
            snapshotter,
            unapplied: VecDeque::new(),
            recent,
            recent_max,
            done: None,
            committed: Zxid::ZERO,
        })
    }

    /// The last transaction that was logged.
    pub(super) fn last_zxid(&self) -> Zxid {
        self.log.last_zxid()
    }

    /// What a role begins with. The tree has the whole log.
    pub(super) fn history(&self) -> zk_zab::OwnHistory {
        zk_zab::OwnHistory {
            accepted_epoch: self.epochs.accepted(),
            current_epoch: self.epochs.current(),
            last_zxid: self.last_zxid(),
            committed: self.committed,
            recent: self.recent.iter().cloned().collect(),
        }
    }

    /// The end of the log, as far back as it is kept.
    pub(super) fn recent(&self) -> Vec<Txn> {
        self.recent.iter().cloned().collect()
    }

    /// What an election begins with.
    pub(super) fn candidacy(&self) -> zk_election::OwnHistory {
        zk_election::OwnHistory {
            zxid: self.last_zxid(),
            current_epoch: self.epochs.current(),
        }
    }

    /// Does the work; what is only appended becomes durable with the next
    /// [`Disk::flush`].
    pub(super) fn persist(
        &mut self,
        shared: &Arc<Shared>,
        token: PersistToken,
        what: Persist,
    ) -> Result<(), LogError> {
        match what {
            Persist::Append(txn) => self.append(txn)?,
            Persist::AcceptedEpoch(_) if is_back("promise_not_written") => {}
            Persist::AcceptedEpoch(epoch) => {
                self.flush_log(shared)?;
                self.epochs.set_accepted(epoch)?;
            }
            Persist::CurrentEpoch(epoch) => {
                if !is_back("epoch_before_history") {
                    self.flush_log(shared)?;
                }
                self.epochs.set_current(epoch)?;
            }
            Persist::TruncateAfter(zxid) => self.truncate(shared, zxid)?,
            Persist::Snapshot(zxid) => self.replace(shared, zxid)?,
        }
        self.done = Some(token);
        Ok(())
    }

    fn append(&mut self, txn: Txn) -> Result<(), LogError> {
        self.log.append(txn.zxid, &txn.payload)?;
        self.recent.push_back(txn.clone());
        if self.recent.len() > self.recent_max {
            self.recent.pop_front();
        }
        self.unapplied.push_back(txn);
        Ok(())
    }

    /// Makes durable what was appended; the token of the last work done
    /// since the last time.
    pub(super) fn flush(&mut self, shared: &Shared) -> Result<Option<PersistToken>, LogError> {
        if is_back("flush_a_step_behind") && self.done.is_some() {
            return Ok(self.done.take());
        }
        match self.flush_log(shared) {
            Err(_) if is_back("failed_flush_forgotten") => {}
            Err(_) if is_back("dead_log_is_survived") => return Ok(None),
            flushed => flushed?,
        }
        Ok(self.done.take())
    }

    pub(super) fn flush_log(&mut self, shared: &Shared) -> Result<(), LogError> {
        if !self.log.has_unflushed() {
            return Ok(());
        }
        let report = self.log.flush()?;
        self.snapshotter.count(report.txns, report.bytes);
        let metrics = &shared.stats.metrics;
        let flush_ms = crate::clock::whole_ms(report.elapsed);
        metrics.sync_queued.add(report.txns);
        metrics.sync_batch_size.add(report.txns);
        metrics.fsynctime.add(flush_ms);
        metrics.sync_flush_time.add(flush_ms);
        if report.slow {
            shared.stats.slow_fsync();
        }
        Ok(())
    }

    /// A transaction is committed and about to be applied.
    pub(super) fn note_delivered(&mut self, zxid: Zxid) {
        let oldest = self.unapplied.pop_front().map(|txn| txn.zxid);
        assert_eq!(
            oldest,
            Some(zxid),
            "transactions are applied in the order of the log"
        );
        self.committed = self.committed.max(zxid);
    }

    /// The role is over: the tree gets everything that is logged, committed
    /// or not, as after a restart. Nobody is served meanwhile.
    pub(super) fn catch_up(&mut self, shared: &Shared) -> Result<(), LogError> {
        self.flush_log(shared)?;
        self.done = None;
        let mut tree = shared.tree.write();
        for txn in self.unapplied.drain(..) {
            let record = LoggedTxn::decode(&txn.payload).expect("what was logged was decoded");
            let is_close = record.header.kind == OpCode::CLOSE_SESSION;
            let is_lost = is_back("close_lost_at_the_end_of_a_role") && is_close;
            if !is_back("logged_not_applied") && !is_lost {
                tree.apply(&record, &mut |_| {});
            }
        }
        shared.set_last_zxid(tree.last_zxid());
        Ok(())
    }

    /// Cuts the end of the history off, and makes the tree anew without it.
    fn truncate(&mut self, shared: &Arc<Shared>, zxid: Zxid) -> Result<(), LogError> {
        self.snapshotter.cancel();
        self.log.roll()?;
        let target = self.log_entry_at_or_before(zxid)?;
        let cut = match zk_log::truncate_after(&*self.storage, &self.dirs, target) {
            Err(_) if is_back("failed_truncation_forgotten") => None,
            cut => Some(cut?),
        };
        tracing::info!("the leader has the history cut back to {zxid}: {cut:?}");
        let mut cut_off = self.recent.iter().filter(|txn| txn.zxid > zxid);
        let late = cut_off.next().filter(|_| is_back("late_append")).cloned();
        self.recent.retain(|txn| txn.zxid <= zxid);
        self.unapplied.clear();
        self.reload(shared)?;
        late.map_or(Ok(()), |late| self.log.append(late.zxid, &late.payload))
    }

    /// The leader may name a place between two transactions, as an epoch's
    /// base is; the log is cut behind one.
    fn log_entry_at_or_before(&self, zxid: Zxid) -> Result<Zxid, LogError> {
        let dir = &self.dirs.log_dir;
        let around = zk_log::read_around(&*self.storage, dir, zxid, u64::MAX)?;
        let entry = around.first().map(|(entry, _)| *entry);
        Ok(entry.filter(|entry| *entry <= zxid).unwrap_or(zxid))
    }

    fn reload(&mut self, shared: &Arc<Shared>) -> Result<(), LogError> {
        let mut sink = TreeSink::new(self.tree_config);
        let recovered = zk_log::recover(&*self.storage, &self.dirs, &self.config, &mut sink)?;
        if !is_back("tree_kept_after_cut") {
            *shared.tree.write() = sink.finish();
        }
        shared.set_last_zxid(recovered.last_zxid);
        let dir = &self.dirs.log_dir;
        self.log = TxnLog::open(self.storage.clone(), dir, &self.config, recovered.last_zxid);
        Ok(())
    }

    /// The tree was just installed: it is the whole history now.
    fn replace(&mut self, shared: &Arc<Shared>, zxid: Zxid) -> Result<(), LogError> {
        self.log.roll()?;
        if !is_back("installed_not_written") {
            self.snapshotter.write_now(shared)?;
            zk_log::start_over(&*self.storage, &self.dirs, zxid)?;
        }
        if !is_back("memory_with_holes") {
            self.recent.clear();
        }
        self.unapplied.clear();
        let dir = &self.dirs.log_dir;
        self.log = TxnLog::open(self.storage.clone(), dir, &self.config, zxid);
        Ok(())
    }

    /// The log around a learner's last zxid, if it is worth less than a part
    /// of a snapshot.
    pub(super) fn read_around(&self, zxid: Zxid, bytes_max: u64) -> Result<Vec<Txn>, LogError> {
        let dir = &self.dirs.log_dir;
        let around = zk_log::read_around(&*self.storage, dir, zxid, bytes_max)?;
        Ok(around.into_iter().map(in_memory).collect())
    }

    /// Begins a snapshot if one is due.
    pub(super) fn snapshot_if_due(
        &mut self,
        shared: &Arc<Shared>,
        idle: bool,
    ) -> Result<(), LogError> {
        if self.snapshotter.is_due() && self.snapshotter.start(shared, idle) {
            self.log.roll()?;
        }
        Ok(())
    }

    /// Ends writing.
    pub(super) fn close(mut self) -> Result<(), LogError> {
        self.snapshotter.wait();
        self.log.close()
    }
}

/// The end of the log, by which a leader that has just started knows how far
/// its history goes: a learner that has more need not get everything anew.
fn end_of_log(storage: &dyn Storage, dirs: &LogDirs, count_max: usize) -> VecDeque<Txn> {
    match zk_log::read_end(storage, &dirs.log_dir, count_max) {
        Ok(txns) => txns.into_iter().map(in_memory).collect(),
        Err(error) => {
            tracing::warn!("the end of the log is not kept for learners: {error}");
            VecDeque::new()
        }
    }
}

fn in_memory((zxid, payload): (Zxid, Vec<u8>)) -> Txn {
    Txn {
        zxid,
        payload: Bytes::from(payload),
    }
}
