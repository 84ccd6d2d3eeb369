//! `cargo xtask interop`: servers of different kinds in one ensemble, under clients whose
//! history is checked.

mod rolling;

use clap::Subcommand;

use crate::error::Result;

/// Flags of `cargo xtask interop`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replace the servers of an ensemble by those of another kind and back, one at a time.
    Rolling(rolling::Args),
}

/// Runs what the flags say.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Rolling(args) => rolling::run(args),
    }
}
