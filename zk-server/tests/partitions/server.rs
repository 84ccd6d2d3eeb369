//! A server as a process, which can be killed, paused, wiped and started
//! again; it knows nothing of networks but the command that enters its own.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use zk_proto::ServerId;

/// The program under test.
fn program() -> PathBuf {
    std::env::var_os("ZK_SERVER_BIN").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_zk-server")),
        PathBuf::from,
    )
}

/// A server of an ensemble, running or not. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) id: ServerId,
    home: PathBuf,
    child: Option<Child>,
    is_paused: bool,
}

impl Server {
    /// A server with an empty directory in `dir` and these lines in its
    /// zoo.cfg.
    pub(crate) fn new(id: ServerId, dir: &Path, config: &str) -> Self {
        let server = Self {
            id,
            home: dir.join(format!("server-{id}")),
            child: None,
            is_paused: false,
        };
        fs::create_dir(&server.home).expect("a directory");
        server.make_data();
        let text = format!("dataDir={}\n{config}", server.data().display());
        fs::write(server.home.join("zoo.cfg"), text).expect("a file");
        server
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn make_data(&self) {
        fs::create_dir(self.data()).expect("a directory");
        fs::write(self.data().join("myid"), self.id.to_string()).expect("a file");
    }

    /// Starts the process and waits for nothing.
    pub(crate) fn start(&mut self, mut command: Command) {
        assert!(self.child.is_none(), "server {} runs", self.id);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("a log file");
        // A test that is killed leaves no server behind.
        command.args(["setpriv", "--pdeathsig", "KILL"]);
        command.arg(program()).arg(self.home.join("zoo.cfg"));
        command.current_dir(&self.home).env("ZK_LOG", "info");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(log).spawn();
        self.child = Some(child.expect("a server can be started"));
        self.is_paused = false;
    }

    pub(crate) const fn is_running(&self) -> bool {
        self.child.is_some()
    }

    pub(crate) const fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed");
            child.wait().expect("a child can be waited for");
        }
        self.is_paused = false;
    }

    /// Takes everything but its id from a server that does not run.
    pub(crate) fn wipe(&self) {
        assert!(self.child.is_none(), "server {} runs", self.id);
        fs::remove_dir_all(self.data()).expect("a directory");
        self.make_data();
    }

    /// Stops the process where it is. When this returns, it stands still.
    pub(crate) fn pause(&mut self) {
        self.signal(Signal::STOP);
        let path = format!("/proc/{}/stat", self.pid());
        let give_up = Instant::now() + Duration::from_secs(10);
        while !stands_still(&fs::read_to_string(&path).expect("it has not ended")) {
            assert!(Instant::now() < give_up, "server {} goes on", self.id);
            std::thread::yield_now();
        }
        self.is_paused = true;
    }

    /// Lets the process go on, if it was paused.
    pub(crate) fn resume(&mut self) {
        if self.is_paused {
            self.signal(Signal::CONT);
            self.is_paused = false;
        }
    }

    /// Fails if the process ended by itself, or said that something is wrong
    /// inside.
    pub(crate) fn assert_sound(&mut self) {
        let status = self.child.as_mut().map(|child| child.try_wait());
        if let Some(Ok(Some(status))) = status {
            panic!("server {} ended with {status}:\n{}", self.id, self.said(40));
        }
        let said = fs::read_to_string(self.log_path()).unwrap_or_default();
        for bad in ["panicked", "digest differs", "ERROR"] {
            let line = said.lines().find(|line| line.contains(bad));
            assert_eq!(line, None, "server {} said {bad:?}", self.id);
        }
    }

    /// The last lines of its log.
    pub(crate) fn said(&self, lines: usize) -> String {
        let said = fs::read_to_string(self.log_path()).unwrap_or_default();
        let all: Vec<_> = said.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn log_path(&self) -> PathBuf {
        self.home.join("server.log")
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("a process id");
        let pid = Pid::from_raw(pid).expect("a process id is not 0");
        kill_process(pid, signal).expect("a child can be signalled");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // A test that failed leaves no process behind.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether a line of `/proc/PID/stat` tells of a stopped process: its state
/// comes behind the name, which is in brackets.
fn stands_still(stat: &str) -> bool {
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('T'))
}
