//! Removing what no kept snapshot needs.

use crate::error::Context;
use crate::txn_log::logs;
use crate::{LogDirs, LogError, Storage, snapshot};
use std::path::{Path, PathBuf};
use zk_proto::Zxid;

/// The least number of snapshots to keep, as in Apache.
pub const KEEP_MIN: usize = 3;

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Snapshots.
    pub snapshots: Vec<PathBuf>,
    /// Logs.
    pub logs: Vec<PathBuf>,
}

/// Keeps the newest `keep` snapshots and the logs to go on from each of them,
/// and removes what is older. (`PurgeTxnLog`)
///
/// Only snapshots that read through count, so `keep` good ones are left
/// (ZOOKEEPER-3231). With fewer than that nothing is removed.
pub fn purge(storage: &dyn Storage, dirs: &LogDirs, keep: usize) -> Result<Purged, LogError> {
    if keep < KEEP_MIN {
        return Err(LogError::PurgeKeep(keep));
    }
    let kept = snapshot::newest_valid(storage, &dirs.snap_dir, keep)?;
    let Some(oldest) = kept.get(keep - 1).map(|it| it.zxid) else {
        return Ok(Purged::default());
    };
    let purged = Purged {
        snapshots: older_snapshots(storage, &dirs.snap_dir, oldest)?,
        logs: older_logs(storage, &dirs.log_dir, oldest)?,
    };
    remove_all(storage, &dirs.snap_dir, &purged.snapshots)?;
    remove_all(storage, &dirs.log_dir, &purged.logs)?;
    Ok(purged)
}

fn older_snapshots(
    storage: &dyn Storage,
    dir: &Path,
    oldest: Zxid,
) -> Result<Vec<PathBuf>, LogError> {
    let all = snapshot::catalog(storage, dir)?.into_iter().rev();
    Ok(all
        .take_while(|it| it.zxid < oldest)
        .map(|it| it.path)
        .collect())
}

/// Logs before the one that holds what follows `oldest`: the last that starts
/// at or before it stays.
fn older_logs(storage: &dyn Storage, dir: &Path, oldest: Zxid) -> Result<Vec<PathBuf>, LogError> {
    let mut all = logs(storage, dir)?;
    let up_to = all.partition_point(|(zxid, _)| *zxid <= oldest);
    all.truncate(up_to.saturating_sub(1));
    Ok(all.into_iter().map(|(_, path)| path).collect())
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
