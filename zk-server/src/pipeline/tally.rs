//! What the pipeline did since it last told the statistics, in plain numbers.
//! It refuses to know how they are shown.

use crate::metrics::{Metrics, NamespaceTally, Run, SizeTally, usage};
use crate::stats::ServerStats;
use zk_proto::txn::Txn;

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// A request that made no transaction.
    Read,
    /// One that made a transaction.
    Update,
}

/// Answers and watch events.
#[derive(Debug, Default)]
pub(super) struct Tally {
    answers: SizeTally,
    read_latency: Run,
    update_latency: Run,
    handshakes: u64,
    events: u64,
    event_bytes: u64,
    read: NamespaceTally,
    written: NamespaceTally,
}

impl Tally {
    /// An answer, as long as this with the four bytes of its length, that took
    /// this long.
    pub(super) fn answered(
        &mut self,
        metrics: &Metrics,
        kind: Answered,
        frame_len: usize,
        latency_ms: u64,
    ) {
        self.answers.add((frame_len as u64).saturating_sub(4));
        self.took(metrics, kind, latency_ms);
    }

    /// An answer to a request to connect: its bytes do not count.
    pub(super) fn connected(&mut self, metrics: &Metrics, latency_ms: u64) {
        self.handshakes += 1;
        self.took(metrics, Answered::Update, latency_ms);
    }

    fn took(&mut self, metrics: &Metrics, kind: Answered, latency_ms: u64) {
        match kind {
            Answered::Read => self
                .read_latency
                .add(latency_ms, &metrics.waiting_read_latency),
            Answered::Update => self.update_latency.add(latency_ms, &metrics.update_latency),
        }
    }

    /// A watch event, as a frame.
    pub(super) fn told(&mut self, frame: &[u8]) {
        self.events += 1;
        self.event_bytes += (frame.len() as u64).saturating_sub(4);
    }

    /// What a read looked at.
    pub(super) fn read(&mut self, metrics: &Metrics, path: &[u8], bytes: u64) {
        self.read.note(&metrics.reads, path, bytes);
    }

    /// What an applied transaction brought.
    pub(super) fn written(&mut self, metrics: &Metrics, txn: &Txn<'_>) {
        usage::of_writes(txn, &mut |path, bytes| {
            self.written.note(&metrics.writes, path, bytes);
        });
    }

    /// Tells the statistics.
    pub(super) fn flush(&mut self, stats: &ServerStats) {
        let metrics = &stats.metrics;
        if self.answers.count() > 0 {
            stats.answered(&self.answers);
            self.answers = SizeTally::default();
        }
        if self.events + self.handshakes > 0 {
            stats.sent(self.events + self.handshakes);
            metrics.watch_bytes.add(self.event_bytes);
            (self.events, self.event_bytes, self.handshakes) = (0, 0, 0);
        }
        self.read_latency.flush(&metrics.waiting_read_latency);
        self.update_latency.flush(&metrics.update_latency);
        self.read.flush(&metrics.reads);
        self.written.flush(&metrics.writes);
    }
}
