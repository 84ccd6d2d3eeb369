//! Bytes on their way to a client.
//!
//! Small answers are copied into one buffer, so that many of them leave in
//! one write. The buffer is given back when it is empty and large, so that an
//! idle connection holds next to nothing.

use std::io;
use std::task::Waker;
use tokio::net::TcpStream;

/// A buffer above this is freed when it was written.
const KEEP_CAPACITY: usize = 4 * 1024;

/// How far a flush came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything was written, and the connection goes on.
    All,
    /// The socket is full.
    Blocked,
    /// The connection is over: asked for, or broken.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Closing {
    #[default]
    No,
    WhenEmpty,
    Now,
}

/// What a client has not got yet, and how to wake the connection's task.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    written: usize,
    closing: Closing,
    waker: Option<Waker>,
}

impl Outbox {
    /// Lets `append` add to the bytes; nothing is taken once the connection
    /// is to be closed.
    pub(crate) fn push(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        if self.closing == Closing::No {
            append(&mut self.bytes);
        }
    }

    /// Writes as much as the socket takes.
    pub(crate) fn flush(&mut self, stream: &TcpStream) -> Flushed {
        if self.closing == Closing::Now {
            return Flushed::Closed;
        }
        while self.written < self.bytes.len() {
            match stream.try_write(&self.bytes[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Flushed::Blocked;
                }
                Err(_) => {
                    self.close();
                    return Flushed::Closed;
                }
            }
        }
        self.recycle();
        match self.closing {
            Closing::No => Flushed::All,
            Closing::WhenEmpty | Closing::Now => Flushed::Closed,
        }
    }

    fn recycle(&mut self) {
        self.written = 0;
        if self.bytes.capacity() > KEEP_CAPACITY {
            self.bytes = Vec::new();
        } else {
            self.bytes.clear();
        }
    }

    pub(crate) fn backlog(&self) -> usize {
        self.bytes.len() - self.written
    }

    pub(crate) fn close_when_empty(&mut self) {
        if self.closing == Closing::No {
            self.closing = Closing::WhenEmpty;
        }
    }

    pub(crate) fn close(&mut self) {
        self.closing = Closing::Now;
        self.bytes = Vec::new();
        self.written = 0;
    }

    pub(crate) fn set_waker(&mut self, waker: &Waker) {
        if !self
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            self.waker = Some(waker.clone());
        }
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}
