//! Where a client goes when the list of servers changes, so that afterwards
//! every server has its share of the clients in expectation (ZOOKEEPER-1355,
//! `StaticHostProvider.updateServerList`). It knows lists and chances only.

use crate::HostPort;
use crate::random::Random;

/// A client on its way to another server.
#[derive(Debug)]
pub(super) struct Moving {
    /// Servers that the list before did not have, and those that it had; taken
    /// from the end.
    new: Vec<HostPort>,
    old: Vec<HostPort>,
    /// The chance that one of the new ones is tried next.
    to_new: f64,
}

impl Moving {
    /// What a client of `current` is to do when the list `before` becomes
    /// `after`; `None` if it stays.
    pub(super) fn plan(
        before: &[HostPort],
        after: &[HostPort],
        current: &HostPort,
        random: &mut Random,
    ) -> Option<Self> {
        let (old, new): (Vec<_>, Vec<_>) = after
            .iter()
            .cloned()
            .partition(|host| before.contains(host));
        let grows = after.len() > before.len();
        let to_new = match (after.contains(current), grows) {
            // Of the clients of each server the share of the new ones goes.
            (true, true) => {
                let leaving = 1.0 - before.len() as f64 / after.len() as f64;
                (random.fraction() < leaving).then_some(1.0)?
            }
            // Its server is to get more clients, not fewer.
            (true, false) => return None,
            // The servers that stay have enough already.
            (false, true) => 1.0,
            (false, false) => 1.0 - to_old(before.len(), after.len(), old.len()),
        };
        Some(Self { new, old, to_new })
    }

    /// The next server to try; `None` when all were tried.
    pub(super) fn next(&mut self, random: &mut Random) -> Option<HostPort> {
        let takes_new = random.fraction() < self.to_new;
        let (first, second) = match takes_new {
            true => (&mut self.new, &mut self.old),
            false => (&mut self.old, &mut self.new),
        };
        first.pop().or_else(|| second.pop())
    }
}

/// The chance of a client whose server went to go to one that stayed, when
/// `stayed` of `before` are among the `after` that there are now.
fn to_old(before: usize, after: usize, stayed: usize) -> f64 {
    let went = before.saturating_sub(stayed);
    if went == 0 {
        return 0.0;
    }
    let shrinks_by = before.saturating_sub(after);
    (stayed * shrinks_by) as f64 / (after * went) as f64
}
