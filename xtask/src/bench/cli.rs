//! `cargo xtask bench cli`: the shell as users run it, one process a figure.
//!
//! The million znodes come from an archive that is written here byte by byte, so that nothing
//! but the shell under test reads or writes the format for it.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::args::CliArgs;
use super::machine;
use super::report::{self, Section};
use super::server::Server;
use crate::ensemble::{Kind, Programs};
use crate::error::{Error, Result};
use crate::sh;
use crate::workspace::Workspace;

/// Where the report stands in its file.
const SECTION: Section = Section("cli");

/// One-shot commands, after some that warm the caches up.
const RUNS: usize = 200;
const WARM_UP: usize = 20;

/// Znodes below each directory of the archive.
const FAN_OUT: u32 = 1000;

/// What `zk get` may take, in ms, and how many znodes a second are to pass each way.
const GET_GOAL_MS: f64 = 10.0;
const PASS_GOAL: f64 = 100_000.0;

/// Starts a server, runs the shell, prints the report and writes it where it is asked for.
pub(super) fn run(args: &CliArgs) -> Result<()> {
    let workspace = Workspace::load()?;
    let directory = machine::directory(args.dir.as_deref(), &workspace)?.join("cli");
    machine::clear(&directory)?;
    let mut programs = Programs::new(&workspace).with_server(args.server.clone());
    let program = programs.find(Kind::Ours)?;
    let shell = shell(args, &workspace)?;
    let server = Server::serve(&program, &directory, "")?;
    let bench = Bench {
        shell,
        address: server.target().address,
        directory,
    };
    let gets = bench.gets()?;
    let (into, out) = bench.million(args.znodes)?;
    server.stop()?;
    let report = markdown(&workspace, args.znodes, &gets, [into, out])?;
    println!("{report}");
    machine::clear(&bench.directory)?;
    match &args.out {
        Some(path) => report::write(path, SECTION, &report),
        None => Ok(()),
    }
}

fn shell(args: &CliArgs, workspace: &Workspace) -> Result<PathBuf> {
    let given = args.shell.clone();
    if let Some(path) = given.or_else(|| std::env::var_os("ZK_CLI_BIN").map(PathBuf::from)) {
        return Ok(path);
    }
    let mut cargo = sh::cargo(&workspace.root);
    sh::run(cargo.args(["build", "--release", "--package", "zk-cli"]))?;
    Ok(workspace.target_directory.join("release/zk"))
}

struct Bench {
    shell: PathBuf,
    address: SocketAddr,
    directory: PathBuf,
}

/// How one long command went.
struct Pass {
    what: &'static str,
    elapsed: Duration,
    peak_kib: u64,
}

impl Bench {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.shell);
        command.args(["-q", "-server", &self.address.to_string()]);
        command.args(words).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// How long `zk get` takes from exec to exit, sorted.
    fn gets(&self) -> Result<Vec<Duration>> {
        sh::run(&mut self.command(&["create", "/one", "some data"]))?;
        let mut times = Vec::with_capacity(RUNS);
        for at in 0..WARM_UP + RUNS {
            let mut get = self.command(&["get", "/one"]);
            let began = Instant::now();
            let status = get.status().map_err(|source| failed(&self.shell, source))?;
            if !status.success() {
                return Err(Error::wrong(format!("zk get ended with {status}")));
            }
            if at >= WARM_UP {
                times.push(began.elapsed());
            }
        }
        times.sort_unstable();
        Ok(times)
    }

    fn million(&self, znodes: u32) -> Result<(Pass, Pass)> {
        let source = self.directory.join("source.zka");
        let target = self.directory.join("target.zka");
        archive(&source, znodes).map_err(|error| Error::io("write", &source, error))?;
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let into = self.pass("import", &["import", &path(&source), "/bench"])?;
        let out = self.pass("export", &["export", "/bench", &path(&target)])?;
        let size = |path: &Path| fs::metadata(path).map(|meta| meta.len()).unwrap_or(0);
        match size(&source) == size(&target) {
            true => Ok((into, out)),
            false => Err(Error::wrong("what came out is not what went in")),
        }
    }

    fn pass(&self, what: &'static str, words: &[&str]) -> Result<Pass> {
        let began = Instant::now();
        let mut child = self
            .command(words)
            .spawn()
            .map_err(|source| failed(&self.shell, source))?;
        let mut peak_kib = 0;
        let status = loop {
            peak_kib = peak(&child).unwrap_or(0).max(peak_kib);
            let ended = child.try_wait();
            if let Some(status) = ended.map_err(|source| failed(&self.shell, source))? {
                break status;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        match status.success() {
            true => Ok(Pass {
                what,
                elapsed: began.elapsed(),
                peak_kib,
            }),
            false => Err(Error::wrong(format!("zk {what} ended with {status}"))),
        }
    }
}

fn failed(program: &Path, source: std::io::Error) -> Error {
    Error::Io {
        what: format!("cannot run {}", program.display()),
        source,
    }
}

/// The most memory that a process has had, in KiB.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// An archive of a root and directories with 100 bytes in each znode below them; see
/// `zk_proto::archive` for the format.
fn archive(path: &Path, znodes: u32) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(b"\x84\xa6format\xaazk-archive\xa7version\x01\xa4kind\xa7subtree\xa5items\xdd")?;
    out.write_all(&znodes.to_be_bytes())?;
    for number in 0..znodes {
        let (directory, below) = (number / FAN_OUT, number % FAN_OUT);
        match (directory, below) {
            (0, 0) => znode(&mut out, "", b"")?,
            (_, 0) => znode(&mut out, &format!("/d{directory:05}"), b"")?,
            (0, _) => znode(&mut out, &format!("/n{below:04}"), &[b'x'; 100])?,
            _ => {
                let path = format!("/d{directory:05}/n{below:04}");
                znode(&mut out, &path, &[b'x'; 100])?;
            }
        }
    }
    out.flush()
}

fn znode(out: &mut impl std::io::Write, path: &str, data: &[u8]) -> std::io::Result<()> {
    let short = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
    out.write_all(b"\x85\xa4path")?;
    out.write_all(&[0xa0 | short(path.len())])?;
    out.write_all(path.as_bytes())?;
    out.write_all(&[0xa4])?;
    out.write_all(b"data\xc4")?;
    out.write_all(&[short(data.len())])?;
    out.write_all(data)?;
    out.write_all(b"\xa3acl\x91\x83\xa5perms\x1f\xa6scheme\xa5world\xa2id\xa6anyone")?;
    out.write_all(b"\xa6ttl_ms\xc0\xa9container\xc2")
}

fn markdown(
    workspace: &Workspace,
    znodes: u32,
    gets: &[Duration],
    passes: [Pass; 2],
) -> Result<String> {
    let (date, machine) = (machine::date()?, machine::describe());
    let commit = machine::commit(&workspace.root);
    let mut text = format!(
        "Measured on {date} with `cargo xtask bench cli`.\nMachine: {machine}.\n\
         Commit {commit}, the server on the same machine.\n\n\
         | what | figure | goal | reached |\n|---|---|---|---|\n"
    );
    let at = |part: usize| gets[gets.len() * part / 100].as_secs_f64() * 1000.0;
    let reached = |is_reached: bool| if is_reached { "yes" } else { "no" };
    let (p50, p99) = (at(50), at(99));
    text += &format!(
        "| `zk get`, from exec to exit, p50 of {RUNS} | {p50:.1} ms | ≤ 10 ms | {} |\n\
         | the same, p99 | {p99:.1} ms | | |\n",
        reached(p50 <= GET_GOAL_MS)
    );
    for pass in passes {
        let rate = f64::from(znodes) / pass.elapsed.as_secs_f64();
        let (what, mib) = (pass.what, pass.peak_kib / 1024);
        text += &format!(
            "| {what} of {znodes} znodes | {rate:.0}/s | ≥ 100000/s | {} |\n\
             | its memory at most | {mib} MiB | flat | |\n",
            reached(rate >= PASS_GOAL)
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn znodes_are_messagepack_maps() {
        let mut bytes = Vec::new();
        znode(&mut bytes, "/a", b"x").unwrap();
        assert!(bytes.starts_with(b"\x85\xa4path\xa2/a\xa4data\xc4\x01x\xa3acl\x91\x83"));
    }
}
