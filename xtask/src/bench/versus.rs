//! `cargo xtask bench versus`: both servers through every scenario, in turns.
//!
//! The servers of a scenario run at the same time but only one is under load; rounds alternate
//! (A B A B), so that a machine that grows slower or faster is so for both. Scenarios that look
//! at memory or at a start get a fresh server each round instead.

use std::path::PathBuf;
use std::time::Duration;

use super::args::VersusArgs;
use super::measure::{self, Measures};
use super::meter::Target;
use super::million::{self, Pace};
use super::record::{Record, Side};
use super::scenario::{self, Kind, NODES, Scenario};
use super::server::{Server, version};
use super::{idle, machine, prepare, programs, report, steady};
use crate::ensemble::Program;
use crate::error::{Error, Result};
use crate::workspace::Workspace;

/// Where the report stands in its file.
const SECTION: report::Section = report::Section("versus");

/// Before counting begins, on connections that were just made.
const RAMP: Duration = Duration::from_secs(1);

/// A compiled program needs no more warming up than this.
const OUR_WARM_UP_MAX: Duration = Duration::from_secs(3);

/// Runs the comparison, prints the report and writes what is asked for.
pub(super) fn run(args: &VersusArgs) -> Result<()> {
    let workspace = Workspace::load()?;
    let scenarios = scenario::selected(&args.only);
    if scenarios.is_empty() {
        return Err(Error::wrong("no scenario has such a name"));
    }
    let mut versus = Versus::new(args, &workspace)?;
    versus.run(&scenarios)?;
    let report = report::markdown(&versus.record, &scenarios);
    println!("\n{report}");
    match &args.out {
        Some(path) => report::write(path, SECTION, &report),
        None => Ok(()),
    }
}

struct Versus<'a> {
    args: &'a VersusArgs,
    programs: Vec<(Side, Program)>,
    directory: PathBuf,
    commit: String,
    record: Record,
}

impl<'a> Versus<'a> {
    fn new(args: &'a VersusArgs, workspace: &Workspace) -> Result<Self> {
        let programs = programs::find(args, workspace)?;
        let directory = machine::directory(args.dir.as_deref(), workspace)?;
        machine::raise_open_files()?;
        Ok(Self {
            args,
            programs,
            directory,
            commit: machine::commit(&workspace.root),
            record: record(args)?,
        })
    }

    fn run(&mut self, scenarios: &[&'static Scenario]) -> Result<()> {
        for scenario in scenarios {
            match scenario.kind {
                Kind::Million => {}
                Kind::Idle { sessions } => self.idle(scenario, sessions)?,
                _ => self.steady(scenario)?,
            }
        }
        let million = scenarios
            .iter()
            .filter(|scenario| matches!(scenario.kind, Kind::Million));
        let million: Vec<_> = million.map(|scenario| scenario.name).collect();
        if million.is_empty() {
            return Ok(());
        }
        self.million(&million)
    }

    /// Both servers stay; each is warmed up and then measured in turns.
    fn steady(&mut self, scenario: &Scenario) -> Result<()> {
        let mut servers = Vec::new();
        for (side, program) in self.programs.clone() {
            let server = self.fresh(&program, side, scenario.name)?;
            prepare::nodes(server.target(), NODES)?;
            let warm_up = self.pace(side).warm_up;
            steady::run(scenario.kind, server.target(), warm_up, Duration::ZERO)?;
            servers.push((side, server));
        }
        for _ in 0..self.args.rounds {
            for (side, server) in &servers {
                let round = self.round(scenario, server.target())?;
                self.note(scenario.name, *side, round)?;
            }
        }
        for (side, server) in servers {
            server.stop()?;
            machine::clear(&self.home(scenario.name, side))?;
        }
        Ok(())
    }

    fn round(&self, scenario: &Scenario, target: Target) -> Result<Measures> {
        let counted = Duration::from_secs(self.args.seconds);
        let mut round = steady::run(scenario.kind, target, RAMP, counted)?.measures();
        round.set(&measure::RSS, target.rss()? / 1024.0 / 1024.0);
        Ok(round)
    }

    /// A fresh server each round, because growth shows only once.
    fn idle(&mut self, scenario: &Scenario, sessions: usize) -> Result<()> {
        for _ in 0..self.args.rounds {
            for (side, program) in self.programs.clone() {
                let server = self.fresh(&program, side, scenario.name)?;
                let pace = self.pace(side);
                let round = idle::run(server.target(), sessions, pace.warm_up, pace.counted)?;
                self.note(scenario.name, side, round)?;
                server.stop()?;
                machine::clear(&self.home(scenario.name, side))?;
            }
        }
        Ok(())
    }

    fn million(&mut self, wanted: &[&str]) -> Result<()> {
        for _ in 0..self.args.rounds {
            for (side, program) in self.programs.clone() {
                self.fresh(&program, side, "million")?.stop()?;
                let (home, pace) = (self.home("million", side), self.pace(side));
                machine::clear(&home)?;
                million::run(&program, &home, pace, wanted, |name, round| {
                    if wanted.contains(&name) {
                        self.note(name, side, round)?;
                    }
                    Ok(())
                })?;
                machine::clear(&home)?;
            }
        }
        Ok(())
    }

    /// A serving server on an empty directory.
    fn fresh(&mut self, program: &Program, side: Side, scenario: &str) -> Result<Server> {
        let home = self.home(scenario, side);
        machine::clear(&home)?;
        let server = Server::serve(program, &home, "")?;
        let mut version = version(server.target())?;
        if side == Side::Ours {
            version = format!("{version}, commit {}", self.commit);
        }
        self.record.versions.insert(side, version);
        Ok(server)
    }

    /// Prints a round and records it, also in the file, so that a run that fails late is not
    /// lost.
    fn note(&mut self, scenario: &str, side: Side, round: Measures) -> Result<()> {
        let line = report::line(std::slice::from_ref(&round));
        println!("{scenario} {side:?}: {line}");
        self.record.add(scenario, side, round);
        match &self.args.json {
            Some(path) => self.record.save(path),
            None => Ok(()),
        }
    }

    fn pace(&self, side: Side) -> Pace {
        let warm_up = Duration::from_secs(self.args.warm_up);
        Pace {
            warm_up: match side {
                Side::Apache => warm_up,
                Side::Ours => warm_up.min(OUR_WARM_UP_MAX),
            },
            counted: Duration::from_secs(self.args.seconds),
        }
    }

    fn home(&self, scenario: &str, side: Side) -> PathBuf {
        let side = match side {
            Side::Apache => "apache",
            Side::Ours => "ours",
        };
        self.directory.join(format!("{scenario}-{side}"))
    }
}

/// An empty record, or one with Apache's figures of another run.
fn record(args: &VersusArgs) -> Result<Record> {
    let mut record = Record::begin()?;
    if let Some(path) = &args.apache_json {
        record.adopt(&Record::open(path)?, Side::Apache);
    }
    Ok(record)
}
