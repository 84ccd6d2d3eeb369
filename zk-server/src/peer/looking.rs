//! A server without a leader: it runs the election and takes up the role
//! that comes of it. Learners that connect too early wait here for that.

use super::hosting::EARLY_MAX;
use super::leading::Leading;
use super::learning::Learning;
use super::{LinkId, Peer, Role};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use zk_election::{ElectionAction, Vote};
use zk_proto::quorum::PeerState;

/// Learners that connected before this server knew its role.
#[derive(Debug, Default)]
pub(super) struct Looking {
    pub(super) since: Duration,
    early: BTreeMap<LinkId, Early>,
}

#[derive(Debug)]
pub(super) struct Early {
    pub(super) remote: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

impl Looking {
    pub(super) fn new(since: Duration) -> Self {
        Self {
            since,
            early: BTreeMap::new(),
        }
    }

    pub(super) fn links(&self) -> Vec<LinkId> {
        self.early.keys().copied().collect()
    }

    pub(super) fn accepted(&mut self, link: LinkId, remote: SocketAddr) {
        let bytes = Vec::new();
        self.early.insert(link, Early { remote, bytes });
    }

    /// `false` if it says more than a learner says unasked.
    pub(super) fn received(&mut self, link: LinkId, bytes: &[u8]) -> bool {
        let Some(early) = self.early.get_mut(&link) else {
            return true;
        };
        early.bytes.extend_from_slice(bytes);
        early.bytes.len() <= EARLY_MAX
    }

    pub(super) fn forget(&mut self, link: LinkId) {
        self.early.remove(&link);
    }
}

impl Peer {
    /// Does what the election asks for.
    pub(super) fn run_election(&mut self, now: Duration) {
        while let Some(action) = self.election.poll_action() {
            match action {
                ElectionAction::Send { to, notification } => {
                    if self.hushed_until.is_none_or(|until| now >= until) {
                        self.network.send_vote(to, &notification);
                    }
                }
                ElectionAction::Connect => self.network.connect_voters(),
                ElectionAction::Decide { state, vote, .. } => self.take_up(now, state, vote),
                ElectionAction::AdoptConfig(members) => self.adopt_elections_members(members),
            }
        }
    }

    pub(super) fn take_up(&mut self, now: Duration, state: PeerState, vote: Vote) {
        let Role::Looking(looking) = &mut self.role else {
            return;
        };
        tracing::info!(
            "elected: {state:?} under server {}, zxid {} of epoch {}",
            vote.leader,
            vote.zxid,
            vote.peer_epoch
        );
        let early = std::mem::take(&mut looking.early);
        self.unsettled = true;
        self.show_elected(now, state, &vote);
        self.end_read_only();
        let own = self.disk.history();
        if state == PeerState::Leading {
            let mut leading = Leading::new(now, &self.config, own, vote);
            for (link, early) in early {
                let learners = &mut leading.learners;
                learners.accepted(link, early.remote, early.bytes);
            }
            self.role = Role::Leading(Box::new(leading));
            return;
        }
        for link in early.into_keys() {
            self.network.close(link);
        }
        let candidates = self.config.masters(vote.leader);
        let source = self.masters.source(&candidates, vote.leader, false);
        let link = source.dial(&mut *self.network);
        let learning = Learning::new(now, &self.config, vote, state, (source, link));
        self.role = Role::Learning(Box::new(learning));
    }
}
