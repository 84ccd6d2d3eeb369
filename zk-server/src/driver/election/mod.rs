//! The election port: one link per pair of servers, and on it the newest
//! vote (`QuorumCnxManager`). It refuses to know what a vote means.
//!
//! Of two servers the one with the larger id opens the link. The other one
//! knocks: it connects, says who it is, and goes away again.

mod hello;
mod link;
mod outgoing;
mod voters;

use super::port::Port;
use super::shared::Shared;
use crate::peer::PeerEvent;
use bytes::Bytes;
use link::Wire;
use outgoing::Written;
use parking_lot::Mutex;
use std::cmp::Ordering;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use voters::{Link, Voters};
use zk_proto::ServerId;
use zk_proto::ensemble::HostPort;
use zk_proto::quorum::Notification;

/// Connections at once whose openers have not said who they are.
const NAMELESS_MAX: usize = 256;

/// All links of votes of this server.
///
/// Events are told while the voters are locked, so that their order is that
/// of what happened.
pub(super) struct Election {
    shared: Arc<Shared>,
    voters: Mutex<Voters>,
    seats: Arc<Semaphore>,
}

/// A link among all that there ever were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LinkKey {
    server: ServerId,
    number: u64,
}

impl Election {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            voters: Mutex::default(),
            seats: Arc::new(Semaphore::new(NAMELESS_MAX)),
        }
    }

    /// Sends the newest word for a server, as soon as there is a link.
    pub(super) fn send(self: &Arc<Self>, to: ServerId, frame: Bytes) {
        if to == self.shared.own() {
            return;
        }
        let mut voters = self.voters.lock();
        let Some(voter) = voters.get(to, |id| self.shared.is_member(id)) else {
            return;
        };
        voter.outgoing.put(frame);
        if voter.link.is_some() {
            voter.write();
        } else {
            self.dial(&mut voters, to);
        }
    }

    /// Dials all members to whom there is no link.
    pub(super) fn connect_all(self: &Arc<Self>) {
        let mut voters = self.voters.lock();
        for id in self.shared.others() {
            let voter = voters.get(id, |id| self.shared.is_member(id));
            if voter.is_some_and(|voter| voter.link.is_none()) {
                self.dial(&mut voters, id);
            }
        }
    }

    /// Somebody connected to the port.
    pub(super) fn accepted(self: &Arc<Self>, stream: TcpStream, remote: SocketAddr) {
        let Ok(seat) = self.seats.clone().try_acquire_owned() else {
            tracing::warn!(%remote, "too many connections on the election port: closing one");
            return;
        };
        let election = self.clone();
        self.shared.tasks.spawn(async move {
            hello::receive(&election, stream, remote).await;
            drop(seat);
        });
    }

    /// A server said who it is on a connection of its own. The link is for
    /// the larger one to open (`QuorumCnxManager.handleConnection`).
    fn greeted(self: &Arc<Self>, hello: hello::Hello) {
        let server = self.voters.lock().name(hello.server);
        match server.cmp(&self.shared.own()) {
            Ordering::Less => {
                drop(hello.stream);
                self.knocked(server, hello.addresses);
            }
            Ordering::Equal => {
                let remote = hello.remote;
                tracing::warn!(%remote, "another server has the id of this one: closing");
            }
            Ordering::Greater => self.adopt(server, hello.stream, hello.rest),
        }
    }

    /// A smaller server wants a link, so it has none, whatever we think. What
    /// we have is replaced when the new one is there.
    fn knocked(self: &Arc<Self>, server: ServerId, told: Vec<HostPort>) {
        let mut voters = self.voters.lock();
        let Some(voter) = voters.get(server, |id| self.shared.is_member(id)) else {
            return;
        };
        let mut addresses = told.clone();
        for address in self.shared.addresses(Port::Election, server) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        voter.told = told;
        self.dial_at(&mut voters, server, addresses);
    }

    /// Dials where the members say that it is; if they do not, where it said
    /// itself.
    fn dial(self: &Arc<Self>, voters: &mut Voters, to: ServerId) {
        let mut addresses = self.shared.addresses(Port::Election, to);
        if addresses.is_empty()
            && let Some(voter) = voters.known(to)
        {
            addresses.clone_from(&voter.told);
        }
        self.dial_at(voters, to, addresses);
    }

    fn dial_at(self: &Arc<Self>, voters: &mut Voters, to: ServerId, addresses: Vec<HostPort>) {
        let Some(voter) = voters.known(to) else {
            return;
        };
        if std::mem::replace(&mut voter.is_dialled, true) {
            return;
        }
        let election = self.clone();
        self.shared.tasks.spawn(async move {
            match hello::dial(&election.shared, &addresses).await {
                Ok(stream) if to < election.shared.own() => {
                    election.adopt(to, stream, Vec::new());
                }
                Ok(_) => election.has_knocked(to),
                Err(error) => {
                    tracing::warn!(server = %to, "cannot reach its election port: {error}");
                    election.missed(to);
                }
            }
        });
    }

    /// The larger server knows now that we want a link.
    fn has_knocked(&self, at: ServerId) {
        if let Some(voter) = self.voters.lock().known(at) {
            voter.is_dialled = false;
        }
    }

    /// A dial came to nothing. If a smaller server is not to be reached, our
    /// link to it, if there is one, is dead: it asked for another.
    fn missed(&self, server: ServerId) {
        let mut voters = self.voters.lock();
        let Some(voter) = voters.known(server) else {
            return;
        };
        voter.is_dialled = false;
        if voter.link.is_none() || server < self.shared.own() {
            voter.link = None;
            self.shared.emit(PeerEvent::VoterDisconnected(server));
        }
    }

    /// The connection is the link to that server from now on. `rest` came on
    /// it already.
    fn adopt(self: &Arc<Self>, server: ServerId, stream: TcpStream, rest: Vec<u8>) {
        let mut voters = self.voters.lock();
        let number = voters.next_number();
        let Some(voter) = voters.get(server, |id| self.shared.is_member(id)) else {
            tracing::warn!(%server, "too many unknown servers: closing a link for votes");
            return;
        };
        // Only a dial of ours makes a link to a smaller server.
        if server < self.shared.own() {
            voter.is_dialled = false;
        }
        let wire = Arc::new(Wire::new(stream));
        let key = LinkKey { server, number };
        let task = link::serve(self.clone(), key, wire.clone(), rest);
        let task = self.shared.tasks.spawn(task);
        voter.link = Some(Link { number, wire, task });
        tracing::info!(%server, "there is a link for votes");
        self.shared.emit(PeerEvent::VoterConnected(server));
        voter.outgoing.start_over();
        voter.write();
    }

    /// Tells a notification, unless it came on a link that was replaced.
    fn received(&self, on: LinkKey, notification: Notification) {
        let mut voters = self.voters.lock();
        if voters.linked(on).is_some() {
            let from = on.server;
            self.shared
                .emit(PeerEvent::Notification { from, notification });
        }
    }

    /// Writes what waits for that link.
    fn write(&self, on: LinkKey) -> Written {
        let mut voters = self.voters.lock();
        let voter = voters.linked(on);
        voter.map_or(Written::Failed, |voter| voter.try_write())
    }

    /// The link is gone, unless it was replaced.
    fn ended(&self, link: LinkKey) {
        let mut voters = self.voters.lock();
        if let Some(voter) = voters.linked(link) {
            voter.link = None;
            tracing::info!(server = %link.server, "the link for votes has ended");
            self.shared.emit(PeerEvent::VoterDisconnected(link.server));
        }
    }
}
