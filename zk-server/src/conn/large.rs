//! How many bytes of large requests may be under way at once
//! (`largeRequestThreshold`, `largeRequestMaxBytes`). It refuses to know what
//! is in them.

use std::sync::atomic::{AtomicUsize, Ordering};
use zk_proto::OpCode;

/// The budget of large requests (`ZooKeeperServer.isLargeRequest` and
/// `currentLargeRequestBytes`).
#[derive(Debug)]
pub(crate) struct LargeRequests {
    /// More bytes than this make a request large; the greatest number when
    /// none is.
    threshold: usize,
    max_bytes: usize,
    under_way: AtomicUsize,
}

impl LargeRequests {
    /// No request is large if there is no threshold.
    pub(crate) fn new(threshold: Option<usize>, max_bytes: usize) -> Self {
        Self {
            threshold: threshold.unwrap_or(usize::MAX),
            max_bytes,
            under_way: AtomicUsize::new(0),
        }
    }

    /// Whether any request can be large.
    pub(crate) fn is_on(&self) -> bool {
        self.threshold != usize::MAX
    }

    /// Whether a frame of `len` bytes may come in.
    pub(crate) fn fits(&self, len: usize) -> bool {
        let under_way = self.under_way.load(Ordering::Relaxed);
        len <= self.threshold || under_way.saturating_add(len) <= self.max_bytes
    }

    /// Whether the frame at the start of `bytes` may come in, as far as its
    /// length is there.
    pub(crate) fn fits_announced(&self, bytes: &[u8]) -> bool {
        let length = bytes.first_chunk().map(|bytes| i32::from_be_bytes(*bytes));
        let length = length.and_then(|length| usize::try_from(length).ok());
        length.is_none_or(|length| self.fits(length))
    }

    /// Counts a request that goes into the pipeline; `false`, and nothing
    /// counted, when there is no room for it.
    #[must_use]
    pub(crate) fn charge(&self, op: OpCode, body_len: usize) -> bool {
        let size = self.size(op, body_len);
        let before = self.under_way.fetch_add(size, Ordering::Relaxed);
        let fits = size == 0 || before.saturating_add(size) <= self.max_bytes;
        if !fits {
            self.release(size);
        }
        fits
    }

    /// So many bytes that were charged are answered.
    pub(crate) fn release(&self, bytes: usize) {
        self.under_way.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What a request counts for. Authentication does not count, nor does a
    /// createSession, which is the server's own.
    pub(crate) fn size(&self, op: OpCode, body_len: usize) -> usize {
        let counts = !matches!(op, OpCode::AUTH | OpCode::SASL | OpCode::CREATE_SESSION);
        if counts && body_len > self.threshold {
            body_len
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_requests_share_a_budget() {
        let large = LargeRequests::new(Some(10), 30);
        assert!(large.charge(OpCode::CREATE, 20));
        assert!(large.fits(10), "not large");
        assert!(!large.fits(11));
        assert!(!large.charge(OpCode::CREATE, 11));
        assert!(large.charge(OpCode::CREATE, 10));
        assert!(large.charge(OpCode::AUTH, 100));
        large.release(large.size(OpCode::CREATE, 20));
        assert!(large.fits(30));
        assert!(!large.fits(31));
    }

    #[test]
    fn without_a_threshold_nothing_is_large() {
        let large = LargeRequests::new(None, 30);
        assert!(large.charge(OpCode::CREATE, 1000));
        assert!(large.fits(31) && !large.is_on());
    }

    #[test]
    fn a_length_counts_as_soon_as_it_is_there() {
        let large = LargeRequests::new(Some(10), 30);
        assert!(large.fits_announced(&[0, 0, 0]));
        assert!(large.fits_announced(&[0, 0, 0, 30]));
        assert!(!large.fits_announced(&[0, 0, 0, 31]));
        assert!(large.fits_announced(&[0xff; 4]), "another's business");
    }
}
