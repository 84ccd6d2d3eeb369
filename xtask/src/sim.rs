//! `cargo xtask sim`: whole ensembles in virtual time, many seeds or one.
//!
//! The simulator is a test target of zk-server, run as an optimised build; its own words are the
//! result. docs/simulation.md tells how to read them.

use crate::error::Result;
use crate::flags::SimArgs;
use crate::sh;
use crate::workspace::Workspace;

/// Runs the seeds that are asked for.
pub(crate) fn run(args: &SimArgs) -> Result<()> {
    let workspace = Workspace::load()?;
    let mut cargo = sh::cargo(&workspace.root);
    cargo.args(["test", "--release", "--quiet", "--package", "zk-server"]);
    if args.mutants.is_some() {
        cargo.args(["--features", "mutations"]);
    }
    cargo.args(["--test", "sim", "--"]);
    if let Some(part) = &args.mutants {
        cargo.args(["--mutants", part]);
    }
    match args.seed {
        Some(seed) => cargo.args(["--seed", &seed.to_string()]),
        None => cargo.args([
            "--seeds",
            &args.seeds.to_string(),
            "--from",
            &args.from.to_string(),
        ]),
    };
    if let Some(profile) = &args.profile {
        cargo.args(["--profile", profile]);
    }
    if let Some(jobs) = args.jobs {
        cargo.args(["--jobs", &jobs.to_string()]);
    }
    sh::run(&mut cargo)
}
