//! `cargo xtask bench ensemble`: three servers of each side through every case, in turns.
//!
//! Both ensembles run all the time and only one is under load. CPU is that of all three servers
//! together, wherever the sessions are.

mod cases;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::{EnsembleArgs, Sides};
use super::closed::{self, Shape};
use super::measure::{self, Measures};
use super::meter::Target;
use super::record::{Record, Side};
use super::scenario::{Kind, NODES, Scenario};
use super::{machine, prepare, programs, report};
use crate::ensemble::{self, Ensemble, Program, Roles, Settings};
use crate::error::{Error, Result};
use crate::workspace::Workspace;

use cases::{Case, Place};

/// Where the report stands in its file.
const SECTION: report::Section = report::Section("ensemble");

/// Servers of each side.
pub(super) const SERVERS: usize = 3;

/// Before counting begins, on connections that were just made.
const RAMP: Duration = Duration::from_secs(1);

/// How long an ensemble may take until it serves, or until its servers have come to the same
/// zxid.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the cases, prints the report and writes what is asked for.
pub(super) fn run(args: &EnsembleArgs) -> Result<()> {
    ensemble::end_with_this_program()?;
    let workspace = Workspace::load()?;
    let cases = cases::selected(&args.only);
    if cases.is_empty() {
        return Err(Error::wrong("no case has such a name"));
    }
    let mut bench = Bench::new(args, &workspace)?;
    for case in &cases {
        bench.case(case)?;
    }
    let scenarios: Vec<&Scenario> = cases.iter().map(|case| &case.scenario).collect();
    let report = report::markdown(&bench.record, &scenarios);
    bench.stop()?;
    println!("\n{report}");
    match &args.sides.out {
        Some(path) => report::write(path, SECTION, &report),
        None => Ok(()),
    }
}

struct Bench<'a> {
    args: &'a EnsembleArgs,
    directory: PathBuf,
    ensembles: Vec<(Side, Ensemble)>,
    record: Record,
}

impl<'a> Bench<'a> {
    fn new(args: &'a EnsembleArgs, workspace: &Workspace) -> Result<Self> {
        let directory = machine::directory(args.sides.dir.as_deref(), workspace)?;
        machine::raise_open_files()?;
        let mut bench = Self {
            args,
            directory,
            ensembles: Vec::new(),
            record: Record::begin()?,
        };
        let commit = machine::commit(&workspace.root);
        for (side, program) in programs::of_sides(&args.sides, workspace)? {
            let home = home(&bench.directory, "ensemble", side);
            let mut ensemble = fresh(&home, &program, &Settings::default())?;
            let roles = fill(&mut ensemble, NODES)?;
            let version = version(&roles, side, &commit);
            bench.record.versions.insert(side, version);
            bench.ensembles.push((side, ensemble));
        }
        Ok(bench)
    }

    /// Each side is warmed up, and then they are measured in turns.
    fn case(&mut self, case: &Case) -> Result<()> {
        let Kind::Closed(shape) = case.scenario.kind else {
            return Err(Error::wrong("an ensemble has cases of a closed loop only"));
        };
        for (side, ensemble) in &mut self.ensembles {
            let warm_up = self.args.sides.warm_up(*side);
            round(ensemble, case.place, shape, warm_up, Duration::ZERO)?;
        }
        for _ in 0..self.args.sides.rounds {
            for (side, ensemble) in &mut self.ensembles {
                let counted = Duration::from_secs(self.args.seconds);
                let round = round(ensemble, case.place, shape, RAMP, counted)?;
                let (name, side) = (case.scenario.name, *side);
                note(&mut self.record, &self.args.sides, name, side, round)?;
            }
        }
        Ok(())
    }

    fn stop(mut self) -> Result<()> {
        for (side, ensemble) in &mut self.ensembles {
            ensemble.stop()?;
            machine::clear(&home(&self.directory, "ensemble", *side))?;
        }
        Ok(())
    }
}

/// Prints a round and records it, also in the file, so that a run that fails late is not lost.
pub(super) fn note(
    record: &mut Record,
    sides: &Sides,
    name: &str,
    side: Side,
    round: Measures,
) -> Result<()> {
    let line = report::line(std::slice::from_ref(&round));
    println!("{name} {side:?}: {line}");
    record.add(name, side, round);
    match &sides.json {
        Some(path) => record.save(path),
        None => Ok(()),
    }
}

/// An ensemble on an empty directory.
pub(super) fn fresh(home: &Path, program: &Program, settings: &Settings) -> Result<Ensemble> {
    machine::clear(home)?;
    let programs = vec![program.clone(); SERVERS];
    Ensemble::on_loopback(home, &programs, 0, settings)
}

/// Starts the servers and makes so many znodes, until they are everywhere.
pub(super) fn fill(ensemble: &mut Ensemble, nodes: u32) -> Result<Roles> {
    ensemble.start()?;
    let roles = ensemble.await_serving(PATIENCE)?;
    let leader = addresses(ensemble, &roles, Place::Leader)?;
    let target = Target {
        address: leader[0],
        pid: None,
    };
    prepare::nodes(target, nodes)?;
    ensemble.await_equal(PATIENCE)
}

/// What the leader says that it is.
pub(super) fn version(roles: &Roles, side: Side, commit: &str) -> String {
    let version = roles.servers.first().map(|(_, _, status)| &status.version);
    let version = version.map_or("", String::as_str);
    match side {
        Side::Apache => version.to_owned(),
        Side::Ours => format!("{version}, commit {commit}"),
    }
}

/// The directory of a side's servers.
pub(super) fn home(directory: &Path, what: &str, side: Side) -> PathBuf {
    let side = match side {
        Side::Apache => "apache",
        Side::Ours => "ours",
    };
    directory.join(format!("{what}-{side}"))
}

fn round(
    ensemble: &mut Ensemble,
    place: Place,
    shape: Shape,
    ramp: Duration,
    counted: Duration,
) -> Result<Measures> {
    let roles = ensemble.await_equal(PATIENCE)?;
    let addresses = addresses(ensemble, &roles, place)?;
    let targets: Vec<_> = ensemble
        .servers
        .iter()
        .map(|server| Target {
            address: server.address(),
            pid: server.pid(),
        })
        .collect();
    let window = closed::run_on(&addresses, &targets, shape, ramp, counted)?;
    let mut measures = window.measures();
    measures.set(&measure::RSS, ensemble.rss()? / 1024.0 / 1024.0);
    Ok(measures)
}

fn addresses(ensemble: &mut Ensemble, roles: &Roles, place: Place) -> Result<Vec<SocketAddr>> {
    let one = match place {
        Place::Spread => return Ok(ensemble.addresses()),
        Place::Leader => roles.leader(),
        Place::Follower => roles.followers().first().copied(),
    };
    let one = one.ok_or_else(|| Error::wrong("an ensemble without the server for the load"))?;
    Ok(vec![ensemble.server(one).address()])
}
