//! What a server shows as it is right now, under Apache's names
//! (`ZooKeeperServer.registerMetrics`). It refuses to know where the numbers
//! come from.

use std::collections::BTreeMap;

/// A number as Apache shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Gauge {
    /// A whole number.
    Whole(i64),
    /// A number with a fraction, even if that is zero.
    Fraction(f64),
}

/// The numbers of a server that can be other than zero.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gauges {
    pub(crate) ephemerals_count: i64,
    pub(crate) num_alive_connections: i64,
    pub(crate) avg_latency: f64,
    pub(crate) outstanding_requests: i64,
    pub(crate) znode_count: i64,
    pub(crate) global_sessions: i64,
    /// Bytes; -1 before the first answer, as the two others.
    pub(crate) last_response_size: i64,
    pub(crate) packets_sent: i64,
    pub(crate) packets_received: i64,
    pub(crate) max_response_size: i64,
    pub(crate) watch_count: i64,
    pub(crate) min_latency: i64,
    pub(crate) max_files: i64,
    /// Bytes.
    pub(crate) approximate_data_size: i64,
    pub(crate) open_files: i64,
    /// Ms.
    pub(crate) uptime: i64,
    pub(crate) max_latency: i64,
    pub(crate) min_response_size: i64,
    pub(crate) local_sessions: i64,
    /// Of a server of an ensemble.
    pub(crate) quorum_size: Option<i64>,
    pub(crate) leader: Option<LeaderGauges>,
    /// Of a follower that may host observers
    /// (`FollowerZooKeeperServer.registerMetrics`).
    pub(crate) hosted_observers: Option<i64>,
    pub(crate) quotas: QuotaGauges,
}

/// What a leader shows beside that (`LeaderZooKeeperServer.registerMetrics`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LeaderGauges {
    pub(crate) learners: i64,
    pub(crate) synced_followers: i64,
    pub(crate) synced_non_voting_followers: i64,
    pub(crate) synced_observers: i64,
    pub(crate) pending_syncs: i64,
    /// Ms.
    pub(crate) uptime: i64,
    /// Bytes; -1 before the first proposal, as the two others.
    pub(crate) last_proposal_size: i64,
    pub(crate) min_proposal_size: i64,
    pub(crate) max_proposal_size: i64,
}

/// Limits and use of each namespace with a quota
/// (`QuotaMetricsUtils`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct QuotaGauges {
    pub(crate) bytes_limit: BTreeMap<String, i64>,
    pub(crate) count_usage: BTreeMap<String, i64>,
    pub(crate) count_limit: BTreeMap<String, i64>,
    pub(crate) bytes_usage: BTreeMap<String, i64>,
}

impl Gauges {
    /// All gauges that Apache shows, in its order. Those that are a plain zero
    /// here belong to connections with TLS and to refusing connections by
    /// chance.
    pub(crate) fn list(&self) -> Vec<(&'static str, Gauge)> {
        use Gauge::{Fraction, Whole};
        let always = |name, value| Some((name, Whole(value)));
        let fraction = |name, value| Some((name, Fraction(value)));
        let leading = |name, of: fn(&LeaderGauges) -> i64| {
            let leader = self.leader.as_ref();
            leader.map(|leader| (name, Whole(of(leader))))
        };
        let led = self.leader.map(|leader| leader.synced_observers);
        let synced_observers = led.or(self.hosted_observers);
        let all = [
            always("ephemerals_count", self.ephemerals_count),
            always("num_alive_connections", self.num_alive_connections),
            fraction("avg_latency", self.avg_latency),
            leading("min_proposal_size", |it| it.min_proposal_size),
            always("outstanding_requests", self.outstanding_requests),
            always("znode_count", self.znode_count),
            always("global_sessions", self.global_sessions),
            always("non_mtls_remote_conn_count", 0),
            always("last_client_response_size", self.last_response_size),
            always("packets_sent", self.packets_sent),
            always("packets_received", self.packets_received),
            leading("max_proposal_size", |it| it.max_proposal_size),
            always("max_client_response_size", self.max_response_size),
            leading("synced_followers", |it| it.synced_followers),
            fraction("connection_drop_probability", 0.0),
            always("watch_count", self.watch_count),
            leading("synced_non_voting_followers", |it| {
                it.synced_non_voting_followers
            }),
            synced_observers.map(|count| ("synced_observers", Whole(count))),
            always("auth_failed_count", 0),
            always("min_latency", self.min_latency),
            always("max_file_descriptor_count", self.max_files),
            always("approximate_data_size", self.approximate_data_size),
            always("open_file_descriptor_count", self.open_files),
            leading("last_proposal_size", |it| it.last_proposal_size),
            leading("pending_syncs", |it| it.pending_syncs),
            leading("leader_uptime", |it| it.uptime),
            always("local_sessions", self.local_sessions),
            always("uptime", self.uptime),
            always("max_latency", self.max_latency),
            always("outstanding_tls_handshake", 0),
            leading("learners", |it| it.learners),
            always("min_client_response_size", self.min_response_size),
            always("non_mtls_local_conn_count", 0),
            self.quorum_size.map(|size| ("quorum_size", Whole(size))),
        ];
        all.into_iter().flatten().collect()
    }
}

impl QuotaGauges {
    /// The names behind those of the namespaces, in Apache's order.
    pub(crate) fn list(&self) -> [(&'static str, &BTreeMap<String, i64>); 4] {
        [
            ("quota_bytes_limit_per_namespace", &self.bytes_limit),
            ("quota_count_usage_per_namespace", &self.count_usage),
            ("quota_count_limit_per_namespace", &self.count_limit),
            ("quota_bytes_usage_per_namespace", &self.bytes_usage),
        ]
    }
}
