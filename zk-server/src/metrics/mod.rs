//! What a server measures of itself, under Apache's names (`ServerMetrics`).
//!
//! `Metrics` holds the values that move; `catalog` knows every name that
//! Apache 3.9.5 shows, in the order in which it shows them, and which of them
//! can never move here. This module refuses to know how the values are
//! printed: four-letter words and exporters have their own ways.
//!
//! Values are relaxed atomics. What happens per request is gathered in plain
//! numbers first and added once per batch; what every thread adds to all the
//! time is kept apart by thread.

mod catalog;
mod counter;
mod distribution;
mod gauges;
mod namespaces;
mod response_sizes;
mod run;
mod striped;
mod summary;
pub(crate) mod usage;

pub(crate) use catalog::Families;
pub(crate) use counter::Counter;
pub(crate) use distribution::{Distribution, Histogram};
pub(crate) use gauges::{Gauge, Gauges, LeaderGauges, QuotaGauges};
pub(crate) use namespaces::{NamespaceTally, Namespaces, namespace};
pub(crate) use response_sizes::{ResponseSizes, SizeTally};
pub(crate) use run::Run;
pub(crate) use striped::Striped;
pub(crate) use summary::{Summary, SummaryValues};

use zk_proto::EventType;

/// A struct that can set all its fields to zero.
macro_rules! resettable {
    ($(#[$about:meta])* struct $name:ident {
        $($(#[$meaning:meta])* $field:ident: $kind:ty,)*
    }) => {
        $(#[$about])*
        #[derive(Debug, Default)]
        pub(crate) struct $name {
            $($(#[$meaning])* pub(crate) $field: $kind,)*
        }

        impl $name {
            /// Sets everything to zero.
            pub(crate) fn reset(&self) {
                $(self.$field.reset();)*
            }
        }
    };
}

resettable! {
/// The values that move. Names and meanings are those of Apache's
/// `ServerMetrics` unless a field says otherwise; times are in ms.
struct Metrics {
    traffic: Striped<Traffic>,
    response_sizes: ResponseSizes,

    watch_bytes: Counter,
    /// Connections turned away by `maxClientCnxns` or `maxCnxns`.
    connection_rejected: Counter,
    sessionless_connections_expired: Counter,
    /// Connections that the client ended.
    connection_drop_count: Counter,
    connection_revalidate_count: Counter,
    connection_request_count: Counter,
    stale_sessions_expired: Counter,
    digest_mismatches: Counter,
    /// Requests that ended their connection because they were large.
    large_requests_rejected: Counter,
    /// Clients that named this ensemble, another one, or none that counts.
    ensemble_auth_success: Counter,
    ensemble_auth_fail: Counter,
    ensemble_auth_skip: Counter,
    /// Snapshots that could not be written, whoever asked for them.
    snapshot_errors: Counter,
    /// Elections that this server took part in.
    looking_count: Counter,
    /// As a leader: what it proposed, and what of it was committed.
    proposal_count: Counter,
    commit_count: Counter,
    /// As a leader: how it sent its history to learners.
    snap_count: Counter,
    diff_count: Counter,
    /// As a leader: sessions that learners asked about.
    revalidate_count: Counter,
    /// As a learner.
    learner_proposal_received_count: Counter,
    learner_commit_received_count: Counter,
    /// Bytes of the transactions that it proposed.
    proposal_sizes: ResponseSizes,
    /// Requests that came to the pipeline: writes, and what waits behind them.
    prep_queued: Counter,
    /// Transactions that went to the log.
    sync_queued: Counter,

    /// How many were told of one event, by what it was.
    node_created_watch_count: Summary,
    node_deleted_watch_count: Summary,
    node_changed_watch_count: Summary,
    node_children_watch_count: Summary,
    /// Always zero: there is one point for each request to connect.
    connection_token_deficit: Summary,
    dbinittime: Summary,
    startup_snap_load_time: Summary,
    startup_txns_loaded: Summary,
    startup_txns_load_time: Summary,
    snapshottime: Summary,
    fsynctime: Summary,
    /// Requests that the pipeline took at once.
    prep_queue_size: Summary,
    /// Time to prepare everything that was taken at once.
    prep_process_time: Summary,
    /// Transactions that one flush made durable.
    sync_batch_size: Summary,
    /// Time to append and flush everything that was taken at once.
    sync_process_time: Summary,

    /// Until an election was decided.
    election_time: Summary,
    /// Without a leader, or not in sync with one; as the leader that then
    /// came, too.
    unavailable_time: Summary,
    leader_unavailable_time: Summary,
    /// Until the leader's history was taken over.
    follower_sync_time: Summary,
    observer_sync_time: Summary,

    /// From the time in a transaction until a quorum had it.
    quorum_ack_latency: Histogram,
    /// As a learner: from the time in a transaction until it was committed.
    commit_propagation_latency: Histogram,
    /// From reading a request until the pipeline took it.
    prep_queue_time: Histogram,
    /// Reads that waited for writes before them. The others are
    /// [`Traffic::instant_reads`].
    waiting_read_latency: Histogram,
    update_latency: Histogram,
    /// From the time in a transaction until it was applied.
    propagation_latency: Histogram,
    sync_flush_time: Histogram,
    /// From preparing a batch until it was durable.
    sync_queue_and_flush_time: Histogram,

    /// Bytes of path, data and stat that reads looked at.
    reads: Namespaces,
    /// Bytes of path and data that writes brought.
    writes: Namespaces,
    /// One point for each request that was refused for want of quota.
    quota_exceeded: Namespaces,
}
}

resettable! {
/// What every batch of requests adds to.
struct Traffic {
    received: Counter,
    /// With the lengths before the frames.
    received_bytes: Counter,
    /// Without [`Traffic::instant_reads`].
    sent: Counter,
    /// Without the lengths before the frames.
    response_bytes: Counter,
    /// Answered as soon as they were read: a latency of 0.
    instant_reads: Counter,
}
}

impl Striped<Traffic> {
    fn reset(&self) {
        self.iter().for_each(Traffic::reset);
    }
}

impl Metrics {
    /// Notes how many were told of an event.
    pub(crate) fn fired(&self, kind: EventType, watchers: u64) {
        let summary = match kind {
            EventType::NodeCreated => &self.node_created_watch_count,
            EventType::NodeDeleted => &self.node_deleted_watch_count,
            EventType::NodeDataChanged => &self.node_changed_watch_count,
            EventType::NodeChildrenChanged => &self.node_children_watch_count,
            _ => return,
        };
        summary.add_many(watchers, u64::from(watchers > 0));
    }

    /// The sum over all threads.
    pub(crate) fn traffic_total(&self, of: impl Fn(&Traffic) -> &Counter) -> u64 {
        self.traffic.iter().map(|traffic| of(traffic).value()).sum()
    }

    /// Answers that were given as soon as the request was read.
    pub(crate) fn instant_reads(&self) -> u64 {
        self.traffic_total(|traffic| &traffic.instant_reads)
    }

    /// Of every answer that needed no transaction.
    pub(crate) fn read_latency(&self) -> Distribution {
        let mut all = self.waiting_read_latency.values();
        all.add_many(0, self.instant_reads());
        all
    }

    /// Of every answer.
    pub(crate) fn request_latency(&self) -> SummaryValues {
        SummaryValues::of(0, self.instant_reads())
            .merge(self.waiting_read_latency.summary())
            .merge(self.update_latency.summary())
    }
}
