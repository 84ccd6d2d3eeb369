//! One server of an ensemble: its directory, and its process while it has one.
//!
//! The directory outlives every process and every kind of program that ran in it.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::children::Running;
use super::member::{Member, ServerId, Settings};
use super::program::{LogLevel, Program};
use super::words::{self, Status};
use crate::error::{Error, Result};
use crate::process;

/// How long a server may take to end when it is asked to.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// Where a server's log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Into `server.log` of its directory.
    File,
    /// There and, with the server's id in front of each line, to the terminal.
    Terminal,
}

/// A server of an ensemble, running or not. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) member: Member,
    pub(crate) program: Program,
    home: PathBuf,
    level: LogLevel,
    output: Output,
    /// What its command is run by, such as the entry into a network namespace.
    wrapper: Vec<String>,
    running: Option<Running>,
    paused: bool,
}

impl Server {
    /// Writes zoo.cfg and myid into the server's directory, in which data may be.
    pub(crate) fn configure(
        member: Member,
        all: &[Member],
        settings: &Settings,
        program: Program,
        directory: &Path,
    ) -> Result<Self> {
        let home = directory.join(format!("server-{}", member.id));
        let data = home.join("data");
        fs::create_dir_all(&data).map_err(|error| Error::io("make", &data, error))?;
        write(&data.join("myid"), &format!("{}\n", member.id))?;
        write(&home.join("zoo.cfg"), &member.zoo_cfg(all, settings, &data))?;
        Ok(Self {
            member,
            program,
            home,
            level: LogLevel::Warn,
            output: Output::File,
            wrapper: Vec::new(),
            running: None,
            paused: false,
        })
    }

    /// Says how much the server is to write, and where to.
    pub(crate) fn log(&mut self, level: LogLevel, output: Output) {
        (self.level, self.output) = (level, output);
    }

    /// Lets every later start go through a command, which must become the server.
    pub(crate) fn run_by(&mut self, wrapper: Vec<String>) {
        self.wrapper = wrapper;
    }

    /// Its id.
    pub(crate) fn id(&self) -> ServerId {
        self.member.id
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.member.address()
    }

    /// The process id, while it has a process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Running::id)
    }

    /// Whether it has a process that is not paused.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some() && !self.paused
    }

    /// What it says of itself while it serves.
    pub(crate) fn status(&self) -> Option<Status> {
        self.is_running().then(|| words::status(self.address()))?
    }

    /// Resident memory in bytes.
    pub(crate) fn rss(&self) -> Result<f64> {
        self.pid().map_or(Ok(0.0), process::rss)
    }

    /// Starts the process and returns at once.
    pub(crate) fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Err(Error::wrong(format!("server {} runs already", self.id())));
        }
        let log = self.log_path();
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(&log);
        let file = file.map_err(|error| Error::io("open", &log, error))?;
        let mut command = self.command();
        command.current_dir(&self.home).stdin(Stdio::null());
        command.stdout(Stdio::null());
        self.running = Some(match self.output {
            Output::File => Running::spawn(command.stderr(file))?,
            Output::Terminal => {
                let mut running = Running::spawn(command.stderr(Stdio::piped()))?;
                let stderr = running.take_stderr().expect("stderr was piped just above");
                show(self.id(), stderr, file);
                running
            }
        });
        self.paused = false;
        Ok(())
    }

    /// Fails if the process ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        let Some(status) = running.ended()? else {
            return Ok(());
        };
        self.running = None;
        let (id, log) = (self.id(), self.log_path());
        let sentence = format!("server {id} ended with {status}: see {}", log.display());
        Err(Error::wrong(sentence))
    }

    /// Ends the process as a power cut would, and waits until it is gone.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.end(Signal::KILL)
    }

    /// Asks the process to end, and waits until it did.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.resume()?;
        self.end(Signal::TERM)
    }

    /// Sends a signal and returns at once; [`Self::end`] or a drop must follow one that ends it.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.process()?.signal(signal)
    }

    /// Sends the signal, unless the process is gone, and waits for the end of the process.
    pub(crate) fn end(&mut self, signal: Signal) -> Result<()> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        if running.ended()?.is_none() {
            running.signal(signal)?;
        }
        running.await_end(STOP_PATIENCE)?;
        self.running = None;
        self.paused = false;
        Ok(())
    }

    /// Stops the process where it is; it neither runs nor loses its connections.
    pub(crate) fn pause(&mut self) -> Result<()> {
        self.signal(Signal::STOP)?;
        self.paused = true;
        Ok(())
    }

    /// Lets a paused process go on.
    pub(crate) fn resume(&mut self) -> Result<()> {
        if self.paused {
            self.signal(Signal::CONT)?;
            self.paused = false;
        }
        Ok(())
    }

    /// Where its log is.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.home.join("server.log")
    }

    fn process(&self) -> Result<&Running> {
        let missing = || Error::wrong(format!("server {} does not run", self.id()));
        self.running.as_ref().ok_or_else(missing)
    }

    fn command(&self) -> Command {
        let inner = self.program.command(&self.home.join("zoo.cfg"), self.level);
        let [program, arguments @ ..] = &self.wrapper[..] else {
            return inner;
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command.arg(inner.get_program()).args(inner.get_args());
        let set = inner.get_envs();
        command.envs(set.filter_map(|(name, value)| Some((name, value?))));
        command
    }
}

/// Copies a log to a file and, line by line, to the terminal, until the process closes it.
fn show(id: ServerId, log: impl Read + Send + 'static, mut file: File) {
    thread::spawn(move || {
        for line in BufReader::new(log).split(b'\n').map_while(|line| line.ok()) {
            println!("[{id}] {}", String::from_utf8_lossy(&line));
            // A full disk must not keep the line from the terminal.
            let _ = file.write_all(&line).and_then(|()| file.write_all(b"\n"));
        }
    });
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Error::io("write", path, error))
}
