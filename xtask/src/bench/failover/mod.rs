//! `cargo xtask bench failover`: for how long nothing is acknowledged when servers fail.
//!
//! An ensemble of each side runs all the time; faults are made in turns, each under writes that
//! begin before it and go on after it. Then the ensemble is made whole again.

mod cases;
mod report;
mod writers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::args::FailoverArgs;
use super::ensemble::{PATIENCE, fresh, home, note, version};
use super::measure::{self, Measures};
use super::record::{Record, Side};
use super::{machine, programs};
use crate::ensemble::{self, Ensemble, Program, ServerId};
use crate::error::{Error, Result};
use crate::workspace::Workspace;

use cases::{Case, Ground, How, Whom};
use writers::Writers;

/// Where the report stands in its file.
const SECTION: super::report::Section = super::report::Section("failover");

/// Znodes that a server finds at its start.
const NODES: u32 = 5000;

/// How long writes go on before a fault.
const BEFORE: Duration = Duration::from_secs(2);

/// How long writes must have gone on after the longest gap for the measurement to end.
const AFTER: Duration = Duration::from_millis(1500);

/// A gap that is open for longer is not over.
const OPEN: Duration = Duration::from_millis(200);

/// A gap is not waited for longer than this.
const GAP_MAX: Duration = Duration::from_secs(40);

/// Runs the cases, prints the report and writes what is asked for.
pub(super) fn run(args: &FailoverArgs) -> Result<()> {
    ensemble::end_with_this_program()?;
    let workspace = Workspace::load()?;
    let cases = cases::selected(&args.only);
    if cases.is_empty() {
        return Err(Error::wrong("no fault has such a name"));
    }
    let mut bench = Bench {
        args,
        programs: programs::of_sides(&args.sides, &workspace)?,
        directory: machine::directory(args.sides.dir.as_deref(), &workspace)?,
        commit: machine::commit(&workspace.root),
        record: Record::begin()?,
    };
    for ground in Ground::ALL {
        bench.on(ground, &cases)?;
    }
    let report = report::markdown(&bench.record, &cases);
    println!("\n{report}");
    match &args.sides.out {
        Some(path) => super::report::write(path, SECTION, &report),
        None => Ok(()),
    }
}

struct Bench<'a> {
    args: &'a FailoverArgs,
    programs: Vec<(Side, Program)>,
    directory: PathBuf,
    commit: String,
    record: Record,
}

impl Bench<'_> {
    /// The cases with that configuration, each side in turn.
    fn on(&mut self, ground: Ground, cases: &[&Case]) -> Result<()> {
        let cases: Vec<_> = cases.iter().filter(|case| case.ground == ground).collect();
        if cases.is_empty() {
            return Ok(());
        }
        let mut ensembles = Vec::new();
        for (side, program) in self.programs.clone() {
            ensembles.push((side, self.fresh(side, &program, ground)?));
        }
        for case in cases {
            for _ in 0..self.args.sides.rounds {
                for (side, ensemble) in &mut ensembles {
                    let round = round(ensemble, case)?;
                    note(&mut self.record, &self.args.sides, case.name, *side, round)?;
                }
            }
        }
        for (side, mut ensemble) in ensembles {
            ensemble.stop()?;
            machine::clear(&home(&self.directory, "failover", side))?;
        }
        Ok(())
    }

    /// A serving ensemble that has been written to for a while.
    fn fresh(&mut self, side: Side, program: &Program, ground: Ground) -> Result<Ensemble> {
        let home = home(&self.directory, "failover", side);
        let (ensemble, roles) = fresh(&home, program, &ground.settings(), NODES)?;
        let version = version(&roles, side, &self.commit);
        self.record.versions.insert(side, version);
        let writers = Writers::start(&ensemble.addresses());
        thread::sleep(self.args.sides.warm_up(side));
        writers.stop()?;
        Ok(ensemble)
    }
}

/// One fault under writes, and the ensemble made whole again.
fn round(ensemble: &mut Ensemble, case: &Case) -> Result<Measures> {
    let roles = ensemble.await_equal(PATIENCE)?;
    let target = match case.whom {
        Whom::Leader | Whom::All => roles.leader(),
        Whom::Follower => roles.followers().last().copied(),
    };
    let target = target.ok_or_else(|| Error::wrong("no server for the fault"))?;
    let writers = Writers::start(&ensemble.addresses());
    thread::sleep(BEFORE);
    let before = writers.count();
    if before == 0 {
        return Err(Error::wrong("no write was acknowledged before the fault"));
    }
    let gap = if case.whom == Whom::All {
        all(ensemble, &writers)?
    } else {
        one(ensemble, target, case, &writers)?
    };
    writers.stop()?;
    heal(ensemble, target, case)?;
    let mut measures = Measures::new();
    measures.set(&measure::GAP, gap.as_secs_f64() * 1e3);
    let per_second = before as f64 / BEFORE.as_secs_f64();
    measures.set(&measure::THROUGHPUT, per_second);
    Ok(measures)
}

/// One server fails: the longest gap from the last acknowledgement before that.
fn one(
    ensemble: &mut Ensemble,
    target: ServerId,
    case: &Case,
    writers: &Writers,
) -> Result<Duration> {
    let server = ensemble.server(target);
    let address: SocketAddr = server.address();
    writers.avoid(address);
    let since = Instant::now();
    match case.how {
        How::Kill => server.signal(Signal::KILL)?,
        How::Stop => server.signal(Signal::TERM)?,
        How::Pause => server.pause()?,
    }
    Ok(observe(writers, since, case.observed))
}

/// Waits until writes have gone on for a while after the longest gap.
fn observe(writers: &Writers, since: Instant, at_least: Duration) -> Duration {
    loop {
        thread::sleep(Duration::from_millis(50));
        let gap = writers.longest_gap(since);
        let is_over = gap.end.elapsed() >= AFTER;
        let is_open = writers.first_after(Instant::now() - OPEN).is_none();
        let enough = since.elapsed() >= at_least && is_over && !is_open;
        if enough || gap.length >= GAP_MAX {
            return gap.length;
        }
    }
}

/// All servers fail and are started again: how long until the first write.
fn all(ensemble: &mut Ensemble, writers: &Writers) -> Result<Duration> {
    for server in &ensemble.servers {
        server.signal(Signal::KILL)?;
    }
    for server in &mut ensemble.servers {
        server.kill()?;
    }
    ensemble.start()?;
    let since = Instant::now();
    loop {
        thread::sleep(Duration::from_millis(20));
        let waited = match writers.first_after(since) {
            Some(first) => first - since,
            None => since.elapsed(),
        };
        if writers.first_after(since).is_some() || waited >= GAP_MAX {
            return Ok(waited);
        }
    }
}

fn heal(ensemble: &mut Ensemble, target: ServerId, case: &Case) -> Result<()> {
    let server = ensemble.server(target);
    match (case.whom, case.how) {
        (Whom::All, _) => {}
        (_, How::Pause) => server.resume()?,
        (_, How::Kill | How::Stop) => server.end(Signal::KILL)?,
    }
    ensemble.start()?;
    ensemble.await_serving(PATIENCE)?;
    Ok(())
}
