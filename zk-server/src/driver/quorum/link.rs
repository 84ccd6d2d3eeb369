//! One connection between a leader and a learner.
//!
//! The peer's thread writes to the socket itself; what the socket does not
//! take, and all reading, is up to the link's task.

use super::super::shared::Shared;
use crate::conn::{Flushed, Outbox};
use crate::peer::{LinkId, PeerEvent};
use parking_lot::Mutex;
use socket2::SockRef;
use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::coop::consume_budget;
use tokio::time::sleep;

/// Bytes asked for in one read.
const CHUNK: usize = 64 * 1024;
/// A backlog above this is told when it is gone.
const BEHIND: usize = 512 * 1024;
/// A backlog below this is as good as none.
const DRAINED: usize = 256 * 1024;
/// How long a closed link goes on, for what was put on it to leave and to be
/// read: a socket that is closed with unread bytes takes others with it.
const LINGER: Duration = Duration::from_secs(1);

/// What a link keeps of its buffer: there are few, and they are busy.
const KEEP: usize = 256 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

/// A link, from its dial or accept to its end.
pub(in super::super) struct Link {
    id: LinkId,
    shared: Arc<Shared>,
    /// None while it is dialled.
    stream: OnceLock<TcpStream>,
    outgoing: Mutex<Outgoing>,
    /// Whether events of it may be told. Locked while one is.
    is_told: Mutex<bool>,
    /// On the peer's list of links to flush.
    is_touched: AtomicBool,
    /// The outbox needs the task.
    wake: Notify,
    /// The peer closed it.
    closed: Notify,
}

struct Outgoing {
    outbox: Outbox,
    /// The backlog was large, and nobody was told yet that it is not.
    is_behind: bool,
}

impl Link {
    pub(super) fn new(id: LinkId, shared: Arc<Shared>) -> Self {
        Self {
            id,
            shared,
            stream: OnceLock::new(),
            outgoing: Mutex::new(Outgoing {
                outbox: Outbox::keeping(KEEP),
                is_behind: false,
            }),
            is_told: Mutex::new(true),
            is_touched: AtomicBool::new(false),
            wake: Notify::new(),
            closed: Notify::new(),
        }
    }

    pub(in super::super) fn id(&self) -> LinkId {
        self.id
    }

    /// Appends bytes; `true` if the link is to be put on the list of those to
    /// flush.
    pub(in super::super) fn push(&self, bytes: &[u8]) -> bool {
        let push = |out: &mut Vec<u8>| out.extend_from_slice(bytes);
        self.outgoing.lock().outbox.push(push);
        !self.is_touched.swap(true, Ordering::Relaxed)
    }

    /// Writes what the socket takes; the rest is for the task. The link is
    /// off the list.
    pub(in super::super) fn flush(&self) {
        self.is_touched.store(false, Ordering::Relaxed);
        if self.write_some() != Flushed::All {
            self.wake.notify_one();
        }
    }

    /// Bytes that have not left yet.
    pub(in super::super) fn backlog(&self) -> usize {
        self.outgoing.lock().outbox.backlog()
    }

    /// Tells nothing more, and ends the link when everything is written.
    pub(super) fn close(&self) {
        *self.is_told.lock() = false;
        self.outgoing.lock().outbox.close_when_empty();
        self.flush();
        self.closed.notify_one();
    }

    /// Comes back when the peer has closed the link.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// The connection is there, which is told with `event`.
    pub(super) fn open(&self, stream: TcpStream, event: PeerEvent) {
        let is_new = self.stream.set(stream).is_ok();
        debug_assert!(is_new, "a link has one connection");
        self.tell(event);
    }

    /// Reads and writes until one side ends it. Nothing happens on a link that
    /// was not opened.
    pub(super) async fn serve(&self) {
        let Some(stream) = self.stream.get() else {
            return;
        };
        tokio::select! {
            () = self.read(stream) => {}
            () = self.write(stream) => {}
            () = self.linger() => {}
        }
    }

    /// Tells that this is the end, unless the peer wanted it.
    pub(super) fn end(&self) {
        self.tell(PeerEvent::Disconnected(self.id));
        *self.is_told.lock() = false;
    }

    /// Tells everything that comes, up to its end. What comes on a closed
    /// link is read and forgotten.
    async fn read(&self, stream: &TcpStream) {
        while stream.readable().await.is_ok() {
            match read_some(stream) {
                Ok(bytes) if bytes.is_empty() => return,
                Ok(bytes) => self.received(bytes).await,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    tracing::debug!(link = self.id.0, "cannot read: {error}");
                    return;
                }
            }
            consume_budget().await;
        }
    }

    async fn received(&self, bytes: Vec<u8>) {
        let count = bytes.len();
        let link = self.id;
        if self.tell(PeerEvent::Received { link, bytes }) {
            self.shared.unread.add(count).await;
        }
    }

    /// Writes whenever there is something that the peer's thread could not
    /// write. Does not come back: a socket that takes no more still may have
    /// something to read, and its end is seen there.
    async fn write(&self, stream: &TcpStream) {
        loop {
            match self.write_some() {
                Flushed::All => self.wake.notified().await,
                Flushed::Blocked => {
                    // An error is seen by the next try.
                    let _ = stream.writable().await;
                }
                Flushed::Closed => {
                    // If it is broken, the reader hears of it.
                    let _ = SockRef::from(stream).shutdown(Shutdown::Write);
                    pending::<()>().await;
                }
            }
        }
    }

    async fn linger(&self) {
        self.closed().await;
        sleep(LINGER).await;
    }

    /// Writes what the socket takes. There is nothing to do for a link that
    /// is not open yet.
    fn write_some(&self) -> Flushed {
        let mut outgoing = self.outgoing.lock();
        // Asked for under the lock: whoever opens the link looks into the
        // outbox after that.
        let Some(stream) = self.stream.get() else {
            return Flushed::All;
        };
        let flushed = outgoing.outbox.flush(stream);
        let drained = outgoing.note_backlog();
        drop(outgoing);
        if drained && flushed != Flushed::Closed {
            self.tell(PeerEvent::Drained(self.id));
        }
        flushed
    }

    /// `false` when nothing may be told any more.
    fn tell(&self, event: PeerEvent) -> bool {
        let is_told = self.is_told.lock();
        if *is_told {
            self.shared.emit(event);
        }
        *is_told
    }
}

impl Outgoing {
    /// Whether a large backlog is gone.
    fn note_backlog(&mut self) -> bool {
        let backlog = self.outbox.backlog();
        if backlog > BEHIND {
            self.is_behind = true;
        }
        backlog < DRAINED && std::mem::take(&mut self.is_behind)
    }
}

/// Reads once, into a buffer of the thread, so that an idle link has none.
fn read_some(stream: &TcpStream) -> io::Result<Vec<u8>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let count = stream.try_read(scratch)?;
        Ok(scratch[..count].to_vec())
    })
}
