//! Which server is replaced next, and what must have led what at the end.

use std::collections::BTreeSet;
use std::fmt;

use crate::ensemble::{Kind, Roles, ServerId};

/// In which order the servers of one kind give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Order {
    /// The leader stays to the last, and so leads servers of the other kind.
    LeaderLast,
    /// The leader goes first, and so there is an election at every step.
    LeaderFirst,
}

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Stop,
    Kill,
}

impl End {
    /// Every other server is killed.
    pub(super) fn of_step(step: usize) -> Self {
        match step % 2 {
            0 => Self::Stop,
            _ => Self::Kill,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "stopped",
            Self::Kill => "killed",
        })
    }
}

/// The next server that is not yet of the kind; `None` when all are.
pub(super) fn next(roles: &Roles, to: Kind, order: Order) -> Option<ServerId> {
    let leader = roles.leader();
    let old = roles.servers.iter().filter(|(_, kind, _)| *kind != to);
    let (leading, following): (Vec<ServerId>, Vec<ServerId>) =
        old.map(|(id, ..)| *id).partition(|id| Some(*id) == leader);
    let (first, then) = match order {
        Order::LeaderLast => (following, leading),
        Order::LeaderFirst => (leading, following),
    };
    first.into_iter().chain(then).next()
}

/// Which kind was seen to lead a server of which kind.
#[derive(Debug, Default)]
pub(super) struct Led(BTreeSet<(Kind, Kind)>);

impl Led {
    /// Notes who leads whom.
    pub(super) fn note(&mut self, roles: &Roles) {
        let Some(leader) = roles.leader().and_then(|id| roles.kind(id)) else {
            return;
        };
        let followers = roles.followers();
        let followers = followers.iter().filter_map(|id| roles.kind(*id));
        self.0.extend(followers.map(|kind| (leader, kind)));
    }

    /// What is missing for each of the two kinds to have led the other.
    pub(super) fn missing(&self, one: Kind, other: Kind) -> Option<String> {
        let pairs = [(one, other), (other, one)];
        let missing = pairs.iter().find(|pair| !self.0.contains(pair));
        missing.map(|(leader, follower)| format!("{leader} never led {follower}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::{Mode, Status};

    const OLD: Kind = Kind::Apache395;
    const NEW: Kind = Kind::Ours;

    fn roles(servers: &[(Kind, Mode)]) -> Roles {
        let servers = (1..).zip(servers).map(|(id, (kind, mode))| {
            let status = Status {
                version: String::new(),
                mode: *mode,
                zxid: 1,
            };
            (ServerId(id), *kind, status)
        });
        Roles {
            servers: servers.collect(),
        }
    }

    #[test]
    fn the_leader_goes_last_or_first() {
        use Mode::{Follower, Leader};
        let all = roles(&[(OLD, Follower), (OLD, Leader), (OLD, Follower)]);
        assert_eq!(next(&all, NEW, Order::LeaderLast), Some(ServerId(1)));
        assert_eq!(next(&all, NEW, Order::LeaderFirst), Some(ServerId(2)));
        let last = roles(&[(NEW, Follower), (OLD, Leader), (NEW, Follower)]);
        assert_eq!(next(&last, NEW, Order::LeaderLast), Some(ServerId(2)));
        assert_eq!(next(&last, OLD, Order::LeaderFirst), Some(ServerId(1)));
        let none = roles(&[(NEW, Follower), (NEW, Leader)]);
        assert_eq!(next(&none, NEW, Order::LeaderLast), None);
    }

    #[test]
    fn each_kind_must_have_led_the_other() {
        use Mode::{Follower, Leader};
        let mut led = Led::default();
        led.note(&roles(&[(OLD, Follower), (OLD, Leader)]));
        led.note(&roles(&[(OLD, Leader), (NEW, Follower)]));
        let missing = led.missing(OLD, NEW);
        assert_eq!(missing.as_deref(), Some("ours never led apache-3.9.5"));
        led.note(&roles(&[(OLD, Follower), (NEW, Leader)]));
        assert_eq!(led.missing(OLD, NEW), None);
        assert_eq!(led.missing(NEW, OLD), None);
    }
}
