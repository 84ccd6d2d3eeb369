//! Looking at every file of a stopped server, without changing any.

use crate::recovery::{self, RecoverySink};
use crate::txn_log::logs;
use crate::{
    LogConfig, LogDirs, LogError, LogNext, LogReader, LogStart, SnapshotEnd, SnapshotItem,
    SnapshotReader, Storage, snapshot,
};
use std::path::{Path, PathBuf};
use zk_proto::Zxid;
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotDigest};
use zk_proto::txn::LoggedTxn;

/// The health of a server's files.
#[derive(Debug)]
pub struct Report {
    /// Oldest first.
    pub logs: Vec<LogHealth>,
    /// Newest first.
    pub snapshots: Vec<SnapshotHealth>,
    /// To which zxid a server would start from these files, or why not.
    pub start: Result<Zxid, LogError>,
}

/// What a log file holds.
#[derive(Debug)]
pub struct LogHealth {
    /// The file.
    pub path: PathBuf,
    /// Its first and last transaction.
    pub zxids: Option<(Zxid, Zxid)>,
    /// Its readable records.
    pub records: u64,
    /// Where they end.
    pub end: u64,
    /// Bytes of the file.
    pub size: u64,
    /// What stands behind them, if not padding.
    pub fault: Option<String>,
}

/// What a snapshot holds.
#[derive(Debug)]
pub struct SnapshotHealth {
    /// The file.
    pub path: PathBuf,
    /// The zxid in its name.
    pub zxid: Zxid,
    /// Sessions.
    pub sessions: u64,
    /// Znodes.
    pub nodes: u64,
    /// What stands at its end, or why it cannot be used.
    pub end: Result<SnapshotEnd, LogError>,
}

/// Reads every log and snapshot, and tries what a start would do.
///
/// # Errors
/// Only if a directory cannot be listed.
pub fn verify(
    storage: &dyn Storage,
    dirs: &LogDirs,
    config: &LogConfig,
) -> Result<Report, LogError> {
    let logs = logs(storage, &dirs.log_dir)?;
    let snapshots = snapshot::catalog(storage, &dirs.snap_dir)?;
    let start = recovery::load(storage, dirs, config, &mut Nobody);
    Ok(Report {
        logs: logs.iter().map(|(_, path)| log(storage, path)).collect(),
        snapshots: snapshots
            .into_iter()
            .map(|candidate| snapshot(storage, candidate.path, candidate.zxid))
            .collect(),
        start: start.map(|(recovered, _)| recovered.last_zxid),
    })
}

fn log(storage: &dyn Storage, path: &Path) -> LogHealth {
    let mut health = LogHealth {
        path: path.to_owned(),
        zxids: None,
        records: 0,
        end: 0,
        size: 0,
        fault: None,
    };
    if let Err(error) = read_log(storage, path, &mut health) {
        health.fault = Some(error.to_string());
    }
    health
}

fn read_log(storage: &dyn Storage, path: &Path, health: &mut LogHealth) -> Result<(), LogError> {
    let mut reader = LogReader::open(storage, path)?;
    health.size = reader.size();
    if reader.start()? == LogStart::Blank {
        health.fault = Some("it was never begun".to_owned());
        return Ok(());
    }
    loop {
        health.end = reader.position();
        match reader.next()? {
            LogNext::Record(record) => {
                record.decode(path)?;
                let first = health.zxids.map_or(record.zxid, |(first, _)| first);
                health.zxids = Some((first, record.zxid));
                health.records += 1;
            }
            LogNext::End => return Ok(()),
            LogNext::Bad(fault) => {
                health.fault = Some(fault.to_string());
                return Ok(());
            }
        }
    }
}

fn snapshot(storage: &dyn Storage, path: PathBuf, zxid: Zxid) -> SnapshotHealth {
    let mut health = SnapshotHealth {
        zxid,
        sessions: 0,
        nodes: 0,
        end: Ok(SnapshotEnd::default()),
        path,
    };
    health.end = read_snapshot(storage, &mut health);
    health
}

fn read_snapshot(
    storage: &dyn Storage,
    health: &mut SnapshotHealth,
) -> Result<SnapshotEnd, LogError> {
    let mut reader = SnapshotReader::open(storage, &health.path)?;
    loop {
        match reader.next()? {
            SnapshotItem::Node(_) => health.nodes += 1,
            SnapshotItem::Session(_) => health.sessions += 1,
            SnapshotItem::Acl(_) => {}
            SnapshotItem::End(end) => return Ok(end),
        }
    }
}

/// Takes everything and keeps nothing.
struct Nobody;

impl RecoverySink for Nobody {
    fn session(&mut self, _: SessionEntry) -> Result<(), String> {
        Ok(())
    }

    fn acl(&mut self, _: &AclEntry<'_>) -> Result<(), String> {
        Ok(())
    }

    fn node(&mut self, _: &NodeEntry<'_>) -> Result<(), String> {
        Ok(())
    }

    fn snapshot_done(&mut self, _: Zxid, _: Option<SnapshotDigest>) -> Result<(), String> {
        Ok(())
    }

    fn discard(&mut self) {}

    fn txn(&mut self, _: &LoggedTxn<'_>) -> Result<(), String> {
        Ok(())
    }
}
