//! The deterministic simulator: whole servers of the production code on one
//! thread, in virtual time, over a network and disks that fail as a seed
//! says, with clients whose history is checked. `docs/simulation.md` tells
//! more.
//!
//! `cargo xtask sim` runs it; without arguments it runs a few seeds of every
//! kind and all scripts.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    reason = "a test with a main of its own: the terminal is its whole interface"
)]

mod args;
mod check;
mod client;
mod disk;
mod machine;
#[cfg(feature = "mutations")]
mod mutants;
mod nemesis;
mod net;
mod port;
mod profile;
mod queue;
mod report;
mod rng;
mod run;
mod scripts;
mod setup;
mod trace;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::Args::of_process() {
        Ok(args) => report::run(&args),
        Err(message) => {
            eprintln!("sim: {message}");
            ExitCode::FAILURE
        }
    }
}
