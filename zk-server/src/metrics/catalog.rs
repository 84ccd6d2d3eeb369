//! Every name that Apache 3.9.5 shows, in the order in which its `mntr` shows
//! them, which is that of a Java hash map.
//!
//! A name without a source is shown as zero because nothing here can move it:
//! an ensemble's (elections, leaders, learners, observers, the commit
//! processor), TLS and Netty, the caches of answers, throttling, snapshots
//! over HTTP, JVM pauses, and the queues between Apache's threads that one
//! pipeline thread has no need of. It refuses to know how values are printed.

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
            counters: read(&COUNTERS, metrics),
            counter_sets: vec![("quota_exceeded_error_per_namespace", counts(metrics))],
            summaries: read(&SUMMARIES, metrics),
            distributions: read(&DISTRIBUTIONS, metrics),
            summary_sets: vec![
                ("read_per_namespace", metrics.reads.values()),
                ("write_per_namespace", metrics.writes.values()),
            ],
        }
    }
}

fn read<T: Default>(table: &[(&'static str, Source<T>)], metrics: &Metrics) -> Vec<(&'static str, T)> {
    let value = |source: &Source<T>| source.map_or_else(T::default, |read| read(metrics));
    table.iter().map(|(name, source)| (*name, value(source))).collect()
}

fn counts(metrics: &Metrics) -> BTreeMap<String, u64> {
    let refused = metrics.quota_exceeded.values().into_iter();
    refused.map(|(name, values)| (name, values.count)).collect()
}

static COUNTERS: [(&str, Source<u64>); 51] = [
    ("watch_bytes", Some(|m| m.watch_bytes.value())),
    ("stale_requests_dropped", None),
    ("throttled_ops", None),
    ("insecure_admin_count", None),
    ("connection_rejected", Some(|m| m.connection_rejected.value())),
    ("sessionless_connections_expired", Some(|m| m.sessionless_connections_expired.value())),
    ("dead_watchers_queued", None),
    ("stale_requests", None),
    ("connection_drop_count", Some(|m| m.connection_drop_count.value())),
    ("response_packet_cache_hits", None),
    ("bytes_received_count", Some(|m| m.traffic_total(|traffic| &traffic.received_bytes))),
    ("add_dead_watcher_stall_time", None),
    ("request_throttle_wait_count", None),
    ("requests_not_forwarded_to_commit_processor", None),
    ("response_packet_cache_misses", None),
    ("prep_processor_request_queued", Some(|m| m.prep_queued.value())),
    ("stale_replies", None),
    ("response_bytes", Some(|m| m.traffic_total(|traffic| &traffic.response_bytes))),
    ("ensemble_auth_fail", None),
    ("diff_count", None),
    ("connection_revalidate_count", Some(|m| m.connection_revalidate_count.value())),
    ("quit_leading_due_to_disloyal_voter", None),
    ("unrecoverable_error_count", None),
    ("unsuccessful_handshake", None),
    ("commit_count", None),
    ("outstanding_changes_queued", None),
    ("request_commit_queued", None),
    ("ensemble_auth_skip", None),
    ("skip_learner_request_to_next_processor_count", None),
    ("proposal_count", None),
    ("large_requests_rejected", None),
    ("outstanding_changes_removed", None),
    ("restore_error_count", None),
    ("cnxn_closed_without_zk_server_running", None),
    ("looking_count", None),
    ("snapshot_rate_limited_count", None),
    ("learner_proposal_received_count", None),
    ("digest_mismatches_count", Some(|m| m.digest_mismatches.value())),
    ("dead_watchers_cleared", None),
    ("ensemble_auth_success", None),
    ("learner_commit_received_count", None),
    ("snapshot_error_count", Some(|m| m.snapshot_errors.value())),
    ("connection_request_count", Some(|m| m.connection_request_count.value())),
    ("response_packet_get_children_cache_misses", None),
    ("snap_count", None),
    ("stale_sessions_expired", Some(|m| m.stale_sessions_expired.value())),
    ("restore_rate_limited_count", None),
    ("response_packet_get_children_cache_hits", None),
    ("sync_processor_request_queued", Some(|m| m.sync_queued.value())),
    ("tls_handshake_exceeded", None),
    ("revalidate_count", None),
];

static SUMMARIES: [(&str, Source<SummaryValues>); 42] = [
    ("socket_closing_time", None),
    ("proposal_process_time", None),
    ("leader_unavailable_time", None),
    ("node_created_watch_count", Some(|m| m.node_created_watch_count.values())),
    ("session_queues_drained", None),
    ("write_commit_proc_req_queued", None),
    ("connection_token_deficit", Some(|m| m.connection_token_deficit.values())),
    ("read_commit_proc_req_queued", None),
    ("node_deleted_watch_count", Some(|m| m.node_deleted_watch_count.values())),
    ("startup_txns_load_time", Some(|m| m.startup_txns_load_time.values())),
    ("sync_processor_queue_size", None),
    ("follower_sync_time", None),
    ("prep_processor_queue_size", Some(|m| m.prep_queue_size.values())),
    ("fsynctime", Some(|m| m.fsynctime.values())),
    ("inflight_snap_count", None),
    ("reads_issued_from_session_queue", None),
    ("restore_time", None),
    ("learner_request_processor_queue_size", None),
    ("snapshottime", Some(|m| m.snapshottime.values())),
    ("unavailable_time", None),
    ("startup_txns_loaded", Some(|m| m.startup_txns_loaded.values())),
    ("reads_after_write_in_session_queue", None),
    ("requests_in_session_queue", None),
    ("write_commit_proc_issued", None),
    ("prep_process_time", Some(|m| m.prep_process_time.values())),
    ("pending_session_queue_size", None),
    ("time_waiting_empty_pool_in_commit_processor_read_ms", None),
    ("commit_process_time", None),
    ("dbinittime", Some(|m| m.dbinittime.values())),
    ("inflight_diff_count", None),
    ("netty_queued_buffer_capacity", None),
    ("election_time", None),
    ("commit_commit_proc_req_queued", None),
    ("sync_processor_batch_size", Some(|m| m.sync_batch_size.values())),
    ("node_children_watch_count", Some(|m| m.node_children_watch_count.values())),
    ("write_batch_time_in_commit_processor", None),
    ("read_commit_proc_issued", None),
    ("concurrent_request_processing_in_commit_processor", None),
    ("observer_sync_time", None),
    ("node_changed_watch_count", Some(|m| m.node_changed_watch_count.values())),
    ("sync_process_time", Some(|m| m.sync_process_time.values())),
    ("startup_snap_load_time", Some(|m| m.startup_snap_load_time.values())),
];

static DISTRIBUTIONS: [(&str, Source<Distribution>); 23] = [
    ("prep_processor_queue_time_ms", Some(|m| m.prep_queue_time.values())),
    ("jvm_pause_time_ms", None),
    ("close_session_prep_time", None),
    ("read_commitproc_time_ms", None),
    ("updatelatency", Some(|m| m.update_latency.values())),
    ("local_write_committed_time_ms", None),
    ("request_throttle_queue_time_ms", None),
    ("readlatency", Some(|m| m.read_latency())),
    ("quorum_ack_latency", None),
    ("om_commit_process_time_ms", None),
    ("read_final_proc_time_ms", None),
    ("commit_propagation_latency", None),
    ("dead_watchers_cleaner_latency", None),
    ("write_final_proc_time_ms", None),
    ("proposal_ack_creation_latency", None),
    ("proposal_latency", None),
    ("om_proposal_process_time_ms", None),
    ("sync_processor_queue_and_flush_time_ms", Some(|m| m.sync_queue_and_flush_time.values())),
    ("propagation_latency", Some(|m| m.propagation_latency.values())),
    ("server_write_committed_time_ms", None),
    ("sync_processor_queue_time_ms", None),
    ("sync_processor_queue_flush_time_ms", Some(|m| m.sync_flush_time.values())),
    ("write_commitproc_time_ms", None),
];
