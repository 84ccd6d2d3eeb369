//! Data points as their count, sum, minimum and maximum. It refuses to know
//! how they were spread: `distribution` does.

use std::sync::atomic::{AtomicU64, Ordering};

/// Data points that several threads add (`AvgMinMaxCounter`).
#[derive(Debug)]
pub(crate) struct Summary {
    count: AtomicU64,
    sum: AtomicU64,
    /// `u64::MAX` before the first one.
    min: AtomicU64,
    max: AtomicU64,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
        }
    }
}

impl Summary {
    pub(crate) fn add(&self, value: u64) {
        self.add_many(value, 1);
    }

    /// Adds the same value `times` times.
    pub(crate) fn add_many(&self, value: u64, times: u64) {
        if times == 0 {
            return;
        }
        self.count.fetch_add(times, Ordering::Relaxed);
        if value > 0 {
            self.sum.fetch_add(value * times, Ordering::Relaxed);
        }
        // Looking first spares the write that is hardly ever needed.
        if self.min.load(Ordering::Relaxed) > value {
            self.min.fetch_min(value, Ordering::Relaxed);
        }
        if self.max.load(Ordering::Relaxed) < value {
            self.max.fetch_max(value, Ordering::Relaxed);
        }
    }

    /// What was added so far. Under way points may be counted in part.
    pub(crate) fn values(&self) -> SummaryValues {
        let min = self.min.load(Ordering::Relaxed);
        SummaryValues {
            count: self.count.load(Ordering::Relaxed),
            sum: self.sum.load(Ordering::Relaxed),
            min: if min == u64::MAX { 0 } else { min },
            max: self.max.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn reset(&self) {
        self.count.store(0, Ordering::Relaxed);
        self.sum.store(0, Ordering::Relaxed);
        self.min.store(u64::MAX, Ordering::Relaxed);
        self.max.store(0, Ordering::Relaxed);
    }
}

/// Data points in plain numbers; all zero when there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SummaryValues {
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl SummaryValues {
    /// The same value `times` times.
    pub(crate) fn of(value: u64, times: u64) -> Self {
        if times == 0 {
            return Self::default();
        }
        Self {
            count: times,
            sum: value * times,
            min: value,
            max: value,
        }
    }

    /// Both together.
    pub(crate) fn merge(self, other: Self) -> Self {
        match (self.count, other.count) {
            (0, _) => other,
            (_, 0) => self,
            _ => Self {
                count: self.count + other.count,
                sum: self.sum + other.sum,
                min: self.min.min(other.min),
                max: self.max.max(other.max),
            },
        }
    }

    /// The mean, rounded half up to four decimals as Apache rounds it; 0 of
    /// no points.
    pub(crate) fn average(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let (sum, count) = (u128::from(self.sum), u128::from(self.count));
        let ten_thousandths = (sum * 20_000 + count) / (2 * count);
        ten_thousandths as f64 / 10_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_all_zero() {
        let summary = Summary::default();
        assert_eq!(summary.values(), SummaryValues::default());
        summary.add_many(7, 0);
        assert_eq!(summary.values(), SummaryValues::default());
        assert_eq!(SummaryValues::default().average(), 0.0);
    }

    #[test]
    fn points_add_up_and_can_be_reset() {
        let summary = Summary::default();
        summary.add(3);
        summary.add_many(0, 2);
        summary.add(10);
        let expected = SummaryValues {
            count: 4,
            sum: 13,
            min: 0,
            max: 10,
        };
        assert_eq!(summary.values(), expected);
        summary.reset();
        summary.add(5);
        assert_eq!(summary.values(), SummaryValues::of(5, 1));
    }

    #[test]
    fn averages_are_rounded_half_up() {
        let average = |sum, count| {
            SummaryValues {
                count,
                sum,
                min: 0,
                max: 0,
            }
            .average()
        };
        assert_eq!(average(259, 9), 28.7778);
        assert_eq!(average(1, 3), 0.3333);
        assert_eq!(average(1, 32), 0.0313);
        assert_eq!(average(1, 20_000), 0.0001);
        assert_eq!(average(1, 20_001), 0.0);
    }

    #[test]
    fn empty_ones_do_not_change_others() {
        let some = SummaryValues::of(4, 2);
        assert_eq!(some.merge(SummaryValues::default()), some);
        assert_eq!(SummaryValues::default().merge(some), some);
        let both = some.merge(SummaryValues::of(1, 1));
        assert_eq!((both.count, both.sum, both.min, both.max), (3, 9, 1, 4));
    }
}
