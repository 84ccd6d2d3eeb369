//! `cargo xtask cluster`: an ensemble to play with, on this machine, until Ctrl-C.
//!
//! Servers keep their data below one directory, so a second run goes on where the first ended.
//! Everything about servers is in [`crate::ensemble`].

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::ensemble::{
    self, Ensemble, Form, Kind, LogLevel, Output, Program, Programs, ServerId, Settings,
};
use crate::error::{Error, Result};
use crate::workspace::Workspace;

/// How long an ensemble may take until it serves, on a machine that is busy.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at whether every server still runs.
const LOOK: Duration = Duration::from_millis(200);

/// How long a killed leader stays away.
const ABSENCE: Duration = Duration::from_secs(2);

/// Flags of `cargo xtask cluster`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many servers vote.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=99))]
    nodes: u32,
    /// How many more servers only listen.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=99))]
    observers: u32,
    /// Build optimised servers.
    #[arg(long)]
    release: bool,
    /// Let the last voter be Apache's server.
    #[arg(long, conflicts_with = "programs")]
    mixed: bool,
    /// What each server is, in the order of their ids; the last goes on for the rest.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    programs: Vec<Kind>,
    /// Where the servers keep their data; `cluster` in the target directory if left out.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Kill the leader that often, such as 30s, and start it again.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    kill_leader_every: Option<Duration>,
    /// Write `clientPort` into each zoo.cfg instead of into the `server.N` lines.
    #[arg(long)]
    client_port: bool,
    /// Show warnings of the servers only.
    #[arg(long)]
    quiet: bool,
    /// End after this time instead of at Ctrl-C.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    run_for: Option<Duration>,
    /// Our server, instead of a build; or the variable ZK_SERVER_BIN.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
}

/// Starts the servers and stays until this program is asked to end.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensemble::end_with_this_program()?;
    let workspace = Workspace::load()?;
    let beside = workspace.target_directory.join("cluster");
    let directory = made(args.dir.as_deref().unwrap_or(&beside))?;
    let mut programs = Programs::new(&workspace).with_server(args.server.clone());
    if !args.release {
        programs = programs.debug();
    }
    let programs = args.found(&mut programs)?;
    let settings = args.settings();
    let mut ensemble = Ensemble::on_loopback(&directory, &programs, args.observers, &settings)?;
    ensemble.log(args.level(), Output::Terminal);
    let began = Instant::now();
    ensemble.start()?;
    let roles = ensemble.await_serving(START_PATIENCE)?;
    println!(
        "the ensemble serves after {} ms: {roles}",
        began.elapsed().as_millis()
    );
    println!("data: {}", directory.display());
    println!("connect string: {}", ensemble.connect_string());
    println!("Ctrl-C ends it");
    stay(&mut ensemble, args)
}

impl Args {
    /// What each server runs, the observers last.
    fn found(&self, programs: &mut Programs) -> Result<Vec<Program>> {
        self.kinds()
            .into_iter()
            .map(|kind| programs.find(kind))
            .collect()
    }

    fn kinds(&self) -> Vec<Kind> {
        let last = self.programs.last().copied().unwrap_or(Kind::Ours);
        let given = self.programs.iter().copied();
        let kinds = given.chain(std::iter::repeat(last));
        let (voters, servers) = (self.nodes as usize, (self.nodes + self.observers) as usize);
        let mut kinds: Vec<_> = kinds.take(servers).collect();
        if self.mixed {
            kinds[voters - 1] = Kind::Apache395;
        }
        kinds
    }

    fn settings(&self) -> Settings {
        let form = match self.client_port {
            true => Form::ClientPort,
            false => Form::Inline,
        };
        Settings {
            form,
            ..Settings::default()
        }
    }

    fn level(&self) -> LogLevel {
        match self.quiet {
            true => LogLevel::Warn,
            false => LogLevel::Info,
        }
    }
}

/// Says when a server ended by itself, and kills leaders if that is asked for.
fn stay(ensemble: &mut Ensemble, args: &Args) -> Result<()> {
    let began = Instant::now();
    let mut due = args.kill_leader_every;
    while args.run_for.is_none_or(|time| began.elapsed() < time) {
        thread::sleep(LOOK);
        for server in &mut ensemble.servers {
            if let Err(error) = server.check() {
                println!("{error}");
            }
        }
        if ensemble.servers.iter().all(|server| server.pid().is_none()) {
            return Err(Error::wrong("no server runs any more"));
        }
        if let (Some(time), Some(every)) = (due, args.kill_leader_every)
            && began.elapsed() >= time
        {
            kill_leader(ensemble)?;
            due = Some(began.elapsed() + every);
        }
    }
    ensemble.stop()
}

fn kill_leader(ensemble: &mut Ensemble) -> Result<()> {
    let old = leader(ensemble, START_PATIENCE)?;
    println!("killing the leader, {old}");
    let killed = Instant::now();
    ensemble.server(old).kill()?;
    let new = leader(ensemble, START_PATIENCE)?;
    let waited = killed.elapsed().as_millis();
    println!("{new} leads after {waited} ms");
    thread::sleep(ABSENCE);
    ensemble.server(old).start()?;
    let roles = ensemble.await_serving(START_PATIENCE)?;
    println!("{old} is back: {roles}");
    Ok(())
}

fn leader(ensemble: &mut Ensemble, patience: Duration) -> Result<ServerId> {
    let roles = ensemble.await_leader(patience)?;
    roles
        .leader()
        .ok_or_else(|| Error::wrong("no server leads"))
}

fn made(directory: &Path) -> Result<PathBuf> {
    fs::create_dir_all(directory).map_err(|error| Error::io("make", directory, error))?;
    let resolved = directory.canonicalize();
    resolved.map_err(|error| Error::io("find", directory, error))
}

/// Reads `30s`, `500ms` or `2m`.
fn duration(text: &str) -> std::result::Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("`{text}` is no time such as 30s"))?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err(format!("`{text}` does not end in ms, s or m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Parsed {
        #[command(flatten)]
        args: Args,
    }

    #[track_caller]
    fn kinds(flags: &[&str]) -> Vec<Kind> {
        let words = std::iter::once("cluster").chain(flags.iter().copied());
        let parsed: Parsed = clap::Parser::try_parse_from(words).unwrap();
        parsed.args.kinds()
    }

    #[test]
    fn kinds_are_chosen_per_server() {
        assert_eq!(kinds(&[]), [Kind::Ours; 3]);
        let mixed = [Kind::Ours, Kind::Ours, Kind::Apache395];
        assert_eq!(kinds(&["--mixed"]), mixed);
        let watched = [Kind::Ours, Kind::Ours, Kind::Apache395, Kind::Ours];
        assert_eq!(kinds(&["--mixed", "--observers", "1"]), watched);
        let flags = ["--programs", "apache-3.8.0,ours", "--nodes", "3"];
        assert_eq!(kinds(&flags), [Kind::Apache380, Kind::Ours, Kind::Ours]);
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["30", "s", "", "3h", "-1s"] {
            duration(wrong).unwrap_err();
        }
    }
}
