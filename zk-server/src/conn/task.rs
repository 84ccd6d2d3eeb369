//! The life of a connection: read, handle, write, until one side ends it.
//!
//! One future without a stack of its own: an idle connection costs its
//! fields and nothing else.

use super::dispatch;
use super::handshake::{self, First};
use super::input::{self, Input};
use super::{Conn, Flushed};
use crate::shared::Shared;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::net::tcp::OwnedReadHalf;
use zk_proto::frame;

/// Bytes that a client may leave unread before its requests are not read
/// either.
const BACKLOG_MAX: usize = 1024 * 1024;
/// Reads in a row before other connections get their turn.
const READS_PER_TURN: u32 = 8;

/// Serves `conn` until it ends, and then forgets it and its watches.
pub(crate) async fn serve(shared: Arc<Shared>, conn: Arc<Conn>, reader: OwnedReadHalf) {
    let mut task = Task {
        reader,
        has_waker: false,
        phase: Phase::Connecting,
        rest: Vec::new(),
        conn,
        shared,
    };
    poll_fn(|cx| task.poll(cx)).await;
    task.shared.forget(&task.conn);
}

/// Why reading stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The connection ends at once.
    Close,
    /// It ends when the outbox is written.
    CloseAfterFlush,
    /// It ends when the pipeline says so; nothing more is read.
    Drain,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waiting for a ConnectRequest or a four-letter word.
    Connecting,
    /// Serving a session.
    Serving,
    /// Reading no more, waiting for the end.
    Draining,
}

struct Task {
    reader: OwnedReadHalf,
    has_waker: bool,
    phase: Phase,
    /// The piece of a frame that came last.
    rest: Vec<u8>,
    conn: Arc<Conn>,
    shared: Arc<Shared>,
}

impl Task {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.has_waker {
            // A spawned task has one waker for its whole life.
            self.conn.set_waker(cx.waker());
            self.has_waker = true;
        }
        for _ in 0..READS_PER_TURN {
            match self.write(cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
            if !self.may_read() {
                return Poll::Pending;
            }
            match self.read(cx) {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes the outbox; `false` when the connection is over.
    fn write(&self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.conn.needs_task() {
            match self.conn.flush() {
                Flushed::All => return Poll::Ready(true),
                Flushed::Closed => return Poll::Ready(false),
                Flushed::Blocked => {}
            }
            let Some(stream) = self.conn.stream() else {
                return Poll::Ready(true);
            };
            match stream.poll_write_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                // A client that does not read still may ask, up to a limit.
                Poll::Pending if self.conn.backlog() < BACKLOG_MAX => return Poll::Ready(true),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(true)
    }

    fn may_read(&self) -> bool {
        match self.phase {
            Phase::Draining => false,
            Phase::Connecting => true,
            Phase::Serving => !(self.shared.is_overloaded() && self.conn.pause()),
        }
    }

    /// Reads and handles once; `None` when the connection is over.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let Self {
            reader,
            phase,
            rest,
            conn,
            shared,
            ..
        } = self;
        let handled = ready!(input::poll_read(reader, cx, rest, |bytes| {
            handle(phase, shared, conn, bytes)
        }));
        Poll::Ready(match handled {
            Ok(Input::Handled) => Some(()),
            Ok(Input::End) => {
                self.shared.stats.metrics.connection_drop_count.add(1);
                None
            }
            Err(Stop::Close) => None,
            Err(Stop::CloseAfterFlush) => {
                self.phase = Phase::Draining;
                self.conn.close_after_flush();
                Some(())
            }
            Err(Stop::Drain) => {
                self.phase = Phase::Draining;
                Some(())
            }
        })
    }
}

/// Handles all whole frames of `bytes`, in whatever phase the connection is.
pub(crate) fn handle(
    phase: &mut Phase,
    shared: &Arc<Shared>,
    conn: &Arc<Conn>,
    bytes: &[u8],
) -> Result<usize, Stop> {
    let mut consumed = 0;
    if *phase == Phase::Connecting {
        match handshake::first(shared, conn, bytes)? {
            First::Incomplete => return Ok(0),
            First::Done(count) => consumed = count,
        }
        *phase = Phase::Serving;
    }
    Ok(consumed + dispatch::requests(shared, conn, &bytes[consumed..])?)
}

/// The first frame of `bytes`, or the end of a connection that sent a length
/// which no frame may have.
pub(super) fn next_frame<'a>(
    shared: &Shared,
    conn: &Conn,
    bytes: &'a [u8],
) -> Result<Option<&'a [u8]>, Stop> {
    frame::split(bytes, shared.settings.max_frame).map_err(|error| {
        tracing::warn!(client = %conn.remote(), session = %conn.session_id(), "{error}: closing the connection");
        Stop::Close
    })
}
