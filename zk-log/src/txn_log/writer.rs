//! Appending and flushing.

use super::record::{self, MAX_PAYLOAD, OVERHEAD};
use crate::error::Context;
use crate::storage::Segment;
use crate::{LogConfig, LogError, Storage, names};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zk_proto::mutation::is_back;
use zk_proto::txn::LogFileHeader;
use zk_proto::{Zxid, jute};

/// How many bytes are appended at most before the log flushes by itself.
/// Recovery relies on it: damage that spans more is not from one crash.
pub const UNFLUSHED_MAX: u64 = 4 << 20;

/// The end of the history, to which transactions are appended.
///
/// 1. [`TxnLog::append`] the transactions of a batch, in order.
/// 2. [`TxnLog::flush`]; only then acknowledge or apply them.
/// 3. After any error from the disk end the process: what the disk holds is
///    unknown, and every further call fails.
///
/// A file is made with the first append after opening or rolling, and is
/// named by that transaction. (`FileTxnLog`)
pub struct TxnLog {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    config: LogConfig,
    current: Option<Current>,
    /// The last transaction appended, flushed or not.
    last: Zxid,
    /// What was appended since the last report, and how long flushing took.
    report: FlushReport,
    /// Set once, by the first failure.
    failed: Option<String>,
}

/// The file that is appended to.
struct Current {
    segment: Box<dyn Segment>,
    path: PathBuf,
    /// Where the next record goes.
    end: u64,
    /// Up to where everything is durable.
    flushed: u64,
}

/// What became durable since the report before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// Transactions.
    pub txns: u64,
    /// Bytes of their records.
    pub bytes: u64,
    /// How long the disk took.
    pub elapsed: Duration,
    /// Whether one flush took longer than `fsync.warningthresholdms`.
    pub slow: bool,
}

impl TxnLog {
    /// Goes on after `last`, which recovery returned. Makes no file yet.
    ///
    /// A snapshot of the state at `last` must be there (`snapshot.0` for an
    /// empty database) before anything is appended.
    #[must_use]
    pub fn open(storage: Arc<dyn Storage>, log_dir: &Path, config: &LogConfig, last: Zxid) -> Self {
        Self {
            storage,
            dir: log_dir.to_owned(),
            config: config.clone(),
            current: None,
            last,
            report: FlushReport::default(),
            failed: None,
        }
    }

    /// The last transaction appended.
    #[must_use]
    pub const fn last_zxid(&self) -> Zxid {
        self.last
    }

    /// Whether transactions were appended that are not flushed.
    #[must_use]
    pub fn has_unflushed(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.end > current.flushed)
    }

    /// Bytes of the current file, space taken ahead included, as Apache
    /// counts them; 0 before the first append to it.
    #[must_use]
    pub fn file_size(&self) -> u64 {
        match &self.current {
            Some(current) if self.config.prealloc_bytes > 0 => current.segment.capacity(),
            Some(current) => current.end,
            None => 0,
        }
    }

    /// Bytes of records in the current file.
    #[must_use]
    pub fn bytes_since_roll(&self) -> u64 {
        self.current
            .as_ref()
            .map_or(0, |current| current.end - LogFileHeader::LEN as u64)
    }

    /// The current file, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.current.as_ref().map(|current| current.path.as_path())
    }

    /// Appends a transaction: `payload` is its header, record and digest. It
    /// is not durable before [`TxnLog::flush`].
    ///
    /// # Errors
    /// [`LogError::Append`] when recovery could not read it back: then
    /// nothing happened. Everything else is final.
    pub fn append(&mut self, zxid: Zxid, payload: &[u8]) -> Result<(), LogError> {
        self.usable()?;
        self.check(zxid, payload)?;
        let length = payload.len() + OVERHEAD;
        self.make_room(zxid, length as u64)
            .map_err(|error| self.fail(error))?;
        let current = self.current.as_mut().expect("room was made in a file");
        record::write(current.segment.slice_mut(current.end, length), payload);
        current.end += length as u64;
        self.last = zxid;
        self.report.txns += 1;
        self.report.bytes += length as u64;
        Ok(())
    }

    /// Waits until everything appended is on the disk, and begins a new file
    /// if this one passed the size limit.
    ///
    /// # Errors
    /// Final: the process should end.
    pub fn flush(&mut self) -> Result<FlushReport, LogError> {
        self.usable()?;
        self.flush_current().map_err(|error| self.fail(error))?;
        let report = std::mem::take(&mut self.report);
        if self
            .config
            .size_limit
            .is_some_and(|limit| self.file_size() > limit)
        {
            self.roll()?;
        }
        Ok(report)
    }

    /// Ends the file; the next append begins a new one. Flushes.
    pub fn roll(&mut self) -> Result<(), LogError> {
        self.usable()?;
        self.flush_current().map_err(|error| self.fail(error))?;
        self.end_current().map_err(|error| self.fail(error))
    }

    /// Ends writing. Without it nothing flushed is lost, but the file keeps
    /// the space that it took ahead.
    pub fn close(mut self) -> Result<(), LogError> {
        self.roll()
    }

    fn usable(&self) -> Result<(), LogError> {
        match &self.failed {
            None => Ok(()),
            Some(cause) => Err(LogError::Failed(cause.clone())),
        }
    }

    fn fail(&mut self, error: LogError) -> LogError {
        if !is_back("failed_flush_forgotten") {
            self.failed = Some(error.to_string());
        }
        error
    }

    /// What recovery will check when it reads the record.
    fn check(&self, zxid: Zxid, payload: &[u8]) -> Result<(), LogError> {
        let refuse = |reason| {
            Err(LogError::Append {
                last: self.last,
                next: zxid,
                reason,
            })
        };
        match record::header(payload) {
            None => refuse("the payload holds no header"),
            Some(_) if payload.len() > MAX_PAYLOAD => refuse("the payload is too long"),
            Some((inner, _)) if inner != zxid => refuse("the header has another zxid"),
            Some((_, kind))
                if !record::follows(self.last, zxid) && !record::repeats(self.last, zxid, kind) =>
            {
                refuse("it is not the next one")
            }
            Some(_) => Ok(()),
        }
    }

    /// Has a file with `length` free bytes.
    fn make_room(&mut self, zxid: Zxid, length: u64) -> Result<(), LogError> {
        let Some(current) = &self.current else {
            return self.begin(zxid, length);
        };
        let unflushed = current.end - current.flushed;
        if unflushed > 0 && unflushed + length > UNFLUSHED_MAX {
            self.flush_current()?;
        }
        self.grow(length)
    }

    /// Makes the file of `zxid`, with a header that is durable before any
    /// record: so a file with records always has one.
    fn begin(&mut self, zxid: Zxid, length: u64) -> Result<(), LogError> {
        let path = self.dir.join(names::log(zxid));
        let header = jute::to_vec(&LogFileHeader::current()).expect("a header is always encodable");
        let start = header.len() as u64;
        let bytes = (start + length).next_multiple_of(self.config.growth_step());
        let segment = self.storage.create_segment(&path, bytes);
        if matches!(&segment, Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists) {
            // Blocks may be missing. Nothing was promised in this file, and
            // recovery would remove it too.
            let _ = self.storage.remove(&path);
        }
        let mut segment = segment.at("allocate", &path)?;
        segment.slice_mut(0, header.len()).copy_from_slice(&header);
        if self.config.force_sync {
            segment.sync().at("flush", &path)?;
            self.storage.sync_dir(&self.dir).at("flush", &self.dir)?;
        }
        tracing::debug!(path = %path.display(), bytes, "new log file");
        self.current = Some(Current {
            segment,
            path,
            end: start,
            flushed: start,
        });
        Ok(())
    }

    fn grow(&mut self, length: u64) -> Result<(), LogError> {
        let Some(current) = &self.current else {
            return Ok(());
        };
        let wanted = current.end + length;
        if wanted <= current.segment.capacity() {
            return Ok(());
        }
        // What is flushed is not asked for again, so the old window can go.
        self.flush_current()?;
        let step = self.config.growth_step();
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        current
            .segment
            .grow(current.end, wanted.next_multiple_of(step))
            .at("allocate", &current.path)?;
        if self.config.force_sync {
            current.segment.sync().at("flush", &current.path)?;
        }
        Ok(())
    }

    fn flush_current(&mut self) -> Result<(), LogError> {
        let Some(current) = self.current.as_mut().filter(|it| it.end > it.flushed) else {
            return Ok(());
        };
        let started = Instant::now();
        if self.config.force_sync && !is_back("flush_is_a_lie") {
            current
                .segment
                .flush(current.flushed, current.end)
                .at("flush", &current.path)?;
        }
        current.flushed = current.end;
        let elapsed = started.elapsed();
        self.report.elapsed += elapsed;
        if elapsed > self.config.fsync_warning {
            self.report.slow = true;
            tracing::warn!(path = %current.path.display(), ?elapsed, "flushing the log took long");
        }
        Ok(())
    }

    fn end_current(&mut self) -> Result<(), LogError> {
        match self.current.take() {
            Some(current) => current
                .segment
                .close(current.end)
                .at("shorten", &current.path),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for TxnLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TxnLog")
            .field("path", &self.path())
            .field("last", &self.last)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
