//! Every name that Apache 3.9.5 shows, in the order in which its `mntr` shows
//! them, which is that of a Java hash map.
//!
//! A name without a source is shown as zero because nothing here can move it:
//! TLS and Netty, the caches of answers, throttling, snapshots over HTTP, JVM
//! pauses, observer masters, limits of snapshots at a time, and the queues
//! between Apache's threads (the commit processor, learner handlers) that one
//! thread has no need of. It refuses to know how values are printed.

use super::{Distribution, Metrics, SummaryValues};
use std::collections::BTreeMap;

/// Where a value comes from; `None` when nothing can move it.
type Source<T> = Option<fn(&Metrics) -> T>;

/// All values at one time, each group in Apache's order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Families {
    pub(crate) counters: Vec<(&'static str, u64)>,
    /// Their names follow those of the namespaces.
    pub(crate) counter_sets: Vec<(&'static str, BTreeMap<String, u64>)>,
    pub(crate) summaries: Vec<(&'static str, SummaryValues)>,
    pub(crate) distributions: Vec<(&'static str, Distribution)>,
    pub(crate) summary_sets: Vec<(&'static str, BTreeMap<String, SummaryValues>)>,
}

impl Families {
    pub(crate) fn of(metrics: &Metrics) -> Self {
        Self {
            counters: read(COUNTERS, metrics),
            counter_sets: vec![("quota_exceeded_error_per_namespace", counts(metrics))],
            summaries: read(SUMMARIES, metrics),
            distributions: read(DISTRIBUTIONS, metrics),
            summary_sets: vec![
                ("read_per_namespace", metrics.reads.values()),
                ("write_per_namespace", metrics.writes.values()),
            ],
        }
    }
}

fn read<T: Default>(
    table: &[(&'static str, Source<T>)],
    metrics: &Metrics,
) -> Vec<(&'static str, T)> {
    let value = |source: &Source<T>| source.map_or_else(T::default, |read| read(metrics));
    table
        .iter()
        .map(|(name, source)| (*name, value(source)))
        .collect()
}

fn counts(metrics: &Metrics) -> BTreeMap<String, u64> {
    let refused = metrics.quota_exceeded.values().into_iter();
    refused.map(|(name, values)| (name, values.count)).collect()
}

/// A table of names, one a row, with the sources of those that have one.
macro_rules! table {
    ($table:ident: $value:ty, $metrics:ident => { $($name:literal $(= $source:expr)?;)* }) => {
        static $table: &[(&str, Source<$value>)] = &[
            $(($name, source!($metrics $(, $source)?))),*
        ];
    };
}

macro_rules! source {
    ($metrics:ident) => {
        None
    };
    ($metrics:ident, $source:expr) => {
        Some(|$metrics| $source)
    };
}

table!(COUNTERS: u64, m => {
    "watch_bytes" = m.watch_bytes.value();
    "stale_requests_dropped";
    "throttled_ops";
    "insecure_admin_count";
    "connection_rejected" = m.connection_rejected.value();
    "sessionless_connections_expired" = m.sessionless_connections_expired.value();
    "dead_watchers_queued";
    "stale_requests";
    "connection_drop_count" = m.connection_drop_count.value();
    "response_packet_cache_hits";
    "bytes_received_count" = m.traffic_total(|traffic| &traffic.received_bytes);
    "add_dead_watcher_stall_time";
    "request_throttle_wait_count";
    "requests_not_forwarded_to_commit_processor";
    "response_packet_cache_misses";
    "prep_processor_request_queued" = m.prep_queued.value();
    "stale_replies";
    "response_bytes" = m.traffic_total(|traffic| &traffic.response_bytes);
    "ensemble_auth_fail" = m.ensemble_auth_fail.value();
    "diff_count" = m.diff_count.value();
    "connection_revalidate_count" = m.connection_revalidate_count.value();
    "quit_leading_due_to_disloyal_voter";
    "unrecoverable_error_count";
    "unsuccessful_handshake";
    "commit_count" = m.commit_count.value();
    "outstanding_changes_queued";
    "request_commit_queued";
    "ensemble_auth_skip" = m.ensemble_auth_skip.value();
    "skip_learner_request_to_next_processor_count";
    "proposal_count" = m.proposal_count.value();
    "large_requests_rejected" = m.large_requests_rejected.value();
    "outstanding_changes_removed";
    "restore_error_count";
    "cnxn_closed_without_zk_server_running";
    "looking_count" = m.looking_count.value();
    "snapshot_rate_limited_count";
    "learner_proposal_received_count" = m.learner_proposal_received_count.value();
    "digest_mismatches_count" = m.digest_mismatches.value();
    "dead_watchers_cleared";
    "ensemble_auth_success" = m.ensemble_auth_success.value();
    "learner_commit_received_count" = m.learner_commit_received_count.value();
    "snapshot_error_count" = m.snapshot_errors.value();
    "connection_request_count" = m.connection_request_count.value();
    "response_packet_get_children_cache_misses";
    "snap_count" = m.snap_count.value();
    "stale_sessions_expired" = m.stale_sessions_expired.value();
    "restore_rate_limited_count";
    "response_packet_get_children_cache_hits";
    "sync_processor_request_queued" = m.sync_queued.value();
    "tls_handshake_exceeded";
    "revalidate_count" = m.revalidate_count.value();
});

table!(SUMMARIES: SummaryValues, m => {
    "socket_closing_time";
    "proposal_process_time";
    "leader_unavailable_time" = m.leader_unavailable_time.values();
    "node_created_watch_count" = m.node_created_watch_count.values();
    "session_queues_drained";
    "write_commit_proc_req_queued";
    "connection_token_deficit" = m.connection_token_deficit.values();
    "read_commit_proc_req_queued";
    "node_deleted_watch_count" = m.node_deleted_watch_count.values();
    "startup_txns_load_time" = m.startup_txns_load_time.values();
    "sync_processor_queue_size";
    "follower_sync_time" = m.follower_sync_time.values();
    "prep_processor_queue_size" = m.prep_queue_size.values();
    "fsynctime" = m.fsynctime.values();
    "inflight_snap_count";
    "reads_issued_from_session_queue";
    "restore_time";
    "learner_request_processor_queue_size";
    "snapshottime" = m.snapshottime.values();
    "unavailable_time" = m.unavailable_time.values();
    "startup_txns_loaded" = m.startup_txns_loaded.values();
    "reads_after_write_in_session_queue";
    "requests_in_session_queue";
    "write_commit_proc_issued";
    "prep_process_time" = m.prep_process_time.values();
    "pending_session_queue_size";
    "time_waiting_empty_pool_in_commit_processor_read_ms";
    "commit_process_time";
    "dbinittime" = m.dbinittime.values();
    "inflight_diff_count";
    "netty_queued_buffer_capacity";
    "election_time" = m.election_time.values();
    "commit_commit_proc_req_queued";
    "sync_processor_batch_size" = m.sync_batch_size.values();
    "node_children_watch_count" = m.node_children_watch_count.values();
    "write_batch_time_in_commit_processor";
    "read_commit_proc_issued";
    "concurrent_request_processing_in_commit_processor";
    "observer_sync_time" = m.observer_sync_time.values();
    "node_changed_watch_count" = m.node_changed_watch_count.values();
    "sync_process_time" = m.sync_process_time.values();
    "startup_snap_load_time" = m.startup_snap_load_time.values();
});

table!(DISTRIBUTIONS: Distribution, m => {
    "prep_processor_queue_time_ms" = m.prep_queue_time.values();
    "jvm_pause_time_ms";
    "close_session_prep_time";
    "read_commitproc_time_ms";
    "updatelatency" = m.update_latency.values();
    "local_write_committed_time_ms";
    "request_throttle_queue_time_ms";
    "readlatency" = m.read_latency();
    "quorum_ack_latency" = m.quorum_ack_latency.values();
    "om_commit_process_time_ms";
    "read_final_proc_time_ms";
    "commit_propagation_latency" = m.commit_propagation_latency.values();
    "dead_watchers_cleaner_latency";
    "write_final_proc_time_ms";
    "proposal_ack_creation_latency";
    "proposal_latency";
    "om_proposal_process_time_ms";
    "sync_processor_queue_and_flush_time_ms" = m.sync_queue_and_flush_time.values();
    "propagation_latency" = m.propagation_latency.values();
    "server_write_committed_time_ms";
    "sync_processor_queue_time_ms";
    "sync_processor_queue_flush_time_ms" = m.sync_flush_time.values();
    "write_commitproc_time_ms";
});
