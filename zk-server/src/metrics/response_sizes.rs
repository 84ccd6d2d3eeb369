//! How large answers to clients are (`BufferStats`). It refuses to know what
//! is in them.

use super::summary::SummaryValues;
use std::sync::atomic::{AtomicI64, Ordering};

/// What is shown before the first answer.
const NONE: i64 = -1;

/// The last, the smallest and the largest answer, in bytes without the four
/// of the length.
#[derive(Debug)]
pub(crate) struct ResponseSizes {
    last: AtomicI64,
    min: AtomicI64,
    max: AtomicI64,
}

/// The sizes of a batch of answers, in plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SizeTally {
    values: SummaryValues,
    last: u64,
}

impl Default for ResponseSizes {
    fn default() -> Self {
        Self {
            last: AtomicI64::new(NONE),
            min: AtomicI64::new(NONE),
            max: AtomicI64::new(NONE),
        }
    }
}

impl ResponseSizes {
    /// Notes a batch of answers. Most change nothing, and so write nothing.
    pub(crate) fn note(&self, sizes: &SizeTally) {
        if sizes.values.count == 0 {
            return;
        }
        let bytes = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
        let (last, min) = (bytes(sizes.last), bytes(sizes.values.min));
        if self.last() != last {
            self.last.store(last, Ordering::Relaxed);
        }
        let known = self.min();
        if known == NONE || known > min {
            self.min.store(min, Ordering::Relaxed);
        }
        let max = bytes(sizes.values.max);
        if self.max() < max {
            self.max.fetch_max(max, Ordering::Relaxed);
        }
    }

    pub(crate) fn last(&self) -> i64 {
        self.last.load(Ordering::Relaxed)
    }

    pub(crate) fn min(&self) -> i64 {
        self.min.load(Ordering::Relaxed)
    }

    pub(crate) fn max(&self) -> i64 {
        self.max.load(Ordering::Relaxed)
    }

    pub(crate) fn reset(&self) {
        for size in [&self.last, &self.min, &self.max] {
            size.store(NONE, Ordering::Relaxed);
        }
    }
}

impl SizeTally {
    pub(crate) fn add(&mut self, size: u64) {
        self.values = self.values.merge(SummaryValues::of(size, 1));
        self.last = size;
    }

    /// A frame, of which the four bytes of its length do not count.
    pub(crate) fn add_frame(&mut self, frame: &[u8]) {
        self.add((frame.len() as u64).saturating_sub(4));
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.values.count
    }

    /// All of them together, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.values.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sizes: &ResponseSizes) -> [i64; 3] {
        [sizes.last(), sizes.min(), sizes.max()]
    }

    #[test]
    fn sizes_are_kept_across_batches() {
        let sizes = ResponseSizes::default();
        sizes.note(&SizeTally::default());
        assert_eq!(shown(&sizes), [-1, -1, -1]);
        let mut tally = SizeTally::default();
        for size in [40, 16, 90, 20] {
            tally.add(size);
        }
        assert_eq!((tally.count(), tally.bytes()), (4, 166));
        sizes.note(&tally);
        assert_eq!(shown(&sizes), [20, 16, 90]);
        let mut tally = SizeTally::default();
        tally.add(17);
        sizes.note(&tally);
        assert_eq!(shown(&sizes), [17, 16, 90]);
        sizes.reset();
        assert_eq!(shown(&sizes), [-1, -1, -1]);
    }
}
