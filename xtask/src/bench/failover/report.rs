//! The failovers as Markdown: what was aimed at, and the median and the worst of each side.

use std::fmt::Write as _;

use super::cases::Case;
use crate::bench::measure::{self, Measures, maximum, median};
use crate::bench::record::{Record, Side};
use crate::bench::report::{bound, figure, heading, ratio};

/// The report on some cases.
pub(super) fn markdown(record: &Record, cases: &[&Case]) -> String {
    let mut text = heading(record);
    text.push_str(
        "A gap is the longest time between two acknowledged writes of any of six clients, \
         from the last before the fault on.\n\n",
    );
    text.push_str(
        "| fault | configuration | goal | Apache median / worst | zk-server median / worst \
         | ratio of medians | rounds | reached |\n|---|---|---|---|---|---|---|---|\n",
    );
    for case in cases {
        row(&mut text, record, case);
    }
    text
}

fn row(text: &mut String, record: &Record, case: &Case) {
    let apache = record.rounds(case.name, Side::Apache);
    let ours = record.rounds(case.name, Side::Ours);
    let medians = median(ours, &measure::GAP).zip(median(apache, &measure::GAP));
    let ratio = medians.map(|(ours, apache)| ratio(ours / apache));
    writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} | {} | {} |",
        case.title,
        case.ground.name(),
        goals(case),
        figures(apache),
        figures(ours),
        ratio.unwrap_or_default(),
        apache.len().max(ours.len()),
        reached(case, ours, apache),
    )
    .expect("a string takes everything");
}

fn goals(case: &Case) -> String {
    let goals = case.goals.iter().map(|goal| {
        let which = if goal.measure == &measure::GAP {
            "median "
        } else {
            ""
        };
        format!("{which}{}", bound(goal.bound, goal.measure))
    });
    goals.collect::<Vec<_>>().join(", ")
}

fn figures(rounds: &[Measures]) -> String {
    if rounds.is_empty() {
        return String::new();
    }
    let median = median(rounds, &measure::GAP);
    let worst = maximum(rounds, &measure::GAP);
    let median = figure(median, &measure::GAP);
    format!("{median} / {}", figure(worst, &measure::GAP))
}

fn reached(case: &Case, ours: &[Measures], apache: &[Measures]) -> &'static str {
    let of = |rounds, measure| {
        if measure == &measure::GAP_MAX {
            maximum(rounds, &measure::GAP)
        } else {
            median(rounds, measure)
        }
    };
    let each = case.goals.iter().map(|goal| {
        let figure = of(ours, goal.measure)?;
        goal.bound.reached(figure, of(apache, goal.measure))
    });
    match each.collect::<Option<Vec<_>>>() {
        None => "not measured",
        Some(each) if each.iter().all(|reached| *reached) => "yes",
        Some(_) => "no",
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::selected;
    use super::*;

    #[test]
    fn the_worst_round_decides_where_the_goal_is_a_limit() {
        let mut record = Record::default();
        let gaps = [
            (Side::Apache, 1200.0),
            (Side::Apache, 1400.0),
            (Side::Ours, 80.0),
            (Side::Ours, 310.0),
            (Side::Ours, 90.0),
        ];
        for (side, gap) in gaps {
            let mut round = Measures::new();
            round.set(&measure::GAP, gap);
            record.add("leader-kill", side, round);
        }
        let cases = selected(&["leader-kill".to_owned(), "all".to_owned()]);
        let text = markdown(&record, &cases);
        let row = "| default | median ≤ 100 ms, ≤ 300 ms | 1,300 ms / 1,400 ms | 90.0 ms / 310 ms \
                   | 1/14.4 | 3 | no |";
        assert!(text.contains(row), "{text}");
        assert!(
            text.contains("| ≤ 500 ms |  |  |  | 0 | not measured |"),
            "{text}"
        );
    }
}
