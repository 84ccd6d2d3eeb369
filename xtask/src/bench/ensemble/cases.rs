//! What is measured on an ensemble, and the figures that are to be reached.
//!
//! This is a table. How a case is run is the business of the parent module.

use crate::bench::measure;
use crate::bench::requests::Mix;
use crate::bench::scenario::{BUSY, Bound, Scenario, WINDOW, closed, cpu, goal, throughput};

/// A load and where its sessions are.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) scenario: Scenario,
    pub(super) place: Place,
}

/// Where the sessions of a load are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On one server after the other.
    Spread,
    Leader,
    Follower,
}

/// The cases in the order in which they run.
pub(super) const ALL: [Case; 5] = [
    Case {
        scenario: Scenario {
            name: "write-32x16",
            title: "three servers, write 32 × 16 in flight",
            kind: closed(BUSY, WINDOW, Mix::Write),
            goals: &[cpu(10.0), throughput(8.0)],
        },
        place: Place::Spread,
    },
    Case {
        scenario: Scenario {
            name: "write-64x1",
            title: "write 64 × 1",
            kind: closed(64, 1, Mix::Write),
            goals: &[cpu(7.0), throughput(5.0)],
        },
        place: Place::Spread,
    },
    Case {
        scenario: Scenario {
            name: "write-1x1-follower",
            title: "one session at a follower, one write at a time",
            kind: closed(1, 1, Mix::Write),
            goals: &[goal(&measure::P50, Bound::Fraction(0.5))],
        },
        place: Place::Follower,
    },
    Case {
        scenario: Scenario {
            name: "write-1x1-leader",
            title: "one session at the leader, one write at a time",
            kind: closed(1, 1, Mix::Write),
            goals: &[goal(&measure::P50, Bound::Fraction(0.5))],
        },
        place: Place::Leader,
    },
    Case {
        scenario: Scenario {
            name: "read-32x16",
            title: "read 32 × 16 over all three",
            kind: closed(BUSY, WINDOW, Mix::Read),
            goals: &[cpu(20.0), throughput(12.0)],
        },
        place: Place::Spread,
    },
];

/// The cases whose name begins with one of the given, or all if none is given.
pub(super) fn selected(only: &[String]) -> Vec<&'static Case> {
    let wanted = |case: &&Case| {
        let name = case.scenario.name;
        only.is_empty() || only.iter().any(|given| name.starts_with(given))
    };
    ALL.iter().filter(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_select() {
        for case in &ALL {
            assert_eq!(selected(&[case.scenario.name.to_owned()]).len(), 1);
        }
        assert_eq!(selected(&["write".to_owned()]).len(), 4);
        assert_eq!(selected(&[]).len(), ALL.len());
    }
}
