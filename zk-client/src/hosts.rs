//! Which server to try next, and how long to wait after all were tried in
//! vain. It does not connect.

mod moving;

use crate::HostPort;
use crate::random::Random;
use moving::Moving;
use std::time::Duration;

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The servers in an order of this client's own, so that clients spread
/// (`StaticHostProvider`).
#[derive(Debug)]
pub(crate) struct Hosts {
    hosts: Vec<HostPort>,
    /// The server that was given out last.
    last: Option<HostPort>,
    /// Where the round goes on.
    next: usize,
    /// A server to be given out before all others.
    preferred: Option<HostPort>,
    moving: Option<Moving>,
    /// Attempts since the last success.
    failures: usize,
    random: Random,
}

impl Hosts {
    /// `hosts` must not be empty.
    pub(crate) fn new(hosts: Vec<HostPort>) -> Self {
        Self::with_random(hosts, Random::new())
    }

    fn with_random(mut hosts: Vec<HostPort>, mut random: Random) -> Self {
        random.shuffle(&mut hosts);
        Self {
            hosts,
            last: None,
            next: 0,
            preferred: None,
            moving: None,
            failures: 0,
            random,
        }
    }

    pub(crate) fn all(&self) -> &[HostPort] {
        &self.hosts
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    pub(crate) fn next(&mut self) -> HostPort {
        let host = match self.preferred.take() {
            Some(host) => host,
            None => self.next_moving().unwrap_or_else(|| self.next_of_round()),
        };
        self.last = Some(host.clone());
        host
    }

    fn next_moving(&mut self) -> Option<HostPort> {
        let host = self.moving.as_mut()?.next(&mut self.random);
        if host.is_none() {
            self.moving = None;
        }
        host
    }

    fn next_of_round(&mut self) -> HostPort {
        let at = self.next;
        self.next = (at + 1) % self.hosts.len();
        self.hosts[at].clone()
    }

    /// This server is known to be the best one to try next.
    pub(crate) fn prefer(&mut self, host: HostPort) {
        self.preferred = Some(host);
    }

    /// Other servers from now on; `hosts` must not be empty. Says whether the
    /// connection that is up is to be given up for one to another server, so
    /// that all servers get their share of the clients.
    pub(crate) fn update(&mut self, mut hosts: Vec<HostPort>, is_connected: bool) -> bool {
        self.random.shuffle(&mut hosts);
        let current = match self.last.clone() {
            Some(host) if is_connected || self.moving.is_none() => host,
            // It has left one server and not yet reached another.
            _ => self.next(),
        };
        self.preferred = None;
        self.moving = Moving::plan(&self.hosts, &hosts, &current, &mut self.random);
        self.next = match hosts.iter().position(|host| *host == current) {
            Some(at) if self.moving.is_none() => (at + 1) % hosts.len(),
            _ => 0,
        };
        self.hosts = hosts;
        self.failures = 0;
        is_connected && self.moving.is_some()
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.moving = None;
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
        let spread = self.random.below(pause.as_micros() as u64 / 2);
        Some(pause - Duration::from_micros(spread))
    }
}

#[cfg(test)]
mod tests;
