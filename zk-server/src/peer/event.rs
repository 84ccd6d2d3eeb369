//! What can happen to a peer but for what its clients do. One closed list,
//! so that a run can be recorded and replayed.

use super::LinkId;
use std::net::SocketAddr;
use zk_proto::ServerId;
use zk_proto::quorum::Notification;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum PeerEvent {
    /// A notification came on a link of the election ports.
    Notification {
        /// The server at its other end.
        from: ServerId,
        /// What it says.
        notification: Notification,
    },
    /// There is a link of the election ports to that server.
    VoterConnected(ServerId),
    /// The link is gone, after all that came on it was told; or a dial was
    /// refused or took too long.
    VoterDisconnected(ServerId),
    /// Somebody connected to the quorum port.
    Accepted {
        /// The new link.
        link: LinkId,
        /// Where from.
        remote: SocketAddr,
    },
    /// Somebody connected to the port for observers.
    ObserverAccepted {
        /// The new link.
        link: LinkId,
        /// Where from.
        remote: SocketAddr,
    },
    /// A dialled link is open.
    Connected(LinkId),
    /// The link is gone, or was never opened. Nothing more comes of it.
    Disconnected(LinkId),
    /// Bytes came, in order and without gaps; cut anywhere.
    Received {
        /// The link.
        link: LinkId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// What was put on the link has mostly left.
    Drained(LinkId),
    /// The server is asked to end.
    Stop,
}
