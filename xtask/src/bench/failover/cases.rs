//! Which servers fail and how, and how long writes may stay away.
//!
//! This is a table. How a fault is made is the business of the parent module.

use std::time::Duration;

use crate::bench::measure;
use crate::bench::scenario::{Bound, Goal, goal};
use crate::ensemble::{Cut, Settings};

/// A fault of an ensemble that takes writes.
#[derive(Debug)]
pub(super) struct Case {
    /// As `--only` and the recorded figures name it.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) whom: Whom,
    pub(super) how: How,
    pub(super) ground: Ground,
    /// How long is looked for gaps at least. Longer where the other servers notice late.
    pub(super) observed: Duration,
    pub(super) goals: &'static [Goal],
}

/// Which servers fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    Leader,
    Follower,
    /// All of them; the gap counts from when the last was started again.
    All,
}

/// What happens to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Stop,
    /// SIGSTOP.
    Pause,
    /// The network between it and the other servers fails. Clients reach all of them.
    Cut(Cut),
}

/// How the ensemble is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Apache's sample: tickTime 2000, syncLimit 5.
    Default,
    /// tickTime 500, syncLimit 4.
    Fast,
    /// The same, with a network for each server.
    Networks,
}

impl Ground {
    pub(super) const ALL: [Self; 3] = [Self::Default, Self::Fast, Self::Networks];

    pub(super) fn settings(self) -> Settings {
        let settings = Settings::default();
        match self {
            Self::Default => settings,
            Self::Fast | Self::Networks => Settings {
                tick_ms: 500,
                sync_limit_ticks: 4,
                // Of twenty such ticks sessions would be too short for the load.
                extra: "maxSessionTimeout=60000\n".to_owned(),
                ..settings
            },
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Fast | Self::Networks => "tickTime 500, syncLimit 4",
        }
    }
}

const SOON: Duration = Duration::from_secs(4);

/// Longer than syncLimit of the default configuration.
const LATE: Duration = Duration::from_secs(13);

/// No gap at a follower's fault.
const FOLLOWER: &[Goal] = &[goal(&measure::GAP_MAX, Bound::AtMost(100.0))];

/// A leader that is there and cannot do its work.
const SILENT: &[Goal] = &[goal(&measure::GAP_MAX, Bound::AtMost(2300.0))];

/// The faults in the order in which they are made.
pub(super) const ALL: [Case; 13] = [
    Case {
        name: "leader-kill",
        title: "leader killed (kill -9)",
        whom: Whom::Leader,
        how: How::Kill,
        ground: Ground::Default,
        observed: SOON,
        goals: &[
            goal(&measure::GAP, Bound::AtMost(100.0)),
            goal(&measure::GAP_MAX, Bound::AtMost(300.0)),
        ],
    },
    Case {
        name: "leader-stop",
        title: "leader stopped politely (SIGTERM)",
        whom: Whom::Leader,
        how: How::Stop,
        ground: Ground::Default,
        observed: SOON,
        goals: &[goal(&measure::GAP_MAX, Bound::AtMost(100.0))],
    },
    Case {
        name: "follower-kill",
        title: "follower killed (kill -9)",
        whom: Whom::Follower,
        how: How::Kill,
        ground: Ground::Default,
        observed: SOON,
        goals: FOLLOWER,
    },
    Case {
        name: "follower-stop",
        title: "follower stopped politely (SIGTERM)",
        whom: Whom::Follower,
        how: How::Stop,
        ground: Ground::Default,
        observed: SOON,
        goals: FOLLOWER,
    },
    Case {
        name: "follower-pause",
        title: "follower paused (SIGSTOP)",
        whom: Whom::Follower,
        how: How::Pause,
        ground: Ground::Default,
        observed: LATE,
        goals: FOLLOWER,
    },
    Case {
        name: "all-kill",
        title: "all killed, all started, 5,000 znodes: first write after the last start",
        whom: Whom::All,
        how: How::Kill,
        ground: Ground::Default,
        observed: SOON,
        goals: &[goal(&measure::GAP_MAX, Bound::AtMost(500.0))],
    },
    Case {
        name: "leader-pause",
        title: "leader paused (SIGSTOP)",
        whom: Whom::Leader,
        how: How::Pause,
        ground: Ground::Fast,
        observed: SOON,
        goals: SILENT,
    },
    leader("leader-cut", "leader cut off", Cut::Off),
    leader("leader-deaf", "leader deaf", Cut::Deaf),
    leader("leader-mute", "leader mute", Cut::Mute),
    follower("follower-cut", "follower cut off", Cut::Off),
    follower("follower-deaf", "follower deaf", Cut::Deaf),
    follower("follower-mute", "follower mute", Cut::Mute),
];

const fn leader(name: &'static str, title: &'static str, cut: Cut) -> Case {
    Case {
        name,
        title,
        whom: Whom::Leader,
        how: How::Cut(cut),
        ground: Ground::Networks,
        observed: SOON,
        goals: SILENT,
    }
}

const fn follower(name: &'static str, title: &'static str, cut: Cut) -> Case {
    Case {
        whom: Whom::Follower,
        goals: FOLLOWER,
        ..leader(name, title, cut)
    }
}

/// The cases whose name begins with one of the given, or all if none is given.
pub(super) fn selected(only: &[String]) -> Vec<&'static Case> {
    let wanted =
        |case: &&Case| only.is_empty() || only.iter().any(|given| case.name.starts_with(given));
    ALL.iter().filter(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_select() {
        for case in &ALL {
            assert_eq!(selected(&[case.name.to_owned()]).len(), 1);
        }
        assert_eq!(selected(&["follower".to_owned()]).len(), 6);
        assert_eq!(selected(&[]).len(), ALL.len());
    }

    #[test]
    fn every_fault_has_its_ground() {
        for case in &ALL {
            assert!(Ground::ALL.contains(&case.ground), "{}", case.name);
        }
    }
}
