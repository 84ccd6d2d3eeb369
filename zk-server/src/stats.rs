//! What a server counts of itself, as its parts tell it (`ServerStats`). What
//! is shown to whom is decided elsewhere.

use crate::metrics::{Counter, Metrics, SizeTally, SummaryValues, namespace};

/// Counters since the start or the last `srst`.
#[derive(Debug, Default)]
pub(crate) struct ServerStats {
    pub(crate) metrics: Metrics,
    fsync_threshold_exceeded: Counter,
}

impl ServerStats {
    pub(crate) fn received(&self, count: u64) {
        self.metrics.traffic.local().received.add(count);
    }

    /// Bytes of requests, with the lengths before them.
    pub(crate) fn received_bytes(&self, bytes: u64) {
        self.metrics.traffic.local().received_bytes.add(bytes);
    }

    /// Frames of which nothing else is told: refusals and watch events.
    pub(crate) fn sent(&self, count: u64) {
        self.metrics.traffic.local().sent.add(count);
    }

    /// Answers to requests; their latency is told apart.
    pub(crate) fn answered(&self, sizes: &SizeTally) {
        let traffic = self.metrics.traffic.local();
        traffic.sent.add(sizes.count());
        traffic.response_bytes.add(sizes.bytes());
        self.metrics.response_sizes.note(sizes);
    }

    /// Answers that were given as soon as the requests were read. They are
    /// not among [`Traffic::sent`].
    ///
    /// [`Traffic::sent`]: crate::metrics::Traffic
    pub(crate) fn answered_at_once(&self, sizes: &SizeTally) {
        let traffic = self.metrics.traffic.local();
        traffic.instant_reads.add(sizes.count());
        traffic.response_bytes.add(sizes.bytes());
        self.metrics.response_sizes.note(sizes);
    }

    /// A client asks for a session. Nothing throttles that.
    pub(crate) fn connection_requested(&self) {
        self.metrics.connection_request_count.add(1);
        self.metrics.connection_token_deficit.add(0);
    }

    /// A request would have exceeded the hard quota of this path.
    pub(crate) fn refused_by_quota(&self, path: &str) {
        if let Some(namespace) = namespace(path) {
            let once = SummaryValues::of(1, 1);
            self.metrics.quota_exceeded.add(namespace, once);
        }
    }

    pub(crate) fn slow_fsync(&self) {
        self.fsync_threshold_exceeded.add(1);
    }

    pub(crate) fn session_expired(&self) {
        self.metrics.stale_sessions_expired.add(1);
    }

    pub(crate) fn digest_mismatch(&self) {
        self.metrics.digest_mismatches.add(1);
    }

    pub(crate) fn packets_received(&self) -> u64 {
        self.metrics.traffic_total(|traffic| &traffic.received)
    }

    pub(crate) fn packets_sent(&self) -> u64 {
        let sent = self.metrics.traffic_total(|traffic| &traffic.sent);
        sent + self.metrics.instant_reads()
    }

    /// Of all answers, in ms.
    pub(crate) fn latency(&self) -> SummaryValues {
        self.metrics.request_latency()
    }

    /// What `srst` does. As in Apache, the count of slow flushes stays.
    pub(crate) fn reset(&self) {
        self.metrics.reset();
    }
}
