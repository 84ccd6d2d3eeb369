//! The votes for one server: the newest one waits, all others are forgotten.

use bytes::{Buf, Bytes};
use std::io;
use tokio::net::TcpStream;

/// What waits for a server, and what went last.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// The newest frame, if none of it was written.
    waiting: Option<Bytes>,
    /// The frame that was begun last, on whatever link.
    last: Option<Bytes>,
    /// What is left of it.
    rest: Bytes,
}

/// How far a write came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing waits any more.
    All,
    /// The socket is full.
    Blocked,
    /// The link takes nothing more.
    Failed,
}

impl Outgoing {
    /// Replaces what waits.
    pub(super) fn put(&mut self, frame: Bytes) {
        self.waiting = Some(frame);
    }

    /// There is a new link. If nothing waits, the last frame is sent again,
    /// since it may have been lost.
    pub(super) fn start_over(&mut self) {
        self.rest = Bytes::new();
        if self.waiting.is_none() {
            self.waiting.clone_from(&self.last);
        }
    }

    /// Writes as much as the socket takes.
    pub(super) fn write(&mut self, stream: &TcpStream) -> Written {
        loop {
            if self.rest.is_empty() {
                let Some(frame) = self.waiting.take() else {
                    return Written::All;
                };
                self.last = Some(frame.clone());
                self.rest = frame;
            }
            match stream.try_write(&self.rest) {
                Ok(count) => self.rest.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Written::Blocked,
                Err(_) => return Written::Failed,
            }
        }
    }
}
