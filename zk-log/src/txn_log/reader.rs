//! One log file, record by record, through a window of bounded size. It says
//! where and how the records end; what that means is decided in
//! [`super::tail`] and in recovery.

use super::record::{self, HEADER, OVERHEAD, PREFIX, Prefix};
use crate::error::Context;
use crate::storage::ReadFile;
use crate::{LogError, Storage};
use simd_adler32::adler32;
use std::fmt;
use std::path::{Path, PathBuf};
use zk_proto::txn::{LogFileHeader, LoggedTxn, RECORD_END};
use zk_proto::{OpCode, Zxid};

/// A log file that is read from its start.
pub struct LogReader {
    file: Box<dyn ReadFile>,
    path: PathBuf,
    /// Where the next record starts.
    position: u64,
    window: Vec<u8>,
    /// The offset of the window's first byte.
    window_start: u64,
}

/// How much is read at a time.
const WINDOW: usize = 256 << 10;

/// What a log file starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStart {
    /// A header.
    Header,
    /// Nothing that was ever finished: no bytes, a part of the header, or
    /// only zeros. So ends a file whose creation was interrupted.
    Blank,
}

/// A record whose frame and checksum are right.
#[derive(Clone, Copy, Debug)]
pub struct LogRecord<'a> {
    /// Where it starts in the file.
    pub offset: u64,
    /// Adler-32 of the payload.
    pub checksum: u32,
    /// Its place in the history.
    pub zxid: Zxid,
    /// Which transaction it is.
    pub kind: OpCode,
    /// Header, record and digest.
    pub payload: &'a [u8],
}

impl<'a> LogRecord<'a> {
    /// The transaction. `path` is for the error.
    pub fn decode(&self, path: &Path) -> Result<LoggedTxn<'a>, LogError> {
        LoggedTxn::decode(self.payload).map_err(|source| LogError::Undecodable {
            path: path.to_owned(),
            offset: self.offset,
            source,
        })
    }
}

/// What stands at the position of the next record.
#[derive(Debug)]
pub enum LogNext<'a> {
    /// A record.
    Record(LogRecord<'a>),
    /// The end: of the file, or zeros up to it.
    End,
    /// Something that is no record.
    Bad(RecordFault),
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordFault {
    /// The file ends within it.
    Cut,
    /// Its length is 0, yet other bytes follow.
    Hole,
    /// The upper half of the checksum is not 0, which no writer writes.
    ChecksumField,
    /// Its length is negative or beyond reason.
    Length(i32),
    /// Another byte than 0x42 ends it.
    EndByte(u8),
    /// The checksum is wrong.
    Checksum {
        /// In the record.
        stored: u32,
        /// Of the payload.
        computed: u32,
    },
}

impl fmt::Display for RecordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("the file ends within the record"),
            Self::Hole => f.write_str("zeros stand where a record should"),
            Self::ChecksumField => f.write_str("the checksum is no Adler-32"),
            Self::Length(length) => write!(f, "a length of {length}"),
            Self::EndByte(byte) => write!(f, "the record ends in 0x{byte:02x}, not 0x42"),
            Self::Checksum { stored, computed } => write!(
                f,
                "the checksum is 0x{stored:08x}, but that of the bytes 0x{computed:08x}"
            ),
        }
    }
}

impl RecordFault {
    /// Whether an interrupted write can look so. Lost sectors leave zeros,
    /// which make a checksum or length smaller, never larger than any.
    #[must_use]
    pub const fn can_be_torn(self) -> bool {
        !matches!(self, Self::ChecksumField | Self::Length(_))
    }
}

impl LogReader {
    /// Opens a log file. Nothing is read yet.
    pub fn open(storage: &dyn Storage, path: &Path) -> Result<Self, LogError> {
        Ok(Self {
            file: storage.open(path).at("open", path)?,
            path: path.to_owned(),
            position: 0,
            window: Vec::new(),
            window_start: 0,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.file.size()
    }

    /// Where the next record starts: behind the header and all records that
    /// [`LogReader::next`] returned.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Reads the file header. Only the magic is looked at, as in Apache.
    pub fn start(&mut self) -> Result<LogStart, LogError> {
        self.load(0, LogFileHeader::LEN)?;
        let magic = LogFileHeader::MAGIC.to_be_bytes();
        if self.window.len() >= LogFileHeader::LEN && self.window.starts_with(&magic) {
            self.position = LogFileHeader::LEN as u64;
            return Ok(LogStart::Header);
        }
        if self.is_blank()? {
            return Ok(LogStart::Blank);
        }
        Err(self.damaged(0, "it does not start with the header of a transaction log"))
    }

    /// Whether it holds a part of the header and nothing but zeros behind.
    fn is_blank(&mut self) -> Result<bool, LogError> {
        let mut whole = [0; LogFileHeader::LEN];
        whole[..4].copy_from_slice(&LogFileHeader::MAGIC.to_be_bytes());
        whole[7] = 2;
        let there = &self.window[..self.window.len().min(whole.len())];
        let used = there
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        Ok(there[..used] == whole[..used]
            && used < LogFileHeader::LEN
            && self.used_end()? <= LogFileHeader::LEN as u64)
    }

    /// Reads what stands at the position, and steps behind it if it is a
    /// record.
    #[allow(
        clippy::should_implement_trait,
        reason = "the record borrows from the window"
    )]
    pub fn next(&mut self) -> Result<LogNext<'_>, LogError> {
        let left = self.size().saturating_sub(self.position);
        if left < PREFIX as u64 {
            return self.short_end();
        }
        self.load(self.position, PREFIX)?;
        let prefix = Prefix::parse(self.at_position()).ok_or_else(|| self.shrunk())?;
        if prefix.length == 0 {
            return self.zero_end();
        }
        let Ok(stored) = u32::try_from(prefix.checksum) else {
            return Ok(LogNext::Bad(RecordFault::ChecksumField));
        };
        let Some(length) = prefix.payload() else {
            return Ok(LogNext::Bad(RecordFault::Length(prefix.length)));
        };
        if (length + OVERHEAD) as u64 > left {
            return Ok(LogNext::Bad(RecordFault::Cut));
        }
        self.load(self.position, length + OVERHEAD)?;
        self.record(stored, length)
    }

    fn record(&mut self, stored: u32, length: usize) -> Result<LogNext<'_>, LogError> {
        let offset = self.position;
        let skip = self.window_index();
        let Some(bytes) = self.window.get(skip..skip + length + OVERHEAD) else {
            return Err(self.shrunk());
        };
        let payload = &bytes[PREFIX..PREFIX + length];
        if bytes[PREFIX + length] != RECORD_END {
            return Ok(LogNext::Bad(RecordFault::EndByte(bytes[PREFIX + length])));
        }
        let computed = adler32(&payload);
        if computed != stored {
            return Ok(LogNext::Bad(RecordFault::Checksum { stored, computed }));
        }
        let Some((zxid, kind)) = record::header(payload) else {
            return Err(self.damaged(
                offset,
                format!("a record of {length} bytes is shorter than the {HEADER} of its header"),
            ));
        };
        self.position += (length + OVERHEAD) as u64;
        Ok(LogNext::Record(LogRecord {
            offset,
            checksum: stored,
            zxid,
            kind,
            payload,
        }))
    }

    /// Fewer bytes than a record starts with.
    fn short_end(&mut self) -> Result<LogNext<'_>, LogError> {
        self.load(self.position, PREFIX)?;
        let zeros = self.at_position().iter().all(|&byte| byte == 0);
        Ok(if zeros {
            LogNext::End
        } else {
            LogNext::Bad(RecordFault::Cut)
        })
    }

    /// A length of 0: padding, if nothing but zeros follows.
    fn zero_end(&mut self) -> Result<LogNext<'_>, LogError> {
        let position = self.position;
        Ok(if self.used_end()? <= position {
            LogNext::End
        } else {
            LogNext::Bad(RecordFault::Hole)
        })
    }

    /// Behind the last byte that is not zero. Looks back from the end of the
    /// file, so the padding is read once.
    pub(crate) fn used_end(&mut self) -> Result<u64, LogError> {
        let mut end = self.size();
        while end > 0 {
            let start = end.saturating_sub(WINDOW as u64);
            let length = usize::try_from(end - start).unwrap_or(WINDOW);
            self.load(start, length)?;
            let skip = self.index_of(start);
            let there = self.window.get(skip..skip + length).unwrap_or_default();
            if let Some(used) = used(there) {
                return Ok(start + used as u64);
            }
            end = start;
        }
        Ok(0)
    }

    /// The bytes of `start..end`, which the caller found reasonable.
    pub(crate) fn bytes(&mut self, start: u64, end: u64) -> Result<Vec<u8>, LogError> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
        let read = self
            .file
            .read_at(start, &mut bytes)
            .at("read", &self.path)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Has `length` bytes from `offset` in the window, fewer at the end.
    fn load(&mut self, offset: u64, length: usize) -> Result<(), LogError> {
        let end = (offset + length as u64).min(self.size());
        let window_end = self.window_start + self.window.len() as u64;
        if offset >= self.window_start && end <= window_end && !self.window.is_empty() {
            return Ok(());
        }
        let left = usize::try_from(self.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        self.window.resize(length.max(WINDOW).min(left), 0);
        self.window_start = offset;
        let read = self
            .file
            .read_at(offset, &mut self.window)
            .at("read", &self.path)?;
        self.window.truncate(read);
        Ok(())
    }

    fn index_of(&self, offset: u64) -> usize {
        usize::try_from(offset - self.window_start).unwrap_or(usize::MAX)
    }

    fn window_index(&self) -> usize {
        self.index_of(self.position)
    }

    fn at_position(&self) -> &[u8] {
        self.window.get(self.window_index()..).unwrap_or_default()
    }

    fn shrunk(&self) -> LogError {
        self.damaged(self.position, "the file became shorter while it was read")
    }

    pub(crate) fn damaged(&self, offset: u64, what: impl Into<String>) -> LogError {
        LogError::Damaged {
            path: self.path.clone(),
            offset,
            what: what.into(),
        }
    }
}

impl fmt::Debug for LogReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogReader")
            .field("path", &self.path)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// Behind the last byte that is not zero. Whole blocks of zeros, which
/// padding is made of, are compared at the speed of memory.
fn used(bytes: &[u8]) -> Option<usize> {
    let mut end = bytes.len();
    while end > 0 {
        let start = end.saturating_sub(ZEROS.len());
        if bytes[start..end] != ZEROS[..end - start] {
            let last = bytes[start..end].iter().rposition(|&byte| byte != 0)?;
            return Some(start + last + 1);
        }
        end = start;
    }
    None
}

const ZEROS: [u8; 4096] = [0; 4096];
