//! Where the history lives and how it is written. Defaults are Apache's.

use crate::LogError;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The two directories. They may be the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDirs {
    /// Snapshots and epoch files: `<dataDir>/version-2`.
    pub snap_dir: PathBuf,
    /// Logs: `<dataLogDir>/version-2`.
    pub log_dir: PathBuf,
}

impl LogDirs {
    /// From `dataDir` and `dataLogDir` as the configuration names them.
    #[must_use]
    pub fn new(data_dir: &Path, data_log_dir: &Path) -> Self {
        Self {
            snap_dir: data_dir.join("version-2"),
            log_dir: data_log_dir.join("version-2"),
        }
    }

    /// The file that says that an empty database is meant to be empty. It
    /// stands beside the logs' `version-2`.
    #[must_use]
    pub fn initialize_file(&self) -> PathBuf {
        self.log_dir
            .parent()
            .unwrap_or(&self.log_dir)
            .join("initialize")
    }
}

/// How snapshots are compressed (`snapshot.compression.method`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// Not at all.
    #[default]
    Plain,
    /// gzip; the name ends in `.gz`.
    Gz,
    /// The stream of Java's snappy library; the name ends in `.snappy`.
    Snappy,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Gz, Self::Snappy];

    /// What a snapshot's name ends in.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gz => ".gz",
            Self::Snappy => ".snappy",
        }
    }
}

/// How history is written and how much is forgiven at start.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// By how many bytes a log file grows at a time (`preAllocSize`, there in
    /// KiB). Larger steps mean fewer pauses and more space taken ahead. 0
    /// takes space only as it is needed, which flushes a little slower.
    pub prealloc_bytes: u64,
    /// Whether a flush waits for the disk (`forceSync`). `false` loses
    /// acknowledged writes at a power failure.
    pub force_sync: bool,
    /// A new log file is begun after a flush that finds the file larger than
    /// this (`txnLogSizeLimitInKb`, there in KiB). Space taken ahead counts,
    /// as in Apache; therefore the step is never larger than the limit.
    pub size_limit: Option<u64>,
    /// A flush that takes longer is worth a warning
    /// (`fsync.warningthresholdms`).
    pub fsync_warning: Duration,
    /// Compression of new snapshots.
    pub compression: Compression,
    /// How many bytes of a snapshot may be written before the disk is asked
    /// to keep up. Small steps keep the log's flushes short while a snapshot
    /// is written to the same disk.
    pub snapshot_sync_bytes: u64,
    /// Start from logs alone when there is no snapshot
    /// (`snapshot.trust.empty`). Only for an upgrade from 3.4.
    pub trust_empty_snapshot: bool,
    /// Whether an empty database counts as complete (`db.autocreate`).
    /// `false` asks for the file `initialize`.
    pub db_autocreate: bool,
    /// Whether missing directories are made (`datadir.autocreate`).
    pub datadir_autocreate: bool,
    /// Refuse to start when the logs end before what a fuzzy snapshot may
    /// hold. `false` only when a leader will bring the rest at once.
    pub require_snapshot_covered: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            prealloc_bytes: 64 << 20,
            force_sync: true,
            size_limit: None,
            fsync_warning: Duration::from_millis(1000),
            compression: Compression::Plain,
            snapshot_sync_bytes: 4 << 20,
            trust_empty_snapshot: false,
            db_autocreate: true,
            datadir_autocreate: true,
            require_snapshot_covered: true,
        }
    }
}

impl LogConfig {
    /// The step in which a log file grows.
    pub(crate) fn growth_step(&self) -> u64 {
        match (self.prealloc_bytes, self.size_limit) {
            (0, _) => SMALL_STEP,
            (step, Some(limit)) => step.min(limit.max(SMALL_STEP)),
            (step, None) => step,
        }
    }
}

/// The step without preallocation.
const SMALL_STEP: u64 = 64 << 10;

/// Both directories exist and hold what they should; missing ones are made.
pub(crate) fn prepare_dirs(
    storage: &dyn crate::Storage,
    dirs: &LogDirs,
    config: &LogConfig,
) -> Result<(), LogError> {
    for dir in [&dirs.log_dir, &dirs.snap_dir] {
        prepare_dir(storage, dir, config.datadir_autocreate)?;
    }
    if dirs.log_dir == dirs.snap_dir {
        return Ok(());
    }
    refuse_files(
        storage,
        &dirs.log_dir,
        "snapshot.",
        "holds snapshots, but is the directory of the logs",
    )?;
    refuse_files(
        storage,
        &dirs.snap_dir,
        "log.",
        "holds logs, but is the directory of the snapshots",
    )
}

fn prepare_dir(storage: &dyn crate::Storage, dir: &Path, create: bool) -> Result<(), LogError> {
    use crate::error::Context;
    match storage.list(dir) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && create => {
            storage.create_dirs(dir).at("create directory", dir)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(LogError::Directory {
            path: dir.to_owned(),
            reason: "is missing, and datadir.autocreate is off",
        }),
        Err(error) => Err(error).at("list", dir),
    }
}

/// `dataDir` and `dataLogDir` were swapped if one holds the other's files.
fn refuse_files(
    storage: &dyn crate::Storage,
    dir: &Path,
    prefix: &str,
    reason: &'static str,
) -> Result<(), LogError> {
    use crate::error::Context;
    let names = storage.list(dir).at("list", dir)?;
    if names.iter().any(|name| name.starts_with(prefix)) {
        return Err(LogError::Directory {
            path: dir.to_owned(),
            reason,
        });
    }
    Ok(())
}
