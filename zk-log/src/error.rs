//! What can go wrong with files. Every error names the file, and the offset
//! where there is one; none of them decides what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use zk_proto::{Epoch, Zxid, jute};

/// Why the history could not be written, or could not be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// An earlier write or flush failed. What the disk holds is unknown, so
    /// nothing is written any more; the process should end.
    #[error("the log takes no more writes after an earlier failure: {0}")]
    Failed(String),
    /// A record or header is wrong in a way that no interrupted write explains.
    #[error("{} is damaged at offset {offset}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the bad record starts.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A record whose checksum is right does not decode.
    #[error("{} holds an unknown transaction at offset {offset}: {source}", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// Where the record starts.
        offset: u64,
        /// Why.
        source: jute::Error,
    },
    /// Transactions are missing, or stand where they cannot be.
    #[error(
        "{} at offset {offset} goes on with zxid {found} after {after}: {what}",
        path.display()
    )]
    Sequence {
        /// The file.
        path: PathBuf,
        /// Where the record starts.
        offset: u64,
        /// The last transaction before it.
        after: Zxid,
        /// What stands there.
        found: Zxid,
        /// What that means.
        what: &'static str,
    },
    /// The receiver of the replay refused a transaction.
    #[error("{} at offset {offset}: {reason}", path.display())]
    Replay {
        /// The file.
        path: PathBuf,
        /// Where the record starts.
        offset: u64,
        /// The receiver's words.
        reason: String,
    },
    /// A snapshot that cannot be used.
    #[error("{} is no usable snapshot, at offset {offset} of its content: {reason}", path.display())]
    BadSnapshot {
        /// The file.
        path: PathBuf,
        /// Where in the uncompressed content.
        offset: u64,
        /// Why.
        reason: String,
    },
    /// There are snapshots, and none can be used.
    #[error("none of {tried} snapshots in {} can be used; the newest: {newest}", dir.display())]
    NoValidSnapshot {
        /// The directory.
        dir: PathBuf,
        /// How many were tried.
        tried: usize,
        /// What is wrong with the newest.
        newest: String,
    },
    /// There are logs but no snapshot: most likely files were lost.
    #[error(
        "{} holds logs but {} holds no snapshot; set snapshot.trust.empty=true only if the logs are complete",
        log_dir.display(), snap_dir.display()
    )]
    NoSnapshot {
        /// Where the snapshots should be.
        snap_dir: PathBuf,
        /// Where the logs are.
        log_dir: PathBuf,
    },
    /// The logs end before the transactions of which a fuzzy snapshot may
    /// hold the half.
    #[error(
        "{} may hold changes up to zxid {ahead}, but the logs end at {last}",
        path.display()
    )]
    SnapshotAhead {
        /// The snapshot.
        path: PathBuf,
        /// The last transaction that it may hold.
        ahead: Zxid,
        /// The last one in the logs.
        last: Zxid,
    },
    /// A directory is missing, of the wrong kind or holds the wrong files.
    #[error("{}: {reason}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// An epoch file does not hold a number.
    #[error("{} is no epoch file: {reason}", path.display())]
    EpochFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The epoch files contradict each other or the history.
    #[error("{}: {what} (epoch {epoch}, expected at least {least})", path.display())]
    EpochOrder {
        /// The file.
        path: PathBuf,
        /// What contradicts.
        what: &'static str,
        /// The epoch in the file.
        epoch: Epoch,
        /// What it should at least be.
        least: Epoch,
    },
    /// The caller wants to append what would not be readable again.
    #[error("zxid {next} cannot be appended after {last}: {reason}")]
    Append {
        /// The last transaction appended.
        last: Zxid,
        /// The one refused.
        next: Zxid,
        /// Why.
        reason: &'static str,
    },
    /// Fewer snapshots to keep than are safe.
    #[error("at least 3 snapshots must be kept, not {0}")]
    PurgeKeep(usize),
    /// The history cannot be cut back to where it was asked to.
    #[error("the history in {} cannot be cut back to zxid {target}: {reason}", dir.display())]
    Truncate {
        /// The directory of the logs.
        dir: PathBuf,
        /// Where it should have been cut.
        target: Zxid,
        /// Why not.
        reason: &'static str,
    },
}

impl LogError {
    /// Whether a snapshot is bad in itself, as opposed to a disk that fails.
    #[must_use]
    pub fn is_bad_snapshot(&self) -> bool {
        matches!(self, Self::BadSnapshot { .. })
    }
}

/// Adds what was tried on which file.
pub(crate) trait Context<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, LogError>;
}

impl<T> Context<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, LogError> {
        self.map_err(|source| LogError::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
