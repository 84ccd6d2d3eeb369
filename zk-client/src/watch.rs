//! Watches as values: each belongs to whoever set it and hears of its own
//! events only. Which events these are the session decides.

use crate::session::{Listener, WatchKind, WatcherId};
use crate::shared::Shared;
use crate::{Event, SessionState};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
#[cfg(doc)]
use zk_proto::EventType;
use zk_proto::KeeperState;

/// A watch of one shot, set by a read such as
/// [`Client::get_and_watch_data`](crate::Client::get_and_watch_data).
///
/// It survives reconnects: a change that happened meanwhile fires it. Dropping
/// it asks nothing of the server, whose registration serves all watches of one
/// kind on one path.
#[derive(Debug)]
pub struct OneshotWatch {
    registration: Registration,
    receiver: oneshot::Receiver<Event>,
}

impl OneshotWatch {
    pub(crate) fn new(shared: Arc<Shared>, server_path: String) -> Self {
        let (id, receiver) = shared.listeners().once();
        Self {
            registration: Registration {
                shared,
                server_path,
                id,
                stays: None,
            },
            receiver,
        }
    }

    pub(crate) const fn listener(&self) -> Listener {
        Listener::One(self.registration.id)
    }

    /// Waits for the event that used the watch up: of the znode, or of the
    /// watch's removal, or with [`EventType::None`] of the session's end
    /// ([`KeeperState::Expired`], [`KeeperState::Closed`] or
    /// [`KeeperState::AuthFailed`]). Lost connections do not end it.
    pub async fn changed(self) -> Event {
        let Self {
            registration,
            receiver,
        } = self;
        let event = receiver.await;
        drop(registration);
        event.unwrap_or_else(|_| Event::of_state(KeeperState::Closed))
    }
}

/// A watch that stays, set by [`Client::watch`](crate::Client::watch).
///
/// It survives reconnects, but unlike a watch of one shot it does not tell what
/// happened between two connections. So it tells of the connection too, with
/// events of the kind [`EventType::None`]: after
/// [`KeeperState::SyncConnected`] the state of things is to be read anew.
///
/// Dropping the last one on a path removes the watch from the server in the
/// background. Events wait without a limit: who holds one should read it.
#[derive(Debug)]
pub struct WatchStream {
    /// Only dropped; it gives the watch up.
    _registration: Registration,
    receiver: mpsc::UnboundedReceiver<Event>,
    listener: Listener,
}

impl WatchStream {
    pub(crate) fn new(shared: Arc<Shared>, kind: WatchKind, server_path: String) -> Self {
        let (id, receiver) = shared.listeners().stream();
        Self {
            _registration: Registration {
                shared,
                server_path,
                id,
                stays: Some(kind),
            },
            receiver,
            listener: Listener::One(id),
        }
    }

    pub(crate) const fn listener(&self) -> Listener {
        self.listener
    }

    /// The next event; `None` when the watch was removed or the session is
    /// over, after the event that says so. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }

    /// The next event if one is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.receiver.try_recv().ok()
    }
}

/// A watcher's place in the session, given up when it is dropped.
struct Registration {
    shared: Arc<Shared>,
    server_path: String,
    id: WatcherId,
    stays: Option<WatchKind>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        if !self.shared.listeners().remove(self.id) {
            return;
        }
        let (path, id) = (&self.server_path, self.id);
        match self.stays {
            None => self
                .shared
                .update(|session| session.forget_watcher(path, id)),
            Some(kind) => self
                .shared
                .command(|session| session.forget_persistent(kind, path, id)),
        }
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("server_path", &self.server_path)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The states of a session, from when this was made. None is left out, however
/// short it was: who holds a lock must hear of every doubt.
#[derive(Debug)]
pub struct StateWatch {
    pub(crate) shared: Arc<Shared>,
    pub(crate) receiver: mpsc::UnboundedReceiver<SessionState>,
}

impl StateWatch {
    /// Where the session stands now, whatever was not read yet.
    #[must_use]
    pub fn current(&self) -> SessionState {
        self.shared.current_state()
    }

    /// The next state that differs from the one before. When the session is
    /// over and its end was told, that end again. Dropping the future loses
    /// nothing.
    pub async fn changed(&mut self) -> SessionState {
        match self.receiver.recv().await {
            Some(state) => state,
            None => self.current(),
        }
    }
}
