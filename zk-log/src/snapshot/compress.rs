//! The three ways in which a snapshot's content lies in a file.
//!
//! gzip is plain gzip. The snappy stream is that of Java's snappy library:
//! 16 bytes of header (0x82 "SNAPPY" 0x00, version 1, compatible with 1), then
//! chunks of a length and a raw snappy block of at most 32 KiB of content.

use crate::Compression;
use crate::storage::{ReadFile, WriteFile};
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{self, Read, Write};
use zk_proto::mutation::is_back;

/// A reader over the content of `file`.
pub(super) fn reader(file: Box<dyn ReadFile>, compression: Compression) -> Box<dyn Read + Send> {
    let file = Sequential { file, offset: 0 };
    match compression {
        Compression::Plain => Box::new(file),
        Compression::Gz => Box::new(MultiGzDecoder::new(file)),
        Compression::Snappy => Box::new(SnappyReader::new(file)),
    }
}

/// A file from its start on.
struct Sequential {
    file: Box<dyn ReadFile>,
    offset: u64,
}

impl Read for Sequential {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.offset, buffer)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// A writer of content into a file.
pub(super) enum Compressor {
    Plain(Sink),
    Gz(GzEncoder<Sink>),
    Snappy(Box<SnappyWriter>),
}

impl Compressor {
    pub(super) fn new(sink: Sink, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::Plain => Self::Plain(sink),
            Compression::Gz => Self::Gz(GzEncoder::new(sink, flate2::Compression::default())),
            Compression::Snappy => Self::Snappy(Box::new(SnappyWriter::new(sink)?)),
        })
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.write_all(bytes),
            Self::Gz(encoder) => encoder.write_all(bytes),
            Self::Snappy(writer) => writer.write_all(bytes),
        }
    }

    /// Ends the content and makes the file durable. The number of its bytes.
    pub(super) fn finish(self) -> io::Result<u64> {
        let mut sink = match self {
            Self::Plain(sink) => sink,
            Self::Gz(encoder) => encoder.finish()?,
            Self::Snappy(writer) => writer.finish()?,
        };
        sink.spill()?;
        if !is_back("snapshot_not_flushed") {
            sink.file.sync()?;
        }
        Ok(sink.written)
    }
}

/// A file that is flushed every so many bytes, so that the disk has little to
/// do at once and the log on the same disk is not held up.
pub(super) struct Sink {
    file: Box<dyn WriteFile>,
    buffer: Vec<u8>,
    sync_every: u64,
    written: u64,
    synced: u64,
}

const SINK_BUFFER: usize = 256 << 10;

impl Sink {
    pub(super) fn new(file: Box<dyn WriteFile>, sync_every: u64) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(SINK_BUFFER),
            sync_every: sync_every.max(1),
            written: 0,
            synced: 0,
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        self.put(&buffer)?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        if self.written - self.synced >= self.sync_every {
            self.file.sync()?;
            self.synced = self.written;
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > SINK_BUFFER {
            self.spill()?;
        }
        if bytes.len() >= SINK_BUFFER {
            self.put(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const SNAPPY_HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
/// Content of a chunk that Java's library writes, and so do we.
const SNAPPY_BLOCK: usize = 32 << 10;
/// The largest content of a chunk that is read: Java's largest block.
const SNAPPY_BLOCK_MAX: usize = 512 << 20;

pub(super) struct SnappyWriter {
    sink: Sink,
    encoder: snap::raw::Encoder,
    block: Vec<u8>,
    packed: Vec<u8>,
}

impl SnappyWriter {
    fn new(mut sink: Sink) -> io::Result<Self> {
        sink.write_all(&SNAPPY_HEADER)?;
        Ok(Self {
            sink,
            encoder: snap::raw::Encoder::new(),
            block: Vec::with_capacity(SNAPPY_BLOCK),
            packed: vec![0; snap::raw::max_compress_len(SNAPPY_BLOCK)],
        })
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = (SNAPPY_BLOCK - self.block.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == SNAPPY_BLOCK {
                self.put_block()?;
            }
        }
        Ok(())
    }

    fn put_block(&mut self) -> io::Result<()> {
        let length = self
            .encoder
            .compress(&self.block, &mut self.packed)
            .map_err(io::Error::other)?;
        let prefix = i32::try_from(length).map_err(io::Error::other)?;
        self.sink.write_all(&prefix.to_be_bytes())?;
        self.sink.write_all(&self.packed[..length])?;
        self.block.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<Sink> {
        if !self.block.is_empty() {
            self.put_block()?;
        }
        Ok(self.sink)
    }
}

struct SnappyReader<R> {
    inner: R,
    started: bool,
    packed: Vec<u8>,
    block: Vec<u8>,
    /// What was read of the block.
    at: usize,
}

impl<R: Read> SnappyReader<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            started: false,
            packed: Vec::new(),
            block: Vec::new(),
            at: 0,
        }
    }

    /// The next chunk, or `false` at the end.
    fn next_block(&mut self) -> io::Result<bool> {
        if !self.started {
            let mut header = [0; 16];
            self.inner.read_exact(&mut header)?;
            if header[..8] != SNAPPY_HEADER[..8] {
                return Err(bad("no snappy stream"));
            }
            self.started = true;
        }
        let mut prefix = Vec::with_capacity(4);
        self.inner.by_ref().take(4).read_to_end(&mut prefix)?;
        let Some(prefix) = prefix.first_chunk::<4>() else {
            return match prefix.len() {
                0 => Ok(false),
                _ => Err(bad("the snappy stream ends within a length")),
            };
        };
        self.unpack(i32::from_be_bytes(*prefix))?;
        Ok(true)
    }

    fn unpack(&mut self, length: i32) -> io::Result<()> {
        let length = usize::try_from(length)
            .ok()
            .filter(|&length| length <= snap::raw::max_compress_len(SNAPPY_BLOCK_MAX))
            .ok_or_else(|| bad("a snappy chunk of unreasonable length"))?;
        self.packed.clear();
        // Grows with what is really there, whatever the length says.
        let read = self
            .inner
            .by_ref()
            .take(length as u64)
            .read_to_end(&mut self.packed)?;
        if read < length {
            return Err(bad("the snappy stream ends within a chunk"));
        }
        let unpacked = snap::raw::decompress_len(&self.packed).map_err(bad)?;
        // A byte of snappy makes less than 64 of content.
        if unpacked > SNAPPY_BLOCK_MAX || unpacked / 64 > self.packed.len() {
            return Err(bad("a snappy chunk of unreasonable content"));
        }
        self.block.resize(unpacked, 0);
        self.at = 0;
        snap::raw::Decoder::new()
            .decompress(&self.packed, &mut self.block)
            .map_err(bad)?;
        Ok(())
    }
}

impl<R: Read> Read for SnappyReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let rest = &self.block[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

fn bad(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
