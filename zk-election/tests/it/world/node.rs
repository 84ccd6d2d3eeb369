//! A simulated server: its election, its disk, and what it believes to be.

use std::time::Duration;
use zk_election::{Election, OwnHistory, Vote};
use zk_proto::ServerId;
use zk_proto::quorum::PeerState;

pub(crate) struct Node {
    pub(crate) id: ServerId,
    /// None while it is down.
    pub(crate) election: Option<Election>,
    /// On disk: it survives.
    pub(crate) history: OwnHistory,
    /// The history that it began to look with.
    pub(crate) candidacy: OwnHistory,
    pub(crate) role: Option<Role>,
    /// Whether leader and follower have found one another.
    pub(crate) attached: bool,
    pub(crate) decisions: u64,
}

#[derive(Clone, Copy)]
pub(crate) struct Role {
    pub(crate) state: PeerState,
    pub(crate) vote: Vote,
    pub(crate) since: Duration,
}

impl Node {
    pub(crate) fn new(id: ServerId, history: OwnHistory) -> Self {
        Self {
            id,
            election: None,
            history,
            candidacy: history,
            role: None,
            attached: false,
            decisions: 0,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.election.is_some()
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.election.as_ref()?.poll_timeout()
    }

    pub(crate) fn own_vote(&self) -> Vote {
        Vote {
            peer_epoch: i64::from(self.candidacy.current_epoch.0),
            zxid: self.candidacy.zxid,
            leader: self.id,
        }
    }

    pub(crate) fn leader(&self) -> Option<ServerId> {
        self.role.map(|role| role.vote.leader)
    }

    pub(crate) fn leads(&self) -> bool {
        let leads = |role: Role| role.state == PeerState::Leading;
        self.role.is_some_and(leads)
    }

    /// Takes over the leader's history, and tells lookers of its epoch.
    pub(crate) fn attach(&mut self, history: OwnHistory) {
        self.history = history;
        self.attached = true;
        if let (Some(election), Some(role)) = (&mut self.election, self.role) {
            let peer_epoch = i64::from(history.current_epoch.0);
            election.settle(
                role.state,
                Vote {
                    peer_epoch,
                    ..role.vote
                },
            );
        }
    }
}
