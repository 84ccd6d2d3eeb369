//! From events and answers to outboxes, and from outboxes to sockets.

use super::inbox::{Item, Origin};
use super::tally::{Answered, Tally};
use crate::conn::Conn;
use crate::reads;
use crate::shared::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use zk_proto::txn::Txn;
use zk_proto::{OpCode, Perms, Zxid};
use zk_tree::{TreeEvent, WatcherId, Watches};

/// Connections that the pipeline writes to itself; beyond that their tasks
/// are woken, so that a large fan-out does not hold up the next batch.
const DIRECT_FLUSH_MAX: usize = 128;

/// Puts bytes into outboxes and remembers which ones to flush.
pub(super) struct Delivery {
    shared: Arc<Shared>,
    touched: Vec<Arc<Conn>>,
    /// The event being delivered, as a frame.
    frame: Vec<u8>,
    tally: Tally,
}

impl Delivery {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            touched: Vec::new(),
            frame: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Puts an answer into the client's outbox.
    pub(super) fn answer(
        &mut self,
        item: &Item,
        zxid: Zxid,
        now_ms: u64,
        kind: Answered,
        append: impl FnOnce(&mut Vec<u8>),
    ) {
        let (Origin::Client(conn) | Origin::Resuming(conn)) = &item.origin else {
            return;
        };
        let mut frame_len = 0;
        conn.push(|out| {
            let before = out.len();
            append(out);
            frame_len = out.len() - before;
        });
        conn.settle();
        let latency_ms = now_ms.saturating_sub(item.received_ms);
        let metrics = &self.shared.stats.metrics;
        if item.op == OpCode::CREATE_SESSION {
            self.tally.connected(metrics, latency_ms);
        } else {
            self.tally.answered(metrics, kind, frame_len, latency_ms);
        }
        conn.stats.sent.fetch_add(1, Ordering::Relaxed);
        conn.stats.answered(item.op, item.xid, zxid, now_ms);
        conn.stats.latency(latency_ms, 1);
        self.touch(conn);
    }

    /// Hands an event to those who watch and may read the znode.
    pub(super) fn fire(&mut self, watches: &mut Watches, event: &TreeEvent<'_>) {
        self.frame.clear();
        let mut watchers = 0;
        watches.fire(event.kind, event.path, &mut |watcher| {
            watchers += 1;
            self.deliver(watcher, event);
        });
        self.shared.stats.metrics.fired(event.kind, watchers);
    }

    /// Counts what an applied transaction brought.
    pub(super) fn written(&mut self, txn: &Txn<'_>) {
        self.tally.written(&self.shared.stats.metrics, txn);
    }

    /// Counts what a read looked at.
    pub(super) fn read(&mut self, path: &[u8], bytes: u64) {
        self.tally.read(&self.shared.stats.metrics, path, bytes);
    }

    fn deliver(&mut self, watcher: WatcherId, event: &TreeEvent<'_>) {
        let Some(conn) = self.shared.conns.get(watcher) else {
            return;
        };
        if !self.may_read(&conn, event) {
            return;
        }
        if self.frame.is_empty() {
            reads::notification(&mut self.frame, event.kind, event.path, event.zxid);
        }
        if !conn.push_event(&self.frame) {
            tracing::warn!(client = %conn.remote(), session = %conn.session_id(), "closing the connection: its client does not read its watch events");
        }
        self.tally.told(&self.frame);
        conn.stats.sent.fetch_add(1, Ordering::Relaxed);
        self.touch(&conn);
    }

    fn may_read(&self, conn: &Conn, event: &TreeEvent<'_>) -> bool {
        event.acl.is_open()
            || self.shared.settings.reads.acl.allows(
                event.acl.entries(),
                Perms::READ,
                &conn.identities(),
            )
    }

    fn touch(&mut self, conn: &Arc<Conn>) {
        if conn.mark_touched() {
            self.touched.push(conn.clone());
        }
    }

    /// Writes what was put into the outboxes. What it was is counted before
    /// anybody can have read it.
    pub(super) fn flush(&mut self) {
        self.tally.flush(&self.shared.stats);
        let direct = self.touched.len() <= DIRECT_FLUSH_MAX;
        for conn in self.touched.drain(..) {
            conn.clear_touched();
            if direct {
                conn.flush_or_wake();
            } else {
                conn.wake();
            }
        }
    }
}
