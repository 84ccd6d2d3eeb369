//! `cargo xtask bench client`: what an operation costs a client's process, zk-client next to the
//! crate `zookeeper-client` and Apache's Java client, all against one server of ours.
//!
//! The Rust programs are in `xtask/clients`, a workspace of its own; Java's is compiled from its
//! source by Java.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use super::args::ClientArgs;
use super::machine;
use super::report::{self, Section};
use super::server::Server;
use crate::ensemble::{Kind, Program, Programs};
use crate::error::{Error, Result};
use crate::sh;
use crate::workspace::Workspace;

/// Where the report stands in its file.
const SECTION: Section = Section("client");

const OPERATIONS: [&str; 2] = ["get", "set"];
const NAMES: [&str; 3] = ["zk-client", "zookeeper-client", "Apache's Java client"];

/// Starts a server, runs all clients in turns and prints the report.
pub(super) fn run(args: &ClientArgs) -> Result<()> {
    let workspace = Workspace::load()?;
    let directory = machine::directory(args.dir.as_deref(), &workspace)?.join("client");
    machine::clear(&directory)?;
    let mut programs = Programs::new(&workspace).with_server(args.server.clone());
    let (ours, apache) = (programs.find(Kind::Ours)?, programs.find(Kind::Apache395)?);
    let clients = build(&workspace, apache)?;
    let server = Server::serve(&ours, &directory, "")?;
    let mut report = String::from(
        "| operations per client CPU second | zk-client | `zookeeper-client` | Apache's Java client |\n|---|---|---|---|\n",
    );
    for operation in OPERATIONS {
        let cells = clients.rounds(args, server.target().address, operation)?;
        // Writing to a string cannot fail.
        let _ = writeln!(report, "| {operation} | {} |", cells.join(" | "));
    }
    server.stop()?;
    machine::clear(&directory)?;
    println!("{report}");
    match &args.out {
        Some(path) => report::write(path, SECTION, &report),
        None => Ok(()),
    }
}

/// How the clients are started, in the order of [`NAMES`].
struct Clients {
    binaries: std::path::PathBuf,
    source: std::path::PathBuf,
    java: Program,
}

fn build(workspace: &Workspace, java: Program) -> Result<Clients> {
    let home = workspace.root.join("xtask/clients");
    let target = workspace.target_directory.join("clients");
    let mut cargo = sh::cargo(&home);
    cargo
        .args(["build", "--release", "--target-dir"])
        .arg(&target);
    sh::run(&mut cargo)?;
    Ok(Clients {
        binaries: target.join("release"),
        source: home.join("Load.java"),
        java,
    })
}

impl Clients {
    /// The median of the rounds for each client, with the lowest and the highest.
    fn rounds(
        &self,
        args: &ClientArgs,
        server: SocketAddr,
        operation: &str,
    ) -> Result<Vec<String>> {
        let mut figures = [const { Vec::new() }; NAMES.len()];
        for _ in 0..args.rounds {
            for (at, figures) in figures.iter_mut().enumerate() {
                let mut command = self.command(at);
                command.args([&server.to_string(), operation, &args.tasks.to_string()]);
                command.args([args.warm_up_secs, args.secs].map(|secs| secs.to_string()));
                figures.push(per_cpu_second(&mut command)?);
                eprintln!("{operation} {}: {}", NAMES[at], figures[figures.len() - 1]);
            }
        }
        Ok(figures.into_iter().map(cell).collect())
    }

    fn command(&self, at: usize) -> Command {
        match at {
            0 => Command::new(self.binaries.join("ours")),
            1 => Command::new(self.binaries.join("zookeeper_client")),
            _ => self.java.java(&self.source),
        }
    }
}

/// From a line of operations, processor time and time, the latter two in ns.
fn per_cpu_second(command: &mut Command) -> Result<u64> {
    let said = sh::read(command.stderr(Stdio::null()))?;
    let numbers: Vec<u64> = said
        .split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers[..] {
        [operations, used, _] if used > 0 => Ok(operations.saturating_mul(1_000_000_000) / used),
        _ => Err(Error::wrong(format!("a client said {said:?}"))),
    }
}

fn cell(mut figures: Vec<u64>) -> String {
    figures.sort_unstable();
    match figures[..] {
        [] => "-".to_owned(),
        [lowest, .., highest] => {
            let median = figures[figures.len() / 2];
            format!("{median} ({lowest} to {highest})")
        }
        [one] => one.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_show_the_median_and_the_ends() {
        assert_eq!(cell(vec![3, 1, 2]), "2 (1 to 3)");
        assert_eq!(cell(vec![7]), "7");
    }
}
