//! The scenarios that run on a thousand znodes and leave the server as they found it.

use std::time::Duration;

use super::closed::{self, TIMEOUT_MS};
use super::fleet::Fleet;
use super::meter::{Target, Window};
use super::open::{self, Schedule};
use super::requests::Mix;
use super::scenario::{Kind, NODES};
use super::watch;
use crate::error::{Error, Result};

/// Sessions that share a fixed rate.
const FIXED_SESSIONS: usize = 32;

/// Loads the server for a ramp that is not counted and for a time that is. The znodes must be
/// there.
pub(super) fn run(kind: Kind, target: Target, ramp: Duration, counted: Duration) -> Result<Window> {
    match kind {
        Kind::Closed(shape) => closed::run(target, shape, ramp, counted),
        Kind::Fixed { per_second } => fixed(target, per_second, ramp, counted),
        Kind::Watch { watchers } => watch::run(target, watchers, ramp, counted),
        Kind::Idle { .. } | Kind::Million | Kind::HandOver => {
            Err(Error::wrong("this scenario needs a server of its own"))
        }
    }
}

fn fixed(target: Target, per_second: f64, ramp: Duration, counted: Duration) -> Result<Window> {
    let schedule = Schedule {
        per_second,
        mix: Mix::Mostly,
        nodes: NODES,
    };
    let mut fleet = Fleet::connect(target.address, FIXED_SESSIONS, TIMEOUT_MS)?;
    let observed = open::run(&mut fleet, target, schedule, ramp, counted)?;
    fleet.close()?;
    Ok(observed.window)
}
