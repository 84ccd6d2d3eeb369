//! Equal values in a row, so that they are added at once. It refuses to know
//! units.

use super::distribution::Histogram;

/// A value and how many times in a row it came.
#[derive(Debug, Default)]
pub(crate) struct Run {
    value: u64,
    times: u64,
}

impl Run {
    /// Notes a value; those before it go to `into` when it differs.
    pub(crate) fn add(&mut self, value: u64, into: &Histogram) {
        if value != self.value {
            self.flush(into);
            self.value = value;
        }
        self.times += 1;
    }

    /// Hands over what was gathered.
    pub(crate) fn flush(&mut self, into: &Histogram) {
        let times = std::mem::take(&mut self.times);
        if times > 0 {
            into.add_many(self.value, times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_as_its_points() {
        let (in_runs, alone) = (Histogram::default(), Histogram::default());
        let mut run = Run::default();
        for value in [0, 0, 3, 3, 3, 0, 70] {
            run.add(value, &in_runs);
            alone.add(value);
        }
        run.flush(&in_runs);
        run.flush(&in_runs);
        assert_eq!(in_runs.values(), alone.values());
    }
}
