//! Where a session can stand, and what a request that meets each state hears.

use crate::Error;
use zk_proto::KeeperState;

/// Where a session stands (`ZooKeeper.States`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// No connection was up yet; requests wait.
    Connecting,
    /// The connection was lost, and another one is sought; requests wait. The
    /// ensemble may expire the session meanwhile.
    Suspended,
    /// A server that takes part in the ensemble serves the session.
    Connected,
    /// A server without a quorum serves it, for reads only.
    ConnectedReadOnly,
    /// The client closed it. Final.
    Closed,
    /// The ensemble expired it. Final.
    Expired,
    /// A server refused an identity. Final.
    AuthFailed,
}

impl SessionState {
    /// Whether requests are being answered.
    #[must_use]
    pub const fn is_connected(self) -> bool {
        matches!(self, Self::Connected | Self::ConnectedReadOnly)
    }

    /// Whether the session is over for good.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Expired | Self::AuthFailed)
    }

    /// The error of a request that meets this state.
    pub(super) const fn error(self, sent: bool) -> Error {
        match self {
            Self::Connecting | Self::Suspended | Self::Connected | Self::ConnectedReadOnly => {
                Error::ConnectionLoss { sent }
            }
            Self::Closed => Error::Closed { sent },
            Self::Expired => Error::SessionExpired { sent },
            Self::AuthFailed => Error::AuthFailed { sent },
        }
    }

    pub(super) const fn keeper_state(self) -> KeeperState {
        match self {
            Self::Connecting | Self::Suspended => KeeperState::Disconnected,
            Self::Connected => KeeperState::SyncConnected,
            Self::ConnectedReadOnly => KeeperState::ConnectedReadOnly,
            Self::Closed => KeeperState::Closed,
            Self::Expired => KeeperState::Expired,
            Self::AuthFailed => KeeperState::AuthFailed,
        }
    }
}
