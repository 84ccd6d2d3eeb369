//! The comparison as Markdown: first the goals, then every figure.
//!
//! Only text is made here. A goal without figures of both sides is shown as not measured, never
//! left out.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::measure::{self, Measure, Measures, median};
use super::record::{Record, Side};
use super::scenario::{Bound, Goal, Scenario};
use crate::error::{Error, Result};

/// Where a report stands in a file that may hold others and text between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section(pub(super) &'static str);

/// The report on some scenarios.
pub(super) fn markdown(record: &Record, scenarios: &[&Scenario]) -> String {
    let mut text = heading(record);
    goals(&mut text, record, scenarios);
    figures(&mut text, record, scenarios);
    text
}

/// Writes the report into its place, or at the end of a file that has none for it.
pub(super) fn write(path: &Path, section: Section, report: &str) -> Result<()> {
    let old = fs::read_to_string(path).unwrap_or_default();
    let new = section.placed(&old, report);
    fs::write(path, new).map_err(|error| Error::io("write", path, error))
}

/// Every figure of some rounds on one line.
pub(super) fn line(rounds: &[Measures]) -> String {
    let all = measure::ALL.iter().filter_map(|measure| {
        let value = median(rounds, measure)?;
        Some(format!("{} {}", measure.name, figure(Some(value), measure)))
    });
    all.collect::<Vec<_>>().join(", ")
}

impl Section {
    fn placed(self, old: &str, report: &str) -> String {
        let begin = format!("<!-- {}: begin -->\n", self.0);
        let end = format!("<!-- {}: end -->\n", self.0);
        let parts = old.split_once(&begin).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(&end)?;
            Some((before, after))
        });
        let (before, after) = parts.unwrap_or((old, ""));
        format!("{before}{begin}{report}{end}{after}")
    }
}

/// What was measured where and when.
pub(super) fn heading(record: &Record) -> String {
    let version = |side| record.versions.get(&side).map_or("not run", String::as_str);
    let (apache, ours) = (version(Side::Apache), version(Side::Ours));
    let (date, machine, command) = (&record.date, &record.machine, &record.command);
    format!(
        "Measured on {date} with `{command}`.\nMachine: {machine}.\n\
         Apache ZooKeeper: {apache}.\nzk-server: {ours}.\n\
         Figures are medians over the rounds.\n\n"
    )
}

fn goals(text: &mut String, record: &Record, scenarios: &[&Scenario]) {
    text.push_str("| scenario | figure | Apache | zk-server | ratio | goal | reached |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for scenario in scenarios {
        for goal in scenario.goals {
            text.push_str(&goal_row(record, scenario, goal));
        }
    }
    text.push('\n');
}

fn goal_row(record: &Record, scenario: &Scenario, goal: &Goal) -> String {
    let of = |side| median(record.rounds(scenario.name, side), goal.measure);
    let (apache, ours) = (of(Side::Apache), of(Side::Ours));
    let ratio = ours.zip(apache).map(|(ours, apache)| ratio(ours / apache));
    let reached = ours.and_then(|ours| goal.bound.reached(ours, apache));
    let reached = reached.map_or("not measured", |reached| if reached { "yes" } else { "no" });
    format!(
        "| {} | {} | {} | {} | {} | {} | {reached} |\n",
        scenario.title,
        goal.measure.name,
        figure(apache, goal.measure),
        figure(ours, goal.measure),
        ratio.unwrap_or_default(),
        bound(goal.bound, goal.measure),
    )
}

/// One row a scenario and side with every figure that it has.
fn figures(text: &mut String, record: &Record, scenarios: &[&Scenario]) {
    text.push_str("| scenario | server | rounds | figures |\n|---|---|---|---|\n");
    for scenario in scenarios {
        for (side, name) in [(Side::Apache, "Apache"), (Side::Ours, "zk-server")] {
            let rounds = record.rounds(scenario.name, side);
            if rounds.is_empty() {
                continue;
            }
            let (title, count, all) = (scenario.name, rounds.len(), line(rounds));
            writeln!(text, "| {title} | {name} | {count} | {all} |")
                .expect("a string takes everything");
        }
    }
}

/// The figure with its unit; nothing if there is none.
pub(super) fn figure(value: Option<f64>, measure: &Measure) -> String {
    let Some(value) = value else {
        return String::new();
    };
    let number = number(value);
    match measure.unit {
        "" => number,
        unit @ ("/s" | "×") => format!("{number}{unit}"),
        unit => format!("{number} {unit}"),
    }
}

/// Three significant digits, or all digits before the point, grouped by thousands.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        large if large >= 99.95 => 0,
        middle if middle >= 9.995 => 1,
        _ => 2,
    };
    grouped(&format!("{value:.decimals$}"))
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |rest| ("-", rest));
    let whole = digits.split('.').next().unwrap_or_default().len();
    let mut text = sign.to_owned();
    for (at, digit) in digits.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many times, or which part.
pub(super) fn ratio(ratio: f64) -> String {
    if ratio < 1.0 && ratio > 0.0 {
        format!("1/{}", number(1.0 / ratio))
    } else {
        format!("{}×", number(ratio))
    }
}

/// What is to be reached.
pub(super) fn bound(bound: Bound, measure: &Measure) -> String {
    match bound {
        Bound::Fraction(fraction) => {
            let divisor = 1.0 / fraction;
            if (divisor - divisor.round()).abs() < 1e-9 {
                format!("≤ 1/{divisor:.0}")
            } else {
                format!("≤ {fraction}×")
            }
        }
        Bound::Times(times) => format!("≥ {times}×"),
        Bound::AtMost(limit) => format!("≤ {}", figure(Some(limit), measure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::scenario::selected;

    fn record() -> Record {
        let mut record = Record::default();
        for (side, cpu, throughput) in [(Side::Apache, 40.0, 50_000.0), (Side::Ours, 1.6, 5e5)] {
            let mut round = Measures::new();
            round.set(&measure::CPU, cpu);
            round.set(&measure::THROUGHPUT, throughput);
            record.add("read-32x16", side, round);
        }
        record
    }

    #[test]
    fn goals_say_whether_they_are_reached() {
        let text = markdown(&record(), &selected(&["read".to_owned()]));
        let title = "read, 32 sessions × 16 in flight, 100 B";
        let rows = [
            format!("| {title} | CPU per operation | 40.0 µs | 1.60 µs | 1/25.0 | ≤ 1/20 | yes |"),
            format!("| {title} | throughput | 50,000/s | 500,000/s | 10.0× | ≥ 12× | no |"),
            "| read, 64 × 1 | throughput |  |  |  | ≥ 4× | not measured |".to_owned(),
        ];
        for row in rows {
            assert!(text.contains(&row), "{row}\n{text}");
        }
    }

    #[test]
    fn numbers_are_short_and_grouped() {
        let values = [0.123, 9.996, 99.96, 1234.6, 1_234_567.0, -1234.0, 999.9];
        let texts = values.map(number);
        let expected = [
            "0.12",
            "10.0",
            "100",
            "1,235",
            "1,234,567",
            "-1,234",
            "1,000",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn the_report_replaces_only_the_earlier_report() {
        let (versus, other) = (Section("versus"), Section("other"));
        let page = versus.placed("", "one\n");
        assert_eq!(page, "<!-- versus: begin -->\none\n<!-- versus: end -->\n");
        let page = format!("above\n{page}below\n");
        let page = versus.placed(&other.placed(&page, "three\n"), "two\n");
        let expected = "above\n<!-- versus: begin -->\ntwo\n<!-- versus: end -->\nbelow\n\
                        <!-- other: begin -->\nthree\n<!-- other: end -->\n";
        assert_eq!(page, expected);
    }
}
