//! What happens without being asked: watches that fire and changes of the
//! connection's state, in one order. Whom it concerns is decided elsewhere.

use std::fmt;
use tokio::sync::mpsc;
use zk_proto::{EventType, KeeperState, Zxid};

/// One event (`WatchedEvent`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened to the znode; `None` when the connection's state changed.
    pub kind: EventType,
    /// The state of the connection, since this event if `kind` is `None`.
    pub state: KeeperState,
    /// The znode, seen from the chroot.
    pub path: Option<String>,
    /// The transaction behind it; [`Zxid::NONE`] where there is none or the
    /// server is too old to tell.
    pub zxid: Zxid,
}

impl Event {
    /// Whether it tells of the session's end.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        let is_final = matches!(
            self.state,
            KeeperState::Expired | KeeperState::Closed | KeeperState::AuthFailed
        );
        matches!(self.kind, EventType::None) && is_final
    }

    pub(crate) const fn of_state(state: KeeperState) -> Self {
        Self {
            kind: EventType::None,
            state,
            path: None,
            zxid: Zxid::NONE,
        }
    }
}

/// As Apache's clients print it.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WatchedEvent state:{:?} type:{:?} path:{} zxid: {}",
            self.state,
            self.kind,
            self.path.as_deref().unwrap_or("null"),
            self.zxid.0
        )
    }
}

/// The events of a session, from when this receiver was made. They wait
/// without a limit: who holds one should read it.
#[derive(Debug)]
pub struct Events(pub(crate) mpsc::UnboundedReceiver<Event>);

impl Events {
    /// The next event; `None` when the session is over and all were read.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }

    /// The next event if one is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.0.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_print_as_apache_prints_them() {
        assert_eq!(
            Event::of_state(KeeperState::SyncConnected).to_string(),
            "WatchedEvent state:SyncConnected type:None path:null zxid: -1"
        );
        let event = Event {
            kind: EventType::NodeDataChanged,
            state: KeeperState::SyncConnected,
            path: Some("/i".into()),
            zxid: Zxid(242),
        };
        assert_eq!(
            event.to_string(),
            "WatchedEvent state:SyncConnected type:NodeDataChanged path:/i zxid: 242"
        );
    }
}
