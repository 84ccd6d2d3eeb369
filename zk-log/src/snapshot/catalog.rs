//! Which snapshots there are.

use crate::error::Context;
use crate::{Compression, LogError, SnapshotReader, Storage, names};
use std::path::{Path, PathBuf};
use zk_proto::Zxid;

/// A file with a snapshot's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The zxid in the name: replay starts after it.
    pub zxid: Zxid,
    /// How it is compressed, by its name.
    pub compression: Compression,
    /// The file.
    pub path: PathBuf,
}

/// All candidates in `dir`, newest first.
pub(crate) fn catalog(storage: &dyn Storage, dir: &Path) -> Result<Vec<Candidate>, LogError> {
    let names = storage.list(dir).at("list", dir)?;
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| {
            let (zxid, compression) = names::parse_snapshot(name)?;
            Some(Candidate {
                zxid,
                compression,
                path: dir.join(name),
            })
        })
        .collect();
    found.sort_unstable_by_key(|it| (std::cmp::Reverse(it.zxid), it.compression));
    Ok(found)
}

/// The newest `limit` snapshots of `dir` that read through with every seal
/// right, newest first.
pub fn newest_valid(
    storage: &dyn Storage,
    dir: &Path,
    limit: usize,
) -> Result<Vec<Candidate>, LogError> {
    let mut valid = Vec::new();
    for candidate in catalog(storage, dir)? {
        if valid.len() == limit {
            break;
        }
        match SnapshotReader::open(storage, &candidate.path).and_then(SnapshotReader::check) {
            Ok(_) => valid.push(candidate),
            Err(error) if error.is_bad_snapshot() => {
                tracing::warn!(%error, "a snapshot cannot be used");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(valid)
}

/// Removes snapshots that were never finished, durably.
pub(crate) fn remove_temps(storage: &dyn Storage, dir: &Path) -> Result<Vec<PathBuf>, LogError> {
    let names = storage.list(dir).at("list", dir)?;
    let mut removed = Vec::new();
    for name in names.iter().filter(|name| names::is_snapshot_temp(name)) {
        let path = dir.join(name);
        storage.remove(&path).at("remove", &path)?;
        removed.push(path);
    }
    if !removed.is_empty() {
        storage.sync_dir(dir).at("flush", dir)?;
    }
    Ok(removed)
}
