//! All clients together, and what can be checked while they rest.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client::Client;
use super::control::{Control, Order};
use super::history::{History, QUEUE, ROOT};
use super::servers::{self, Known};
use crate::client::{Connection, Ephemeral, Living, Request, SessionState};
use crate::ensemble::{Ensemble, Roles, ServerId};
use crate::error::{Error, Result};

/// How long the clients may take to finish what they are at.
const REST_PATIENCE: Duration = Duration::from_secs(90);

/// How long the servers may take to come to the same zxid.
const EQUAL_PATIENCE: Duration = Duration::from_secs(60);

/// Clients that write, rest and leave together.
#[derive(Debug)]
pub(super) struct Load {
    control: Arc<Control>,
    histories: Vec<Arc<Mutex<History>>>,
    threads: Vec<JoinHandle<()>>,
    known: Known,
}

/// What a check found where everything was as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) acknowledged: u64,
    pub(super) unanswered: u64,
    pub(super) znodes: usize,
    /// Zxids at which the servers told the digests of their trees, which were equal.
    pub(super) digests: usize,
    pub(super) longest_gap: Duration,
}

impl Load {
    /// Lets the clients make their sessions, and begin. Each pauses so long after a write.
    pub(super) fn start(servers: &[SocketAddr], clients: usize, pause: Duration) -> Result<Self> {
        parents(servers)?;
        let living = Living::new(servers);
        let control = Arc::new(Control::new());
        let clients = (0..clients).map(|place| {
            let (living, control) = (Arc::clone(&living), Arc::clone(&control));
            let mut client = Client::new(place, living, control, pause);
            client.begin()?;
            Ok(client)
        });
        let clients = clients.collect::<Result<Vec<_>>>()?;
        let histories = clients.iter().map(Client::history).collect();
        control.set(Order::Write);
        let threads = clients.into_iter();
        let threads = threads.map(|client| thread::spawn(move || client.run()));
        Ok(Self {
            control,
            histories,
            threads: threads.collect(),
            known: Known::default(),
        })
    }

    /// Lets the clients write for a while, and fails as soon as something is broken.
    pub(super) fn write_for(&self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
            whole(self.control.take_broken())?;
        }
        Ok(())
    }

    /// Lets the clients rest, and compares what they were told with the tree of every server.
    pub(super) fn rest_and_check(&mut self, ensemble: &mut Ensemble) -> Result<Checked> {
        self.control.set(Order::Rest);
        let clients = self.histories.len();
        let rested = self.control.await_rest(clients, REST_PATIENCE);
        whole(self.control.take_broken())?;
        rested?;
        ensemble.await_equal(EQUAL_PATIENCE)?;
        let trees = servers::trees(ensemble)?;
        let mut broken = servers::unequal(&trees);
        let tree = &trees.first().ok_or_else(|| Error::wrong("no server"))?.1;
        for history in &self.histories {
            broken.extend(locked(history).check(tree));
        }
        broken.extend(self.known.mismatches(ensemble)?);
        let digests = self.known.digests(ensemble)?;
        broken.extend(digests.differing);
        broken.extend(self.control.take_broken());
        whole(broken)?;
        Ok(self.checked(tree.len(), digests.count))
    }

    /// Notes that a server was started and serves now.
    pub(super) fn started(&mut self, roles: &Roles, id: ServerId) {
        self.known.started(roles, id);
    }

    /// Lets the clients write again.
    pub(super) fn go_on(&self) {
        self.control.set(Order::Write);
    }

    /// Ends the sessions, after which their znodes must be gone everywhere.
    pub(super) fn leave(mut self, ensemble: &mut Ensemble) -> Result<()> {
        self.control.set(Order::Leave);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            ended.map_err(|_| Error::wrong("a client ended early"))?;
        }
        whole(self.control.take_broken())?;
        ensemble.await_equal(EQUAL_PATIENCE)?;
        let trees = servers::trees(ensemble)?;
        let mut broken = servers::unequal(&trees);
        for history in &self.histories {
            let path = locked(history).ephemeral_path();
            let left = trees.iter().filter(|(_, tree)| tree.contains_key(&path));
            broken
                .extend(left.map(|(server, _)| format!("{path} outlives its session on {server}")));
        }
        whole(broken)
    }

    fn checked(&self, znodes: usize, digests: usize) -> Checked {
        let sum = |of: fn(&History) -> u64| {
            let histories = self.histories.iter();
            histories.map(|history| of(&locked(history))).sum()
        };
        Checked {
            acknowledged: sum(|history| history.acknowledged),
            unanswered: sum(|history| history.unanswered),
            znodes,
            digests,
            longest_gap: self.control.longest_gap(),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.control.set(Order::Leave);
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} writes acknowledged, {} unanswered, longest gap {} ms, {} znodes equal \
             everywhere, {} digests equal",
            self.acknowledged,
            self.unanswered,
            self.longest_gap.as_millis(),
            self.znodes,
            self.digests,
        )
    }
}

/// Makes what the clients' znodes are in.
fn parents(servers: &[SocketAddr]) -> Result<()> {
    let server = servers.first().ok_or_else(|| Error::wrong("no server"))?;
    let mut session = SessionState::new(10_000);
    let mut connection = Connection::open(*server, &mut session, EQUAL_PATIENCE)?;
    for path in [ROOT, QUEUE] {
        let create = Request::create(path, b"", Ephemeral::No);
        connection.call(&mut session, &create)?.body()?;
    }
    connection.call(&mut session, &Request::close())?;
    Ok(())
}

fn locked(history: &Mutex<History>) -> std::sync::MutexGuard<'_, History> {
    history.lock().unwrap_or_else(PoisonError::into_inner)
}

fn whole(broken: Vec<String>) -> Result<()> {
    if broken.is_empty() {
        return Ok(());
    }
    Err(Error::wrong(broken.join("\n  ")))
}
