//! Which server to try next, and how long to wait after all were tried in
//! vain. It does not connect.

use crate::HostPort;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The servers in an order of this client's own, so that clients spread.
#[derive(Debug)]
pub(crate) struct Hosts {
    hosts: Vec<HostPort>,
    next: usize,
    /// Attempts since the last success.
    failures: usize,
    seed: u64,
}

impl Hosts {
    /// `hosts` must not be empty.
    pub(crate) fn new(hosts: Vec<HostPort>) -> Self {
        Self::with_seed(hosts, RandomState::new().hash_one(0))
    }

    fn with_seed(hosts: Vec<HostPort>, seed: u64) -> Self {
        let mut this = Self {
            hosts,
            next: 0,
            failures: 0,
            seed,
        };
        for last in (1..this.hosts.len()).rev() {
            let other = this.random(last as u64 + 1) as usize;
            this.hosts.swap(last, other);
        }
        this
    }

    pub(crate) fn len(&self) -> usize {
        self.hosts.len()
    }

    pub(crate) fn next(&mut self) -> &HostPort {
        let at = self.next;
        self.next = (at + 1) % self.hosts.len();
        &self.hosts[at]
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The pause before the next attempt, if a whole round has failed. It
    /// doubles from round to round, and is spread so that clients that lost
    /// the same server do not come back together.
    pub(crate) fn failed(&mut self) -> Option<Duration> {
        self.failures += 1;
        if !self.failures.is_multiple_of(self.hosts.len()) {
            return None;
        }
        let rounds = (self.failures / self.hosts.len()).min(16) as u32;
        let pause = (PAUSE_MIN * 2u32.pow(rounds - 1)).min(PAUSE_MAX);
        let spread = self.random(pause.as_micros() as u64 / 2);
        Some(pause - Duration::from_micros(spread))
    }

    /// A number below `bound` (splitmix64); `bound` must not be 0.
    fn random(&mut self, bound: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(count: u16, seed: u64) -> Hosts {
        let hosts = (0..count).map(|port| HostPort {
            host: "h".into(),
            port,
        });
        Hosts::with_seed(hosts.collect(), seed)
    }

    #[test]
    fn a_round_tries_every_server_once() {
        for seed in 0..20 {
            let mut hosts = hosts(5, seed);
            let mut ports: Vec<u16> = (0..5).map(|_| hosts.next().port).collect();
            ports.sort_unstable();
            assert_eq!(ports, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn clients_differ_in_order() {
        let orders: std::collections::HashSet<Vec<u16>> = (0..50)
            .map(|seed| {
                let mut hosts = hosts(5, seed);
                (0..5).map(|_| hosts.next().port).collect()
            })
            .collect();
        assert!(orders.len() > 20);
    }

    #[test]
    fn only_whole_rounds_pause_and_pauses_grow_to_a_limit() {
        let mut hosts = hosts(2, 1);
        let pauses: Vec<_> = (0..60).map(|_| hosts.failed()).collect();
        assert!(pauses.iter().step_by(2).all(Option::is_none));
        assert!(pauses[1].unwrap() <= PAUSE_MIN);
        let last = pauses[59].unwrap();
        assert!(last <= PAUSE_MAX && last >= PAUSE_MAX / 2, "{last:?}");
        hosts.succeeded();
        hosts.failed();
        assert!(hosts.failed().unwrap() <= PAUSE_MIN);
    }
}
