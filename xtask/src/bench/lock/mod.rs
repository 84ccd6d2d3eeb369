//! `cargo xtask bench lock`: how long a lock is nobody's between two processes, three servers of
//! ours under two of our contenders next to three of Apache's under two of Curator's.
//!
//! Both contenders hold the lock for a moment, so that the other one always waits in the line.
//! What is measured goes from before the release at one process to behind the acquisition at
//! the other, by the machine's clock.

mod times;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::args::LockArgs;
use super::ensemble::{PATIENCE, fill, fresh, home, note, version};
use super::measure::Measures;
use super::record::{Record, Side};
use super::scenario::{Bound, Goal, Kind, Scenario};
use super::{machine, measure, programs, report};
use crate::ensemble::{self, Ensemble, Program, Settings};
use crate::error::{Error, Result};
use crate::sh;
use crate::workspace::Workspace;

use times::Times;

/// Where the report stands in its file.
const SECTION: report::Section = report::Section("lock");

const HAND_OVER: Scenario = Scenario {
    name: "lock-hand-over",
    title: "hand-over of a lock between two processes",
    kind: Kind::HandOver,
    goals: &[Goal {
        measure: &measure::P50,
        bound: Bound::Fraction(0.5),
    }],
};

/// Runs both sides in turns, prints the report and writes what is asked for.
pub(super) fn run(args: &LockArgs) -> Result<()> {
    ensemble::end_with_this_program()?;
    let workspace = Workspace::load()?;
    let directory = machine::directory(args.sides.dir.as_deref(), &workspace)?;
    let mut sides = sides(args, &workspace, &directory)?;
    let mut record = Record::begin()?;
    let commit = machine::commit(&workspace.root);
    for side in &mut sides {
        let roles = fill(&mut side.servers, 0)?;
        let version = version(&roles, side.side, &commit);
        record.versions.insert(side.side, version);
    }
    for round in 0..args.sides.rounds {
        for side in &mut sides {
            side.servers.await_equal(PATIENCE)?;
            let measures = side.round(args, round)?;
            note(
                &mut record,
                &args.sides,
                HAND_OVER.name,
                side.side,
                measures,
            )?;
        }
    }
    for side in &mut sides {
        side.servers.stop()?;
        machine::clear(&home(&directory, "lock", side.side))?;
    }
    let report = report::markdown(&record, &[&HAND_OVER]);
    println!("\n{report}");
    match &args.sides.out {
        Some(path) => report::write(path, SECTION, &report),
        None => Ok(()),
    }
}

/// An ensemble and what contends at it.
struct Contest {
    side: Side,
    servers: Ensemble,
    contender: Contender,
}

fn sides(args: &LockArgs, workspace: &Workspace, directory: &Path) -> Result<Vec<Contest>> {
    let mut sides = Vec::new();
    for (side, program) in programs::of_sides(&args.sides, workspace)? {
        let home = home(directory, "lock", side);
        sides.push(Contest {
            side,
            servers: fresh(&home, &program, &Settings::default())?,
            contender: Contender::of(side, &program, args, workspace)?,
        });
    }
    Ok(sides)
}

impl Contest {
    /// Two processes that take the lock in turns.
    fn round(&self, args: &LockArgs, round: u32) -> Result<Measures> {
        let servers = self.servers.connect_string();
        let path = format!("/bench/lock-{round}");
        let start = || {
            let mut command = self.contender.command();
            command.args([&servers, &path]);
            command.arg((args.warm_up_rounds + args.count).to_string());
            command.arg(args.hold_us.to_string());
            command.stdout(Stdio::piped());
            let spawned = command.spawn();
            spawned.map_err(|error| Error::io("start", Path::new("a contender"), error))
        };
        let contenders = [start()?, start()?];
        let mut times = Times::default();
        for (number, contender) in contenders.into_iter().enumerate() {
            times.add(number, &said(contender)?)?;
        }
        times.measures(2 * args.warm_up_rounds as usize)
    }
}

/// What a contender printed before it ended.
fn said(contender: Child) -> Result<String> {
    let output = contender.wait_with_output();
    let output = output.map_err(|error| Error::io("wait for", Path::new("a contender"), error))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Error::wrong(format!(
            "a contender ended with {}",
            output.status
        ))),
    }
}

/// How a contender is started.
enum Contender {
    /// Our example.
    Binary(PathBuf),
    /// Curator's, from its source.
    Java(Box<Program>, PathBuf),
}

impl Contender {
    fn of(side: Side, program: &Program, args: &LockArgs, workspace: &Workspace) -> Result<Self> {
        match (side, &args.contender) {
            (Side::Apache, _) => {
                let source = workspace.root.join("xtask/src/bench/lock/HandOver.java");
                Ok(Self::Java(Box::new(program.clone()), source))
            }
            (Side::Ours, Some(given)) => Ok(Self::Binary(given.clone())),
            (Side::Ours, None) => build(workspace).map(Self::Binary),
        }
    }

    fn command(&self) -> Command {
        match self {
            Self::Binary(path) => Command::new(path),
            Self::Java(program, source) => program.java(source),
        }
    }
}

fn build(workspace: &Workspace) -> Result<PathBuf> {
    const EXAMPLE: &str = "lock_hand_over";
    let mut cargo = sh::cargo(&workspace.root);
    cargo.args([
        "build",
        "--release",
        "--package",
        "zk-client",
        "--example",
        EXAMPLE,
    ]);
    sh::run(&mut cargo)?;
    let examples = workspace.target_directory.join("release/examples");
    Ok(examples.join(EXAMPLE))
}
