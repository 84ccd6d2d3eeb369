//! Thousands of sessions that do nothing but stay alive.
//!
//! Every session pings once every third of its timeout, as clients do, spread evenly.

use std::time::{Duration, Instant};

use super::closed::{self, Shape};
use super::fleet::Fleet;
use super::measure::{self, Measures};
use super::meter::Target;
use super::open::{self, Schedule};
use super::requests::Mix;
use crate::error::Result;

/// Short, so that the pings of one measurement are many; long enough to connect everybody before
/// the first session would expire.
const TIMEOUT_MS: i32 = 20_000;

/// The server's clock ticks are coarse: a cheap ping takes thousands to show.
const COUNTED_MIN: Duration = Duration::from_secs(20);

/// Pings of a session in its timeout.
const PINGS: f64 = 3.0;

/// Sessions and requests that bring a fresh server to a steady state before memory is looked at.
const FIRST: Shape = Shape {
    sessions: 32,
    window: 1,
    mix: Mix::Ping,
    nodes: 0,
};

/// Connects, lets the sessions ping for a while, and for a while that counts. The server is a
/// fresh one, or its memory would not grow.
pub(super) fn run(
    target: Target,
    sessions: usize,
    warm_up: Duration,
    counted: Duration,
) -> Result<Measures> {
    closed::run(target, FIRST, Duration::from_secs(1), Duration::ZERO)?;
    let before = target.rss()?;
    let connecting = Instant::now();
    let mut fleet = Fleet::connect(target.address, sessions, TIMEOUT_MS)?;
    let connected = connecting.elapsed();
    let schedule = Schedule {
        per_second: sessions as f64 * PINGS / (f64::from(TIMEOUT_MS) / 1000.0),
        mix: Mix::Ping,
        nodes: 0,
    };
    let observed = open::run(
        &mut fleet,
        target,
        schedule,
        warm_up,
        counted.max(COUNTED_MIN),
    )?;
    let after = target.rss()?;
    fleet.close()?;
    let mut measures = observed.window.measures();
    measures.set(&measure::CONNECT, connected.as_secs_f64());
    measures.set(&measure::RSS, after / 1024.0 / 1024.0);
    measures.set(
        &measure::SESSION,
        (after - before) / 1024.0 / sessions as f64,
    );
    Ok(measures)
}
