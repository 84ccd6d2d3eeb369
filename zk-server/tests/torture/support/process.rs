//! The server as a process, which can be killed.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

/// The program under test.
fn program() -> PathBuf {
    std::env::var_os("ZK_SERVER_BIN").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_zk-server")),
        PathBuf::from,
    )
}

/// Writes a zoo.cfg for `data_dir` beside it, and returns its path.
pub(crate) fn write_config(data_dir: &Path, port: u16, extra: &str) -> PathBuf {
    let path = data_dir.with_added_extension("cfg");
    let text = format!(
        "dataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\ntickTime=2000\n\
         maxSessionTimeout=600000\nmaxClientCnxns=0\n4lw.commands.whitelist=*\n{extra}\n",
        data_dir.display()
    );
    std::fs::write(&path, text).expect("the configuration can be written");
    path
}

/// A process that may serve some day.
#[derive(Debug)]
pub(crate) struct Launched {
    child: Child,
}

impl Launched {
    /// Starts the program and waits for nothing.
    pub(crate) fn spawn(config: &Path) -> Self {
        let child = Command::new(program())
            .arg(config)
            .env("ZK_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server program can be started");
        Self { child }
    }

    /// kill -9, whatever it does right now; what it had said.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().expect("it can be killed");
        let mut said = String::new();
        let stderr = self.child.stderr.as_mut().expect("stderr is piped");
        stderr.read_to_string(&mut said).expect("it speaks UTF-8");
        self.child.wait().expect("it can be waited for");
        said
    }

    /// Waits until it serves, or until it ended, which returns how and what
    /// it said.
    pub(crate) fn serving(mut self) -> Result<Process, (ExitStatus, String)> {
        let stderr = self.child.stderr.take().expect("stderr is piped");
        let mut lines = BufReader::new(stderr);
        let mut said = String::new();
        loop {
            let start = said.len();
            if lines.read_line(&mut said).expect("it speaks UTF-8") == 0 {
                let status = self.child.wait().expect("it can be waited for");
                return Err((status, said));
            }
            let Some((_, address)) = said[start..].split_once("serving clients on ") else {
                continue;
            };
            let address = address.trim().parse().expect("an address is told");
            let rest = std::thread::spawn(move || {
                lines.read_to_string(&mut said).expect("it speaks UTF-8");
                said
            });
            return Ok(Process {
                child: self.child,
                address,
                said: Some(rest),
            });
        }
    }
}

/// A server that serves.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    said: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts a server that must come up.
    pub(crate) fn start(config: &Path) -> Self {
        match Launched::spawn(config).serving() {
            Ok(process) => process,
            Err((status, said)) => panic!("the server does not start ({status}):\n{said}"),
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A way to kill it while others use it.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        let pid = Pid::from_raw(pid).expect("a process id is not 0");
        kill_process(pid, signal).expect("the process can be signalled");
    }

    /// Waits for its end; how it ended and what it said.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("it can be waited for");
        let said = self.said.take().expect("it is taken once");
        (status, said.join().expect("the reader of stderr lives"))
    }

    /// kill -9.
    pub(crate) fn kill(self) -> String {
        self.signal(Signal::KILL);
        self.wait().1
    }

    /// SIGTERM, after which it must end well.
    pub(crate) fn terminate(self) -> String {
        self.signal(Signal::TERM);
        let (status, said) = self.wait();
        assert!(status.success(), "SIGTERM ends with {status}:\n{said}");
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that failed leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing in a server's log says that it went wrong inside.
pub(crate) fn assert_sound(said: &str) {
    for bad in ["panicked", "digest differs", "ERROR"] {
        assert!(!said.contains(bad), "the server said {bad:?}:\n{said}");
    }
}
