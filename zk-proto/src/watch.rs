//! Watch events and the small vocabularies around them.

use crate::Ustr;
use serde::{Deserialize, Serialize};

macro_rules! int_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$doc])* $variant = $code,)* }

        impl $name {
            /// The variant with this number on the wire.
            #[must_use]
            pub const fn from_code(code: i32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its number on the wire.
            #[must_use]
            pub const fn code(self) -> i32 {
                self as i32
            }
        }
    };
}

int_enum! {
    /// What happened to a watched znode (`Watcher.Event.EventType`).
    EventType {
        /// Nothing: the state of the connection changed.
        None = -1,
        /// The znode was created.
        NodeCreated = 1,
        /// The znode was deleted.
        NodeDeleted = 2,
        /// Its data were set.
        NodeDataChanged = 3,
        /// A child was created or deleted.
        NodeChildrenChanged = 4,
        /// Made by client libraries when a watch was removed.
        DataWatchRemoved = 5,
        /// Made by client libraries when a watch was removed.
        ChildWatchRemoved = 6,
        /// Made by client libraries when a watch was removed.
        PersistentWatchRemoved = 7,
    }
}

int_enum! {
    /// The state of a client's connection (`Watcher.Event.KeeperState`). On
    /// the wire it is always `SyncConnected`.
    KeeperState {
        /// No connection.
        Disconnected = 0,
        /// Connected to a server that takes part in the ensemble.
        SyncConnected = 3,
        /// Authentication failed.
        AuthFailed = 4,
        /// Connected to a server that lost its quorum.
        ConnectedReadOnly = 5,
        /// Authenticated by SASL.
        SaslAuthenticated = 6,
        /// The client closed its session.
        Closed = 7,
        /// The session is gone.
        Expired = -112,
    }
}

int_enum! {
    /// The two modes of addWatch.
    AddWatchMode {
        /// Events of the znode and its children, never used up.
        Persistent = 0,
        /// Events of the znode and all descendants, never used up.
        PersistentRecursive = 1,
    }
}

int_enum! {
    /// Which watches checkWatches and removeWatches mean.
    WatcherType {
        /// One-shot child watches.
        Children = 1,
        /// One-shot data and exists watches.
        Data = 2,
        /// All of them.
        Any = 3,
        /// Persistent watches.
        Persistent = 4,
        /// Persistent recursive watches.
        PersistentRecursive = 5,
    }
}

/// The record of a notification, behind a reply header with xid -1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WatcherEvent<'a> {
    /// An [`EventType`].
    pub event_type: i32,
    /// A [`KeeperState`].
    pub state: i32,
    /// The znode that it is about, by the server's path.
    #[serde(borrow)]
    pub path: Option<Ustr<'a>>,
}
