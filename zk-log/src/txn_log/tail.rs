//! Torn or corrupt: what the bytes behind the last good record of a file are.
//!
//! A crash interrupts the flush of the last batch. The disk then holds any of
//! the batch's sectors, and where it does not, what was there before: zeros.
//! Everything else has another cause, and starting from such a file could
//! silently lose transactions that were acknowledged. So
//!
//! - with nothing valid behind it, a bad record is the torn tail, unless its
//!   frame has values that lost sectors cannot make;
//! - with a valid record behind it, it is corruption, unless whole sectors of
//!   zeros lie between, no more than one batch is concerned, and transactions
//!   really are missing there.
//!
//! This module decides about one file, from bytes. Recovery compares files.

use super::reader::{LogReader, RecordFault};
use super::record::{self, HEADER, MAX_PAYLOAD, OVERHEAD, PREFIX, Prefix};
use super::writer::UNFLUSHED_MAX;
use crate::LogError;
use simd_adler32::adler32;
use zk_proto::Zxid;
use zk_proto::txn::RECORD_END;

/// The unit that a disk writes wholly or not at all.
const SECTOR: u64 = 512;

/// A bad end that an interrupted write explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Torn {
    /// Where it starts.
    pub(crate) offset: u64,
    /// Behind its last byte that is not zero.
    pub(crate) end: u64,
    /// What is wrong with the first record.
    pub(crate) fault: RecordFault,
    /// Whether that record is cut off or zero at its end, so that no flip of
    /// a bit explains it.
    pub(crate) unfinished: bool,
    /// Whether valid records of the same batch stand behind.
    pub(crate) holds_records: bool,
}

/// Decides about the bad record at the reader's position. `last` is the last
/// good transaction.
pub(crate) fn judge(
    reader: &mut LogReader,
    fault: RecordFault,
    last: Zxid,
) -> Result<Torn, LogError> {
    let offset = reader.position();
    let end = reader.used_end()?.max(offset);
    if !fault.can_be_torn() {
        return Err(reader.damaged(offset, fault.to_string()));
    }
    if end - offset > (MAX_PAYLOAD + OVERHEAD) as u64 {
        let what = format!("{fault}, and more follows than one write could hold");
        return Err(reader.damaged(offset, what));
    }
    let tail = Tail {
        bytes: reader.bytes(offset, end)?,
        offset,
    };
    let torn = Torn {
        offset,
        end,
        fault,
        unfinished: tail.is_unfinished(),
        holds_records: false,
    };
    match tail.valid_record(last) {
        Search::Nothing => Ok(torn),
        Search::Found(at, next) if tail.is_torn_batch(at, last, next) => Ok(Torn {
            holds_records: true,
            ..torn
        }),
        Search::Found(at, zxid) => {
            let at = offset + at as u64;
            let what = format!("{fault}, but zxid {zxid} follows intact at offset {at}");
            Err(reader.damaged(offset, what))
        }
        Search::GaveUp => {
            let what = format!("{fault}, and what follows cannot be told from records");
            Err(reader.damaged(offset, what))
        }
    }
}

/// The bytes from a bad record to the last one that is not zero.
struct Tail {
    bytes: Vec<u8>,
    offset: u64,
}

enum Search {
    Nothing,
    Found(usize, Zxid),
    GaveUp,
}

impl Tail {
    /// Whether the first record does not reach its own end.
    fn is_unfinished(&self) -> bool {
        match Prefix::parse(&self.bytes).and_then(Prefix::payload) {
            Some(length) => self.bytes.len() < length + OVERHEAD && !self.is_whole(),
            None => true,
        }
    }

    /// Whether it is a whole record with a wrong length.
    fn is_whole(&self) -> bool {
        let Some((&RECORD_END, body)) = self.bytes.split_last() else {
            return false;
        };
        let payload = body.get(PREFIX..).unwrap_or_default();
        body.starts_with(&u64::from(adler32(&payload)).to_be_bytes())
    }

    /// The first valid record behind the bad one that goes on in the history.
    ///
    /// Every offset is tried, since the bad record's length is not to be
    /// trusted. A budget on checksummed bytes keeps that linear for bytes
    /// that were made to look like records everywhere.
    fn valid_record(&self, last: Zxid) -> Search {
        let mut budget = 16 * self.bytes.len() + (1 << 20);
        for at in 1..self.bytes.len().saturating_sub(OVERHEAD + HEADER - 1) {
            let Some(payload) = self.framed(at) else {
                continue;
            };
            let Some((zxid, _)) = record::header(payload) else {
                continue;
            };
            if zxid < last {
                continue;
            }
            match budget.checked_sub(payload.len()) {
                Some(left) => budget = left,
                None => return Search::GaveUp,
            }
            if self.bytes[at..].starts_with(&u64::from(adler32(&payload)).to_be_bytes()) {
                return Search::Found(at, zxid);
            }
        }
        Search::Nothing
    }

    /// The payload of what has the frame of a record at `at`.
    fn framed(&self, at: usize) -> Option<&[u8]> {
        let bytes = &self.bytes[at..];
        if bytes[..4] != [0; 4] {
            return None;
        }
        let length = Prefix::parse(bytes)?.payload()?;
        let framed = bytes.get(PREFIX..=PREFIX + length)?;
        (length >= HEADER && framed[length] == RECORD_END).then(|| &framed[..length])
    }

    /// Whether lost sectors of one batch explain that the record at the start
    /// is bad and that at `next` good.
    fn is_torn_batch(&self, next: usize, last: Zxid, zxid: Zxid) -> bool {
        let missing = zxid != last && last.0.checked_add(1) != Some(zxid.0);
        missing
            && self.bytes.len() as u64 <= UNFLUSHED_MAX
            && self.starts_behind_a_record(next)
            && self.has_lost_sector(next)
    }

    /// If the sector in which a record starts was written, then so was the
    /// end of the record before it. (A record starts with zeros, so its
    /// start does not show when its sector is lost.)
    fn starts_behind_a_record(&self, at: usize) -> bool {
        let into = usize::try_from((self.offset + at as u64) % SECTOR).unwrap_or(0);
        into == 0 || self.bytes[at - 1] == RECORD_END || self.is_lost(at.saturating_sub(into))
    }

    /// Whether a sector that starts before `end` was lost.
    fn has_lost_sector(&self, end: usize) -> bool {
        let mut start = 0;
        while start < end {
            if self.is_lost(start) {
                return true;
            }
            start = self.sector_end(start);
        }
        false
    }

    /// Whether nothing but zeros stands from `start` to the end of its
    /// sector.
    fn is_lost(&self, start: usize) -> bool {
        let end = self.sector_end(start).min(self.bytes.len());
        self.bytes[start..end].iter().all(|&byte| byte == 0)
    }

    fn sector_end(&self, index: usize) -> usize {
        let into = (self.offset + index as u64) % SECTOR;
        index + usize::try_from(SECTOR - into).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(offset: u64, bytes: Vec<u8>) -> Tail {
        Tail { bytes, offset }
    }

    fn record(zxid: i64, length: usize) -> Vec<u8> {
        let mut payload = vec![7; length];
        payload[12..20].copy_from_slice(&zxid.to_be_bytes());
        let mut out = vec![0; length + OVERHEAD];
        record::write(&mut out, &payload);
        out
    }

    #[test]
    fn a_valid_record_is_found_at_any_offset() {
        for junk in 1..40 {
            let mut bytes = vec![0xa5; junk];
            bytes.extend(record(9, 50));
            let found = tail(16, bytes).valid_record(Zxid(7));
            assert!(matches!(found, Search::Found(at, Zxid(9)) if at == junk));
        }
    }

    #[test]
    fn an_older_record_is_not_found() {
        let mut bytes = vec![1; 20];
        bytes.extend(record(6, 50));
        assert!(matches!(
            tail(16, bytes).valid_record(Zxid(7)),
            Search::Nothing
        ));
    }

    #[test]
    fn lost_sectors_explain_a_hole_but_zeros_within_one_do_not() {
        // Zeros from 500 to the sector's end at 512 and on to 1024.
        let mut bytes = vec![0; 524];
        bytes.extend(record(9, 50));
        assert!(tail(500, bytes.clone()).is_torn_batch(524, Zxid(7), Zxid(9)));
        // Nothing is missing between 8 and 9.
        assert!(!tail(500, bytes.clone()).is_torn_batch(524, Zxid(8), Zxid(9)));
        // The same, shifted: the record starts within a sector of zeros.
        assert!(!tail(540, bytes).is_torn_batch(524, Zxid(7), Zxid(9)));
        // It starts with the last byte of a lost sector, which is zero anyway.
        let mut bytes = vec![0; 411];
        bytes.extend(record(9, 50));
        assert!(tail(100, bytes).is_torn_batch(411, Zxid(7), Zxid(9)));
        // A hole within one sector.
        let mut bytes = vec![0; 100];
        bytes.extend(record(9, 50));
        assert!(!tail(16, bytes).is_torn_batch(100, Zxid(7), Zxid(9)));
    }

    #[test]
    fn bytes_that_look_like_records_everywhere_are_given_up() {
        let mut bytes = Vec::new();
        while bytes.len() < 1 << 20 {
            // A frame of 64 KiB at every 64 bytes, always ending in 0x42.
            let mut frame = vec![0x42; 64];
            frame[..8].copy_from_slice(&[0, 0, 0, 0, 1, 2, 3, 4]);
            frame[8..12].copy_from_slice(&(65_536 + 64 - 12 - 1_i32).to_be_bytes());
            frame[24..32].copy_from_slice(&9_i64.to_be_bytes());
            bytes.extend(frame);
        }
        assert!(matches!(
            tail(16, bytes).valid_record(Zxid(7)),
            Search::GaveUp
        ));
    }
}
