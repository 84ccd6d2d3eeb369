//! A million znodes: the load, a restart on them, and a snapshot of them under writes.
//!
//! One chain on one data directory, because the load is the long part. A measurement waits
//! until the server writes no snapshot any more, unless the snapshot is what it is about.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::closed::{self, Shape, TIMEOUT_MS};
use super::fleet::Fleet;
use super::measure::{self, Measures};
use super::meter::{Target, Window};
use super::open::{self, Observed, Schedule};
use super::prepare;
use super::requests::Mix;
use super::server::Server;
use super::wire;
use crate::ensemble::Program;
use crate::error::{Error, Result};

/// How the znodes are created.
const CREATES: Shape = Shape {
    sessions: WRITERS,
    window: 16,
    mix: Mix::Create,
    nodes: NODES,
};

/// Znodes of 100 bytes.
const NODES: u32 = 1_000_000;

/// Writes a second while the snapshot is written.
const WRITES_PER_SECOND: f64 = 2000.0;

/// Sessions that write meanwhile.
const WRITERS: usize = 32;

/// A snapshot falls into any window of this many writes: a server takes one after half of
/// `snapCount` transactions at the earliest and after all of them at the latest.
const SNAP_COUNT: u32 = 20_000;

/// Long enough to hold a whole snapshot and the wait for it.
const WINDOW_MIN: Duration = Duration::from_secs(15);

/// How long files must stay as they are to count as written.
const QUIET: Duration = Duration::from_secs(2);

/// How long a server may write a snapshot.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(120);

/// How long each step is warmed up and measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) warm_up: Duration,
    pub(super) counted: Duration,
}

/// Runs the chain and hands over the figures of each scenario by name.
pub(super) fn run(
    program: &Program,
    home: &Path,
    pace: Pace,
    wanted: &[&str],
    mut record: impl FnMut(&'static str, Measures) -> Result<()>,
) -> Result<()> {
    record("million-load", load(program, home, pace)?)?;
    if wanted.contains(&"million-restart") {
        record("million-restart", restart(program, home)?)?;
    }
    if wanted.contains(&"million-snapshot") {
        record("million-snapshot", snapshot(program, home, pace)?)?;
    }
    Ok(())
}

/// Memory per znode counts everything that the process did not have before its first request.
fn load(program: &Program, home: &Path, pace: Pace) -> Result<Measures> {
    let server = Server::serve(program, home, "")?;
    let target = server.target();
    let before = target.rss()?;
    let warm_up = Shape {
        mix: Mix::Ephemeral,
        ..CREATES
    };
    prepare::nodes(target, 0)?;
    closed::run(target, warm_up, pace.warm_up, Duration::ZERO)?;
    let window = fill(target)?;
    settle(home)?;
    let after = target.rss()?;
    let mut measures = window.measures();
    measures.set(&measure::LOAD, window.elapsed.as_secs_f64());
    measures.set(&measure::RSS, after / MIB);
    measures.set(&measure::ZNODE, (after - before) / f64::from(NODES));
    server.stop()?;
    Ok(measures)
}

/// Creates the znodes on a server that has none of them.
pub(super) fn fill(target: Target) -> Result<Window> {
    prepare::parents(target, NODES)?;
    closed::exhaust(target, CREATES)
}

/// A clean stop has gone before, and the files are in the page cache for every server.
fn restart(program: &Program, home: &Path) -> Result<Measures> {
    let mut server = Server::start(program, home, "")?;
    let started = server.first_read(&wire::node_path(NODES - 1))?;
    let mut measures = Measures::new();
    measures.set(&measure::START, started.elapsed.as_secs_f64());
    measures.set(&measure::START_CPU, started.cpu.as_secs_f64());
    measures.set(&measure::RSS, server.target().rss()? / MIB);
    settle(home)?;
    server.stop()?;
    Ok(measures)
}

/// The same writes on two starts on the same data: without a snapshot, and with.
fn snapshot(program: &Program, home: &Path, pace: Pace) -> Result<Measures> {
    let (quiet, none) = write_steadily(program, home, "snapCount=1000000000\n", pace)?;
    let often = format!("snapCount={SNAP_COUNT}\n");
    let (busy, some) = write_steadily(program, home, &often, pace)?;
    if none > 0 || some == 0 {
        let sentence = format!("{none} snapshots where none was due, {some} where one was");
        return Err(Error::wrong(sentence));
    }
    let mut measures = busy.window.measures();
    let p999 = measures.of(&measure::P999);
    let quiet_p999 = quiet.window.measures().of(&measure::P999);
    if let (Some(with), Some(without)) = (p999, quiet_p999) {
        measures.set(&measure::QUIET_P999, without);
        measures.set(&measure::P999_GROWTH, with / without);
    }
    measures.set(&measure::RSS_GROWTH, busy.rss_max / quiet.rss_max);
    measures.set(&measure::RSS, busy.rss_max / MIB);
    measures.set(&measure::SNAPSHOTS, some as f64);
    Ok(measures)
}

/// What the writes were like, and how many snapshots began while they were counted.
fn write_steadily(
    program: &Program,
    home: &Path,
    extra: &str,
    pace: Pace,
) -> Result<(Observed, usize)> {
    let mut server = Server::start(program, home, extra)?;
    server.first_read(&wire::node_path(NODES - 1))?;
    settle(home)?;
    let target = server.target();
    let schedule = Schedule {
        per_second: WRITES_PER_SECOND,
        mix: Mix::Write,
        nodes: NODES,
    };
    let mut fleet = Fleet::connect(target.address, WRITERS, TIMEOUT_MS)?;
    open::run(&mut fleet, target, schedule, Duration::ZERO, pace.warm_up)?;
    let before = snapshots(home)?;
    let counted = pace.counted.max(WINDOW_MIN);
    let observed = open::run(&mut fleet, target, schedule, Duration::ZERO, counted)?;
    let after = snapshots(home)?;
    fleet.close()?;
    server.stop()?;
    let began = after
        .iter()
        .filter(|(name, _)| !before.iter().any(|(earlier, _)| earlier == name));
    let began = began.count();
    Ok((observed, began))
}

/// Waits until no snapshot is being written.
fn settle(home: &Path) -> Result<()> {
    let deadline = Instant::now() + SNAPSHOT_PATIENCE;
    let mut seen = snapshots(home)?;
    while Instant::now() < deadline {
        thread::sleep(QUIET);
        let now = snapshots(home)?;
        if now == seen {
            return Ok(());
        }
        seen = now;
    }
    Err(Error::wrong("a server does not stop writing a snapshot"))
}

/// Names and sizes of the snapshot files, finished or not.
fn snapshots(home: &Path) -> Result<BTreeSet<(String, u64)>> {
    let directory = home.join("data").join("version-2");
    let failed = |source| Error::io("list", &directory, source);
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A file may be renamed or purged between the listing and the look.
        if let (true, Ok(metadata)) = (name.contains("snapshot"), entry.metadata()) {
            found.insert((name, metadata.len()));
        }
    }
    Ok(found)
}

const MIB: f64 = 1024.0 * 1024.0;
