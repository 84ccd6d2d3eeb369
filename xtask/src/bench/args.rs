//! The flags of `cargo xtask bench`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;

use super::record::Side;

/// Flags of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The benches of the crates and then the comparison, if left out.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the criterion benches of the crates, all or one.
    Crates(CratesArgs),
    /// Compare zk-server with Apache ZooKeeper 3.9.5 on this machine.
    Versus(VersusArgs),
    /// Compare three of our servers with three of Apache 3.9.5 on this machine.
    Ensemble(EnsembleArgs),
    /// Compare how long writes stay away when servers of an ensemble fail.
    Failover(FailoverArgs),
    /// Measure the shell: one command, and a million znodes out and in.
    Cli(CliArgs),
    /// Compare what an operation costs different client libraries.
    Client(ClientArgs),
    /// Compare how long a lock is on its way from one process to another.
    Lock(LockArgs),
    /// Put one scenario's load on a running server, for a profiler.
    Load(LoadArgs),
}

/// Flags of `cargo xtask bench crates`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct CratesArgs {
    /// The crate; all that have benches if left out.
    #[arg(value_name = "CRATE")]
    pub(super) package: Option<String>,
    /// Record the figures under this name.
    #[arg(long, value_name = "NAME", conflicts_with = "compare")]
    pub(super) save: Option<String>,
    /// Compare with the figures of this name.
    #[arg(long, value_name = "NAME")]
    pub(super) compare: Option<String>,
}

/// Flags of `cargo xtask bench versus`.
#[derive(Debug, clap::Args)]
pub(super) struct VersusArgs {
    /// Only the scenarios whose name begins so; several are separated by commas.
    #[arg(long, value_name = "SCENARIO", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Run only this server.
    #[arg(long, value_name = "SIDE")]
    pub(super) only_side: Option<Side>,
    /// How long one round measures.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) seconds: u64,
    /// How long Apache's server is under load before it is measured.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(super) warm_up: u64,
    /// How often each server is measured, in turns.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(super) rounds: u32,
    /// Our server, instead of a fresh release build; or the variable ZK_SERVER_BIN.
    #[arg(long, value_name = "PATH")]
    pub(super) server: Option<PathBuf>,
    /// A directory with Apache's jars, instead of the provisioned one.
    #[arg(long, value_name = "DIR")]
    pub(super) apache_home: Option<PathBuf>,
    /// Take Apache's figures from this file and do not run it.
    #[arg(long, value_name = "FILE")]
    pub(super) apache_json: Option<PathBuf>,
    /// Where the servers keep their data, on a disk; `bench` in the target directory if left out.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Write the report to this file; in a file with a report only the report is replaced.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Write every round's figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
}

/// Flags of `cargo xtask bench ensemble`.
#[derive(Debug, clap::Args)]
pub(super) struct EnsembleArgs {
    /// Only the cases whose name begins so; several are separated by commas.
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// How long one round measures.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) seconds: u64,
    #[command(flatten)]
    pub(super) sides: Sides,
}

/// Flags of `cargo xtask bench failover`.
#[derive(Debug, clap::Args)]
pub(super) struct FailoverArgs {
    /// Only the faults whose name begins so; several are separated by commas.
    #[arg(long, value_name = "FAULT", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    #[command(flatten)]
    pub(super) sides: Sides,
}

/// Flags of `cargo xtask bench lock`.
#[derive(Debug, clap::Args)]
pub(super) struct LockArgs {
    /// How many times each of the two processes takes the lock in a measured round.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(super) count: u32,
    /// How many times before that.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(super) warm_up_rounds: u32,
    /// How long each process holds the lock, in µs; Java's contender takes whole milliseconds.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub(super) hold_us: u32,
    /// Our contender, instead of a fresh release build of the example `lock_hand_over`.
    #[arg(long, value_name = "PATH")]
    pub(super) contender: Option<PathBuf>,
    #[command(flatten)]
    pub(super) sides: Sides,
}

/// What the comparisons of ensembles share.
#[derive(Debug, clap::Args)]
pub(super) struct Sides {
    /// Run only this side.
    #[arg(long, value_name = "SIDE")]
    pub(super) only_side: Option<Side>,
    /// How often each side is measured, in turns.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) rounds: u32,
    /// How long Apache's servers are under load before they are measured.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) warm_up: u64,
    /// Our server, instead of a fresh release build; or the variable ZK_SERVER_BIN.
    #[arg(long, value_name = "PATH")]
    pub(super) server: Option<PathBuf>,
    /// A directory with Apache's jars, instead of the provisioned one.
    #[arg(long, value_name = "DIR")]
    pub(super) apache_home: Option<PathBuf>,
    /// Where the servers keep their data, on a disk; `bench` in the target directory if left out.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Write the report to this file; in a file with such a report only the report is replaced.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Write every round's figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
}

impl Sides {
    /// How long a side is under load before it is measured: a compiled program needs less.
    pub(super) fn warm_up(&self, side: Side) -> Duration {
        const OURS_MAX: u64 = 3;
        Duration::from_secs(match side {
            Side::Apache => self.warm_up,
            Side::Ours => self.warm_up.min(OURS_MAX),
        })
    }
}

/// Flags of `cargo xtask bench client`.
#[derive(Debug, clap::Args)]
pub(super) struct ClientArgs {
    /// Operations under way on the one session.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(super) tasks: u32,
    /// How often each client is measured.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) rounds: u32,
    /// Seconds before the counting begins.
    #[arg(long, value_name = "S", default_value_t = 10)]
    pub(super) warm_up_secs: u32,
    /// Seconds that count.
    #[arg(long, value_name = "S", default_value_t = 5)]
    pub(super) secs: u32,
    /// Our server, instead of a fresh release build; or the variable ZK_SERVER_BIN.
    #[arg(long, value_name = "PATH")]
    pub(super) server: Option<PathBuf>,
    /// Where the server keeps its data, on a disk; `bench` in the target directory if left out.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Write the report to this file; in a file with such a report only the report is replaced.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

/// Flags of `cargo xtask bench cli`.
#[derive(Debug, clap::Args)]
pub(super) struct CliArgs {
    /// How many znodes are imported and exported.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(super) znodes: u32,
    /// Our server, instead of a fresh release build; or the variable ZK_SERVER_BIN.
    #[arg(long, value_name = "PATH")]
    pub(super) server: Option<PathBuf>,
    /// The shell, instead of a fresh release build; or the variable ZK_CLI_BIN.
    #[arg(long, value_name = "PATH")]
    pub(super) shell: Option<PathBuf>,
    /// Where the server keeps its data, on a disk; `bench` in the target directory if left out.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Write the report to this file; in a file with such a report only the report is replaced.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

/// Flags of `cargo xtask bench load`.
#[derive(Debug, clap::Args)]
pub(super) struct LoadArgs {
    /// The server.
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) server: SocketAddr,
    /// The scenario, by its full name.
    #[arg(long, value_name = "SCENARIO")]
    pub(super) scenario: String,
    /// How long the load is measured.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) seconds: u64,
    /// The server's process id, to measure its CPU and memory too.
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
}
