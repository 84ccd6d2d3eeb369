//! One client connection: what its task, the pipeline and the watches share.
//!
//! Everything that goes to the client goes through the outbox, in order.
//! Whoever puts something in may also write it to the socket; only if the
//! socket does not take it does the connection's own task take over.
//! This module refuses to know what the bytes mean.

mod dispatch;
pub(crate) use dispatch::{Class, class};
mod handshake;
mod input;
mod large;
mod outbox;
mod sink;
mod table;
mod task;

pub(crate) use handshake::respond;
pub(crate) use large::LargeRequests;
pub(crate) use outbox::{Flushed, Outbox};
pub(crate) use sink::Sink;
pub(crate) use table::ConnTable;
pub(crate) use task::{Phase, Stop, handle, serve};

use crate::session::Session;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::task::Waker;
use tokio::net::TcpStream;
use zk_proto::{Id, OpCode, SessionId, Xid, Zxid};
use zk_tree::WatcherId;

/// The identities of a connection, replaced whole when one is added.
pub(crate) type Identities = Arc<[Id<'static>]>;

/// A client connection.
#[derive(Debug)]
pub(crate) struct Conn {
    id: WatcherId,
    remote: SocketAddr,
    /// The reading half is with the connection's task.
    writer: Sink,
    outbox: Mutex<Outbox>,
    /// The outbox needs the connection's task: the socket was full, or the
    /// connection is to end. Without it the task leaves the outbox's lock to
    /// whoever is writing right now.
    needs_task: AtomicBool,
    /// Requests that went into the pipeline and were not answered yet. While
    /// there are any, reads go through the pipeline too: that keeps order.
    pending: AtomicU32,
    /// The task stopped reading until what is pending was answered.
    paused: AtomicBool,
    /// On the pipeline's list of connections to flush.
    touched: AtomicBool,
    session: OnceLock<Arc<Session>>,
    /// Whether its ConnectResponses end with the flag of read-only mode, as
    /// its ConnectRequest did.
    has_read_only: AtomicBool,
    identities: Mutex<Identities>,
    pub(crate) stats: ConnStats,
}

/// What the `cons` word prints of a connection.
#[derive(Debug, Default)]
pub(crate) struct ConnStats {
    pub(crate) established_ms: AtomicI64,
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) last_op: AtomicI32,
    pub(crate) last_cxid: AtomicI32,
    pub(crate) last_zxid: AtomicI64,
    pub(crate) last_response_ms: AtomicU64,
    pub(crate) last_latency: AtomicU64,
    pub(crate) min_latency: AtomicU64,
    pub(crate) max_latency: AtomicU64,
    pub(crate) total_latency: AtomicU64,
    pub(crate) latency_count: AtomicU64,
}

impl ConnStats {
    /// Notes an answer.
    pub(crate) fn answered(&self, op: OpCode, xid: Xid, zxid: Zxid, now_ms: u64) {
        self.last_op.store(op.0, Ordering::Relaxed);
        // Pings and their like have numbers below zero, which do not count.
        if xid.0 >= 0 {
            self.last_cxid.store(xid.0, Ordering::Relaxed);
        }
        self.last_zxid.store(zxid.0, Ordering::Relaxed);
        self.last_response_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Notes `count` answers that took this long. Answers of a connection are
    /// made one after the other, so plain loads and stores will do.
    pub(crate) fn latency(&self, latency_ms: u64, count: u64) {
        let before = self.latency_count.load(Ordering::Relaxed);
        self.latency_count.store(before + count, Ordering::Relaxed);
        self.last_latency.store(latency_ms, Ordering::Relaxed);
        if before == 0 || latency_ms < self.min_latency.load(Ordering::Relaxed) {
            self.min_latency.store(latency_ms, Ordering::Relaxed);
        }
        if latency_ms > self.max_latency.load(Ordering::Relaxed) {
            self.max_latency.store(latency_ms, Ordering::Relaxed);
        }
        if latency_ms > 0 {
            let total = self.total_latency.load(Ordering::Relaxed);
            let sum = total + latency_ms * count;
            self.total_latency.store(sum, Ordering::Relaxed);
        }
    }

    /// What `crst` does.
    pub(crate) fn reset(&self) {
        for counter in [
            &self.received,
            &self.sent,
            &self.last_response_ms,
            &self.last_latency,
            &self.min_latency,
            &self.max_latency,
            &self.total_latency,
            &self.latency_count,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
        self.last_op.store(0, Ordering::Relaxed);
        self.last_cxid.store(-1, Ordering::Relaxed);
        self.last_zxid.store(-1, Ordering::Relaxed);
    }
}

impl Conn {
    pub(crate) fn new(id: WatcherId, writer: Sink, remote: SocketAddr) -> Self {
        let ip = crate::auth::ip_identity(remote.ip());
        let stats = ConnStats::default();
        stats
            .established_ms
            .store(crate::clock::wall_ms(), Ordering::Relaxed);
        stats.last_cxid.store(-1, Ordering::Relaxed);
        stats.last_zxid.store(-1, Ordering::Relaxed);
        Self {
            id,
            remote,
            writer,
            outbox: Mutex::new(Outbox::default()),
            needs_task: AtomicBool::new(false),
            pending: AtomicU32::new(0),
            paused: AtomicBool::new(false),
            touched: AtomicBool::new(false),
            session: OnceLock::new(),
            has_read_only: AtomicBool::new(true),
            identities: Mutex::new(Arc::from([ip])),
            stats,
        }
    }

    pub(crate) fn id(&self) -> WatcherId {
        self.id
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        self.remote
    }

    pub(crate) fn stream(&self) -> Option<&TcpStream> {
        self.writer.stream()
    }

    /// What was written, if that goes into memory.
    pub(crate) fn take_written(&self) -> Vec<u8> {
        self.writer.take()
    }

    /// Wall clock at which it was accepted, in ms.
    pub(crate) fn established_ms(&self) -> i64 {
        self.stats.established_ms.load(Ordering::Relaxed)
    }

    /// The session that the handshake bound to this connection.
    pub(crate) fn session(&self) -> Option<&Arc<Session>> {
        self.session.get()
    }

    /// The id of that session, or 0.
    pub(crate) fn session_id(&self) -> SessionId {
        self.session()
            .map_or(SessionId::NONE, |session| session.id())
    }

    /// Binds the session; the first one stays.
    pub(crate) fn bind(&self, session: Arc<Session>) {
        // A connection makes one handshake, so the cell is empty.
        let _ = self.session.set(session);
    }

    pub(crate) fn identities(&self) -> Identities {
        self.identities.lock().clone()
    }

    /// Lets `look` see the identities without copying them.
    pub(crate) fn with_identities<T>(&self, look: impl FnOnce(&[Id<'static>]) -> T) -> T {
        look(&self.identities.lock())
    }

    /// Adds what is not there yet.
    pub(crate) fn add_identities(&self, added: Vec<Id<'static>>) {
        let mut identities = self.identities.lock();
        let mut all = identities.to_vec();
        for id in added {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        *identities = Arc::from(all);
    }

    pub(crate) fn pending(&self) -> u32 {
        self.pending.load(Ordering::Acquire)
    }

    /// `count` requests went into the pipeline.
    pub(crate) fn add_pending(&self, count: u32) {
        self.pending.fetch_add(count, Ordering::Relaxed);
    }

    /// One of them was answered, or needs no answer. Call after the answer is
    /// in the outbox.
    pub(crate) fn settle(&self) {
        let before = self.pending.fetch_sub(1, Ordering::Release);
        debug_assert!(before > 0, "settled more than was pending");
        if before == 1 && self.paused.swap(false, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// Asks to be woken when nothing is pending; `false` when that is so.
    pub(crate) fn pause(&self) -> bool {
        self.paused.store(true, Ordering::Release);
        if self.pending() == 0 {
            self.paused.store(false, Ordering::Release);
            return false;
        }
        true
    }

    /// Puts the connection on the pipeline's list; `false` if it was there.
    pub(crate) fn mark_touched(&self) -> bool {
        !self.touched.swap(true, Ordering::Relaxed)
    }

    /// Takes it off the list.
    pub(crate) fn clear_touched(&self) {
        self.touched.store(false, Ordering::Relaxed);
    }

    pub(crate) fn set_has_read_only(&self, has: bool) {
        self.has_read_only.store(has, Ordering::Relaxed);
    }

    pub(crate) fn has_read_only(&self) -> bool {
        self.has_read_only.load(Ordering::Relaxed)
    }

    /// Appends to the outbox.
    pub(crate) fn push(&self, append: impl FnOnce(&mut Vec<u8>)) {
        self.outbox.lock().push(append);
    }

    /// Appends bytes to the outbox.
    pub(crate) fn push_bytes(&self, bytes: &[u8]) {
        self.push(|out| out.extend_from_slice(bytes));
    }

    /// Appends bytes to the outbox and writes it as far as the socket takes
    /// it; the rest is for the task.
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut outbox = self.outbox.lock();
        outbox.push(|out| out.extend_from_slice(bytes));
        if outbox.flush(&self.writer) != Flushed::All {
            self.needs_task.store(true, Ordering::Release);
        }
    }

    /// Whether the task has to look after the outbox.
    pub(crate) fn needs_task(&self) -> bool {
        self.needs_task.load(Ordering::Acquire)
    }

    /// Appends a watch event; `false` when the client has left so many of them
    /// unread that this ended the connection.
    #[must_use]
    pub(crate) fn push_event(&self, event: &[u8]) -> bool {
        self.outbox.lock().push_event(event)
    }

    /// Writes what is in the outbox as far as the socket takes it. For the
    /// task.
    pub(crate) fn flush(&self) -> Flushed {
        let mut outbox = self.outbox.lock();
        let flushed = outbox.flush(&self.writer);
        self.needs_task
            .store(flushed != Flushed::All, Ordering::Release);
        flushed
    }

    /// Writes what is in the outbox; `false` when the connection is over.
    pub(crate) fn flush_to_memory(&self) -> bool {
        self.flush() == Flushed::All
    }

    /// As [`Conn::flush`] for everybody else; what the socket does not take
    /// now, and the end of the connection, are left to the task.
    pub(crate) fn flush_or_wake(&self) {
        let mut outbox = self.outbox.lock();
        if outbox.flush(&self.writer) != Flushed::All {
            self.call_task(&outbox);
        }
    }

    /// Leaves the outbox to the connection's task.
    pub(crate) fn wake(&self) {
        self.call_task(&self.outbox.lock());
    }

    /// Closes the connection once the outbox is written.
    pub(crate) fn close_after_flush(&self) {
        let mut outbox = self.outbox.lock();
        outbox.close_when_empty();
        self.call_task(&outbox);
    }

    /// Closes the connection now; what is in the outbox is lost.
    pub(crate) fn close(&self) {
        let mut outbox = self.outbox.lock();
        outbox.close();
        self.call_task(&outbox);
    }

    fn call_task(&self, outbox: &Outbox) {
        self.needs_task.store(true, Ordering::Release);
        outbox.wake();
    }

    pub(crate) fn set_waker(&self, waker: &Waker) {
        self.outbox.lock().set_waker(waker);
    }

    /// Bytes that the client did not take yet.
    pub(crate) fn backlog(&self) -> usize {
        self.outbox.lock().backlog()
    }
}
