//! The data directories, the transaction log, snapshots and purging, typed.
//! It refuses to touch a file.

use super::error::{ConfigError, Rule};
use super::notice::Notices;
use super::settings::{Setting, Settings};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where data lies and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Holds `myid`, and snapshots in `version-2`.
    pub data_dir: PathBuf,
    /// Holds the transaction log in `version-2`; the same as `data_dir` unless
    /// it was set.
    pub data_log_dir: PathBuf,
    /// Whether missing directories are made.
    pub datadir_autocreate: bool,
    /// Whether an empty data directory is a new database.
    pub db_autocreate: bool,
    /// Whether transaction logs without any snapshot are believed.
    pub trust_empty_snapshot: bool,
    /// About how many transactions are logged between two snapshots; at least
    /// 2.
    pub snap_count: u32,
    /// About how many bytes are logged between two snapshots, if they count.
    pub snap_size_limit: Option<u64>,
    /// How a snapshot is compressed.
    pub snapshot_compression: SnapshotCompression,
    /// Whether a snapshot ends with the last zxid, which 3.8 does not read.
    pub serialize_last_processed_zxid: bool,
    /// By how many bytes a log file grows at once; zero: as it is written.
    pub pre_alloc_size: u64,
    /// At how many bytes a new log file is begun, if ever.
    pub txn_log_size_limit: Option<u64>,
    /// Whether a write is acknowledged only after a flush to the disk.
    pub force_sync: bool,
    /// From what time on a flush is told as slow.
    pub fsync_warning_threshold: Duration,
    /// How old files are removed.
    pub autopurge: Autopurge,
}

/// How a snapshot is compressed; also the ending of its file name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnapshotCompression {
    /// Not at all.
    #[default]
    None,
    /// `.gz`
    Gz,
    /// `.snappy`
    Snappy,
}

/// How old files are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Autopurge {
    /// How many snapshots stay, and the logs from the oldest of them on; at
    /// least 3.
    pub snap_retain_count: u32,
    /// Time between two rounds, the first at start; `None`: no purging.
    pub interval: Option<Duration>,
}

const SECONDS_PER_HOUR: u64 = 3600;

impl Storage {
    /// # Errors
    /// No data directory.
    pub(super) fn read(settings: &Settings, notices: &mut Notices) -> Result<Self, ConfigError> {
        let data_dir = directory(settings, "dataDir", notices);
        let data_dir = data_dir.ok_or_else(|| settings.broken(Rule::NotSet("dataDir")))?;
        let data_log_dir = directory(settings, "dataLogDir", notices);
        let pre_alloc = settings.long("preAllocSize").unwrap_or(65536);
        Ok(Self {
            data_log_dir: data_log_dir.unwrap_or_else(|| data_dir.clone()),
            data_dir,
            datadir_autocreate: settings.flag("datadir.autocreate", true),
            db_autocreate: settings.flag("db.autocreate", true),
            trust_empty_snapshot: settings.flag("snapshot.trust.empty", false),
            snap_count: unsigned(settings.at_least("snapCount", 2, 100_000, notices)),
            snap_size_limit: kibibytes(settings.long("snapSizeLimitInKb").unwrap_or(4_194_304)),
            snapshot_compression: compression(settings, notices),
            serialize_last_processed_zxid: settings
                .flag("serializeLastProcessedZxid.enabled", true),
            pre_alloc_size: kibibytes(pre_alloc).unwrap_or(0),
            txn_log_size_limit: settings.long("txnLogSizeLimitInKb").and_then(kibibytes),
            force_sync: settings.flag("forceSync", true),
            fsync_warning_threshold: settings.millis("fsync.warningthresholdms", 1000),
            autopurge: Autopurge::read(settings, notices),
        })
    }
}

impl Autopurge {
    fn read(settings: &Settings, notices: &mut Notices) -> Self {
        let hours = settings.long("autopurge.purgeInterval").unwrap_or(0);
        let hours = u64::try_from(hours).ok().filter(|hours| *hours > 0);
        let retain = settings.at_least("autopurge.snapRetainCount", 3, 3, notices);
        Self {
            snap_retain_count: unsigned(retain),
            interval: hours.map(|hours| Duration::from_secs(hours * SECONDS_PER_HOUR)),
        }
    }
}

fn directory(settings: &Settings, key: &str, notices: &mut Notices) -> Option<PathBuf> {
    let path = settings
        .path(key)
        .filter(|path| !path.as_os_str().is_empty())?;
    if let Some(setting) = settings.get(key) {
        let Setting { origin, key, .. } = setting;
        warn_if_relative(&path, &format!("{origin}: {key}"), notices);
    }
    Some(path)
}

/// A relative path depends on where the server is started. One that begins
/// with `./` says that this is meant.
pub(super) fn warn_if_relative(path: &Path, what: &str, notices: &mut Notices) {
    if !path.is_absolute() && !path.to_string_lossy().starts_with("./") {
        notices.warn(format!(
            "{what} {} is relative: begin it with ./ if that is meant",
            path.display(),
        ));
    }
}

fn compression(settings: &Settings, notices: &mut Notices) -> SnapshotCompression {
    const KEY: &str = "snapshot.compression.method";
    match settings.text(KEY).unwrap_or_default() {
        "" => SnapshotCompression::None,
        text if text.eq_ignore_ascii_case("gz") => SnapshotCompression::Gz,
        text if text.eq_ignore_ascii_case("snappy") => SnapshotCompression::Snappy,
        text => {
            notices.warn(format!(
                "{KEY}={text} is neither gz nor snappy: snapshots are not compressed",
            ));
            SnapshotCompression::None
        }
    }
}

/// Bytes for a positive number of KiB; nothing for any other.
fn kibibytes(kib: i64) -> Option<u64> {
    let kib = u64::try_from(kib).ok().filter(|kib| *kib > 0)?;
    Some(kib.saturating_mul(1024))
}

/// A number that is known to be positive.
fn unsigned(value: i64) -> u32 {
    value.try_into().unwrap_or(u32::MAX)
}
