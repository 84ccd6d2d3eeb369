//! What is said at the end of a run.

use std::fmt;
use std::process::ExitCode;

use super::steps::Outcome;
use super::tally::Tally;

/// How each step ended, in order.
#[derive(Debug, Default)]
pub(super) struct Report {
    entries: Vec<(String, Outcome)>,
}

impl Report {
    pub(super) fn add(&mut self, step: &str, outcome: Outcome) {
        if let Some(note) = &outcome.note {
            println!("{step}: {note}");
        }
        self.entries.push((step.to_owned(), outcome));
    }

    /// Success only if nothing failed.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self.failed().is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }

    fn tally(&self) -> Tally {
        self.entries.iter().map(|(_, outcome)| outcome.tally).sum()
    }

    fn failed(&self) -> Vec<&str> {
        let failed = self
            .entries
            .iter()
            .filter(|(_, outcome)| outcome.tally.failed > 0);
        failed.map(|(step, _)| step.as_str()).collect()
    }

    fn ran(&self) -> String {
        let ran = self.entries.iter().filter(|(_, outcome)| outcome.ran());
        let ran: Vec<_> = ran.map(|(step, outcome)| outcome.describe(step)).collect();
        ran.join(", ")
    }

    fn skipped(&self) -> String {
        let skipped = self
            .entries
            .iter()
            .filter(|(_, outcome)| outcome.tally.skipped > 0);
        let skipped: Vec<_> = skipped
            .map(|(step, outcome)| outcome.describe(step))
            .collect();
        skipped.join(", ")
    }
}

/// One line of what ran and what did not, and the sum alone on the last line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\nran: {}", or_nothing(&self.ran()))?;
        let (failed, skipped) = (self.failed().join(", "), self.skipped());
        if !skipped.is_empty() {
            write!(f, "; skipped: {skipped}")?;
        }
        if !failed.is_empty() {
            write!(f, "; failed: {failed}")?;
        }
        let tally = self.tally();
        let (passed, failed, skipped) = (tally.passed, tally.failed, tally.skipped);
        writeln!(f, "\n{passed} passed, {failed} failed, {skipped} skipped")
    }
}

fn or_nothing(ran: &str) -> &str {
    if ran.is_empty() { "nothing" } else { ran }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_names_what_ran_and_what_did_not() {
        let mut report = Report::default();
        report.add("fmt", Outcome::passed());
        let tests = Tally {
            passed: 7,
            failed: 0,
            skipped: 0,
        };
        report.add("test", Outcome::tests(tests, true));
        report.add("interop", Outcome::skipped("no java: not root"));
        let expected = "\nran: fmt, test (7 tests); skipped: interop (no java: not root)\n\
                        8 passed, 0 failed, 1 skipped\n";
        assert_eq!(report.to_string(), expected);
        assert_eq!(report.exit_code(), ExitCode::SUCCESS);
    }

    #[test]
    fn a_failure_is_named_and_fails_the_run() {
        let mut report = Report::default();
        report.add("fmt", Outcome::failed("not formatted"));
        let expected = "\nran: fmt (not formatted); failed: fmt\n0 passed, 1 failed, 0 skipped\n";
        assert_eq!(report.to_string(), expected);
        assert_eq!(report.exit_code(), ExitCode::FAILURE);
    }
}
