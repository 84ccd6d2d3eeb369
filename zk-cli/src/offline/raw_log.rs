//! A log's records as they stand in the file, with the checksums that they
//! claim to have. What is wrong with them is the reader's to judge, so that a
//! damaged log can be shown and repaired.

use crate::error::CliError;
use simd_adler32::adler32;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use zk_log::MAX_PAYLOAD;
use zk_proto::jute;
use zk_proto::txn::{LogFileHeader, RECORD_END};

/// A log file that is read from its start.
#[derive(Debug)]
pub(super) struct RawLog {
    source: BufReader<File>,
    /// Where the next record starts.
    offset: u64,
}

/// A record without its end byte.
#[derive(Debug)]
pub(super) struct RawRecord {
    pub(super) offset: u64,
    /// As it stands in the file.
    pub(super) checksum: i64,
    pub(super) payload: Vec<u8>,
}

impl RawRecord {
    /// What the checksum should be.
    pub(super) fn computed(&self) -> i64 {
        i64::from(adler32(&self.payload.as_slice()))
    }

    /// The record as a log holds it, with `checksum`.
    pub(super) fn bytes(&self, checksum: i64) -> Vec<u8> {
        let length = i32::try_from(self.payload.len()).unwrap_or(i32::MAX);
        let mut bytes = Vec::with_capacity(self.payload.len() + 13);
        bytes.extend(checksum.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(&self.payload);
        bytes.push(RECORD_END);
        bytes
    }
}

impl RawLog {
    /// Opens a log and reads its header.
    pub(super) fn open(path: &Path) -> Result<(Self, LogFileHeader), CliError> {
        let file = File::open(path).map_err(|_| {
            let path = path.display();
            CliError::new(format!("File doesn't exist or not readable: {path}"))
        })?;
        let mut log = Self {
            source: BufReader::new(file),
            offset: LogFileHeader::LEN as u64,
        };
        let mut bytes = [0; LogFileHeader::LEN];
        let header = match log.fill(&mut bytes)? {
            true => jute::from_slice::<LogFileHeader>(&bytes).ok(),
            false => None,
        };
        match header.filter(|header| header.magic == LogFileHeader::MAGIC) {
            Some(header) => Ok((log, header)),
            None => Err(CliError::usage(format!(
                "Invalid magic number for {}",
                super::file_name(path)
            ))),
        }
    }

    /// The next record; `None` at the end, which a length of 0 and a cut
    /// record are too.
    pub(super) fn next(&mut self) -> Result<Option<RawRecord>, CliError> {
        let mut prefix = [0; 12];
        if !self.fill(&mut prefix)? {
            return Ok(None);
        }
        let (checksum, length): (i64, i32) =
            jute::from_slice(&prefix).map_err(|error| CliError::new(error.to_string()))?;
        if length == 0 {
            return Ok(None);
        }
        let wanted = u64::try_from(length).ok();
        let Some(wanted) = wanted.filter(|wanted| *wanted <= MAX_PAYLOAD as u64) else {
            let offset = self.offset;
            return Err(CliError::new(format!(
                "Unreasonable length = {length} at offset {offset}"
            )));
        };
        let mut payload = Vec::new();
        let read = (&mut self.source).take(wanted).read_to_end(&mut payload);
        if read.map_err(read_failed)? as u64 != wanted {
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += 12 + wanted + 1;
        Ok(Some(RawRecord {
            offset,
            checksum,
            payload,
        }))
    }

    /// Reads the byte behind the record.
    pub(super) fn end_of_record(&mut self) -> Result<(), CliError> {
        let mut end = [0];
        match self.fill(&mut end)? && end == [RECORD_END] {
            true => Ok(()),
            false => Err(CliError::new("Last transaction was partial.")),
        }
    }

    /// Whether there were enough bytes.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, CliError> {
        match self.source.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(read_failed(error)),
        }
    }
}

fn read_failed(error: io::Error) -> CliError {
    CliError::new(format!("the log cannot be read: {error}"))
}
