//! The ports that a member of an ensemble has for the other servers, on
//! tokio: the real [`Network`] of a peer. It refuses to know what is said on
//! them, but for where one message ends and the next begins.
//!
//! The peer calls from its own thread and never waits: what the sockets do
//! not take at once is left to tasks, and what happens is told by events.

mod connect;
mod election;
mod listen;
mod options;
mod port;
mod quorum;
mod shared;
mod tasks;
#[cfg(test)]
mod tests;
mod unread;

pub(crate) use options::Options;

use crate::peer::{LinkId, Network, PeerEvent};
use election::Election;
use listen::Listener;
use port::Port;
use quorum::{Link, Quorum};
use shared::Shared;
use std::io;
use std::sync::Arc;
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::Notification;

/// Where events go. It is called by many threads and must not wait.
pub(crate) type Emit = Arc<dyn Fn(PeerEvent) + Send + Sync>;

/// Why the ports for the other servers cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    /// The members do not include this server.
    #[error("server {0} is not among the members of its ensemble")]
    NotAMember(ServerId),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}, the {port} port: {source}")]
    Listen {
        /// Which of the ports.
        port: Port,
        /// The address as configured.
        address: String,
        /// What the system says.
        source: io::Error,
    },
}

/// The network of a member of an ensemble. Dropping it ends all connections
/// and closes the ports, a moment later.
pub(crate) struct TcpNetwork {
    shared: Arc<Shared>,
    election: Arc<Election>,
    quorum: Arc<Quorum>,
    listeners: Vec<Listener>,
    /// Links with bytes that no flush has seen.
    touched: Vec<Arc<Link>>,
}

impl TcpNetwork {
    /// Opens the ports. All tasks run on the runtime that this is called in.
    ///
    /// # Errors
    /// A port that cannot be had after all tries.
    pub(crate) async fn start(options: Options, emit: Emit) -> Result<Self, NetworkError> {
        if !options.members.members.contains_key(&options.own) {
            return Err(NetworkError::NotAMember(options.own));
        }
        let shared = Arc::new(Shared::new(options, emit));
        let election = Arc::new(Election::new(shared.clone()));
        let quorum = Arc::new(Quorum::new(shared.clone()));
        let voting = Listener::new(&shared, Port::Election, {
            let election = election.clone();
            move |stream, remote| election.accepted(stream, remote)
        });
        let for_learners = |port| {
            let quorum = quorum.clone();
            let welcome = move |stream, remote| quorum.accepted(port, stream, remote);
            Listener::new(&shared, port, welcome)
        };
        let masters = shared.options.master_port.map(Port::Master);
        let learning = [Port::Quorum].into_iter().chain(masters).map(for_learners);
        let network = Self {
            listeners: [voting].into_iter().chain(learning).collect(),
            touched: Vec::new(),
            shared,
            election,
            quorum,
        };
        for listener in &network.listeners {
            listener.open().await?;
        }
        Ok(network)
    }
}

impl Drop for TcpNetwork {
    fn drop(&mut self) {
        self.shared.tasks.stop();
    }
}

impl Network for TcpNetwork {
    /// If this server's own addresses change, its ports follow as soon as
    /// they can be had.
    fn set_members(&mut self, members: &EnsembleConfig) {
        self.shared.set_members(members);
        for listener in &self.listeners {
            listener.follow();
        }
    }

    fn send_vote(&mut self, to: ServerId, notification: &Notification) {
        self.election.send(to, notification.encode().into());
    }

    fn connect_voters(&mut self) {
        self.election.connect_all();
    }

    fn dial(&mut self, server: ServerId) -> LinkId {
        self.quorum.dial(Port::Quorum, server)
    }

    fn dial_master(&mut self, server: ServerId) -> LinkId {
        // Without one of its own a server does not know the others'.
        let port = self.shared.options.master_port;
        self.quorum
            .dial(port.map_or(Port::Quorum, Port::Master), server)
    }

    fn send(&mut self, link: LinkId, bytes: &[u8]) {
        if let Some(link) = self.quorum.link(link)
            && link.push(bytes)
        {
            self.touched.push(link);
        }
    }

    /// To be called once after all events that were there were handled, even
    /// if they asked for nothing: from then on as much again is read.
    fn flush(&mut self) {
        for link in self.touched.drain(..) {
            link.flush();
        }
        self.shared.unread.taken();
    }

    fn backlog(&self, link: LinkId) -> usize {
        self.quorum.link(link).map_or(0, |link| link.backlog())
    }

    fn close(&mut self, link: LinkId) {
        // Its socket is to be closed before the next flush.
        self.touched.retain(|touched| touched.id() != link);
        self.quorum.close(link);
    }
}
