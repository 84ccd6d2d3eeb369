//! Closed-loop load: every session keeps a fixed number of requests in flight.
//!
//! Throughput is what the server makes of it; latency is from the sending of a request to the
//! reading of its answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::fleet::{Answered, Fleet, Load};
use super::histogram::Histogram;
use super::meter::{Meter, Target, Window};
use super::requests::{Mix, Requests};
use super::session::Session;
use crate::error::Result;

/// Of every session that is never idle, in milliseconds.
pub(super) const TIMEOUT_MS: i32 = 30_000;

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) sessions: usize,
    /// Requests of a session in flight.
    pub(super) window: usize,
    pub(super) mix: Mix,
    /// Znodes that are asked for.
    pub(super) nodes: u32,
}

/// Runs for a ramp that is not counted and for a time that is.
pub(super) fn run(
    target: Target,
    shape: Shape,
    ramp: Duration,
    counted: Duration,
) -> Result<Window> {
    run_on(&[target.address], &[target], shape, ramp, counted)
}

/// Runs like [`run`] with the sessions spread over some addresses, and counts the CPU of all
/// servers, also of those that no session is on.
pub(super) fn run_on(
    addresses: &[SocketAddr],
    servers: &[Target],
    shape: Shape,
    ramp: Duration,
    counted: Duration,
) -> Result<Window> {
    let mut fleet = Fleet::spread(addresses, shape.sessions, TIMEOUT_MS)?;
    let mut closed = Closed::new(shape);
    closed.fill(&mut fleet, shape.window)?;
    closed.poll_for(&mut fleet, ramp)?;
    closed.forget();
    let meter = Meter::start(servers)?;
    closed.poll_for(&mut fleet, counted)?;
    let window = meter.finish(closed.done, closed.latencies.clone())?;
    closed.stopping = true;
    fleet.drain(&mut closed)?;
    fleet.close()?;
    Ok(window)
}

/// Runs until no request is left, and counts everything.
pub(super) fn exhaust(target: Target, shape: Shape) -> Result<Window> {
    let mut fleet = Fleet::connect(target.address, shape.sessions, TIMEOUT_MS)?;
    let mut closed = Closed::new(shape);
    let meter = Meter::start(&[target])?;
    closed.fill(&mut fleet, shape.window)?;
    while !closed.stopping {
        fleet.poll(Duration::from_secs(1), &mut closed)?;
    }
    fleet.drain(&mut closed)?;
    let window = meter.finish(closed.done, closed.latencies)?;
    fleet.close()?;
    Ok(window)
}

struct Closed {
    requests: Requests,
    latencies: Histogram,
    done: u64,
    /// Whether answers are no longer followed by new requests.
    stopping: bool,
}

impl Closed {
    fn new(shape: Shape) -> Self {
        Self {
            requests: Requests::new(shape.mix, shape.nodes),
            latencies: Histogram::new(),
            done: 0,
            stopping: false,
        }
    }

    fn fill(&mut self, fleet: &mut Fleet, window: usize) -> Result<()> {
        for index in 0..fleet.sessions.len() {
            let now = fleet.now();
            for _ in 0..window {
                self.next(&mut fleet.sessions[index], now);
            }
            fleet.flush(index)?;
        }
        Ok(())
    }

    fn poll_for(&mut self, fleet: &mut Fleet, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            fleet.poll(left, self)?;
        }
    }

    fn forget(&mut self) {
        self.latencies.clear();
        self.done = 0;
    }

    fn next(&mut self, session: &mut Session, now: u64) {
        if !self.stopping {
            self.stopping = !self.requests.send(session, now);
        }
    }
}

impl Load for Closed {
    fn answered(&mut self, session: &mut Session, answered: &Answered<'_>) -> Result<()> {
        self.latencies.record(answered.now - answered.since);
        self.done += 1;
        if !self.requests.follow(session, answered)? {
            self.next(session, answered.now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fake::{Fault, serve};
    use crate::bench::prepare;

    /// Enough for every session to be answered.
    const WHILE: Duration = Duration::from_millis(50);

    fn shape(mix: Mix) -> Shape {
        Shape {
            sessions: 3,
            window: 4,
            mix,
            nodes: 1500,
        }
    }

    #[test]
    fn every_mix_runs_and_ends() {
        let target = serve(Fault::None);
        for mix in [
            Mix::Read,
            Mix::Write,
            Mix::Mostly,
            Mix::Ephemeral,
            Mix::Ping,
        ] {
            let window = run(target, shape(mix), WHILE, WHILE).unwrap();
            assert!(window.operations > 0, "{mix:?}");
        }
    }

    #[test]
    fn every_create_is_sent_once() {
        let target = serve(Fault::None);
        prepare::parents(target, 1500).unwrap();
        let window = exhaust(target, shape(Mix::Create)).unwrap();
        assert_eq!(window.operations, 1500);
    }

    #[test]
    fn a_wrong_answer_ends_the_run() {
        let faults = [
            (Fault::Xid, "an answer to request 2 where 1 is next"),
            (
                Fault::Error,
                "Get was answered with error -101 and 172 bytes",
            ),
            (Fault::Short, "Get was answered with error 0 and 171 bytes"),
        ];
        for (fault, sentence) in faults {
            let error = run(serve(fault), shape(Mix::Read), WHILE, WHILE).unwrap_err();
            assert_eq!(error.to_string(), sentence);
        }
        run(serve(Fault::Hangup), shape(Mix::Read), WHILE, WHILE).unwrap_err();
    }
}
