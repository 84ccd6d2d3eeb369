//! `cargo xtask bench load`: one scenario's load on a server that somebody else runs.

use std::time::Duration;

use super::args::LoadArgs;
use super::measure::{self, Measures};
use super::meter::Target;
use super::scenario::{Kind, NODES, Scenario, selected};
use super::{idle, machine, million, prepare, report, steady};
use crate::error::{Error, Result};

/// Before counting begins.
const RAMP: Duration = Duration::from_secs(1);

/// Makes the znodes if they are not there, loads the server and prints the figures.
///
/// `million-load` needs a server without those znodes; the other steps on a million znodes start
/// servers and cannot be run here.
pub(super) fn run(args: &LoadArgs) -> Result<()> {
    let scenario = selected(std::slice::from_ref(&args.scenario));
    let [scenario] = scenario[..] else {
        let sentence = format!("{} is not the name of one scenario", args.scenario);
        return Err(Error::wrong(sentence));
    };
    machine::raise_open_files()?;
    let target = Target {
        address: args.server,
        pid: args.pid,
    };
    let counted = Duration::from_secs(args.seconds);
    let mut measures = measured(scenario, target, counted)?;
    measures.set(&measure::RSS, target.rss()? / 1024.0 / 1024.0);
    println!("{}", report::line(&[measures]));
    Ok(())
}

fn measured(scenario: &Scenario, target: Target, counted: Duration) -> Result<Measures> {
    match (scenario.kind, scenario.name) {
        (Kind::Idle { sessions }, _) => idle::run(target, sessions, RAMP, counted),
        (Kind::Million, "million-load") => Ok(million::fill(target)?.measures()),
        (kind, _) => {
            prepare::nodes(target, NODES)?;
            Ok(steady::run(kind, target, RAMP, counted)?.measures())
        }
    }
}
