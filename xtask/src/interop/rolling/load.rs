//! All clients together, and what can be checked while they rest.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client::Client;
use super::control::{Control, Order};
use super::history::{History, QUEUE, ROOT};
use super::tree::{self, Tree};
use crate::client::{Connection, Ephemeral, Living, Request, SessionState};
use crate::ensemble::{Ensemble, digests, monitor};
use crate::error::{Error, Result};

/// How long the clients may take to finish what they are at.
const REST_PATIENCE: Duration = Duration::from_secs(90);

/// How long the servers may take to come to the same zxid.
const EQUAL_PATIENCE: Duration = Duration::from_secs(60);

/// Counts transactions that led to another tree than the leader said.
const MISMATCHES: &str = "zk_digest_mismatches_count";

/// Clients that write, rest and leave together.
#[derive(Debug)]
pub(super) struct Load {
    control: Arc<Control>,
    histories: Vec<Arc<Mutex<History>>>,
    threads: Vec<JoinHandle<()>>,
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
    pub(super) fn rest_and_check(&self, ensemble: &mut Ensemble) -> Result<Checked> {
        self.control.set(Order::Rest);
        let clients = self.histories.len();
        let rested = self.control.await_rest(clients, REST_PATIENCE);
        whole(self.control.take_broken())?;
        rested?;
        ensemble.await_equal(EQUAL_PATIENCE)?;
        let trees = trees(ensemble)?;
        let mut broken = unequal(&trees);
        let tree = &trees.first().ok_or_else(|| Error::wrong("no server"))?.1;
        for history in &self.histories {
            broken.extend(locked(history).check(tree));
        }
        broken.extend(mismatches(ensemble)?);
        let (count, differing) = digests_of(ensemble)?;
        broken.extend(differing);
        broken.extend(self.control.take_broken());
        whole(broken)?;
        Ok(self.checked(tree.len(), count))
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
        let trees = trees(ensemble)?;
        let mut broken = unequal(&trees);
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

fn trees(ensemble: &Ensemble) -> Result<Vec<(String, Tree)>> {
    let servers = ensemble.servers.iter();
    let read = servers.map(|server| {
        let name = format!("server {} ({})", server.id(), server.program.kind);
        let tree = tree::read(server.address());
        let tree = tree.map_err(|error| Error::wrong(format!("{name}: {error}")))?;
        Ok((name, tree))
    });
    read.collect()
}

fn unequal(trees: &[(String, Tree)]) -> Vec<String> {
    let pairs = trees.windows(2);
    let differing = pairs.flat_map(|pair| {
        let (one, other) = (&pair[0], &pair[1]);
        let differences = tree::differences(&one.1, &other.1).into_iter();
        differences.map(|what| format!("{} and {}: {what}", one.0, other.0))
    });
    differing.collect()
}

fn mismatches(ensemble: &Ensemble) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for server in &ensemble.servers {
        let told = monitor(server.address()).map_err(asking)?;
        if let Some(count) = told.get(MISMATCHES).filter(|count| *count != "0") {
            found.push(format!("server {}: {MISMATCHES} is {count}", server.id()));
        }
    }
    Ok(found)
}

/// At how many zxids several servers told a digest, and where those differ.
fn digests_of(ensemble: &Ensemble) -> Result<(usize, Vec<String>)> {
    let mut by_zxid: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for server in &ensemble.servers {
        for (zxid, digest) in digests(server.address()).map_err(asking)? {
            by_zxid.entry(zxid).or_default().push(digest);
        }
    }
    by_zxid.retain(|_, digests| digests.len() > 1);
    let differing = by_zxid
        .iter()
        .filter(|(_, digests)| digests.windows(2).any(|pair| pair[0] != pair[1]));
    let differing = differing.map(|(zxid, digests)| format!("digests at 0x{zxid:x}: {digests:?}"));
    Ok((by_zxid.len(), differing.collect()))
}

fn asking(source: std::io::Error) -> Error {
    Error::Io {
        what: "cannot ask a server".to_owned(),
        source,
    }
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
