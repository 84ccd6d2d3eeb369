//! Data points with their quantiles.
//!
//! Apache keeps a random sample of 4096 points. Here all points are counted,
//! in buckets: exact below 256, within 1 % above. It refuses to know units.

use super::summary::{Summary, SummaryValues};
use std::sync::atomic::{AtomicU64, Ordering};

/// Values below this have a bucket each.
const EXACT: u64 = 1 << EXACT_BITS;
const EXACT_BITS: u32 = 8;
/// Buckets of each further power of two.
const PER_OCTAVE: u64 = 1 << (EXACT_BITS - 1);
/// Values above this count as this: in ms more than 34 years.
const LARGEST: u64 = (1 << 40) - 1;
const BUCKETS: usize = bucket(LARGEST) + 1;

/// Data points that several threads add (`AvgMinMaxPercentileCounter`).
#[derive(Debug)]
pub(crate) struct Histogram {
    summary: Summary,
    buckets: Box<[AtomicU64]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            summary: Summary::default(),
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Histogram {
    pub(crate) fn add(&self, value: u64) {
        self.add_many(value, 1);
    }

    /// Adds the same value `times` times.
    pub(crate) fn add_many(&self, value: u64, times: u64) {
        self.summary.add_many(value, times);
        self.buckets[bucket(value)].fetch_add(times, Ordering::Relaxed);
    }

    /// Without the quantiles.
    pub(crate) fn summary(&self) -> SummaryValues {
        self.summary.values()
    }

    pub(crate) fn values(&self) -> Distribution {
        let counts = self
            .buckets
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Distribution {
            summary: self.summary.values(),
            counts: counts.collect(),
        }
    }

    pub(crate) fn reset(&self) {
        self.summary.reset();
        for count in &self.buckets {
            count.store(0, Ordering::Relaxed);
        }
    }
}

/// Data points in plain numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Distribution {
    pub(crate) summary: SummaryValues,
    counts: Vec<u64>,
}

impl Distribution {
    /// The same value `times` times more.
    pub(crate) fn add_many(&mut self, value: u64, times: u64) {
        if times == 0 {
            return;
        }
        self.summary = self.summary.merge(SummaryValues::of(value, times));
        self.counts.resize(BUCKETS, 0);
        self.counts[bucket(value)] += times;
    }

    /// The value below which a share of `share` (0 to 1) of all points lies,
    /// rounded. Between two points it is interpolated, as the library does
    /// that Apache uses.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let total: u64 = self.counts.iter().sum();
        if total == 0 {
            return 0;
        }
        let position = share * (total + 1) as f64;
        let below = (position as u64).clamp(1, total);
        let lower = self.nth(below - 1);
        if below == total || position < 1.0 {
            return lower;
        }
        let upper = self.nth(below);
        let between = (position - position.floor()) * (upper - lower) as f64;
        (lower as f64 + between + 0.5).floor() as u64
    }

    /// The point that `n` others come before. The first and the last one are
    /// known exactly.
    fn nth(&self, n: u64) -> u64 {
        if n == 0 {
            return self.summary.min;
        }
        if n + 1 >= self.summary.count {
            return self.summary.max;
        }
        let mut seen = 0;
        let found = self.counts.iter().position(|&count| {
            seen += count;
            seen > n
        });
        let value = found.map_or(LARGEST, middle);
        value.clamp(self.summary.min, self.summary.max.max(self.summary.min))
    }
}

/// The bucket of a value.
const fn bucket(value: u64) -> usize {
    let value = if value > LARGEST { LARGEST } else { value };
    if value < EXACT {
        return value as usize;
    }
    let octave = value.ilog2() - EXACT_BITS;
    let within = (value >> (octave + 1)) - PER_OCTAVE;
    (EXACT + octave as u64 * PER_OCTAVE + within) as usize
}

/// The value in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let (octave, within) = ((bucket - EXACT) / PER_OCTAVE, (bucket - EXACT) % PER_OCTAVE);
    ((PER_OCTAVE + within) << (octave + 1)) + (1 << octave)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(points: &[u64]) -> Distribution {
        let histogram = Histogram::default();
        for &point in points {
            histogram.add(point);
        }
        histogram.values()
    }

    fn quantiles(points: &[u64]) -> [u64; 4] {
        [0.5, 0.95, 0.99, 0.999].map(|share| of(points).quantile(share))
    }

    #[test]
    fn buckets_meet_and_hold_their_middle() {
        for value in 0..100_000 {
            assert!(
                bucket(value + 1) - bucket(value) <= 1,
                "no gap behind {value}"
            );
        }
        for number in 0..BUCKETS {
            assert_eq!(bucket(middle(number)), number);
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn buckets_are_narrow() {
        for value in [256, 300, 999, 12_345, 1 << 30] {
            let error = middle(bucket(value)).abs_diff(value);
            assert!(error * 100 <= value, "{value} is off by {error}");
        }
    }

    #[test]
    fn few_points_are_interpolated() {
        assert_eq!(quantiles(&[]), [0; 4]);
        assert_eq!(quantiles(&[5]), [5; 4]);
        assert_eq!(quantiles(&[1, 5, 6, 15]), [6, 15, 15, 15]);
        assert_eq!(quantiles(&[5, 11, 11, 227]), [11, 227, 227, 227]);
    }

    #[test]
    fn many_points_lie_where_they_should() {
        let points: Vec<u64> = (0..1000).map(|n| n % 50).collect();
        assert_eq!(quantiles(&points), [25, 47, 49, 49]);
    }

    #[test]
    fn points_added_afterwards_count() {
        let mut some = of(&[4, 8]);
        some.add_many(0, 7);
        assert_eq!(
            some.summary,
            SummaryValues {
                count: 9,
                sum: 12,
                min: 0,
                max: 8
            }
        );
        assert_eq!(some.quantile(0.5), 0);
        let mut none = Distribution::default();
        none.add_many(0, 3);
        assert_eq!((none.summary.count, none.quantile(0.99)), (3, 0));
    }

    #[test]
    fn a_reset_forgets_all() {
        let histogram = Histogram::default();
        histogram.add(100);
        histogram.reset();
        histogram.add(3);
        assert_eq!(histogram.values(), of(&[3]));
    }
}
