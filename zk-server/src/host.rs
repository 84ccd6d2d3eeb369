//! A whole member of an ensemble without sockets, threads and clocks: for
//! simulators, which own its time, its network, its disk and its clients.
//!
//! It is the code of a real server. What is left out is tokio: a simulator
//! hands over what a client's socket would have brought, and takes what it
//! would have been sent.

use crate::clock::{Clock, Hands};
use crate::config::ServerConfig;
use crate::conn::{Conn, Phase, Sink, handle};
use crate::peer::{MemberFiles, Network, NoFiles, Peer, PeerEvent};
use crate::pipeline::Batch;
use crate::server::{Member, ServerError};
use crate::shared::Shared;
use crate::snapshotter::Snapshotter;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use zk_log::{LogError, Storage};
use zk_proto::{Epoch, SessionId, Zxid};

/// A client's connection to a [`Host`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientLink(pub u64);

/// What a client's connection brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The bytes that the server sent.
    pub bytes: Vec<u8>,
    /// Whether it closed the connection behind them.
    pub closed: bool,
}

struct Client {
    conn: Arc<Conn>,
    phase: Phase,
    rest: Vec<u8>,
    /// Whether nothing more is read of what it sends.
    drained: bool,
    closed: bool,
}

/// A member of an ensemble, driven by hand.
///
/// After any input call [`Host::step`]; then [`Host::poll_timeout`] says when
/// the next one is due at the latest. `step` may be put off: inputs gather.
pub struct Host {
    shared: Arc<Shared>,
    peer: Peer,
    batch: Batch,
    events: Vec<PeerEvent>,
    clients: BTreeMap<ClientLink, Client>,
}

impl Host {
    /// Starts a member: recovers its data and begins to look for a leader.
    /// The same inputs and the same seed give the same outputs.
    ///
    /// # Errors
    /// Data that cannot be read, or no server id.
    pub fn start(
        config: &ServerConfig,
        storage: Arc<dyn Storage>,
        network: Box<dyn Network>,
        hands: Hands,
        seed: u64,
    ) -> Result<Self, ServerError> {
        Self::start_with_files(config, storage, network, Box::new(NoFiles), hands, seed)
    }

    /// [`Host::start`] with a place for the members that a reconfiguration
    /// brings.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub fn start_with_files(
        config: &ServerConfig,
        storage: Arc<dyn Storage>,
        network: Box<dyn Network>,
        files: Box<dyn MemberFiles>,
        hands: Hands,
        seed: u64,
    ) -> Result<Self, ServerError> {
        let address = SocketAddr::from(([127, 0, 0, 1], 2181));
        let member = Member::recover(
            config,
            storage,
            address,
            Clock::of(hands),
            seed,
            Snapshotter::without_threads,
        )?;
        let shared = member.shared.clone();
        Ok(Self {
            peer: member.into_peer(network, files),
            shared,
            batch: Batch::default(),
            events: Vec::new(),
            clients: BTreeMap::new(),
        })
    }

    /// Something happened between the servers.
    pub fn handle(&mut self, event: PeerEvent) {
        self.shared.inbox.event(event);
    }

    /// A client connects; `None` if its connection is refused.
    pub fn connect(&mut self, remote: SocketAddr) -> Option<ClientLink> {
        let sink = Sink::Memory(Mutex::default());
        let conns = &self.shared.conns;
        let conn = conns.admit(remote.ip(), |id| Conn::new(id, sink, remote));
        let conn = conn.ok()?;
        let link = ClientLink(conn.id().0);
        let client = Client {
            conn,
            phase: Phase::Connecting,
            rest: Vec::new(),
            drained: false,
            closed: false,
        };
        self.clients.insert(link, client);
        Some(link)
    }

    /// A client's bytes arrive. Reads are answered at once, as by a real
    /// connection's task.
    pub fn client_bytes(&mut self, link: ClientLink, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(&link) else {
            return;
        };
        if client.closed || client.drained {
            return;
        }
        client.rest.extend_from_slice(bytes);
        let handled = handle(&mut client.phase, &self.shared, &client.conn, &client.rest);
        match handled {
            Ok(count) => {
                client.rest.drain(..count);
            }
            Err(stop) => client.stop(stop),
        }
    }

    /// A client's connection is gone.
    pub fn disconnect(&mut self, link: ClientLink) {
        if let Some(client) = self.clients.remove(&link) {
            self.shared.forget(&client.conn);
        }
    }

    /// What was sent to a client since the last time.
    pub fn output(&mut self, link: ClientLink) -> Output {
        let Some(client) = self.clients.get_mut(&link) else {
            return Output {
                bytes: Vec::new(),
                closed: true,
            };
        };
        let open = client.conn.flush_to_memory();
        client.closed |= !open;
        let output = Output {
            bytes: client.conn.take_written(),
            closed: client.closed,
        };
        if output.closed {
            self.disconnect(link);
        }
        output
    }

    /// All connections of clients.
    pub fn links(&self) -> impl Iterator<Item = ClientLink> {
        self.clients.keys().copied()
    }

    /// Does everything that follows from what came.
    ///
    /// # Errors
    /// The disk failed: the process would end here.
    pub fn step(&mut self) -> Result<(), LogError> {
        let inbox = &self.shared.inbox;
        inbox.take_now(&mut self.batch, &mut self.events);
        self.peer.step(&mut self.batch, &mut self.events)
    }

    /// When the next step is due at the latest, in the clock's time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.peer.poll_timeout()
    }

    /// Whether a step is due at once: something came.
    #[must_use]
    pub fn has_input(&self) -> bool {
        self.shared.inbox.has_input()
    }

    /// Whether it was asked to stop and has nothing left to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.peer.is_done()
    }

    /// Ends it properly.
    ///
    /// # Errors
    /// The disk failed.
    pub fn end(self) -> Result<(), LogError> {
        self.peer.end()
    }

    /// What a checker wants to know.
    #[must_use]
    pub fn view(&self) -> View {
        self.peer.view()
    }

    /// The timeout of a session that is alive in this server's tree, in ms.
    #[must_use]
    pub fn session_timeout(&self, session: SessionId) -> Option<i32> {
        self.shared.tree.read().session_timeout(session)
    }

    /// Lets `look` see the tree.
    pub fn with_tree<T>(&self, look: impl FnOnce(&zk_tree::DataTree) -> T) -> T {
        look(&self.shared.tree.read())
    }
}

impl Client {
    fn stop(&mut self, stop: crate::conn::Stop) {
        match stop {
            crate::conn::Stop::Close => self.closed = true,
            crate::conn::Stop::CloseAfterFlush => self.conn.close_after_flush(),
            crate::conn::Stop::Drain => self.drained = true,
        }
    }
}

/// What a checker wants to know of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// "looking", "leader", "follower", "observer": as the four-letter words
    /// call it; from the moment when clients are served.
    pub role: &'static str,
    /// Whether it leads or tries to, also before it serves.
    pub is_leading: bool,
    /// The epoch of its role, once that is established.
    pub epoch: Option<Epoch>,
    /// Of its files.
    pub accepted_epoch: Epoch,
    /// Of its files.
    pub current_epoch: Epoch,
    /// The last transaction in its log, durable or not.
    pub logged: Zxid,
    /// The last transaction in its tree.
    pub applied: Zxid,
    /// The last transaction that it knows to be committed.
    pub committed: Zxid,
    /// The digest of its tree.
    pub digest: u64,
    /// What another server did that only a bug explains.
    pub breach: Option<&'static str>,
}
