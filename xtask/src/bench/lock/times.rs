//! When contenders took and left a lock, and how long it was nobody's in between. Knows text and
//! numbers only.

use crate::bench::measure::{self, Measures};
use crate::error::{Error, Result};

/// What all contenders did.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<Turn>);

/// One holding of the lock, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    acquired: u64,
    released: u64,
    contender: usize,
}

impl Times {
    /// Takes what a contender printed: `acquired` and `released` in turns, each with a time.
    pub(super) fn add(&mut self, contender: usize, text: &str) -> Result<()> {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let acquired = time(line, "acquired ")?;
            let released = time(lines.next().unwrap_or_default(), "released ")?;
            self.0.push(Turn {
                acquired,
                released,
                contender,
            });
        }
        Ok(())
    }

    /// The hand-overs from one contender to another, but for so many at the beginning of the
    /// time in which both were there. Fails if two held the lock at once.
    pub(super) fn measures(mut self, left_out: usize) -> Result<Measures> {
        self.0.sort_unstable();
        let mut hand_overs = Vec::new();
        for pair in self.0.windows(2) {
            let [before, after] = pair else { continue };
            // The time of a release is from before it was asked for.
            let free = after.acquired.checked_sub(before.released);
            let free = free.ok_or_else(|| Error::wrong("two contenders held the lock at once"))?;
            if before.contender != after.contender {
                hand_overs.push(free as f64 / 1000.0);
            }
        }
        let mut counted = hand_overs.split_off(left_out.min(hand_overs.len()));
        counted.sort_unstable_by(f64::total_cmp);
        let mut measures = Measures::new();
        for (measure, quantile) in measure::QUANTILES {
            let at = (counted.len() as f64 * quantile) as usize;
            let value = counted.get(at.min(counted.len().saturating_sub(1)));
            let value = value.ok_or_else(|| Error::wrong("the lock never changed hands"))?;
            measures.set(measure, *value);
        }
        Ok(measures)
    }
}

fn time(line: &str, word: &str) -> Result<u64> {
    let digits = line.strip_prefix(word).and_then(|text| text.parse().ok());
    digits.ok_or_else(|| Error::wrong(format!("a contender said {line:?} instead of {word:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_overs_are_between_different_contenders() {
        let mut times = Times::default();
        let one = "acquired 1000\nreleased 2000\nacquired 9000\nreleased 9500\n";
        times.add(0, one).unwrap();
        times
            .add(
                1,
                "acquired 5000\nreleased 6000\nacquired 6500\nreleased 7000\n",
            )
            .unwrap();
        let measures = times.measures(1).unwrap();
        // From 7000 to 9000; the one before was left out, that within one contender is none.
        assert_eq!(measures.of(&measure::P50), Some(2.0));
    }

    #[test]
    fn two_holders_at_once_are_found() {
        let mut times = Times::default();
        times.add(0, "acquired 1000\nreleased 3000\n").unwrap();
        times.add(1, "acquired 2000\nreleased 4000\n").unwrap();
        assert!(times.measures(0).is_err());
        assert!(Times::default().add(0, "acquired 1\n").is_err());
    }
}
