//! What a peer asks of the network. It refuses to know sockets: tokio stands
//! behind it in a server, a simulated network in tests.

use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::Notification;

/// A connection between a leader and a learner, as long as the process lives
/// never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

/// The network as a peer uses it. Nothing here waits, and nothing fails: what
/// comes of it is told by [`PeerEvent`](super::PeerEvent)s.
pub trait Network: Send {
    /// The members and their addresses, from now on. Links to servers that
    /// are no members any more stay until they are closed.
    fn set_members(&mut self, members: &EnsembleConfig);

    /// The newest word for another server on the election ports. One that has
    /// not left yet is replaced by it; without a link it is dialled. It may be
    /// lost.
    fn send_vote(&mut self, to: ServerId, notification: &Notification);

    /// Dials the election ports of all members to whom there is no link.
    fn connect_voters(&mut self);

    /// Opens a connection to the quorum port of a server. `Connected` follows,
    /// or `Disconnected`.
    fn dial(&mut self, server: ServerId) -> LinkId;

    /// As [`Network::dial`], to the port where a follower hosts observers
    /// (`observerMasterPort`).
    fn dial_master(&mut self, server: ServerId) -> LinkId;

    /// Puts bytes on a link, behind those before. They leave with the next
    /// [`Network::flush`]. On a link that is gone they are dropped.
    fn send(&mut self, link: LinkId, bytes: &[u8]);

    /// Lets leave what was put on the links.
    fn flush(&mut self);

    /// Bytes that were put on a link and have not left this process.
    fn backlog(&self, link: LinkId) -> usize;

    /// Closes a link, once what was put on it has left, or soon. No event of
    /// it follows.
    fn close(&mut self, link: LinkId);
}
