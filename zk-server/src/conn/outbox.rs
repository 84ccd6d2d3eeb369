//! Bytes on their way to a client.
//!
//! Small answers are copied into one buffer, so that many of them leave in
//! one write. The buffer is given back when it is empty and large, so that an
//! idle connection holds next to nothing.

use super::sink::TryWrite;
use std::io;
use std::task::Waker;

/// What a client's connection keeps of its buffer.
const KEEP_CAPACITY: usize = 4 * 1024;

/// Bytes of watch events that a client may leave unread. Answers are limited
/// by what the client asks; nothing but this limits events.
const EVENTS_MAX: usize = 64 * 1024 * 1024;

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
#[derive(Debug)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// A buffer above this is freed when it was written.
    keep: usize,
    written: usize,
    /// Bytes of watch events since the outbox was last empty.
    events: usize,
    closing: Closing,
    waker: Option<Waker>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self::keeping(KEEP_CAPACITY)
    }
}

impl Outbox {
    /// One that keeps so many bytes of its buffer when it is empty.
    pub(crate) fn keeping(keep: usize) -> Self {
        Self {
            bytes: Vec::new(),
            keep,
            written: 0,
            events: 0,
            closing: Closing::No,
            waker: None,
        }
    }

    /// Lets `append` add to the bytes; nothing is taken once the connection
    /// is to be closed.
    pub(crate) fn push(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        if self.closing == Closing::No {
            append(&mut self.bytes);
        }
    }

    /// Appends a watch event. `false` when the client has left so many of
    /// them unread that the connection is to be closed, which this does.
    #[must_use]
    pub(crate) fn push_event(&mut self, event: &[u8]) -> bool {
        if self.closing != Closing::No {
            return true;
        }
        self.events += event.len();
        if self.events > EVENTS_MAX && self.backlog() > EVENTS_MAX {
            self.close();
            return false;
        }
        self.bytes.extend_from_slice(event);
        true
    }

    /// Writes as much as the socket takes.
    pub(crate) fn flush(&mut self, stream: &impl TryWrite) -> Flushed {
        if self.closing == Closing::Now {
            return Flushed::Closed;
        }
        while self.written < self.bytes.len() {
            match stream.try_write(&self.bytes[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.forget_written();
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

    /// Gives back what was written, once that is most of the buffer: a client
    /// that is always a little behind must not make it grow for ever.
    fn forget_written(&mut self) {
        if self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    fn recycle(&mut self) {
        self.written = 0;
        self.events = 0;
        if self.bytes.capacity() > self.keep {
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpStream};

    const EVENT: &[u8] = &[7; 1024 * 1024];

    fn push_events(outbox: &mut Outbox, count: usize) -> bool {
        (0..count).all(|_| outbox.push_event(EVENT))
    }

    #[test]
    fn too_many_unread_events_end_the_connection() {
        let mut outbox = Outbox::default();
        let most = EVENTS_MAX / EVENT.len();
        assert!(push_events(&mut outbox, most));
        assert!(
            outbox.push_event(b"a"),
            "the backlog is not above the limit"
        );
        assert!(!outbox.push_event(b"b"));
        assert_eq!(outbox.closing, Closing::Now);
        assert_eq!((outbox.backlog(), outbox.bytes.capacity()), (0, 0));
        assert!(outbox.push_event(b"c"), "it is told once");
        assert_eq!(outbox.backlog(), 0);
    }

    #[test]
    fn answers_are_not_counted_as_events() {
        let mut outbox = Outbox::default();
        outbox.push(|out| out.resize(EVENTS_MAX + 1, 0));
        assert!(push_events(&mut outbox, 2));
        assert_eq!(outbox.backlog(), EVENTS_MAX + 1 + 2 * EVENT.len());
    }

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn a_client_that_reads_gets_any_number_of_events() {
        let (mut client, server) = pair().await;
        let mut outbox = Outbox::default();
        let reader =
            tokio::spawn(async move { tokio::io::copy(&mut client, &mut tokio::io::sink()).await });
        let rounds = 2 * EVENTS_MAX / EVENT.len();
        for _ in 0..rounds {
            // One stays behind, so that the buffer is seldom empty.
            assert!(outbox.push_event(EVENT));
            outbox.flush(&server);
            while outbox.backlog() > EVENT.len() {
                server.writable().await.unwrap();
                outbox.flush(&server);
            }
            assert!(outbox.bytes.len() <= 4 * EVENT.len(), "written bytes stay");
        }
        drop(server);
        let unread = outbox.backlog() as u64;
        let read = reader.await.unwrap().unwrap();
        assert_eq!(read + unread, (rounds * EVENT.len()) as u64);
    }
}
