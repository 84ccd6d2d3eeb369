//! What a leader, or a follower that hosts observers, knows about each of its
//! learners. It decides nothing.

use super::Leader;
use crate::ZabConfig;
use crate::action::LearnerId;
use std::collections::VecDeque;
use std::time::Duration;
use zk_proto::mutation::is_back;
use zk_proto::{Epoch, ServerId, Zxid};

/// How far a learner is, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Progress {
    /// It has said hello.
    Joined,
    /// It was asked to accept the epoch.
    Asked,
    /// It has accepted it, and waits for a quorum of such; an observer for its
    /// follower to have what it has.
    Accepted,
    /// The disk is being read for it.
    Reading,
    /// It was sent NEWLEADER, and gets every proposal from then on.
    Syncing,
    /// It has acknowledged NEWLEADER: its disk holds the history.
    Synced,
    /// It was sent UPTODATE.
    Active,
}

/// A learner, by its connection.
#[derive(Debug)]
pub(crate) struct LearnerState {
    pub(crate) server: ServerId,
    /// It came as an observer: no proposals, no acks, no vote. Of the others
    /// the acks of those count who vote when they are counted.
    pub(crate) observer: bool,
    pub(crate) progress: Progress,
    /// Its last transaction, from ACKEPOCH on.
    pub(crate) last_zxid: Zxid,
    /// The last proposal that its disk holds; up to NEWLEADER, where its
    /// proposals begin.
    pub(crate) acked: Zxid,
    /// The last proposal that it was sent.
    pub(crate) sent: Zxid,
    /// A proposal without acknowledgement, and since when it is watched.
    pub(crate) watched: Option<(Zxid, Duration)>,
    /// Rounds of pings that it has not answered, oldest first.
    pub(crate) pings: VecDeque<u64>,
    /// The last round that it has answered.
    pub(crate) answered: u64,
    /// When something last came.
    pub(crate) heard: Duration,
}

impl LearnerState {
    pub(crate) const fn new(now: Duration, server: ServerId, observer: bool) -> Self {
        Self {
            server,
            observer,
            progress: Progress::Joined,
            last_zxid: Zxid::ZERO,
            acked: Zxid::ZERO,
            sent: Zxid::ZERO,
            watched: None,
            pings: VecDeque::new(),
            answered: 0,
            heard: now,
        }
    }

    /// It is sent UPTODATE, and its limits begin.
    pub(crate) fn activate(&mut self, now: Duration) {
        self.progress = Progress::Active;
        self.heard = now;
        self.watched = self.watched.map(|(zxid, _)| (zxid, now));
    }

    /// Notes a proposal that leaves for it.
    pub(crate) fn note_sent(&mut self, now: Duration, zxid: Zxid) {
        self.sent = zxid;
        if self.watched.is_none() {
            self.watched = Some((zxid, now));
        }
    }

    /// Notes the acknowledgement of the next proposal. One proposal at a
    /// time is watched, so that a late one is found within twice the limit.
    /// (`LearnerHandler.SyncLimitCheck`)
    pub(crate) fn note_acked(&mut self, now: Duration, zxid: Zxid) {
        self.acked = zxid;
        if self.watched.is_some_and(|(watched, _)| watched <= zxid) {
            self.watched = (self.sent > zxid).then_some((self.sent, now));
        }
    }

    /// When it has been silent for too long; `None` while it waits and has
    /// nothing to say.
    pub(crate) fn silent_at(&self, config: &ZabConfig) -> Option<Duration> {
        let limit = match self.progress {
            Progress::Joined | Progress::Accepted | Progress::Reading | Progress::Synced => {
                return None;
            }
            Progress::Asked | Progress::Syncing => config.init_limit(),
            Progress::Active => config.sync_limit(),
        };
        Some(self.heard + limit)
    }
}

/// How many learners a leader has (`LeaderZooKeeperServer.registerMetrics`).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Census {
    /// All that have said hello.
    pub learners: usize,
    /// Followers that get every proposal.
    pub followers: usize,
    /// Of them those whose acknowledgements do not count.
    pub non_voting: usize,
    /// Observers that get every transaction.
    pub observers: usize,
}

impl Leader {
    /// Counts the learners.
    #[must_use]
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        for learner in self.learners.values() {
            census.learners += 1;
            if learner.progress < Progress::Syncing {
                continue;
            }
            if learner.observer {
                census.observers += 1;
                continue;
            }
            census.followers += 1;
            census.non_voting += usize::from(!self.quorums.is_voter(learner.server));
        }
        census
    }

    /// Whether the server is this one, or a follower of which something is
    /// true.
    pub(super) fn voter_has(
        &self,
        server: ServerId,
        own: bool,
        has: impl Fn(&LearnerState) -> bool,
    ) -> bool {
        if server == self.config.server {
            return own;
        }
        let mut learners = self.learners.values();
        let votes = |it: &LearnerState| !it.observer || is_back("observers_counted");
        learners.any(|it| it.server == server && votes(it) && has(it))
    }

    /// Connections of learners that are exactly so far.
    pub(super) fn learners_at(&self, progress: Progress) -> Vec<LearnerId> {
        let at = |(id, it): (&LearnerId, &LearnerState)| (it.progress == progress).then_some(*id);
        self.learners.iter().filter_map(at).collect()
    }
}

/// The epoch and zxid that tell who is ahead (`StateSummary`).
pub(super) const fn is_ahead(peer: (Epoch, Zxid), own: (Epoch, Zxid)) -> bool {
    peer.0.0 > own.0.0 || (peer.0.0 == own.0.0 && peer.1.0 > own.1.0)
}
