//! What a server is at the moment, and how it stands with the others of its
//! ensemble, for everybody who only wants to know. It refuses to know how
//! that came about.

use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::watch;
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;

/// What a server is at the moment (`ServerStats.getServerState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerRole {
    /// It stands alone.
    Standalone,
    /// It serves nobody: it looks for a leader, or is not in sync with one.
    Looking,
    /// It leads.
    Leader,
    /// It follows.
    Follower,
    /// It follows without a vote.
    Observer,
    /// It has no leader, and serves those who only read.
    ReadOnly,
}

impl ServerRole {
    const ALL: [Self; 6] = [
        Self::Standalone,
        Self::Looking,
        Self::Leader,
        Self::Follower,
        Self::Observer,
        Self::ReadOnly,
    ];

    /// Whether clients are served.
    #[must_use]
    pub fn serves(self) -> bool {
        self != Self::Looking
    }

    /// Whether it decides alone which sessions live.
    pub(crate) fn owns_sessions(self) -> bool {
        matches!(self, Self::Standalone | Self::Leader)
    }

    /// As the four-letter words call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Looking => "looking",
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Observer => "observer",
            Self::ReadOnly => "read-only",
        }
    }
}

/// The role, readable by everybody at the cost of a load, and a bell for
/// those who wait for another one.
#[derive(Debug)]
pub(crate) struct RoleCell {
    role: AtomicU8,
    bell: watch::Sender<ServerRole>,
}

impl RoleCell {
    pub(crate) fn new(role: ServerRole) -> Self {
        Self {
            role: AtomicU8::new(role as u8),
            bell: watch::Sender::new(role),
        }
    }

    pub(crate) fn get(&self) -> ServerRole {
        let number = usize::from(self.role.load(Ordering::Acquire));
        ServerRole::ALL
            .get(number)
            .copied()
            .unwrap_or(ServerRole::Looking)
    }

    pub(crate) fn set(&self, role: ServerRole) {
        self.role.store(role as u8, Ordering::Release);
        self.bell.send_replace(role);
    }

    /// Resolves with the first role that is wanted.
    pub(crate) async fn until(&self, mut is_wanted: impl FnMut(ServerRole) -> bool) -> ServerRole {
        let mut bell = self.bell.subscribe();
        let heard = bell.wait_for(|role| is_wanted(*role)).await;
        heard.map_or_else(|_| self.get(), |role| *role)
    }
}

/// How a server stands with the others of its ensemble. Times are the
/// server's own, in ms.
#[derive(Debug, Default, Clone)]
pub(crate) struct EnsembleView {
    /// The members that hold.
    pub(crate) members: EnsembleConfig,
    /// Whom it follows, or itself.
    pub(crate) leader: Option<ServerId>,
    /// When it began to look for a leader, while it does.
    pub(crate) looking_since: Option<u64>,
    /// When it stopped to serve, or started, while it does not serve.
    pub(crate) away_since: Option<u64>,
    /// When its role began.
    pub(crate) elected_at: u64,
    /// When it reached its leader, or who hosts it.
    pub(crate) connected_at: u64,
    /// Whom it reached then.
    pub(crate) master: Option<ServerId>,
    /// When it began to serve.
    pub(crate) serving_since: u64,
    /// Of a leader: its learners.
    pub(crate) learners: LearnerCounts,
    /// Of a follower: how many observers it hosts, if it may.
    pub(crate) hosted_observers: Option<usize>,
}

/// How many learners a leader has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LearnerCounts {
    pub(crate) all: usize,
    /// Followers that get every proposal.
    pub(crate) synced_followers: usize,
    /// Of them those without a vote.
    pub(crate) synced_non_voting: usize,
    /// Observers that get every transaction.
    pub(crate) synced_observers: usize,
    /// Syncs that are not answered yet.
    pub(crate) pending_syncs: usize,
}

impl EnsembleView {
    /// It has a connection to whom it learns from.
    pub(crate) fn show_connected(&mut self, now_ms: u64, master: ServerId) {
        self.connected_at = now_ms;
        self.master = Some(master);
    }

    /// The role is over.
    pub(crate) fn clear(&mut self) {
        self.leader = None;
        self.master = None;
        self.hosted_observers = None;
        self.learners = LearnerCounts::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_what_it_was_set_to() {
        for role in ServerRole::ALL {
            let cell = RoleCell::new(ServerRole::Looking);
            cell.set(role);
            assert_eq!(cell.get(), role);
        }
    }
}
