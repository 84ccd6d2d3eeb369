//! A history that begins with a snapshot: what a learner makes of its files
//! when its leader sent it one.

use crate::error::Context;
use crate::txn_log::logs;
use crate::{LogDirs, LogError, Storage, snapshot};
use std::path::PathBuf;
use zk_proto::Zxid;
use zk_proto::mutation::is_back;

/// Makes the snapshot of `zxid`, which must be there and durable, the only
/// one, and removes all logs, durably. The caller opens a new log behind it.
///
/// Snapshots go first, and the newest log first: whatever a crash leaves is a
/// history that recovers, the old one or the new one.
///
/// # Errors
/// A file that cannot be removed.
pub fn start_over(storage: &dyn Storage, dirs: &LogDirs, zxid: Zxid) -> Result<(), LogError> {
    let candidates = snapshot::catalog(storage, &dirs.snap_dir)?;
    let (own, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|it| it.zxid == zxid);
    debug_assert!(!own.is_empty(), "the snapshot is written first");
    let later = others.iter().filter(|it| it.zxid > zxid);
    remove(storage, later.map(|it| &it.path))?;
    let old = logs(storage, &dirs.log_dir)?;
    if !is_back("logs_below_a_snapshot_kept") {
        remove(storage, old.iter().rev().map(|(_, path)| path))?;
    }
    storage.sync_dir(&dirs.log_dir).at("flush", &dirs.log_dir)?;
    let earlier = others.iter().filter(|it| it.zxid < zxid);
    remove(storage, earlier.map(|it| &it.path))?;
    storage.sync_dir(&dirs.snap_dir).at("flush", &dirs.snap_dir)
}

fn remove<'p>(
    storage: &dyn Storage,
    paths: impl Iterator<Item = &'p PathBuf>,
) -> Result<(), LogError> {
    for path in paths {
        storage.remove(path).at("remove", path)?;
    }
    Ok(())
}
