//! The quorum port and the one for observers: connections between a server
//! and its learners, as pipes for bytes. It refuses to know who leads, and what the bytes mean.

mod link;

pub(super) use link::Link;

use super::connect::connect;
use super::port::Port;
use super::shared::Shared;
use crate::peer::{LinkId, PeerEvent};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use zk_proto::ServerId;

/// Accepted connections at once; each may be a learner, or an observer.
const ACCEPTED_MAX: usize = 1024;

/// All links of this server.
pub(super) struct Quorum {
    shared: Arc<Shared>,
    links: Mutex<HashMap<LinkId, Arc<Link>>>,
    next: AtomicU64,
    seats: Arc<Semaphore>,
}

impl Quorum {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            links: Mutex::default(),
            next: AtomicU64::new(1),
            seats: Arc::new(Semaphore::new(ACCEPTED_MAX)),
        }
    }

    /// A link that was not closed and has not ended.
    pub(super) fn link(&self, id: LinkId) -> Option<Arc<Link>> {
        self.links.lock().get(&id).cloned()
    }

    /// Somebody connected to one of the ports.
    pub(super) fn accepted(self: &Arc<Self>, port: Port, stream: TcpStream, remote: SocketAddr) {
        let Ok(seat) = self.seats.clone().try_acquire_owned() else {
            tracing::warn!(%remote, "too many connections on the {port} port: closing one");
            return;
        };
        let link = self.new_link();
        let event = match port {
            Port::Master(_) => PeerEvent::ObserverAccepted {
                link: link.id(),
                remote,
            },
            Port::Election | Port::Quorum => PeerEvent::Accepted {
                link: link.id(),
                remote,
            },
        };
        link.open(stream, event);
        let quorum = self.clone();
        self.shared.tasks.spawn(async move {
            link.serve().await;
            quorum.ended(&link);
            drop(seat);
        });
    }

    /// Opens a link to a port of a server.
    pub(super) fn dial(self: &Arc<Self>, port: Port, server: ServerId) -> LinkId {
        let link = self.new_link();
        let id = link.id();
        let quorum = self.clone();
        self.shared.tasks.spawn(async move {
            if let Some(stream) = quorum.reach(&link, port, server).await {
                link.open(stream, PeerEvent::Connected(id));
                link.serve().await;
            }
            quorum.ended(&link);
        });
        id
    }

    /// Connects, unless the link is closed before.
    async fn reach(&self, link: &Link, port: Port, server: ServerId) -> Option<TcpStream> {
        let addresses = self.shared.addresses(port, server);
        let connected = tokio::select! {
            connected = connect(&addresses, &self.shared.options) => connected,
            () = link.closed() => return None,
        };
        let log = |error| tracing::warn!(%server, "cannot reach its {port} port: {error}");
        connected.map_err(log).ok()
    }

    /// Closes a link: nothing is told of it any more.
    pub(super) fn close(&self, id: LinkId) {
        let link = self.links.lock().remove(&id);
        if let Some(link) = link {
            link.close();
        }
    }

    fn new_link(&self) -> Arc<Link> {
        let id = LinkId(self.next.fetch_add(1, Ordering::Relaxed));
        let link = Arc::new(Link::new(id, self.shared.clone()));
        self.links.lock().insert(id, link.clone());
        link
    }

    fn ended(&self, link: &Link) {
        self.links.lock().remove(&link.id());
        link.end();
    }
}
