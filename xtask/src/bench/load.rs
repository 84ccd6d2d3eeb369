//! `cargo xtask bench load`: one scenario's load on a server that somebody else runs.

use std::time::Duration;

use super::args::LoadArgs;
use super::measure;
use super::meter::Target;
use super::scenario::{NODES, selected};
use super::{machine, prepare, report, steady};
use crate::error::{Error, Result};

/// Before counting begins.
const RAMP: Duration = Duration::from_secs(1);

/// Makes the znodes if they are not there, loads the server and prints the figures.
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
    prepare::nodes(target, NODES)?;
    let counted = Duration::from_secs(args.seconds);
    let mut measures = steady::run(scenario.kind, target, RAMP, counted)?.measures();
    measures.set(&measure::RSS, target.rss()? / 1024.0 / 1024.0);
    println!("{}", report::line(&[measures]));
    Ok(())
}
