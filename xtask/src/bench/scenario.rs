//! The scenarios of the comparison, and the figures that each is to reach.
//!
//! This is a table. How a scenario is run is in the modules that its kind names.

use super::closed::Shape;
use super::measure::{self, Measure};
use super::requests::Mix;

/// Znodes that the steady scenarios read and write.
pub(super) const NODES: u32 = 1000;

/// Sessions of the scenarios with many requests in flight.
pub(super) const BUSY: usize = 32;

/// Requests of a busy session in flight.
pub(super) const WINDOW: usize = 16;

/// A scenario of the comparison.
#[derive(Debug)]
pub(super) struct Scenario {
    /// As `--only` and the recorded figures name it.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) kind: Kind,
    pub(super) goals: &'static [Goal],
}

/// How a scenario is run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A fixed number of requests in flight.
    Closed(Shape),
    /// So many requests a second, nine reads to a write.
    Fixed { per_second: f64 },
    /// So many watchers of one znode.
    Watch { watchers: usize },
    /// So many sessions that only ping.
    Idle { sessions: usize },
    /// A step of the chain on a million znodes, which is run as a whole.
    Million,
    /// Two processes and one lock.
    HandOver,
}

/// A figure to reach.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) measure: &'static Measure,
    pub(super) bound: Bound,
}

/// What counts as reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    /// At most this fraction of Apache's figure.
    Fraction(f64),
    /// At least so many times Apache's figure.
    Times(f64),
    /// At most this, whatever Apache's figure is.
    AtMost(f64),
}

impl Bound {
    /// Whether a figure reaches the goal; `None` if that takes a figure of Apache's that is not
    /// there.
    pub(super) fn reached(self, ours: f64, apache: Option<f64>) -> Option<bool> {
        match self {
            Self::Fraction(fraction) => Some(ours <= apache? * fraction),
            Self::Times(times) => Some(ours >= apache? * times),
            Self::AtMost(limit) => Some(ours <= limit),
        }
    }
}

/// The scenarios in the order in which they run.
pub(super) const ALL: [Scenario; 13] = [
    Scenario {
        name: "read-32x16",
        title: "read, 32 sessions × 16 in flight, 100 B",
        kind: closed(BUSY, WINDOW, Mix::Read),
        goals: &[cpu(20.0), throughput(12.0)],
    },
    Scenario {
        name: "read-64x1",
        title: "read, 64 × 1",
        kind: closed(64, 1, Mix::Read),
        goals: &[cpu(7.0), throughput(4.0)],
    },
    Scenario {
        name: "write-32x16",
        title: "write, 32 × 16",
        kind: closed(BUSY, WINDOW, Mix::Write),
        goals: &[cpu(12.0), throughput(8.0)],
    },
    Scenario {
        name: "write-64x1",
        title: "write, 64 × 1",
        kind: closed(64, 1, Mix::Write),
        goals: &[cpu(6.0), throughput(3.5)],
    },
    Scenario {
        name: "write-1x1",
        title: "one session, one write at a time",
        kind: closed(1, 1, Mix::Write),
        goals: &[cpu(4.0), goal(&measure::P50, Bound::Fraction(0.45))],
    },
    Scenario {
        name: "mixed-32x16",
        title: "mixed 90/10, 32 × 16",
        kind: closed(BUSY, WINDOW, Mix::Mostly),
        goals: &[cpu(15.0), throughput(9.0)],
    },
    Scenario {
        name: "ephemeral-32x16",
        title: "create ephemeral-sequential + delete, 32 × 16",
        kind: closed(BUSY, WINDOW, Mix::Ephemeral),
        goals: &[cpu(10.0), throughput(7.0)],
    },
    Scenario {
        name: "fixed-2000",
        title: "fixed 2,000/s, 90 % reads",
        kind: Kind::Fixed { per_second: 2000.0 },
        goals: &[
            cpu(7.0),
            latency(&measure::P50, 3.0),
            latency(&measure::P99, 3.0),
            latency(&measure::P999, 3.0),
        ],
    },
    Scenario {
        name: "watch-1000",
        title: "1,000 watchers of one node, set to last event",
        kind: Kind::Watch { watchers: 1000 },
        goals: &[cpu(8.0), latency(&measure::P50, 5.0)],
    },
    Scenario {
        name: "million-load",
        title: "1,000,000 znodes of 100 B",
        kind: Kind::Million,
        goals: &[
            goal(&measure::ZNODE, Bound::AtMost(320.0)),
            throughput(10.0),
        ],
    },
    Scenario {
        name: "million-restart",
        title: "restart on 1,000,000 znodes to first read",
        kind: Kind::Million,
        goals: &[
            latency(&measure::START_CPU, 12.0),
            goal(&measure::START, Bound::AtMost(1.0)),
        ],
    },
    Scenario {
        name: "million-snapshot",
        title: "snapshot of 1,000,000 znodes under 2,000 writes/s",
        kind: Kind::Million,
        goals: &[
            goal(&measure::P999_GROWTH, Bound::AtMost(1.5)),
            goal(&measure::RSS_GROWTH, Bound::AtMost(1.15)),
        ],
    },
    Scenario {
        name: "idle-10000",
        title: "10,000 idle sessions",
        kind: Kind::Idle { sessions: 10_000 },
        goals: &[cpu(4.0), goal(&measure::SESSION, Bound::AtMost(1.5))],
    },
];

/// The scenarios whose name begins with one of the given, or all if none is given.
pub(super) fn selected(only: &[String]) -> Vec<&'static Scenario> {
    let wanted = |scenario: &&Scenario| {
        only.is_empty() || only.iter().any(|name| scenario.name.starts_with(name))
    };
    ALL.iter().filter(wanted).collect()
}

/// A fixed number of requests in flight on [`NODES`] znodes.
pub(super) const fn closed(sessions: usize, window: usize, mix: Mix) -> Kind {
    Kind::Closed(Shape {
        sessions,
        window,
        mix,
        nodes: NODES,
    })
}

/// A bound on a figure.
pub(super) const fn goal(measure: &'static Measure, bound: Bound) -> Goal {
    Goal { measure, bound }
}

/// That part of the CPU per operation.
pub(super) const fn cpu(divisor: f64) -> Goal {
    latency(&measure::CPU, divisor)
}

/// That part of a figure.
pub(super) const fn latency(measure: &'static Measure, divisor: f64) -> Goal {
    goal(measure, Bound::Fraction(1.0 / divisor))
}

/// That many times the throughput.
pub(super) const fn throughput(times: f64) -> Goal {
    goal(&measure::THROUGHPUT, Bound::Times(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_select() {
        for scenario in &ALL {
            let found = selected(&[scenario.name.to_owned()]);
            assert_eq!(found.len(), 1, "{}", scenario.name);
        }
        assert_eq!(selected(&["million".to_owned()]).len(), 3);
        assert_eq!(selected(&[]).len(), ALL.len());
        assert!(selected(&["none".to_owned()]).is_empty());
    }

    #[test]
    fn a_goal_is_a_bound_on_one_side() {
        assert_eq!(Bound::Fraction(0.5).reached(5.0, Some(10.0)), Some(true));
        assert_eq!(Bound::Fraction(0.5).reached(5.1, Some(10.0)), Some(false));
        assert_eq!(Bound::Times(2.0).reached(20.0, Some(10.0)), Some(true));
        assert_eq!(Bound::Times(2.0).reached(19.0, Some(10.0)), Some(false));
        assert_eq!(Bound::AtMost(1.0).reached(1.0, None), Some(true));
        assert_eq!(Bound::Times(2.0).reached(20.0, None), None);
    }
}
