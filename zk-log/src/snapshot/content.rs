//! A snapshot's uncompressed content, through a window of bounded size, with
//! the checksum of what was read. It knows where items end, not what they
//! mean.

use simd_adler32::Adler32;
use std::io::{self, Read};
use zk_proto::jute::{Error, Reader};
use zk_proto::snapshot::END_MARK;

/// How much is read at a time.
const WINDOW: usize = 1 << 20;
/// The largest item; data is limited by `jute.maxbuffer`, far below.
const ITEM_MAX: usize = 256 << 20;

pub(super) struct Content {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The next byte to read.
    at: usize,
    /// Up to here the checksum covers the buffer.
    summed: usize,
    /// Behind the last byte in the buffer.
    filled: usize,
    /// The content offset of the buffer's first byte.
    start: u64,
    checksum: Adler32,
}

/// Why the content is no snapshot, or could not be read.
pub(super) enum ContentError {
    Io(io::Error),
    Jute(Error),
}

impl From<Error> for ContentError {
    fn from(error: Error) -> Self {
        Self::Jute(error)
    }
}

impl From<io::Error> for ContentError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Content {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source,
            buffer: vec![0; WINDOW],
            at: 0,
            summed: 0,
            filled: 0,
            start: 0,
            checksum: Adler32::new(),
        }
    }

    /// Bytes read.
    pub(super) fn offset(&self) -> u64 {
        self.start + self.at as u64
    }

    /// The checksum of everything read.
    pub(super) fn checksum(&mut self) -> u32 {
        self.checksum.write(&self.buffer[self.summed..self.at]);
        self.summed = self.at;
        self.checksum.finish()
    }

    /// Has at least `length` bytes in the buffer, fewer only at the end, and
    /// says how many there are.
    pub(super) fn fill(&mut self, length: usize) -> Result<usize, ContentError> {
        while self.filled - self.at < length {
            if length > ITEM_MAX {
                return Err(Error::Length(i32::try_from(length).unwrap_or(i32::MAX)).into());
            }
            if !self.read_more()? {
                break;
            }
        }
        Ok(self.filled - self.at)
    }

    fn read_more(&mut self) -> Result<bool, ContentError> {
        self.checksum();
        self.buffer.copy_within(self.at..self.filled, 0);
        self.start += self.at as u64;
        self.filled -= self.at;
        (self.at, self.summed) = (0, 0);
        if self.filled == self.buffer.len() {
            // An item that is larger than the window. Twice what really came,
            // whatever the item says.
            self.buffer.resize(2 * self.filled, 0);
        }
        let before = self.filled;
        while self.filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.filled > before)
    }

    /// Reads an item that has at most `length` bytes.
    #[inline]
    pub(super) fn item<'a, T>(
        &'a mut self,
        length: usize,
        decode: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<T, ContentError> {
        self.fill(length)?;
        let bytes = &self.buffer[self.at..self.filled];
        let mut reader = Reader::new(bytes);
        let item = decode(&mut reader)?;
        self.at += bytes.len() - reader.remaining().len();
        Ok(item)
    }

    /// The length that stands `skip` bytes ahead; 0 for null and nonsense,
    /// which decoding refuses.
    #[inline]
    fn length_ahead(&mut self, skip: usize) -> Result<usize, ContentError> {
        if self.filled - self.at < skip + 4 {
            self.fill(skip + 4)?;
        }
        let ahead = self.buffer.get(self.at + skip..self.filled);
        let length = ahead
            .and_then(|ahead| ahead.first_chunk::<4>())
            .map_or(0, |bytes| i32::from_be_bytes(*bytes));
        Ok(usize::try_from(length).unwrap_or(0))
    }

    /// How long the next znode, or the end mark, is.
    #[inline]
    pub(super) fn node_length(&mut self) -> Result<usize, ContentError> {
        const REST: usize = 8 + 60;
        let path = self.length_ahead(0)?;
        if path == END_MARK.len() {
            self.fill(4 + path)?;
            let text = self
                .buffer
                .get(self.at + 4..self.filled)
                .unwrap_or_default();
            if text.starts_with(END_MARK.as_bytes()) {
                return Ok(4 + path);
            }
        }
        let data = self.length_ahead(4 + path)?;
        Ok(4 + path + 4 + data + REST)
    }

    /// How long the next entry of the ACL table is.
    pub(super) fn acl_length(&mut self) -> Result<usize, ContentError> {
        let count = self.length_ahead(8)?;
        let mut length = 12;
        for _ in 0..count {
            // Perms, scheme, id.
            length += 4;
            length += 4 + self.length_ahead(length)?;
            length += 4 + self.length_ahead(length)?;
            if self.fill(length)? < length {
                break;
            }
        }
        Ok(length)
    }
}
