//! What servers say that are not looking, whatever their round: how a late
//! one finds the ensemble that goes on without it. It does not know the round
//! at hand.

use std::collections::{BTreeMap, BTreeSet};
use zk_proto::ServerId;
use zk_proto::quorum::{Notification, PeerState};

/// The last word of each settled voter (`outofelection`).
#[derive(Debug, Default)]
pub(crate) struct OutOfElection(BTreeMap<ServerId, Settled>);

/// A settled server's vote.
#[derive(Debug, Clone, Copy)]
struct Settled {
    state: PeerState,
    leader: ServerId,
    peer_epoch: i64,
    /// Whether its form of notification is one of those that carry the epoch
    /// of the leader that leads, and not that of its candidacy.
    has_version: bool,
}

impl Settled {
    fn of(notification: &Notification) -> Self {
        Self {
            state: notification.state,
            leader: notification.leader,
            peer_epoch: notification.peer_epoch,
            has_version: notification.version > 0,
        }
    }

    /// By leader and epoch, as each epoch has one leader (ZOOKEEPER-1805);
    /// between old and new forms by leader alone, as old ones carry another
    /// epoch (ZOOKEEPER-1732). Zxid and round differ with when one joined.
    fn agrees(self, other: Self) -> bool {
        let same_form = self.has_version == other.has_version;
        self.leader == other.leader && (!same_form || self.peer_epoch == other.peer_epoch)
    }
}

impl OutOfElection {
    pub(crate) fn note(&mut self, from: ServerId, notification: &Notification) {
        self.0.insert(from, Settled::of(notification));
    }

    /// Forgets what a server said before it went looking.
    pub(crate) fn forget(&mut self, server: ServerId) {
        self.0.remove(&server);
    }

    /// Who says the same.
    pub(crate) fn supporters(&self, notification: &Notification) -> BTreeSet<ServerId> {
        let word = Settled::of(notification);
        let agreeing = self.0.iter().filter(|(_, settled)| settled.agrees(word));
        agreeing.map(|(server, _)| *server).collect()
    }

    /// Whether the server itself says that it leads.
    pub(crate) fn leads(&self, server: ServerId) -> bool {
        let settled = self.0.get(&server);
        settled.is_some_and(|settled| settled.state == PeerState::Leading)
    }
}
