//! `cargo xtask bench`: the criterion benches of the crates.

use crate::error::Result;
use crate::sh;
use crate::workspace::Workspace;

/// Flags of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run the benches of this crate only.
    #[arg(long, value_name = "CRATE")]
    package: Option<String>,
}

/// Runs the criterion benches, of all crates or one.
pub(crate) fn run(args: Args) -> Result<()> {
    let mut cargo = sh::cargo(&Workspace::load()?.root);
    cargo.arg("bench");
    match args.package {
        Some(package) => cargo.args(["--package", &package]),
        None => cargo.arg("--workspace"),
    };
    sh::run(&mut cargo)
}
