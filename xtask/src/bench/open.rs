//! Open-loop load: requests leave on a fixed schedule, whatever the server does.
//!
//! Latency counts from the scheduled moment, so that a stall of the server is charged to every
//! request that would have been sent during it (no coordinated omission). The thread sleeps
//! until shortly before the next moment and spins for the rest, so that its own wake-up is not
//! part of the figure.

use std::num::NonZeroU64;
use std::time::Duration;

use super::fleet::{Answered, Fleet, Load};
use super::histogram::Histogram;
use super::meter::{Meter, Target, Window};
use super::requests::{Mix, Requests};
use super::session::Session;
use crate::error::{Error, Result};

/// How long before a scheduled moment sleeping ends.
const SPIN_NANOS: u64 = 60_000;

/// How often memory is sampled.
const SAMPLE_NANOS: u64 = 100_000_000;

/// Who asks for what, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    pub(super) per_second: f64,
    pub(super) mix: Mix,
    /// Znodes that are asked for.
    pub(super) nodes: u32,
}

/// What a time on the schedule was like.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) window: Window,
    /// The most memory that was seen, in bytes.
    pub(super) rss_max: f64,
}

/// Sends in turn from every session of the fleet, for a ramp that is not counted and for a time
/// that is. Answers that come after its end still count for the latencies.
pub(super) fn run(
    fleet: &mut Fleet,
    target: Target,
    schedule: Schedule,
    ramp: Duration,
    counted: Duration,
) -> Result<Observed> {
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1)).map_err(|error| Error::Io {
        what: "cannot ask for exact timers".to_owned(),
        source: error.into(),
    })?;
    let mut open = Open::new(target, schedule);
    open.follow_schedule(fleet, ramp)?;
    fleet.drain(&mut open)?;
    open.forget();
    let meter = Meter::start(&[target])?;
    open.follow_schedule(fleet, counted)?;
    let mut window = meter.finish(open.done, Histogram::new())?;
    fleet.drain(&mut open)?;
    window.latencies = open.latencies;
    Ok(Observed {
        window,
        rss_max: open.rss_max,
    })
}

struct Open {
    target: Target,
    interval: f64,
    requests: Requests,
    latencies: Histogram,
    done: u64,
    /// The session whose turn it is.
    turn: usize,
    rss_max: f64,
    sampled: u64,
}

impl Open {
    fn new(target: Target, schedule: Schedule) -> Self {
        Self {
            target,
            interval: 1e9 / schedule.per_second,
            requests: Requests::new(schedule.mix, schedule.nodes),
            latencies: Histogram::new(),
            done: 0,
            turn: 0,
            rss_max: 0.0,
            sampled: 0,
        }
    }

    fn follow_schedule(&mut self, fleet: &mut Fleet, time: Duration) -> Result<()> {
        let began = fleet.now();
        let count = (time.as_nanos() as f64 / self.interval) as u64;
        let mut sent = 0;
        while sent < count {
            let due = began + (sent as f64 * self.interval) as u64;
            let now = fleet.now();
            if due <= now {
                self.send(fleet, due)?;
                sent += 1;
            } else {
                self.sample(now)?;
                let wait = (due - now).saturating_sub(SPIN_NANOS);
                fleet.poll(Duration::from_nanos(wait), self)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, fleet: &mut Fleet, due: u64) -> Result<()> {
        self.turn = (self.turn + 1) % fleet.sessions.len();
        self.requests.send(&mut fleet.sessions[self.turn], due);
        fleet.flush(self.turn)
    }

    fn sample(&mut self, now: u64) -> Result<()> {
        if now - self.sampled >= SAMPLE_NANOS {
            self.sampled = now;
            self.rss_max = self.rss_max.max(self.target.rss()?);
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.latencies.clear();
        self.done = 0;
        self.rss_max = 0.0;
    }
}

impl Load for Open {
    fn answered(&mut self, session: &mut Session, answered: &Answered<'_>) -> Result<()> {
        self.latencies.record(answered.now - answered.since);
        self.done += 1;
        self.requests.follow(session, answered)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::closed::TIMEOUT_MS;
    use crate::bench::fake::{Fault, serve};

    #[test]
    fn every_scheduled_request_is_sent_and_answered() {
        let target = serve(Fault::None);
        let mut fleet = Fleet::connect(target.address, 3, TIMEOUT_MS).unwrap();
        let schedule = Schedule {
            per_second: 1000.0,
            mix: Mix::Mostly,
            nodes: 10,
        };
        let time = Duration::from_millis(100);
        let mut open = Open::new(target, schedule);
        open.follow_schedule(&mut fleet, time).unwrap();
        fleet.drain(&mut open).unwrap();
        assert_eq!(open.done, 100);
        assert!(open.latencies.quantile(1.0).is_some());
        fleet.close().unwrap();
    }
}
