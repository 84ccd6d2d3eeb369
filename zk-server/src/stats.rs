//! What a server counts of itself, for the four-letter words.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start or the last `srst` (`ServerStats`).
#[derive(Debug, Default)]
pub(crate) struct ServerStats {
    packets_received: AtomicU64,
    packets_sent: AtomicU64,
    latency_min: AtomicU64,
    latency_max: AtomicU64,
    latency_total: AtomicU64,
    latency_count: AtomicU64,
    fsync_threshold_exceeded: AtomicU64,
    expired_sessions: AtomicU64,
    digest_mismatches: AtomicU64,
}

/// Minimum, average and maximum in ms.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Latency {
    pub(crate) min: u64,
    pub(crate) avg: f64,
    pub(crate) max: u64,
}

impl ServerStats {
    pub(crate) fn received(&self, count: u64) {
        self.packets_received.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, count: u64) {
        self.packets_sent.fetch_add(count, Ordering::Relaxed);
    }

    /// `count` answers that each took `latency_ms` from being read.
    pub(crate) fn answered(&self, count: u64, latency_ms: u64) {
        self.sent(count);
        let before = self.latency_count.fetch_add(count, Ordering::Relaxed);
        if before == 0 {
            self.latency_min.store(latency_ms, Ordering::Relaxed);
        } else if self.latency_min.load(Ordering::Relaxed) > latency_ms {
            self.latency_min.fetch_min(latency_ms, Ordering::Relaxed);
        }
        if latency_ms > 0 {
            self.latency_max.fetch_max(latency_ms, Ordering::Relaxed);
            self.latency_total
                .fetch_add(latency_ms * count, Ordering::Relaxed);
        }
    }

    pub(crate) fn slow_fsync(&self) {
        self.fsync_threshold_exceeded
            .fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn session_expired(&self) {
        self.expired_sessions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn digest_mismatch(&self) {
        self.digest_mismatches.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn packets_received(&self) -> u64 {
        self.packets_received.load(Ordering::Relaxed)
    }

    pub(crate) fn packets_sent(&self) -> u64 {
        self.packets_sent.load(Ordering::Relaxed)
    }

    pub(crate) fn fsync_threshold_exceeded(&self) -> u64 {
        self.fsync_threshold_exceeded.load(Ordering::Relaxed)
    }

    pub(crate) fn expired_sessions(&self) -> u64 {
        self.expired_sessions.load(Ordering::Relaxed)
    }

    pub(crate) fn digest_mismatches(&self) -> u64 {
        self.digest_mismatches.load(Ordering::Relaxed)
    }

    pub(crate) fn latency(&self) -> Latency {
        let count = self.latency_count.load(Ordering::Relaxed);
        let total = self.latency_total.load(Ordering::Relaxed);
        Latency {
            min: self.latency_min.load(Ordering::Relaxed),
            avg: if count == 0 {
                0.0
            } else {
                total as f64 / count as f64
            },
            max: self.latency_max.load(Ordering::Relaxed),
        }
    }

    /// What `srst` does.
    pub(crate) fn reset(&self) {
        for counter in [
            &self.packets_received,
            &self.packets_sent,
            &self.latency_min,
            &self.latency_max,
            &self.latency_total,
            &self.latency_count,
            &self.fsync_threshold_exceeded,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}
