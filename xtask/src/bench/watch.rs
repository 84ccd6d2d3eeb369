//! Many sessions that watch one znode: how long from a write until the last of them knows.
//!
//! A round is: every watcher reads with a watch, one session writes, every watcher gets the
//! event. Only the time from the write to the last event is latency; CPU is that of whole
//! rounds, divided by the events.

use std::time::{Duration, Instant};

use super::closed::TIMEOUT_MS;
use super::fleet::{Answered, Fleet, Load};
use super::histogram::Histogram;
use super::meter::{Meter, Target, Window};
use super::session::{Kind, PATIENCE, Session};
use super::wire;
use crate::error::{Error, Result};

/// Runs rounds for a ramp that is not counted and for a time that is.
pub(super) fn run(
    target: Target,
    watchers: usize,
    ramp: Duration,
    counted: Duration,
) -> Result<Window> {
    let mut fleet = Fleet::connect(target.address, watchers + 1, TIMEOUT_MS)?;
    let mut rounds = Rounds::new();
    rounds.run_for(&mut fleet, ramp)?;
    rounds.latencies.clear();
    let meter = Meter::start(&[target])?;
    let count = rounds.run_for(&mut fleet, counted)?;
    let window = meter.finish(count * watchers as u64, rounds.latencies)?;
    fleet.close()?;
    Ok(window)
}

struct Rounds {
    get: Vec<u8>,
    set: Vec<u8>,
    latencies: Histogram,
    seen: Seen,
}

impl Rounds {
    fn new() -> Self {
        Self {
            get: wire::get(true),
            set: wire::set(),
            latencies: Histogram::new(),
            seen: Seen::default(),
        }
    }

    /// Rounds back to back; how many there were.
    fn run_for(&mut self, fleet: &mut Fleet, time: Duration) -> Result<u64> {
        let end = Instant::now() + time;
        let mut count = 0;
        while Instant::now() < end {
            self.round(fleet)?;
            count += 1;
        }
        Ok(count)
    }

    /// The first session writes; all others watch.
    fn round(&mut self, fleet: &mut Fleet) -> Result<()> {
        self.seen = Seen::default();
        let watchers = fleet.sessions.len() - 1;
        for index in 1..=watchers {
            let now = fleet.now();
            fleet.sessions[index].send(&self.get, Kind::Get, now);
            fleet.flush(index)?;
        }
        fleet.drain(&mut self.seen)?;
        let began = fleet.now();
        fleet.sessions[0].send(&self.set, Kind::Set, began);
        fleet.flush(0)?;
        self.await_events(fleet, watchers)?;
        self.latencies.record(self.seen.last_event - began);
        fleet.drain(&mut self.seen)
    }

    fn await_events(&mut self, fleet: &mut Fleet, watchers: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.seen.events < watchers {
            if Instant::now() > deadline {
                return Err(Error::wrong("not every watcher got its event"));
            }
            fleet.poll(Duration::from_millis(100), &mut self.seen)?;
        }
        Ok(())
    }
}

/// The events of one round.
#[derive(Default)]
struct Seen {
    events: usize,
    last_event: u64,
}

impl Load for Seen {
    fn answered(&mut self, _: &mut Session, _: &Answered<'_>) -> Result<()> {
        Ok(())
    }

    fn notified(&mut self, now: u64) -> Result<()> {
        self.events += 1;
        self.last_event = now;
        Ok(())
    }
}
