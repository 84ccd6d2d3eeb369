//! Child processes that never outlive this program: ended when dropped, and when it is asked to
//! end.
//!
//! Every running child is in one list. A child is reaped and signalled only under the list's
//! lock, so that no signal reaches another process that was given the same id.

use std::collections::BTreeSet;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

use super::network;
use crate::error::{Error, Result};
use crate::{process, sh};

/// The children that were not waited for.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// How long children may take to end politely when this program is asked to end.
const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(5);

/// What a shell reports for a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// A running child. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts a process.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let mut running = running();
        let child = command.spawn().map_err(|source| Error::Io {
            what: format!("cannot run `{}`", sh::line(command)),
            source,
        })?;
        running.insert(child.id());
        Ok(Self { child })
    }

    /// The process id, which is its own until the child was seen to have ended.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the process writes on stderr, once, if it was piped.
    pub(crate) fn take_stderr(&mut self) -> Option<std::process::ChildStderr> {
        self.child.stderr.take()
    }

    /// How the process ended, if it did.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let mut running = running();
        let status = self.child.try_wait().map_err(|source| Error::Io {
            what: "cannot wait for a process".to_owned(),
            source,
        })?;
        if status.is_some() {
            running.remove(&self.id());
        }
        Ok(status)
    }

    /// Sends a signal to the process, if it is still there.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let running = running();
        if running.contains(&self.id()) {
            return process::signal(self.id(), signal);
        }
        Err(Error::wrong("a process that ended cannot be signalled"))
    }

    /// Waits until the process ended.
    pub(crate) fn await_end(&mut self, patience: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                let sentence = format!("process {} does not end", self.id());
                return Err(Error::wrong(sentence));
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = running();
        // The process may have ended already; there is nothing to do about a failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
        running.remove(&self.id());
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP end the children first and then this program.
pub(crate) fn end_with_this_program() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(signals)?;
    let listening = runtime.block_on(async {
        [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ]
        .map(signal)
        .into_iter()
        .collect::<std::io::Result<Vec<_>>>()
    });
    let listening = listening.map_err(signals)?;
    thread::spawn(move || {
        runtime.block_on(any(listening));
        end_all();
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}

/// Waits for the first of the signals.
async fn any(mut listening: Vec<tokio::signal::unix::Signal>) {
    std::future::poll_fn(|context| {
        let mut ready = listening
            .iter_mut()
            .map(|signal| signal.poll_recv(context).is_ready());
        match ready.any(|ready| ready) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}

/// Asks every child to end, waits, and kills those that are left. The list stays locked, so
/// that no new one is started.
fn end_all() {
    let running = running();
    for pid in running.iter() {
        // One that has just ended needs no signal; one that is stopped must run to end.
        let _ = process::signal(*pid, Signal::TERM);
        let _ = process::signal(*pid, Signal::CONT);
    }
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && running.iter().any(|pid| process::is_alive(*pid)) {
        thread::sleep(PAUSE);
    }
    for pid in running.iter() {
        let _ = process::signal(*pid, Signal::KILL);
    }
    network::remove_all();
}

/// The list; a panic elsewhere does not make it wrong.
fn running() -> MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signals(source: std::io::Error) -> Error {
    Error::Io {
        what: "cannot listen for signals".to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Running {
        Running::spawn(Command::new("sleep").arg("60")).unwrap()
    }

    #[test]
    fn a_dropped_child_is_gone() {
        let child = sleeper();
        let id = child.id();
        assert!(process::is_alive(id));
        drop(child);
        assert!(!process::is_alive(id));
        assert!(!running().contains(&id));
    }

    #[test]
    fn a_child_that_ended_is_not_signalled() {
        let mut child = sleeper();
        assert!(child.ended().unwrap().is_none());
        child.signal(Signal::KILL).unwrap();
        child.await_end(PATIENCE).unwrap();
        assert!(child.signal(Signal::TERM).is_err());
    }
}
