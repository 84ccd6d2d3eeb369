//! From events and answers to outboxes, and from outboxes to sockets.

use super::inbox::{Item, Origin};
use crate::conn::Conn;
use crate::reads;
use crate::shared::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use zk_proto::{Perms, Zxid};
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
    /// Answers of `latency_ms` that the server's statistics do not have yet.
    answers: u64,
    latency_ms: u64,
}

impl Delivery {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            touched: Vec::new(),
            frame: Vec::new(),
            answers: 0,
            latency_ms: 0,
        }
    }

    /// Puts an answer into the client's outbox.
    pub(super) fn answer(
        &mut self,
        item: &Item,
        zxid: Zxid,
        now_ms: u64,
        append: impl FnOnce(&mut Vec<u8>),
    ) {
        let Origin::Client(conn) = &item.origin else {
            return;
        };
        conn.push(append);
        conn.settle();
        let latency_ms = now_ms.saturating_sub(item.received_ms);
        self.note(latency_ms);
        conn.stats.sent.fetch_add(1, Ordering::Relaxed);
        conn.stats
            .answered(item.op, item.xid, zxid, now_ms, latency_ms);
        self.touch(conn);
    }

    /// Counts an answer; answers of equal latency are counted together.
    fn note(&mut self, latency_ms: u64) {
        if latency_ms != self.latency_ms {
            self.count();
            self.latency_ms = latency_ms;
        }
        self.answers += 1;
    }

    fn count(&mut self) {
        if self.answers > 0 {
            self.shared.stats.answered(self.answers, self.latency_ms);
            self.answers = 0;
        }
    }

    /// Hands an event to those who watch and may read the znode.
    pub(super) fn fire(&mut self, watches: &mut Watches, event: &TreeEvent<'_>) {
        self.frame.clear();
        watches.fire(event.kind, event.path, &mut |watcher| {
            self.deliver(watcher, event);
        });
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
        conn.push_bytes(&self.frame);
        self.shared.stats.sent(1);
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

    /// Writes what was put into the outboxes.
    pub(super) fn flush(&mut self) {
        self.count();
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
