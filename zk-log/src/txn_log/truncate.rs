//! Cutting the history back, as a leader asks with TRUNC. What may be cut is
//! the caller's responsibility: never what a client was told.

use super::reader::{LogNext, LogReader, LogStart};
use super::scan::logs;
use crate::error::Context;
use crate::snapshot::{self, SnapshotReader};
use crate::{LogDirs, LogError, Storage};
use std::path::{Path, PathBuf};
use zk_proto::Zxid;
use zk_proto::mutation::is_back;

/// What was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truncated {
    /// Snapshots that held, or may have held, later transactions.
    pub snapshots: Vec<PathBuf>,
    /// Log files that held only later transactions.
    pub logs: Vec<PathBuf>,
    /// The file that was cut, and where.
    pub cut: Option<(PathBuf, u64)>,
}

/// Removes every transaction after `target`, durably, from logs and
/// snapshots. A crash at any point leaves a history that recovers, with some
/// or all of them removed.
///
/// Snapshots go first: one that holds a removed transaction would bring it
/// back (ZOOKEEPER-4837). Then whole logs, newest first, then the rest.
///
/// # Errors
/// [`LogError::Truncate`], before anything is changed, when no usable
/// snapshot would be left or the logs do not reach back to `target`. Then the
/// server needs a snapshot from its leader.
pub fn truncate_after(
    storage: &dyn Storage,
    dirs: &LogDirs,
    target: Zxid,
) -> Result<Truncated, LogError> {
    let snapshots = snapshots_after(storage, &dirs.snap_dir, target)?;
    let refuse = |reason| {
        Err(LogError::Truncate {
            dir: dirs.log_dir.clone(),
            target,
            reason,
        })
    };
    let Some(base) = snapshots.base else {
        return refuse("no snapshot from before it is usable");
    };
    let cut = cut_point(storage, &dirs.log_dir, target)?;
    if base != target && !cut.as_ref().is_some_and(|cut| cut.holds_target) {
        return refuse("the logs do not hold it");
    }
    if !is_back("later_snapshots_kept") {
        remove_all(storage, &dirs.snap_dir, &snapshots.later)?;
    }
    let mut logs = later_logs(storage, &dirs.log_dir, target)?;
    if is_back("later_logs_kept") {
        logs.pop();
    }
    for log in &logs {
        remove_all(storage, &dirs.log_dir, std::slice::from_ref(log))?;
    }
    if let Some(cut) = &cut {
        storage
            .truncate(&cut.path, cut.offset)
            .at("shorten", &cut.path)?;
    }
    Ok(Truncated {
        snapshots: snapshots.later,
        logs,
        cut: cut.map(|cut| (cut.path, cut.offset)),
    })
}

struct Snapshots {
    /// The newest usable one that holds nothing later.
    base: Option<Zxid>,
    /// Those that hold, or may hold, something later.
    later: Vec<PathBuf>,
}

fn snapshots_after(storage: &dyn Storage, dir: &Path, target: Zxid) -> Result<Snapshots, LogError> {
    let mut found = Snapshots {
        base: None,
        later: Vec::new(),
    };
    for candidate in snapshot::catalog(storage, dir)? {
        if candidate.zxid > target {
            found.later.push(candidate.path);
            continue;
        }
        match SnapshotReader::open(storage, &candidate.path)?.check() {
            Ok(end) if end.may_hold_up_to(candidate.zxid) > target => {
                found.later.push(candidate.path);
            }
            Ok(_) => found.base = found.base.max(Some(candidate.zxid)),
            Err(error) if error.is_bad_snapshot() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Where the last log file that starts at or before the target is cut.
struct Cut {
    path: PathBuf,
    /// Behind its last record that is not after the target.
    offset: u64,
    holds_target: bool,
}

fn cut_point(storage: &dyn Storage, dir: &Path, target: Zxid) -> Result<Option<Cut>, LogError> {
    let logs = logs(storage, dir)?;
    let before = logs.partition_point(|(zxid, _)| *zxid <= target);
    let Some((_, path)) = logs[..before].last() else {
        return Ok(None);
    };
    let mut reader = LogReader::open(storage, path)?;
    if reader.start()? == LogStart::Blank {
        return Ok(None);
    }
    let mut cut = Cut {
        path: path.clone(),
        offset: reader.position(),
        holds_target: false,
    };
    while let LogNext::Record(record) = reader.next()? {
        let zxid = record.zxid;
        if zxid > target {
            break;
        }
        cut.holds_target = zxid == target;
        if cut.holds_target && is_back("cut_too_far") {
            break;
        }
        cut.offset = reader.position();
    }
    Ok(Some(cut))
}

/// Log files that start after `target`, newest first.
fn later_logs(storage: &dyn Storage, dir: &Path, target: Zxid) -> Result<Vec<PathBuf>, LogError> {
    let later = logs(storage, dir)?.into_iter().rev();
    Ok(later
        .take_while(|(zxid, _)| *zxid > target)
        .map(|(_, path)| path)
        .collect())
}

fn remove_all(storage: &dyn Storage, dir: &Path, paths: &[PathBuf]) -> Result<(), LogError> {
    for path in paths {
        storage.remove(path).at("remove", path)?;
    }
    if paths.is_empty() {
        return Ok(());
    }
    storage.sync_dir(dir).at("flush", dir)
}
