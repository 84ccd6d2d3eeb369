//! Servers as child processes: configured alike, started, awaited, ended by their id.
//!
//! Both kinds get the same zoo.cfg and a data directory of their own. What they are asked is not
//! this module's business.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::meter::Target;
use super::wire;
use crate::ensemble::{LogLevel, Program};
use crate::error::{Error, Result};

/// How long a server may take until it serves, with a million znodes on its disk.
const START_PATIENCE: Duration = Duration::from_secs(180);

/// How long a server may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// How long one attempt to be served may take before the next one.
const ATTEMPT: Duration = Duration::from_millis(500);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(2);

/// A running server. Dropping it ends the process.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    /// What it writes on stderr.
    log: PathBuf,
    /// When the process was started.
    began: Instant,
}

/// What the first read of a started server showed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Started {
    pub(super) elapsed: Duration,
    pub(super) cpu: Duration,
}

impl Server {
    /// Starts the program on a directory, which may hold the data of an earlier start. `extra`
    /// is added to zoo.cfg.
    pub(super) fn start(program: &Program, home: &Path, extra: &str) -> Result<Self> {
        fs::create_dir_all(home).map_err(|error| Error::io("make", home, error))?;
        let address = free_address()?;
        write(&home.join("zoo.cfg"), &configuration(home, address, extra))?;
        let log = home.join("server.log");
        let stderr = File::create(&log).map_err(|error| Error::io("make", &log, error))?;
        let mut command = program.command(&home.join("zoo.cfg"), LogLevel::Warn);
        command.current_dir(home).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(stderr);
        let began = Instant::now();
        let child = command.spawn().map_err(|source| Error::Io {
            what: format!("cannot start {}", command.get_program().to_string_lossy()),
            source,
        })?;
        Ok(Self {
            child,
            address,
            log,
            began,
        })
    }

    /// Starts the program and waits until it serves.
    pub(super) fn serve(program: &Program, home: &Path, extra: &str) -> Result<Self> {
        let mut server = Self::start(program, home, extra)?;
        server.first_read("/")?;
        Ok(server)
    }

    /// Where it listens and which process it is.
    pub(super) fn target(&self) -> Target {
        Target {
            address: self.address,
            pid: Some(self.child.id()),
        }
    }

    /// Waits until a new session can read the znode.
    pub(super) fn first_read(&mut self, path: &str) -> Result<Started> {
        let deadline = Instant::now() + START_PATIENCE;
        let read = loop {
            if let Some(read) = read_once(self.address, path) {
                break read;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = self.log.display();
                let sentence = format!("a server ended at start with {status}: see {log}");
                return Err(Error::wrong(sentence));
            }
            if Instant::now() > deadline {
                let log = self.log.display();
                return Err(Error::wrong(format!("a server does not serve: see {log}")));
            }
            thread::sleep(PAUSE);
        };
        Ok(Started {
            elapsed: read.duration_since(self.began),
            cpu: self.target().cpu()?,
        })
    }

    /// Asks the process to end and waits until it did.
    pub(super) fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            let ended = self.child.try_wait();
            if ended.map_err(|source| waiting(&source))?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(Error::wrong("a server does not end when asked to"))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).map_err(|error| Error::Io {
            what: "cannot end a server".to_owned(),
            source: error.into(),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended already; there is nothing to do about a failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the server says about its version, on the first line of `srvr`.
pub(super) fn version(target: Target) -> Result<String> {
    let mut text = String::new();
    let mut ask = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(target.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"srvr")?;
        stream.read_to_string(&mut text)?;
        Ok(())
    };
    ask().map_err(|source| Error::Io {
        what: "cannot ask for the version".to_owned(),
        source,
    })?;
    let line = text.lines().next().unwrap_or_default();
    let version = line
        .rsplit_once("version: ")
        .map_or(line, |(_, version)| version);
    Ok(version.split(',').next().unwrap_or_default().to_owned())
}

/// Asks a server, which may not serve yet, for one read in a session of its own: when it was
/// answered.
fn read_once(address: SocketAddr, path: &str) -> Option<Instant> {
    let attempt = || -> std::io::Result<Option<Instant>> {
        let mut stream = TcpStream::connect_timeout(&address, ATTEMPT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ATTEMPT))?;
        stream.write_all(&wire::connect(super::closed::TIMEOUT_MS))?;
        let mut answer = [0; wire::CONNECT_ANSWER_BYTES];
        stream.read_exact(&mut answer)?;
        stream.write_all(&wire::exists(path))?;
        let mut header = [0; 20];
        stream.read_exact(&mut header)?;
        let served = (header[16..20] == [0; 4]).then(Instant::now);
        stream.write_all(&wire::close())?;
        stream.read_to_end(&mut Vec::new())?;
        Ok(served)
    };
    attempt().ok().flatten()
}

fn configuration(home: &Path, address: SocketAddr, extra: &str) -> String {
    let data = home.join("data");
    let (data, port) = (data.display(), address.port());
    format!(
        "tickTime=2000\ndataDir={data}\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
         maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\n{extra}"
    )
}

/// A port that nobody listened on a moment ago.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(|source| Error::Io {
        what: "cannot find a free port".to_owned(),
        source,
    })
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Error::io("write", path, error))
}

fn waiting(source: &std::io::Error) -> Error {
    Error::wrong(format!("cannot wait for a server: {source}"))
}
