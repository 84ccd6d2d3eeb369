//! The task of a link for votes: it reads notifications, and writes what the
//! peer's thread could not.

use super::outgoing::Written;
use super::{Election, LinkKey};
use std::future::pending;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::coop::consume_budget;
use zk_proto::quorum::{ElectionError, Notification};

/// Bytes asked for in one read.
const CHUNK: usize = 4 * 1024;
/// What a notification takes at least until the peer has seen it.
const EVENT_LEN: usize = 256;

/// The connection of a link.
pub(super) struct Wire {
    stream: TcpStream,
    wake: Notify,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            wake: Notify::new(),
        }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Something waits that the socket did not take.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Why nothing more is read.
#[derive(Debug, thiserror::Error)]
enum LinkEnd {
    #[error("the other side closed it")]
    Closed,
    #[error("it broke: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Garbage(#[from] ElectionError),
}

/// Serves a link until it ends. `input` came on it before.
pub(super) async fn serve(election: Arc<Election>, key: LinkKey, wire: Arc<Wire>, input: Vec<u8>) {
    let end = tokio::select! {
        end = read(&election, key, &wire, input) => end,
        () = write(&election, key, &wire) => LinkEnd::Closed,
    };
    match end {
        LinkEnd::Garbage(error) => {
            tracing::warn!(server = %key.server, "{error}: closing the link for votes");
        }
        end => tracing::debug!(server = %key.server, "no more votes: {end}"),
    }
    election.ended(key);
}

async fn read(election: &Election, key: LinkKey, wire: &Wire, mut input: Vec<u8>) -> LinkEnd {
    loop {
        match notifications(election, key, &mut input).await {
            Ok(()) => {}
            Err(error) => return error.into(),
        }
        match fill(wire, &mut input).await {
            Ok(0) => return LinkEnd::Closed,
            Ok(_) => consume_budget().await,
            Err(error) => return error.into(),
        }
    }
}

/// Tells all whole notifications and keeps the rest.
async fn notifications(
    election: &Election,
    key: LinkKey,
    input: &mut Vec<u8>,
) -> Result<(), ElectionError> {
    let mut consumed = 0;
    while let Some((frame, length)) = Notification::split(&input[consumed..])? {
        match Notification::decode(frame) {
            Ok(notification) => election.received(key, notification),
            // Other versions may have forms of their own: as in Apache, such
            // a message is skipped.
            Err(error) => tracing::warn!(server = %key.server, "skipped a message: {error}"),
        }
        election.shared.unread.add(length.max(EVENT_LEN)).await;
        consumed += length;
    }
    input.drain(..consumed);
    if input.is_empty() {
        // An idle link holds no memory.
        *input = Vec::new();
    }
    Ok(())
}

/// Reads some more bytes, at least one, up to the end.
async fn fill(wire: &Wire, input: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        wire.stream.readable().await?;
        input.reserve(CHUNK);
        match wire.stream.try_read_buf(input) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

/// Writes whenever something waits. Does not come back: a socket that takes
/// no more still may have something to read.
async fn write(election: &Election, key: LinkKey, wire: &Wire) {
    loop {
        match election.write(key) {
            Written::All => wire.wake.notified().await,
            Written::Blocked => {
                // An error is seen by the next try.
                let _ = wire.stream.writable().await;
            }
            Written::Failed => pending().await,
        }
    }
}
