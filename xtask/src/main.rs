//! Project automation: `cargo xtask <command>`.
//!
//! Everything a contributor or a CI machine does to this repository beyond plain cargo is a
//! command here, in the project's own language. `cargo xtask --help` lists the commands;
//! CONTRIBUTING.md says when to use which. This crate drives other programs and reads the
//! repository; what it knows of ZooKeeper's client protocol it knows apart from zk-proto.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the terminal is this program's whole interface"
)]

mod bench;
mod client;
mod cluster;
mod dist;
mod ensemble;
mod error;
mod flags;
mod fuzz;
mod interop;
mod process;
mod provision;
mod sh;
mod sim;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::error::Result;
use crate::flags::{Command, Flags};

fn main() -> ExitCode {
    run(Flags::parse().command).unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        // Its last line is the sum of all tests, so it tells its failures itself.
        Command::Test(args) => return test::run(&args),
        Command::Provision => provision::run()?,
        Command::Tidy => tidy::run()?,
        Command::Fuzz(args) => fuzz::run(&args)?,
        Command::Sim(args) => sim::run(&args)?,
        Command::Bench(args) => bench::run(args)?,
        Command::Cluster(args) => cluster::run(&args)?,
        Command::Interop(args) => interop::run(&args)?,
        Command::Dist(args) => dist::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
