//! One client session on a non-blocking socket: what is to be sent, and what is to be answered.
//!
//! Requests are copied from finished frames into one buffer and written together. It knows
//! nothing of what the requests are for.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::wire::{self, Answer};
use crate::error::{Error, Result};

/// How long a server may take to make a session, or to end one.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What kind of request an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    Set,
    Create,
    /// A create of something that may be left over from an earlier run.
    CreateIfAbsent,
    CreateEphemeral,
    Delete,
    Ping,
    Close,
}

/// A request that is not answered yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    xid: i32,
    pub(super) kind: Kind,
    /// When it was sent or should have been, in nanoseconds of the fleet's clock.
    pub(super) since: u64,
}

/// A session with its connection.
#[derive(Debug)]
pub(super) struct Session {
    stream: TcpStream,
    /// Frames to be written, of which `sent` bytes are.
    out: Vec<u8>,
    sent: usize,
    /// The beginning of an answer whose end was not there yet.
    pub(super) partial: Vec<u8>,
    waiting: VecDeque<Waiting>,
    next_xid: i32,
    /// Whether the last write left bytes for which the socket had no room.
    pub(super) blocked: bool,
    /// Whether the server ended the session, as it was asked to.
    ended: bool,
}

impl Session {
    /// Connects and asks for a session. The answer is awaited by [`Self::establish`], so that
    /// many sessions can share one flush of the server's log.
    pub(super) fn open(server: SocketAddr, timeout_ms: i32) -> Result<Self> {
        let mut stream = TcpStream::connect(server).map_err(|error| io("connect", error))?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .and_then(|()| stream.write_all(&wire::connect(timeout_ms)))
            .map_err(|error| io("ask for a session", error))?;
        Ok(Self {
            stream,
            out: Vec::new(),
            sent: 0,
            partial: Vec::new(),
            waiting: VecDeque::new(),
            next_xid: 1,
            blocked: false,
            ended: false,
        })
    }

    /// Waits until the session is made, and makes the socket non-blocking.
    pub(super) fn establish(&mut self, timeout_ms: i32) -> Result<()> {
        let mut answer = [0; wire::CONNECT_ANSWER_BYTES];
        self.stream
            .read_exact(&mut answer)
            .map_err(|error| io("be given a session", error))?;
        let (_, timeout) = wire::connected(&answer)?;
        if timeout != timeout_ms {
            let sentence = format!("a session of {timeout} ms instead of {timeout_ms} ms");
            return Err(Error::wrong(sentence));
        }
        self.stream
            .set_nonblocking(true)
            .map_err(|error| io("make a socket non-blocking", error))
    }

    /// The socket, for polling.
    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Queues a copy of the frame and returns it for patching; [`Self::flush`] sends it.
    pub(super) fn send(&mut self, frame: &[u8], kind: Kind, since: u64) -> &mut [u8] {
        let xid = self.xid(kind);
        self.waiting.push_back(Waiting { xid, kind, since });
        let start = self.out.len();
        self.out.extend_from_slice(frame);
        let copy = &mut self.out[start..];
        wire::set_xid(copy, xid);
        copy
    }

    /// Writes as much as the socket takes.
    pub(super) fn flush(&mut self) -> Result<()> {
        while self.sent < self.out.len() {
            match (&self.stream).write(&self.out[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked = true;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io("write a request", error)),
            }
        }
        self.out.clear();
        self.sent = 0;
        self.blocked = false;
        Ok(())
    }

    /// Reads what is there, behind what was left of the last read. `None` when nothing is.
    pub(super) fn read(&mut self, input: &mut [u8]) -> Result<Option<usize>> {
        let kept = self.partial.len();
        input[..kept].copy_from_slice(&self.partial);
        loop {
            match (&self.stream).read(&mut input[kept..]) {
                Ok(0) => return Err(Error::wrong("the server closed a session")),
                Ok(read) => {
                    self.partial.clear();
                    return Ok(Some(kept + read));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io("read an answer", error)),
            }
        }
    }

    /// Takes the request that the answer must belong to, and checks that it does and succeeded.
    pub(super) fn settle(&mut self, answer: &Answer<'_>) -> Result<Waiting> {
        let waiting = self.waiting.pop_front();
        let waiting = waiting.ok_or_else(|| Error::wrong("an answer to no request"))?;
        if answer.xid != waiting.xid {
            let (got, expected) = (answer.xid, waiting.xid);
            let sentence = format!("an answer to request {got} where {expected} is next");
            return Err(Error::wrong(sentence));
        }
        check(waiting.kind, answer)?;
        self.ended = waiting.kind == Kind::Close;
        Ok(waiting)
    }

    /// Whether the session is closed.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Requests that are not answered yet.
    pub(super) fn in_flight(&self) -> usize {
        self.waiting.len()
    }

    fn xid(&mut self, kind: Kind) -> i32 {
        if kind == Kind::Ping {
            return wire::PING_XID;
        }
        let xid = self.next_xid;
        self.next_xid = xid.checked_add(1).unwrap_or(1);
        xid
    }
}

fn check(kind: Kind, answer: &Answer<'_>) -> Result<()> {
    let tolerated = kind == Kind::CreateIfAbsent && answer.err == wire::NODE_EXISTS;
    let expected = match kind {
        Kind::Get => wire::GET_BODY_BYTES,
        Kind::Set => wire::SET_BODY_BYTES,
        Kind::Delete | Kind::Ping | Kind::Close => 0,
        Kind::Create | Kind::CreateIfAbsent | Kind::CreateEphemeral => answer.body.len(),
    };
    if tolerated || (answer.err == 0 && answer.body.len() == expected) {
        return Ok(());
    }
    let (err, length) = (answer.err, answer.body.len());
    let sentence = format!("{kind:?} was answered with error {err} and {length} bytes");
    Err(Error::wrong(sentence))
}

fn io(action: &str, source: io::Error) -> Error {
    Error::Io {
        what: format!("cannot {action}"),
        source,
    }
}
