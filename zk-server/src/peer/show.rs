//! What a peer shows of itself: how it stands with the others, and what is
//! counted of its roles under Apache's names (`ServerMetrics`). It decides
//! nothing, and nothing here is asked before anything is decided.

use super::{Peer, Role, whole_ms};
use crate::metrics::SizeTally;
use crate::role::{LearnerCounts, ServerRole};
use std::time::Duration;
use zk_election::Vote;
use zk_proto::quorum::{PacketType, PeerState};
use zk_proto::txn::TxnHeader;

impl Peer {
    /// It looks for a leader.
    pub(super) fn show_looking(&self, now: Duration) {
        self.shared.stats.metrics.looking_count.add(1);
        let mut view = self.shared.ensemble.lock();
        view.looking_since = Some(whole_ms(now));
        view.away_since.get_or_insert(whole_ms(now));
    }

    /// It takes up a role, mostly because of an election.
    pub(super) fn show_elected(&self, now: Duration, state: PeerState, vote: &Vote) {
        let mut view = self.shared.ensemble.lock();
        view.leader = Some(vote.leader);
        view.elected_at = whole_ms(now);
        if let (Some(since), true) = (view.looking_since.take(), state != PeerState::Observing) {
            let took_ms = whole_ms(now).saturating_sub(since);
            self.shared.stats.metrics.election_time.add(took_ms);
        }
    }

    /// It serves from now on.
    pub(super) fn show_serving(&self, now: Duration, role: ServerRole) {
        self.show_learners();
        let (metrics, now_ms) = (&self.shared.stats.metrics, whole_ms(now));
        let mut view = self.shared.ensemble.lock();
        view.serving_since = now_ms;
        let synced_ms = now_ms.saturating_sub(view.connected_at);
        match role {
            ServerRole::Follower => metrics.follower_sync_time.add(synced_ms),
            ServerRole::Observer => metrics.observer_sync_time.add(synced_ms),
            // Its proposals are others than those of the last one.
            ServerRole::Leader => metrics.proposal_sizes.reset(),
            ServerRole::Standalone | ServerRole::Looking | ServerRole::ReadOnly => {}
        }
        if let Some(since) = view.away_since.take() {
            let away_ms = now_ms.saturating_sub(since);
            metrics.unavailable_time.add(away_ms);
            if role == ServerRole::Leader {
                metrics.leader_unavailable_time.add(away_ms);
            }
        }
    }

    /// Who the members are.
    pub(super) fn show_members(&self) {
        let members = self.config.members.clone();
        self.shared.ensemble.lock().members = members;
    }

    /// The learners of this server, as they are now.
    pub(super) fn show_learners(&self) {
        let leading = match &self.role {
            Role::Looking(_) => return,
            Role::Leading(leading) => leading,
            Role::Learning(learning) => {
                let host = learning.learner.as_ref().filter(|it| it.hosts_observers());
                let observers = host.map(zk_zab::Learner::observers);
                if observers.is_some() {
                    self.shared.ensemble.lock().hosted_observers = observers;
                }
                return;
            }
        };
        let census = leading.leader.census();
        self.shared.ensemble.lock().learners = LearnerCounts {
            all: census.learners,
            synced_followers: census.followers,
            synced_non_voting: census.non_voting,
            synced_observers: census.observers,
            pending_syncs: leading.leader.pending_syncs(),
        };
    }

    /// Transactions are about to be proposed.
    pub(super) fn show_proposed(&self, sizes: &SizeTally) {
        let metrics = &self.shared.stats.metrics;
        metrics.proposal_count.add(sizes.count());
        metrics.proposal_sizes.note(sizes);
    }

    /// A learner of this server is sent this.
    pub(super) fn show_sent(&self, kind: PacketType) {
        let metrics = &self.shared.stats.metrics;
        match kind {
            PacketType::SNAP => metrics.snap_count.add(1),
            PacketType::DIFF | PacketType::TRUNC => metrics.diff_count.add(1),
            _ => {}
        }
    }

    /// A learner's leader sent this.
    pub(super) fn show_received(&self, kind: PacketType) {
        let metrics = &self.shared.stats.metrics;
        match kind {
            PacketType::PROPOSAL => metrics.learner_proposal_received_count.add(1),
            PacketType::COMMIT | PacketType::INFORM => {
                metrics.learner_commit_received_count.add(1);
            }
            _ => {}
        }
    }

    /// Transactions are committed, the oldest of which has this header.
    pub(super) fn show_committed(&self, oldest: &TxnHeader, count: u64) {
        let metrics = &self.shared.stats.metrics;
        let took_ms = self.shared.clock.wall_ms() - oldest.time;
        // The leader's clock may be ahead of ours.
        let took_ms = u64::try_from(took_ms).unwrap_or(0);
        metrics.propagation_latency.add_many(took_ms, count);
        match &self.role {
            Role::Leading(_) => {
                metrics.commit_count.add(count);
                metrics.quorum_ack_latency.add_many(took_ms, count);
            }
            Role::Learning(_) => metrics.commit_propagation_latency.add_many(took_ms, count),
            Role::Looking(_) => {}
        }
    }
}
