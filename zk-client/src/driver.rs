//! Gives a session a socket and a clock. It carries bytes and time, and does
//! not look into either: what they mean is the session's business.

use crate::connect::connect;
use crate::hosts::Hosts;
use crate::probe::find_writable;
use crate::session::{ConnectionError, Session};
use crate::shared::Shared;
use crate::{HostPort, SessionState};
use bytes::BytesMut;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until};

const READ_BYTES: usize = 16 * 1024;

/// For what has no deadline: an alarm that rings for nothing, once a day.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Connects, serves, and connects again until the session is over.
pub(crate) async fn run(shared: Arc<Shared>, hosts: Hosts, connect_timeout: Option<Duration>) {
    let mut driver = Driver {
        shared,
        hosts,
        connect_timeout,
    };
    while !driver.shared.is_over() {
        let Some(pause) = driver.attempt().await else {
            continue;
        };
        driver.shared.update(Session::handle_unreachable);
        tokio::select! {
            () = until_over(&driver.shared) => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// While there is no connection: lets deadlines pass and waits for the end.
async fn until_over(shared: &Shared) {
    while !shared.is_over() {
        tokio::select! {
            () = shared.woken() => {}
            () = deadline(shared) => {
                // Without a connection the only deadline is the session's end.
                let _ = shared.update(|session| session.handle_timeout(Instant::now()));
            }
        }
    }
}

/// Pauses until the session's next deadline; for ever if there is none.
async fn deadline(shared: &Shared) {
    match shared.poll_timeout() {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Session(#[from] ConnectionError),
    #[error("{0} can write, and this server cannot")]
    Writable(HostPort),
    #[error("the list of servers has changed")]
    Moved,
}

struct Driver {
    shared: Arc<Shared>,
    hosts: Hosts,
    connect_timeout: Option<Duration>,
}

impl Driver {
    /// One connection, from its making to its end; says how long to pause
    /// after it.
    async fn attempt(&mut self) -> Option<Duration> {
        self.take_new_servers(false);
        let limit = self.connect_timeout();
        let host = self.hosts.next();
        let shared = self.shared.clone();
        let stream = tokio::select! {
            () = until_over(&shared) => return None,
            stream = connect(&host, limit, self.hosts.random()) => stream,
        };
        match stream {
            Ok(stream) => self.serve_and_report(stream).await,
            Err(error) => {
                tracing::debug!(%host, %error, "no connection");
                self.hosts.failed()
            }
        }
    }

    /// If nobody set it, the session's timeout shared out among the servers.
    fn connect_timeout(&self) -> Duration {
        self.connect_timeout.unwrap_or_else(|| {
            let count = u32::try_from(self.hosts.all().len()).unwrap_or(u32::MAX);
            self.shared.timeout() / count
        })
    }

    /// Whether the connection is to be left for another.
    fn take_new_servers(&mut self, is_connected: bool) -> bool {
        let new = self.shared.take_new_servers();
        new.is_some_and(|servers| self.hosts.update(servers, is_connected))
    }

    /// Serves one connection to its end.
    async fn serve_and_report(&mut self, stream: TcpStream) -> Option<Duration> {
        let limit = self.connect_timeout();
        self.shared
            .update(|session| session.handle_connected(limit, Instant::now()));
        let ended = self.serve(stream).await;
        let was_connected = self.shared.current_state().is_connected();
        match ended {
            Err(Ended::Writable(host)) => {
                tracing::info!(%host, "leaving a read-only server");
                self.hosts.prefer(host);
            }
            Err(error) if !self.shared.is_over() => tracing::warn!(%error, "a connection broke"),
            _ => tracing::debug!("a connection ended"),
        }
        self.shared.update(Session::handle_disconnected);
        if was_connected {
            return None;
        }
        self.hosts.failed()
    }

    async fn serve(&mut self, mut stream: TcpStream) -> Result<(), Ended> {
        let shared = self.shared.clone();
        let (mut reader, mut writer) = stream.split();
        let mut input = BytesMut::with_capacity(READ_BYTES);
        let mut output = Vec::new();
        let mut written = 0;
        let mut alarm = Box::pin(sleep_until((Instant::now() + NEVER).into()));
        let mut search = Box::pin(find_writable(self.hosts.all().to_vec()));
        loop {
            let turn = shared.turn(&mut output);
            match turn.state {
                state if state.is_final() => return Ok(()),
                state if state.is_connected() => self.hosts.succeeded(),
                _ => {}
            }
            set_alarm(&mut alarm, turn.deadline);
            tokio::select! {
                read = reader.read_buf(&mut input) => {
                    if read? == 0 {
                        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                    }
                    shared.update(|session| session.handle_input(&mut input, Instant::now()))?;
                    input.reserve(READ_BYTES);
                }
                wrote = writer.write(&output[written..]), if written < output.len() => {
                    written += wrote?;
                    if written == output.len() {
                        output.clear();
                        written = 0;
                    }
                }
                () = shared.woken() => {
                    if self.take_new_servers(true) {
                        return Err(Ended::Moved);
                    }
                }
                () = &mut alarm => {
                    shared.update(|session| session.handle_timeout(Instant::now()))?;
                }
                host = &mut search, if turn.state == SessionState::ConnectedReadOnly => {
                    return Err(Ended::Writable(host));
                }
            }
        }
    }
}

/// Deadlines move away with every answer. An alarm that rings too early costs
/// less than one that is set again each time.
fn set_alarm(alarm: &mut Pin<Box<Sleep>>, deadline: Option<Instant>) {
    let deadline = deadline.unwrap_or_else(|| Instant::now() + NEVER).into();
    if alarm.is_elapsed() || deadline < alarm.deadline() {
        alarm.as_mut().reset(deadline);
    }
}
