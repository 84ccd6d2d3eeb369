//! What waits for the pipeline: items and their bodies, in order of arrival.
//!
//! Bodies lie one behind the other in one buffer, so that submitting costs a
//! copy and no allocation. The pipeline takes everything at once.

use crate::conn::Conn;
use crate::peer::PeerEvent;
use crate::session::Session;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use zk_proto::{OpCode, Xid};

/// Who wants something done.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A client, over its connection.
    Client(Arc<Conn>),
    /// A client that comes back with its session, over a new connection to a
    /// server of an ensemble. The body is session and timeout.
    Resuming(Arc<Conn>),
    /// The server, on behalf of a session that expired.
    Expired(Arc<Session>),
    /// The server itself.
    Server,
}

/// One request on its way.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) origin: Origin,
    pub(crate) xid: Xid,
    pub(crate) op: OpCode,
    /// Where its body lies in the batch's bytes.
    pub(crate) body: Range<usize>,
    /// Monotonic ms at which it was read.
    pub(crate) received_ms: u64,
}

/// Everything that was taken at once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
    pub(crate) bytes: Vec<u8>,
}

impl Batch {
    pub(crate) fn body(&self, item: &Item) -> &[u8] {
        &self.bytes[item.body.clone()]
    }

    fn push(&mut self, origin: Origin, xid: Xid, op: OpCode, body: &[u8], now_ms: u64) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(body);
        self.items.push(Item {
            origin,
            xid,
            op,
            body: start..self.bytes.len(),
            received_ms: now_ms,
        });
    }

    /// Empties the batch and keeps its memory, unless it is out of proportion.
    pub(crate) fn recycle(&mut self) {
        const KEEP: usize = 4 * 1024 * 1024;
        self.items.clear();
        self.bytes.clear();
        if self.bytes.capacity() > KEEP {
            self.bytes = Vec::new();
        }
    }
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    /// What happened to a server of an ensemble.
    events: Vec<PeerEvent>,
    /// A thread waits for items.
    waiting: bool,
    /// A task waits for items and events.
    waker: Option<Waker>,
    closed: bool,
}

/// What came of waiting for items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Items,
    /// Nothing came for as long as was asked for.
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

/// The queue between the connections and the pipeline.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    ready: Condvar,
    /// Items submitted and not answered.
    outstanding: AtomicUsize,
}

impl Inbox {
    /// Opens the queue for one or several items; the pipeline hears of them
    /// when the guard is dropped.
    pub(crate) fn open(&self) -> InboxGuard<'_> {
        InboxGuard {
            inbox: self,
            state: Some(self.state.lock()),
        }
    }

    /// Waits for items and swaps them into `batch`, which must be empty; with
    /// `patience` not longer than that.
    pub(crate) fn take(&self, batch: &mut Batch, patience: Option<Duration>) -> Taken {
        let mut state = self.state.lock();
        while state.batch.items.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            state.waiting = true;
            match patience {
                None => self.ready.wait(&mut state),
                Some(patience) => {
                    let idle = self.ready.wait_for(&mut state, patience).timed_out();
                    if idle && state.batch.items.is_empty() && !state.closed {
                        state.waiting = false;
                        return Taken::Nothing;
                    }
                }
            }
        }
        state.waiting = false;
        std::mem::swap(&mut state.batch, batch);
        Taken::Items
    }

    /// As [`Inbox::take`], for a server of an ensemble: also for events, which
    /// are swapped into `events`; both may come at once. It does not wait, but
    /// wakes the task when there is something, or the queue is closed.
    pub(crate) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
        events: &mut Vec<PeerEvent>,
    ) -> Poll<Taken> {
        let mut state = self.state.lock();
        if state.batch.items.is_empty() && state.events.is_empty() {
            if state.closed {
                return Poll::Ready(Taken::Closed);
            }
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut state.batch, batch);
        std::mem::swap(&mut state.events, events);
        Poll::Ready(Taken::Items)
    }

    /// As [`Inbox::poll_take`] for who does not wait: what there is now.
    pub(crate) fn take_now(&self, batch: &mut Batch, events: &mut Vec<PeerEvent>) {
        let mut state = self.state.lock();
        std::mem::swap(&mut state.batch, batch);
        std::mem::swap(&mut state.events, events);
    }

    /// Whether something came that was not taken yet.
    pub(crate) fn has_input(&self) -> bool {
        let state = self.state.lock();
        !state.batch.items.is_empty() || !state.events.is_empty()
    }

    /// Something happened to a server of an ensemble.
    pub(crate) fn event(&self, event: PeerEvent) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        state.events.push(event);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes no more items; what is there is still served.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let waker = state.waker.take();
        drop(state);
        self.ready.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Items submitted and not answered.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// `count` items were answered.
    pub(crate) fn settle(&self, count: usize) {
        self.outstanding.fetch_sub(count, Ordering::Relaxed);
    }
}

/// The queue while somebody puts items in.
pub(crate) struct InboxGuard<'a> {
    inbox: &'a Inbox,
    state: Option<MutexGuard<'a, State>>,
}

impl InboxGuard<'_> {
    /// A request of a client; it counts as pending until it is settled.
    pub(crate) fn client(
        &mut self,
        conn: &Arc<Conn>,
        xid: Xid,
        op: OpCode,
        body: &[u8],
        now_ms: u64,
    ) {
        if self.push(Origin::Client(conn.clone()), xid, op, body, now_ms) {
            conn.add_pending(1);
        }
    }

    /// A client wants to go on with its session.
    pub(crate) fn resuming(&mut self, conn: &Arc<Conn>, body: &[u8], now_ms: u64) {
        let origin = Origin::Resuming(conn.clone());
        if self.push(origin, Xid(0), OpCode::CREATE_SESSION, body, now_ms) {
            conn.add_pending(1);
        }
    }

    /// The end of a session that expired.
    pub(crate) fn expired(&mut self, session: Arc<Session>, now_ms: u64) {
        let op = OpCode::CLOSE_SESSION;
        self.push(Origin::Expired(session), Xid(0), op, &[], now_ms);
    }

    /// A request of the server itself.
    pub(crate) fn server(&mut self, op: OpCode, body: &[u8], now_ms: u64) {
        self.push(Origin::Server, Xid(0), op, body, now_ms);
    }

    fn push(&mut self, origin: Origin, xid: Xid, op: OpCode, body: &[u8], now_ms: u64) -> bool {
        let Some(state) = &mut self.state else {
            return false;
        };
        if state.closed {
            return false;
        }
        state.batch.push(origin, xid, op, body, now_ms);
        self.inbox.outstanding.fetch_add(1, Ordering::Relaxed);
        true
    }
}

impl Drop for InboxGuard<'_> {
    fn drop(&mut self) {
        let Some(mut state) = self.state.take() else {
            return;
        };
        if state.batch.items.is_empty() {
            return;
        }
        let notify = state.waiting;
        let waker = state.waker.take();
        drop(state);
        if notify {
            self.inbox.ready.notify_one();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
