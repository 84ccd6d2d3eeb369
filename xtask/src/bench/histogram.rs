//! A histogram of latencies with less than 1 % error, cheap enough to record every operation.
//!
//! Values are nanoseconds. Buckets are linear within a power of two, as in Gil Tene's
//! HdrHistogram. It knows no clock and no units but its own.

/// Buckets per power of two, and the values below which every value has its own bucket.
const LINEAR: u64 = 128;

/// Powers of two above the linear part, and the linear part itself.
const MAGNITUDES: u64 = 64 - LINEAR.trailing_zeros() as u64 + 1;

/// Counts of values in nanoseconds.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// An empty histogram; nothing is allocated later.
    pub(super) fn new() -> Self {
        let buckets = usize::try_from(MAGNITUDES * LINEAR).expect("a few thousand");
        Self {
            counts: vec![0; buckets],
            total: 0,
        }
    }

    /// Counts one value.
    pub(super) fn record(&mut self, nanos: u64) {
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
    }

    /// Forgets every value.
    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
        self.total = 0;
    }

    /// The smallest value that at least this fraction of the values does not exceed, or `None`
    /// while nothing is recorded.
    pub(super) fn quantile(&self, fraction: f64) -> Option<u64> {
        if self.total == 0 {
            return None;
        }
        let rank = ((self.total as f64 * fraction).ceil() as u64).clamp(1, self.total);
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        at.map(upper)
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < LINEAR {
        return nanos as usize;
    }
    let shift = nanos.ilog2() - LINEAR.ilog2();
    let within = (nanos >> shift) - LINEAR;
    ((u64::from(shift) + 1) * LINEAR + within) as usize
}

/// The largest value of a bucket.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < LINEAR {
        return bucket;
    }
    let shift = bucket / LINEAR - 1;
    let first = (LINEAR + bucket % LINEAR) << shift;
    first + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for at in 1..Histogram::new().counts.len() {
            assert_eq!(bucket(upper(at)), at);
            assert_eq!(bucket(upper(at - 1) + 1), at);
        }
        assert_eq!(upper(Histogram::new().counts.len() - 1), u64::MAX);
    }

    #[test]
    fn quantiles_are_within_one_percent() {
        let mut histogram = Histogram::new();
        (1..=100_000).for_each(|value| histogram.record(value * 10));
        for (fraction, exact) in [(0.5, 500_000.0), (0.99, 990_000.0), (0.999, 999_000.0)] {
            let value = histogram.quantile(fraction).unwrap() as f64;
            assert!((value / exact - 1.0).abs() < 0.01, "{fraction}: {value}");
        }
    }

    #[test]
    fn a_single_value_is_every_quantile() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), None);
        histogram.record(77);
        assert_eq!(histogram.quantile(0.0), Some(77));
        assert_eq!(histogram.quantile(1.0), Some(77));
        histogram.clear();
        assert_eq!(histogram.quantile(1.0), None);
    }
}
