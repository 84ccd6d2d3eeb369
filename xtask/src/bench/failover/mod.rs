//! `cargo xtask bench failover`: for how long nothing is acknowledged when servers fail.
//!
//! An ensemble of each side runs all the time; faults are made in turns, each under writes that
//! begin before it and go on after it. Then the ensemble is made whole again.

mod cases;
mod report;
mod site;
mod writers;

use std::path::PathBuf;
use std::thread;

use super::args::FailoverArgs;
use super::ensemble::{fill, home, note, version};
use super::record::{Record, Side};
use super::{machine, programs};
use crate::ensemble::{self, Program};
use crate::error::{Error, Result};
use crate::workspace::Workspace;

use cases::{Case, Ground};
use site::Site;
use writers::Writers;

/// Where the report stands in its file.
const SECTION: super::report::Section = super::report::Section("failover");

/// Znodes that a server finds at its start.
const NODES: u32 = 5000;

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
        if ground == Ground::Networks
            && let Err(error) = ensemble::require_networks()
        {
            println!("left out: {error}");
            return Ok(());
        }
        let mut sites = Vec::new();
        for (side, program) in self.programs.clone() {
            sites.push((side, self.fresh(side, &program, ground)?));
        }
        for case in cases {
            for _ in 0..self.args.sides.rounds {
                for (side, site) in &mut sites {
                    let round = site.round(case)?;
                    note(&mut self.record, &self.args.sides, case.name, *side, round)?;
                }
            }
        }
        for (side, mut site) in sites {
            site.ensemble.stop()?;
            machine::clear(&home(&self.directory, "failover", side))?;
        }
        Ok(())
    }

    /// A serving ensemble that has been written to for a while.
    fn fresh(&mut self, side: Side, program: &Program, ground: Ground) -> Result<Site> {
        let home = home(&self.directory, "failover", side);
        let mut site = Site::new(&home, program, ground)?;
        let roles = fill(&mut site.ensemble, NODES)?;
        let version = version(&roles, side, &self.commit);
        self.record.versions.insert(side, version);
        let writers = Writers::start(&site.ensemble.addresses());
        thread::sleep(self.args.sides.warm_up(side));
        writers.stop()?;
        Ok(site)
    }
}
