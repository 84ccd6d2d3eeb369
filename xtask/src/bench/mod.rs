//! `cargo xtask bench`: the crates' own benches, and the comparison with Apache ZooKeeper.
//!
//! The load generator speaks the client protocol with code of its own, on one thread and
//! without an allocation per operation, so that what it measures is the server. From the wire
//! up: [`wire`] frames, [`session`] one connection, [`fleet`] many on one epoll; [`closed`],
//! [`open`], [`watch`], [`idle`] and [`million`] are kinds of load; [`scenario`] is the table of
//! what is measured and what is to be reached, [`versus`] runs it and [`report`] writes it down.
//! [`ensemble`] puts the same loads on three servers, and [`failover`] takes servers away under
//! the writes of a small client. [`cli`] times the shell as users run it, and [`lock`] compares
//! recipes instead of servers, [`clients`] client libraries.

mod args;
mod cli;
mod clients;
mod closed;
mod crates;
mod ensemble;
mod failover;
#[cfg(test)]
mod fake;
mod fleet;
mod histogram;
mod idle;
mod load;
mod lock;
mod machine;
mod measure;
mod meter;
mod million;
mod open;
mod prepare;
mod programs;
mod record;
mod report;
mod requests;
mod scenario;
mod server;
mod session;
mod steady;
mod versus;
mod watch;
mod wire;

use clap::Parser as _;

use crate::error::Result;

pub(crate) use args::Args;
use args::{Command, CratesArgs, VersusArgs};

/// Runs what the flags say.
pub(crate) fn run(args: Args) -> Result<()> {
    match args.command {
        Some(Command::Crates(args)) => crates::run(&args),
        Some(Command::Versus(args)) => versus::run(&args),
        Some(Command::Ensemble(args)) => ensemble::run(&args),
        Some(Command::Failover(args)) => failover::run(&args),
        Some(Command::Cli(args)) => cli::run(&args),
        Some(Command::Client(args)) => clients::run(&args),
        Some(Command::Load(args)) => load::run(&args),
        Some(Command::Lock(args)) => lock::run(&args),
        None => everything(),
    }
}

fn everything() -> Result<()> {
    crates::run(&CratesArgs::default())?;
    versus::run(&Defaults::parse_from(["versus"]).args)
}

/// The comparison's flags as they are when none is given.
#[derive(clap::Parser)]
struct Defaults {
    #[command(flatten)]
    args: VersusArgs,
}
