//! One record as bytes, and which record may follow which. Neither files nor
//! decisions.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | Adler-32 of the payload, as a long |
//! | 4 | length of the payload |
//! | n | payload: header, record, digest |
//! | 1 | 0x42 |

use simd_adler32::adler32;
use std::sync::atomic::{Ordering, compiler_fence};
use zk_proto::txn::RECORD_END;
use zk_proto::{OpCode, Zxid};

/// Bytes before the payload.
pub(crate) const PREFIX: usize = 12;
/// Bytes of a record besides its payload.
pub(crate) const OVERHEAD: usize = PREFIX + 1;
/// Bytes of a `TxnHeader`, the least that a payload holds.
pub(crate) const HEADER: usize = 32;
/// The longest payload. Apache's limit is `jute.maxbuffer`, far below.
pub const MAX_PAYLOAD: usize = 256 << 20;

/// Fills `out`, which is [`OVERHEAD`] longer than `payload` and zero.
///
/// The length comes last: while it is zero the log ends here. So a process
/// that is killed half way leaves a log that Apache opens, which does not
/// start on a record whose checksum is wrong.
pub(crate) fn write(out: &mut [u8], payload: &[u8]) {
    let length = i32::try_from(payload.len()).expect("the payload was measured");
    let (prefix, rest) = out.split_at_mut(PREFIX);
    let (body, end) = rest.split_at_mut(payload.len());
    body.copy_from_slice(payload);
    end[0] = RECORD_END;
    prefix[..8].copy_from_slice(&u64::from(adler32(&payload)).to_be_bytes());
    // A kill falls between two instructions, like a signal handler.
    compiler_fence(Ordering::Release);
    prefix[8..].copy_from_slice(&length.to_be_bytes());
}

/// The start of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) checksum: u64,
    pub(crate) length: i32,
}

impl Prefix {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (checksum, rest) = bytes.split_first_chunk::<8>()?;
        let length = rest.first_chunk::<4>()?;
        Some(Self {
            checksum: u64::from_be_bytes(*checksum),
            length: i32::from_be_bytes(*length),
        })
    }

    /// The payload's length, if a record can have it.
    pub(crate) fn payload(self) -> Option<usize> {
        let length = usize::try_from(self.length).ok()?;
        (1..=MAX_PAYLOAD).contains(&length).then_some(length)
    }
}

/// The zxid and type in a payload's header.
pub(crate) fn header(payload: &[u8]) -> Option<(Zxid, OpCode)> {
    let zxid = payload.get(12..20)?.first_chunk::<8>()?;
    let kind = payload.get(28..32)?.first_chunk::<4>()?;
    Some((
        Zxid(i64::from_be_bytes(*zxid)),
        OpCode(i32::from_be_bytes(*kind)),
    ))
}

/// Whether `next` is the first transaction after `last`: one more, or the
/// first one of a later epoch.
pub(crate) fn follows(last: Zxid, next: Zxid) -> bool {
    last.0.checked_add(1) == Some(next.0) || (next.epoch() > last.epoch() && next.counter() == 1)
}

/// Whether it repeats the zxid before it, as the error of a request that
/// Apache could not decode does.
pub(crate) fn repeats(last: Zxid, next: Zxid, kind: OpCode) -> bool {
    next == last && kind == OpCode::ERROR
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::Epoch;

    #[test]
    fn a_record_has_apaches_bytes() {
        let mut out = [0; 17];
        write(&mut out, b"abcd");
        // Adler-32 of "abcd" is 0x03d8018b.
        assert_eq!(out, *b"\0\0\0\0\x03\xd8\x01\x8b\0\0\0\x04abcd\x42");
    }

    #[test]
    fn sequence() {
        let at = |epoch, counter| Zxid::new(Epoch(epoch), counter);
        assert!(follows(at(1, 4), at(1, 5)));
        assert!(follows(at(1, 4), at(3, 1)));
        assert!(follows(Zxid::ZERO, at(1, 1)));
        for (last, next) in [
            (at(1, 4), at(1, 4)),
            (at(1, 4), at(1, 6)),
            (at(1, 4), at(2, 2)),
            (at(2, 4), at(1, 1)),
            (at(1, 4), at(2, 0)),
        ] {
            assert!(!follows(last, next), "{last} {next}");
        }
    }
}
