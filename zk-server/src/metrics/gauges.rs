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

/// The numbers of a standalone server that can be other than zero.
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
    pub(crate) quotas: QuotaGauges,
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
    /// here belong to connections with TLS, sessions of one server and
    /// refusing connections by chance.
    pub(crate) fn list(&self) -> [(&'static str, Gauge); 24] {
        use Gauge::{Fraction, Whole};
        [
            ("ephemerals_count", Whole(self.ephemerals_count)),
            ("num_alive_connections", Whole(self.num_alive_connections)),
            ("avg_latency", Fraction(self.avg_latency)),
            ("outstanding_requests", Whole(self.outstanding_requests)),
            ("znode_count", Whole(self.znode_count)),
            ("global_sessions", Whole(self.global_sessions)),
            ("non_mtls_remote_conn_count", Whole(0)),
            ("last_client_response_size", Whole(self.last_response_size)),
            ("packets_sent", Whole(self.packets_sent)),
            ("packets_received", Whole(self.packets_received)),
            ("max_client_response_size", Whole(self.max_response_size)),
            ("connection_drop_probability", Fraction(0.0)),
            ("watch_count", Whole(self.watch_count)),
            ("auth_failed_count", Whole(0)),
            ("min_latency", Whole(self.min_latency)),
            ("max_file_descriptor_count", Whole(self.max_files)),
            ("approximate_data_size", Whole(self.approximate_data_size)),
            ("open_file_descriptor_count", Whole(self.open_files)),
            ("local_sessions", Whole(0)),
            ("uptime", Whole(self.uptime)),
            ("max_latency", Whole(self.max_latency)),
            ("outstanding_tls_handshake", Whole(0)),
            ("min_client_response_size", Whole(self.min_response_size)),
            ("non_mtls_local_conn_count", Whole(0)),
        ]
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
