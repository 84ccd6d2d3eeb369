//! The command line: every command and flag, in one place.

use clap::{Args, Parser, Subcommand};

use crate::{bench, cluster, dist, interop};

/// Automation of the ZooKeeper workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One command a file, named as the command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check and test everything; the one test command of the project.
    Test(TestArgs),
    /// Find or install Java, Apache ZooKeeper 3.9.5 and 3.8.0 and kazoo; print shell exports.
    Provision,
    /// Check the repository's own rules: layering, purity, module docs, sizes.
    Tidy,
    /// Run fuzz targets, all or one.
    Fuzz(FuzzArgs),
    /// Simulate whole ensembles in virtual time, from seeds.
    Sim(SimArgs),
    /// Run benchmarks.
    Bench(bench::Args),
    /// Run an ensemble on this machine until Ctrl-C.
    Cluster(cluster::Args),
    /// Run servers of different kinds in one ensemble and check what clients see.
    Interop(interop::Args),
    /// Make the directory and the tarball that users unpack.
    Dist(dist::Args),
}

/// Flags of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only the checks and tests that need nothing but cargo: no provisioning, long stages or fuzzing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print the names of the steps and run none.
    #[arg(long)]
    pub(crate) list: bool,
    /// Run only this step; may be given several times.
    #[arg(long, value_name = "STEP")]
    pub(crate) only: Vec<String>,
    /// Leave this step out; may be given several times.
    #[arg(long, value_name = "STEP")]
    pub(crate) skip: Vec<String>,
    /// How long each fuzz target runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) fuzz_seconds: u32,
}

/// Flags of `cargo xtask fuzz`.
#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// The target to run; all of them if left out.
    pub(crate) target: Option<String>,
    /// How long each target runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) seconds: u32,
    /// Afterwards add to fuzz/corpus what reached new code, reduced to as few inputs as possible.
    #[arg(long)]
    pub(crate) keep: bool,
}

/// Flags of `cargo xtask sim`.
#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    /// How many seeds to run.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) seeds: u64,
    /// The first of them.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) from: u64,
    /// Put known bugs back, one after the other, those whose names contain PART, and run seeds until one finds each.
    #[arg(long, value_name = "PART", num_args = 0..=1, default_missing_value = "")]
    pub(crate) mutants: Option<String>,
    /// Run this one only, and tell what happened in it if it fails.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// What may break: calm, crash, partition, disk, pause, wipe or swarm; each in turn if left out.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// How many seeds run at once; one a core if left out.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}
