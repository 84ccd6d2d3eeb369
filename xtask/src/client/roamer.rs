//! A session that goes from server to server, as those that it is on go away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::connection::{Connection, Reply, SessionState, Trouble};
use super::request::Request;

/// After an attempt to connect that failed.
const PAUSE: Duration = Duration::from_millis(3);

/// How long a server may take for the handshake.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// The servers, and which of them a client is to try. Shared by all clients of a load.
#[derive(Debug)]
pub(crate) struct Living {
    servers: Vec<(SocketAddr, AtomicBool)>,
}

/// A session with the connection that it has at the moment.
#[derive(Debug)]
pub(crate) struct Roamer {
    living: Arc<Living>,
    /// The server that is tried next.
    turn: usize,
    connection: Option<Connection>,
    pub(crate) session: SessionState,
    /// How long a server may take for an answer.
    patience: Duration,
    /// How often a connection was made.
    pub(crate) connects: u64,
}

impl Living {
    /// All servers are to be tried.
    pub(crate) fn new(servers: &[SocketAddr]) -> Arc<Self> {
        let servers = servers.iter();
        let servers = servers.map(|server| (*server, AtomicBool::new(true)));
        Arc::new(Self {
            servers: servers.collect(),
        })
    }

    /// Says whether a server is to be tried from now on.
    pub(crate) fn set(&self, server: SocketAddr, living: bool) {
        for (own, flag) in &self.servers {
            if *own == server {
                flag.store(living, Ordering::Relaxed);
            }
        }
    }

    /// The server at that place or the next one that is to be tried, and the place after it.
    fn next(&self, turn: usize) -> Option<(SocketAddr, usize)> {
        let count = self.servers.len();
        let places = (0..count).map(|step| (turn + step) % count);
        let mut living = places.filter(|at| self.servers[*at].1.load(Ordering::Relaxed));
        living.next().map(|at| (self.servers[at].0, at + 1))
    }
}

impl Roamer {
    /// A client without a session, which begins at the server of that place.
    pub(crate) fn new(
        living: Arc<Living>,
        place: usize,
        timeout_ms: i32,
        patience: Duration,
    ) -> Self {
        Self {
            living,
            turn: place,
            connection: None,
            session: SessionState::new(timeout_ms),
            patience,
            connects: 0,
        }
    }

    /// Whether there is a connection, as far as is known.
    pub(crate) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Tries the next server, once. After a failure it waits a moment.
    pub(crate) fn connect(&mut self) -> Result<(), Trouble> {
        let connected = self.attempt();
        if connected.is_err() {
            thread::sleep(PAUSE);
        }
        connected
    }

    /// Tries one server after another until the deadline.
    pub(crate) fn connect_until(&mut self, deadline: Instant) -> Result<(), Trouble> {
        loop {
            match self.connect() {
                Err(Trouble::Lost(_)) if Instant::now() < deadline => {}
                other => return other,
            }
        }
    }

    /// Sends a request on the connection and waits for its answer. After trouble there is no
    /// connection any more.
    pub(crate) fn call(&mut self, request: &Request) -> Result<Reply, Trouble> {
        let connection = self.connection.as_mut();
        let missing = || Trouble::Lost(std::io::ErrorKind::NotConnected.into());
        let connection = connection.ok_or_else(missing)?;
        let reply = connection.call(&mut self.session, request);
        if reply.is_err() {
            self.connection = None;
        }
        reply
    }

    /// Gives up the session; the next connection makes a new one.
    pub(crate) fn forget(&mut self) {
        self.connection = None;
        self.session = SessionState::new(self.session.timeout_ms);
    }

    fn attempt(&mut self) -> Result<(), Trouble> {
        let none = || Trouble::Lost(std::io::ErrorKind::AddrNotAvailable.into());
        let (server, turn) = self.living.next(self.turn).ok_or_else(none)?;
        self.turn = turn;
        let mut connection = Connection::open(server, &mut self.session, HANDSHAKE)?;
        connection.be_patient(self.patience)?;
        self.connection = Some(connection);
        self.connects += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_living_servers_have_a_turn() {
        let servers = [1, 2, 3].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let living = Living::new(&servers);
        assert_eq!(living.next(5), Some((servers[2], 3)));
        assert_eq!(living.next(3), Some((servers[0], 1)));
        living.set(servers[0], false);
        assert_eq!(living.next(3), Some((servers[1], 2)));
        for server in servers {
            living.set(server, false);
        }
        assert_eq!(living.next(0), None);
        living.set(servers[2], true);
        assert_eq!(living.next(0), Some((servers[2], 3)));
    }
}
