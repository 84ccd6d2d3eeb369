//! What was measured, as a table. Nothing here is judged: how long things
//! take is the machine's affair too.

use std::fmt;
use std::time::Duration;

/// One round.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// How long the fault lasted.
    pub(crate) length: Duration,
    /// The longest time without an acknowledged write, where there can be one.
    pub(crate) gap: Option<Duration>,
    /// How long there may be none because a silent leader goes unnoticed.
    pub(crate) limit: Option<Duration>,
    /// How long a server that was cut off answered plain reads.
    pub(crate) stale: Option<Duration>,
    /// From the repair until every server took writes.
    pub(crate) healed: Duration,
}

impl Line {
    /// Whether it took longer than it should on a machine with nothing else
    /// to do.
    fn is_late(&self) -> bool {
        let over = |(gap, limit): (Duration, Duration)| gap > limit;
        self.gap.zip(self.limit).is_some_and(over)
    }
}

/// All rounds.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {:30} {:>7} {:>7} {:>7} {:>8} {:>7}  ms",
            "fault", "lasted", "gap", "limit", "reads to", "healed"
        )?;
        for line in &self.lines {
            writeln!(
                f,
                "  {:30} {:>7} {:>7} {:>7} {:>8} {:>7}  {}",
                line.name,
                line.length.as_millis(),
                milliseconds(line.gap),
                milliseconds(line.limit),
                milliseconds(line.stale),
                line.healed.as_millis(),
                if line.is_late() { "late" } else { "" }
            )?;
        }
        Ok(())
    }
}

fn milliseconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.as_millis().to_string())
}
