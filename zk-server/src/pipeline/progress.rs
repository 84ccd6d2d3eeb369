//! How long a batch takes from step to step. It refuses to know what is in
//! it.

use super::inbox::Item;
use crate::clock::whole_ms;
use crate::metrics::{Metrics, Run};
use zk_log::FlushReport;

/// When a batch passed its steps, in monotonic ms.
#[derive(Debug, Default)]
pub(super) struct Progress {
    taken_ms: u64,
    staged_ms: u64,
    /// Transactions in it.
    txns: u64,
}

impl Progress {
    /// The batch was taken from the queue.
    pub(super) fn taken(metrics: &Metrics, items: &[Item], now_ms: u64) -> Self {
        metrics.prep_queued.add(items.len() as u64);
        metrics.prep_queue_size.add(items.len() as u64);
        let mut waited = Run::default();
        for item in items {
            let waited_ms = now_ms.saturating_sub(item.received_ms);
            waited.add(waited_ms, &metrics.prep_queue_time);
        }
        waited.flush(&metrics.prep_queue_time);
        Self {
            taken_ms: now_ms,
            ..Self::default()
        }
    }

    /// What becomes of each item was decided.
    pub(super) fn staged(&mut self, metrics: &Metrics, now_ms: u64) {
        self.staged_ms = now_ms;
        let took_ms = now_ms.saturating_sub(self.taken_ms);
        metrics.prep_process_time.add(took_ms);
    }

    /// Its transactions are durable.
    pub(super) fn durable(&mut self, metrics: &Metrics, report: &FlushReport, now_ms: u64) {
        self.txns = report.txns;
        let flush_ms = whole_ms(report.elapsed);
        let took_ms = now_ms.saturating_sub(self.staged_ms);
        metrics.sync_queued.add(report.txns);
        metrics.sync_batch_size.add(report.txns);
        metrics.fsynctime.add(flush_ms);
        metrics.sync_flush_time.add(flush_ms);
        metrics.sync_process_time.add(took_ms);
        metrics
            .sync_queue_and_flush_time
            .add_many(took_ms, report.txns);
    }

    /// It is about to be applied.
    pub(super) fn applied(&self, metrics: &Metrics, now_ms: u64) {
        let took_ms = now_ms.saturating_sub(self.taken_ms);
        metrics.propagation_latency.add_many(took_ms, self.txns);
    }
}
