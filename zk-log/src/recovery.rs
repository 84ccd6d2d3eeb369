//! From files to the state they describe: the newest usable snapshot, then
//! every later transaction. Who holds the state is somebody else: items and
//! transactions go to a [`RecoverySink`].
//!
//! Nothing is changed before everything was read. Then the remains of an
//! interrupted write are cut off, durably.

use crate::error::Context;
use crate::snapshot::{self, Candidate, SnapshotEnd, SnapshotItem, SnapshotReader};
use crate::txn_log::{BadTail, Scanned, logs, scan};
use crate::{LogConfig, LogDirs, LogError, Storage, config};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use zk_proto::Zxid;
use zk_proto::mutation::is_back;
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotDigest};
use zk_proto::txn::LoggedTxn;

/// Receives the state as it is read. Errors are sentences for the operator.
pub trait RecoverySink {
    /// A session of the snapshot.
    fn session(&mut self, session: SessionEntry) -> Result<(), String>;
    /// An access control list of the snapshot.
    fn acl(&mut self, entry: &AclEntry<'_>) -> Result<(), String>;
    /// A znode of the snapshot; its parent came before it.
    fn node(&mut self, node: &NodeEntry<'_>) -> Result<(), String>;
    /// The snapshot is complete and its seals are right.
    fn snapshot_done(&mut self, zxid: Zxid, digest: Option<SnapshotDigest>) -> Result<(), String>;
    /// Everything so far was from a bad snapshot: forget it.
    fn discard(&mut self);
    /// A transaction after the snapshot, in order.
    fn txn(&mut self, txn: &LoggedTxn<'_>) -> Result<(), String>;
}

/// What was found and done.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The last transaction. 0 for an empty database; [`Zxid::NONE`] for one
    /// that is empty but perhaps should not be (`db.autocreate=false`).
    pub last_zxid: Zxid,
    /// The snapshot that was used.
    pub snapshot: Option<LoadedSnapshot>,
    /// Newer snapshots that could not be used, and why.
    pub bad_snapshots: Vec<LogError>,
    /// Transactions replayed.
    pub txns: u64,
    /// An interrupted write that was cut off.
    pub torn: Option<BadTail>,
    /// Interrupted writes at the end of older files. They stay.
    pub stale: Vec<BadTail>,
    /// Files removed: logs without a record, snapshots never finished.
    pub removed: Vec<PathBuf>,
    /// Neither snapshot nor log was there. Then write `snapshot.0` before
    /// anything is appended, and call [`consume_initialize`].
    pub empty: bool,
}

/// A snapshot that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedSnapshot {
    /// The file.
    pub path: PathBuf,
    /// The zxid in its name.
    pub zxid: Zxid,
    /// What stands at its end.
    pub end: SnapshotEnd,
}

/// How many snapshots are tried (`FileSnap.deserialize`).
const SNAPSHOTS_TRIED: usize = 100;

/// Restores the state into `sink` and leaves the files ready for appending.
/// (`FileTxnSnapLog.restore`)
///
/// # Errors
/// Whatever cannot be explained by one interrupted write: then nothing was
/// changed, and the error names file and offset.
pub fn recover(
    storage: &dyn Storage,
    dirs: &LogDirs,
    config: &LogConfig,
    sink: &mut dyn RecoverySink,
) -> Result<Recovered, LogError> {
    config::prepare_dirs(storage, dirs, config)?;
    let (mut recovered, scanned) = load(storage, dirs, config, sink)?;
    repair(storage, dirs, scanned, &mut recovered)?;
    make_durable(storage, dirs)?;
    if !recovered.empty {
        consume_initialize(storage, dirs)?;
    }
    report(&recovered);
    Ok(recovered)
}

/// Removes the file `initialize`, which allows an empty database once.
/// Whether it was there.
pub fn consume_initialize(storage: &dyn Storage, dirs: &LogDirs) -> Result<bool, LogError> {
    let path = dirs.initialize_file();
    match storage.remove(&path) {
        Ok(()) => {
            let dir = path.parent().unwrap_or(&path);
            storage.sync_dir(dir).at("flush", dir)?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).at("remove", &path),
    }
}

/// Restores the state into `sink` as a start would, and changes nothing: for
/// tools beside a server, running or not.
///
/// # Errors
/// What [`recover`] refuses.
pub fn replay(
    storage: &dyn Storage,
    dirs: &LogDirs,
    config: &LogConfig,
    sink: &mut dyn RecoverySink,
) -> Result<Recovered, LogError> {
    load(storage, dirs, config, sink).map(|(recovered, _)| recovered)
}

/// Reads everything and changes nothing.
pub(crate) fn load(
    storage: &dyn Storage,
    dirs: &LogDirs,
    config: &LogConfig,
    sink: &mut dyn RecoverySink,
) -> Result<(Recovered, Scanned), LogError> {
    let mut recovered = Recovered::default();
    recovered.snapshot = load_snapshot(storage, dirs, sink, &mut recovered.bad_snapshots)?;
    let Some(base) = base(storage, dirs, config, &recovered)? else {
        recovered.empty = true;
        recovered.last_zxid = empty_zxid(storage, dirs, config)?;
        return Ok((recovered, Scanned::default()));
    };
    let scanned = scan(storage, &dirs.log_dir, base, &mut |path, record| {
        let txn = record.decode(path)?;
        sink.txn(&txn).map_err(|reason| LogError::Replay {
            path: path.to_owned(),
            offset: record.offset,
            reason,
        })
    })?;
    recovered.last_zxid = scanned.last;
    recovered.txns = scanned.txns;
    check_covered(config, &recovered)?;
    Ok((recovered, scanned))
}

/// After which transaction replay starts; `None` if there is nothing at all.
fn base(
    storage: &dyn Storage,
    dirs: &LogDirs,
    config: &LogConfig,
    recovered: &Recovered,
) -> Result<Option<Zxid>, LogError> {
    if let Some(snapshot) = &recovered.snapshot {
        return Ok(Some(snapshot.zxid));
    }
    if logs(storage, &dirs.log_dir)?.is_empty() {
        return Ok(None);
    }
    if config.trust_empty_snapshot {
        return Ok(Some(Zxid::ZERO));
    }
    Err(LogError::NoSnapshot {
        snap_dir: dirs.snap_dir.clone(),
        log_dir: dirs.log_dir.clone(),
    })
}

/// The zxid of an empty database: 0 if it is meant to be empty.
fn empty_zxid(storage: &dyn Storage, dirs: &LogDirs, config: &LogConfig) -> Result<Zxid, LogError> {
    if config.db_autocreate {
        return Ok(Zxid::ZERO);
    }
    let path = dirs.initialize_file();
    match storage.open(&path) {
        Ok(_) => Ok(Zxid::ZERO),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Zxid::NONE),
        Err(error) => Err(error).at("open", &path),
    }
}

fn load_snapshot(
    storage: &dyn Storage,
    dirs: &LogDirs,
    sink: &mut dyn RecoverySink,
    bad: &mut Vec<LogError>,
) -> Result<Option<LoadedSnapshot>, LogError> {
    let candidates = snapshot::catalog(storage, &dirs.snap_dir)?;
    for candidate in candidates.iter().take(SNAPSHOTS_TRIED) {
        match load_candidate(storage, candidate, sink) {
            Ok(loaded) => return Ok(Some(loaded)),
            Err(error) if error.is_bad_snapshot() => {
                sink.discard();
                bad.push(error);
            }
            Err(error) => return Err(error),
        }
    }
    match bad.first() {
        None => Ok(None),
        Some(newest) => Err(LogError::NoValidSnapshot {
            dir: dirs.snap_dir.clone(),
            tried: bad.len(),
            newest: newest.to_string(),
        }),
    }
}

fn load_candidate(
    storage: &dyn Storage,
    candidate: &Candidate,
    sink: &mut dyn RecoverySink,
) -> Result<LoadedSnapshot, LogError> {
    let mut reader = SnapshotReader::open(storage, &candidate.path)?;
    loop {
        let offset = reader.offset();
        let fed = match reader.next()? {
            SnapshotItem::Node(node) => sink.node(&node),
            SnapshotItem::Acl(entry) => sink.acl(&entry),
            SnapshotItem::Session(session) => sink.session(session),
            SnapshotItem::End(end) => {
                return sink
                    .snapshot_done(candidate.zxid, end.digest)
                    .map(|()| LoadedSnapshot {
                        path: candidate.path.clone(),
                        zxid: candidate.zxid,
                        end,
                    })
                    .map_err(|reason| refused(&candidate.path, offset, reason));
            }
        };
        fed.map_err(|reason| refused(&candidate.path, offset, reason))?;
    }
}

fn refused(path: &Path, offset: u64, reason: String) -> LogError {
    LogError::BadSnapshot {
        path: path.to_owned(),
        offset,
        reason,
    }
}

/// A snapshot taken while the tree changed holds a part of what happened
/// meanwhile; only the logs make it whole. Logs are flushed before anything
/// is applied, so they end earlier only if something was lost. A leader's
/// first zxid of an epoch is no transaction and not waited for.
fn check_covered(config: &LogConfig, recovered: &Recovered) -> Result<(), LogError> {
    let Some(snapshot) = &recovered.snapshot else {
        return Ok(());
    };
    let ahead = snapshot.end.may_hold_up_to(snapshot.zxid);
    if ahead <= recovered.last_zxid || ahead.counter() == 0 {
        return Ok(());
    }
    if !(config.require_snapshot_covered && config.force_sync) {
        tracing::warn!(%ahead, last = %recovered.last_zxid, "the logs end before what the snapshot may hold");
        return Ok(());
    }
    Err(LogError::SnapshotAhead {
        path: snapshot.path.clone(),
        ahead,
        last: recovered.last_zxid,
    })
}

/// Removes what an interrupted write left, so that the next start does not
/// have to explain it again with more files behind it.
fn repair(
    storage: &dyn Storage,
    dirs: &LogDirs,
    scanned: Scanned,
    recovered: &mut Recovered,
) -> Result<(), LogError> {
    recovered.removed = snapshot::remove_temps(storage, &dirs.snap_dir)?;
    let whole = scanned.torn.iter().filter(|torn| torn.is_whole_file());
    let empty: Vec<PathBuf> = scanned
        .blank
        .into_iter()
        .chain(whole.map(|torn| torn.path.clone()))
        .collect();
    for path in &empty {
        storage.remove(path).at("remove", path)?;
    }
    if !empty.is_empty() {
        storage.sync_dir(&dirs.log_dir).at("flush", &dirs.log_dir)?;
    }
    recovered.removed.extend(empty);
    if let Some(torn) = scanned.torn.iter().find(|torn| !torn.is_whole_file()) {
        storage
            .truncate(&torn.path, torn.offset)
            .at("shorten", &torn.path)?;
    }
    recovered.torn = scanned.torn;
    recovered.stale = scanned.stale;
    Ok(())
}

/// What a process wrote that was killed may still be the kernel's alone. It
/// was read as if it were on the disk, and what follows relies on it.
fn make_durable(storage: &dyn Storage, dirs: &LogDirs) -> Result<(), LogError> {
    if let Some((_, newest)) = logs(storage, &dirs.log_dir)?.pop()
        && !is_back("recovered_not_flushed")
    {
        let bytes = storage.open(&newest).at("open", &newest)?.size();
        // Shortened by nothing, which is durable.
        storage.truncate(&newest, bytes).at("flush", &newest)?;
    }
    for dir in [&dirs.log_dir, &dirs.snap_dir] {
        storage.sync_dir(dir).at("flush", dir)?;
    }
    Ok(())
}

fn report(recovered: &Recovered) {
    for error in &recovered.bad_snapshots {
        tracing::warn!(%error, "a snapshot could not be used");
    }
    if let Some(torn) = &recovered.torn {
        tracing::warn!(
            path = %torn.path.display(), offset = torn.offset, bytes = torn.bytes, what = %torn.what,
            "an interrupted write was cut off the log"
        );
    }
    for stale in &recovered.stale {
        tracing::warn!(
            path = %stale.path.display(), offset = stale.offset, what = %stale.what,
            "an older log ends in an interrupted write"
        );
    }
    for path in &recovered.removed {
        tracing::info!(path = %path.display(), "removed an unfinished file");
    }
    tracing::info!(
        zxid = %recovered.last_zxid, txns = recovered.txns,
        snapshot = ?recovered.snapshot.as_ref().map(|it| it.zxid), "recovered"
    );
}
