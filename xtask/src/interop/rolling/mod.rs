//! `cargo xtask interop rolling`: an ensemble changes its kind and back, one server at a time,
//! over the same data directories, and no client may notice more than a lost connection.
//!
//! After each step the clients rest, and every acknowledged write, every session's ephemeral
//! znode and the equality of all servers' trees are checked. At the end all servers are killed
//! at once and must come back with everything.

mod client;
mod control;
mod history;
mod load;
mod plan;
mod servers;
mod tree;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::ensemble::{
    self, Ensemble, Kind, LogLevel, Output, Program, Programs, Roles, ServerId, Settings,
};
use crate::error::{Error, Result};
use crate::workspace::Workspace;

use load::{Checked, Load};
use plan::{End, Led, Order};

/// How long servers may take until all of them serve.
const PATIENCE: Duration = Duration::from_secs(120);

/// Flags of `cargo xtask interop rolling`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the servers are at first and at the end.
    #[arg(long, value_name = "KIND", default_value_t = Kind::Apache395)]
    from: Kind,
    /// What they become in between.
    #[arg(long, value_name = "KIND", default_value_t = Kind::Ours)]
    to: Kind,
    /// In which order they are replaced; there and back for each that is given.
    #[arg(
        long,
        value_name = "ORDER",
        value_delimiter = ',',
        default_value = "leader-last"
    )]
    order: Vec<Order>,
    /// How many servers there are.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(3..=9))]
    servers: u32,
    /// How many clients write.
    #[arg(long, value_name = "N", default_value_t = 6)]
    clients: usize,
    /// How often each client writes in a second, at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    writes_per_second: u32,
    /// How long the clients write after each step.
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds_per_step: u64,
    /// Where the servers keep their data; `rolling` in the target directory if left out. Data
    /// of an earlier run is removed.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Our server, instead of a fresh release build; or the variable ZK_SERVER_BIN.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
}

/// Runs the whole story; an error tells what was broken.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensemble::end_with_this_program()?;
    let began = Instant::now();
    let workspace = Workspace::load()?;
    let mut found = Programs::new(&workspace).with_server(args.server.clone());
    let (from, to) = (found.find(args.from)?, found.find(args.to)?);
    let directory = args.directory(&workspace)?;
    let programs = vec![from.clone(); args.servers as usize];
    let mut ensemble = Ensemble::on_loopback(&directory, &programs, 0, &settings())?;
    ensemble.log(LogLevel::Info, Output::File);
    ensemble.start()?;
    let roles = ensemble.await_serving(PATIENCE)?;
    println!("the ensemble serves: {roles}");
    let load = Load::start(&ensemble.addresses(), args.clients, args.pause())?;
    let mut rolling = Rolling {
        args,
        ensemble,
        load,
        led: Led::default(),
        steps: 0,
        began,
    };
    rolling.check("before the first step")?;
    for order in &args.order {
        rolling.replace(&to, *order)?;
        rolling.replace(&from, *order)?;
    }
    rolling.end()
}

struct Rolling<'a> {
    args: &'a Args,
    ensemble: Ensemble,
    load: Load,
    led: Led,
    steps: usize,
    began: Instant,
}

impl Rolling<'_> {
    /// Replaces every server that is of another kind, one at a time.
    fn replace(&mut self, program: &Program, order: Order) -> Result<()> {
        let mut roles = self.ensemble.await_serving(PATIENCE)?;
        while let Some(id) = plan::next(&roles, program.kind, order) {
            roles = self.step(&roles, id, program)?;
        }
        Ok(())
    }

    fn step(&mut self, roles: &Roles, id: ServerId, program: &Program) -> Result<Roles> {
        let end = End::of_step(self.steps);
        self.steps += 1;
        let role = if roles.leader() == Some(id) {
            "leader"
        } else {
            "follower"
        };
        let server = self.ensemble.server(id);
        let (step, old) = (self.steps, server.program.kind);
        match end {
            End::Stop => server.stop()?,
            End::Kill => server.kill()?,
        }
        server.program = program.clone();
        server.start()?;
        let roles = self.ensemble.await_serving(PATIENCE)?;
        self.led.note(&roles);
        self.load.started(&roles, id);
        let new = program.kind;
        println!("step {step}: {role} {id} ({old}) {end}, now {new}: {roles}");
        self.check("after the step")?;
        Ok(roles)
    }

    /// Lets the clients write and then compares everything.
    fn check(&mut self, when: &str) -> Result<Checked> {
        let time = Duration::from_secs(self.args.seconds_per_step);
        self.load.write_for(time)?;
        let checked = self.load.rest_and_check(&mut self.ensemble);
        let checked = checked.map_err(|error| Error::wrong(format!("{when}:\n  {error}")))?;
        println!("  {checked}");
        self.load.go_on();
        Ok(checked)
    }

    /// Kills all servers at once; then ends the sessions.
    fn end(mut self) -> Result<()> {
        for server in &mut self.ensemble.servers {
            server.kill()?;
        }
        self.ensemble.start()?;
        let roles = self.ensemble.await_serving(PATIENCE)?;
        println!("all killed, all started: {roles}");
        for server in &self.ensemble.servers {
            self.load.started(&roles, server.id());
        }
        let checked = self.check("after all were killed")?;
        self.load.leave(&mut self.ensemble)?;
        self.ensemble.stop()?;
        let (from, to) = (self.args.from, self.args.to);
        if let Some(missing) = self.led.missing(from, to).filter(|_| from != to) {
            return Err(Error::wrong(missing));
        }
        println!(
            "passed in {} s: {} steps, {} sessions kept, {} acknowledged writes kept, \
             {from} and {to} led each other",
            self.began.elapsed().as_secs(),
            self.steps,
            self.args.clients,
            checked.acknowledged,
        );
        Ok(())
    }
}

impl Args {
    /// An empty directory.
    fn directory(&self, workspace: &Workspace) -> Result<PathBuf> {
        let beside = workspace.target_directory.join("rolling");
        let directory = self.dir.clone().unwrap_or(beside);
        for server in 1..=9 {
            let old = directory.join(format!("server-{server}"));
            match fs::remove_dir_all(&old) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &old, error));
                }
                _ => {}
            }
        }
        fs::create_dir_all(&directory).map_err(|error| Error::io("make", &directory, error))?;
        let resolved = directory.canonicalize();
        resolved.map_err(|error| Error::io("find", &directory, error))
    }

    fn pause(&self) -> Duration {
        Duration::from_secs(1) / self.writes_per_second
    }
}

/// Snapshots come often, so that servers start from them and learners are sent them.
fn settings() -> Settings {
    Settings {
        tick_ms: 1000,
        init_limit_ticks: 20,
        sync_limit_ticks: 5,
        extra: "maxSessionTimeout=60000\nsnapCount=1000\n".to_owned(),
        ..Settings::default()
    }
}
