//! One connection of a session: the handshake, then one request after another.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::code;
use super::frame::Frame;
use super::reader::Reader;
use super::request::Request;
use crate::error::{Error, Result};

/// No answer to these loads is longer.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// Requests of a batch that are in flight together.
const BATCH: usize = 256;

const NOTIFICATION_XID: i32 = -1;
const PING_XID: i32 = -2;

/// A session, whichever connection it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionState {
    /// 0 until a server gave one.
    pub(crate) id: i64,
    password: Vec<u8>,
    /// What was asked for until a server said what it is.
    pub(crate) timeout_ms: i32,
    /// The highest zxid that an answer had.
    pub(crate) last_zxid: i64,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The connection ended, could not be made, or nothing came in time. Whether the request
    /// took effect is not known.
    Lost(io::Error),
    /// The session is over.
    Expired,
    /// The server said what it must not say.
    Wrong(Error),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) zxid: i64,
    pub(crate) err: i32,
    pub(crate) body: Vec<u8>,
}

/// A connection on which the session is.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    next_xid: i32,
}

impl SessionState {
    /// A session that is still to be made.
    pub(crate) fn new(timeout_ms: i32) -> Self {
        Self {
            id: 0,
            password: vec![0; 16],
            timeout_ms,
            last_zxid: 0,
        }
    }
}

impl Connection {
    /// Connects and makes the session, or takes it there. The server has so long to answer, now
    /// and later.
    pub(crate) fn open(
        server: SocketAddr,
        session: &mut SessionState,
        patience: Duration,
    ) -> std::result::Result<Self, Trouble> {
        let stream = TcpStream::connect_timeout(&server, patience).map_err(Trouble::Lost)?;
        let mut connection = Self {
            stream,
            next_xid: 1,
        };
        connection.be_patient(patience)?;
        connection.handshake(session)?;
        Ok(connection)
    }

    /// Says how long the server has for an answer.
    pub(crate) fn be_patient(&mut self, patience: Duration) -> std::result::Result<(), Trouble> {
        self.stream
            .set_nodelay(true)
            .and_then(|()| self.stream.set_read_timeout(Some(patience)))
            .and_then(|()| self.stream.set_write_timeout(Some(patience)))
            .map_err(Trouble::Lost)
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call(
        &mut self,
        session: &mut SessionState,
        request: &Request,
    ) -> std::result::Result<Reply, Trouble> {
        let mut replies = self.call_all(session, std::slice::from_ref(request))?;
        Ok(replies.pop().expect("as many answers as requests"))
    }

    /// Sends requests, many at a time, and waits for all their answers.
    pub(crate) fn call_all(
        &mut self,
        session: &mut SessionState,
        requests: &[Request],
    ) -> std::result::Result<Vec<Reply>, Trouble> {
        let mut replies = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            let xids: Vec<_> = batch.iter().map(|request| self.xid(request)).collect();
            let frames = batch.iter().zip(&xids);
            let bytes: Vec<_> = frames
                .flat_map(|(request, xid)| request.with_xid(*xid))
                .collect();
            self.stream.write_all(&bytes).map_err(Trouble::Lost)?;
            for xid in xids {
                replies.push(self.reply(session, xid)?);
            }
        }
        Ok(replies)
    }

    fn handshake(&mut self, session: &mut SessionState) -> std::result::Result<(), Trouble> {
        let mut frame = Frame::new();
        frame.int(0).long(session.last_zxid).int(session.timeout_ms);
        frame.long(session.id).buffer(&session.password).byte(0);
        let frame = frame.finish();
        self.stream.write_all(&frame).map_err(Trouble::Lost)?;
        let answer = self.frame()?;
        let (id, timeout_ms, password) = connected(&answer).map_err(Trouble::Wrong)?;
        if timeout_ms <= 0 || id == 0 {
            return Err(Trouble::Expired);
        }
        if session.id != 0 && session.id != id {
            let sentence = format!("session 0x{:x} became 0x{id:x}", session.id);
            return Err(Trouble::Wrong(Error::wrong(sentence)));
        }
        (session.id, session.timeout_ms, session.password) = (id, timeout_ms, password);
        Ok(())
    }

    fn reply(
        &mut self,
        session: &mut SessionState,
        expected: i32,
    ) -> std::result::Result<Reply, Trouble> {
        loop {
            let answer = self.frame()?;
            let (xid, reply) = answered(&answer).map_err(Trouble::Wrong)?;
            if xid == NOTIFICATION_XID {
                continue;
            }
            check(session, expected, xid, &reply)?;
            session.last_zxid = session.last_zxid.max(reply.zxid);
            return Ok(reply);
        }
    }

    fn frame(&mut self) -> std::result::Result<Vec<u8>, Trouble> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).map_err(Trouble::Lost)?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > ANSWER_BYTES_MAX {
            let sentence = format!("an answer of {length} bytes");
            return Err(Trouble::Wrong(Error::wrong(sentence)));
        }
        let mut frame = vec![0; length];
        self.stream.read_exact(&mut frame).map_err(Trouble::Lost)?;
        Ok(frame)
    }

    fn xid(&mut self, request: &Request) -> i32 {
        if request.is_ping {
            return PING_XID;
        }
        let xid = self.next_xid;
        self.next_xid = xid.checked_add(1).unwrap_or(1);
        xid
    }
}

impl Reply {
    /// The records of the answer, if the request succeeded.
    pub(crate) fn body(&self) -> Result<Reader<'_>> {
        match self.err {
            0 => Ok(Reader::new(&self.body)),
            err => Err(Error::wrong(format!("a request failed with error {err}"))),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(error) => write!(f, "the connection is lost: {error}"),
            Self::Expired => f.write_str("the session is over"),
            Self::Wrong(error) => write!(f, "{error}"),
        }
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Wrong(error) => error,
            other => Self::wrong(other),
        }
    }
}

fn connected(answer: &[u8]) -> Result<(i64, i32, Vec<u8>)> {
    let mut reader = Reader::new(answer);
    reader.int()?;
    let timeout_ms = reader.int()?;
    let id = reader.long()?;
    let password = reader.buffer()?.unwrap_or_default();
    Ok((id, timeout_ms, password.to_vec()))
}

fn answered(answer: &[u8]) -> Result<(i32, Reply)> {
    let mut reader = Reader::new(answer);
    let xid = reader.int()?;
    let (zxid, err) = (reader.long()?, reader.int()?);
    let body = answer[16..].to_vec();
    Ok((xid, Reply { zxid, err, body }))
}

/// Whether the answer is the one that must come, in a session that goes on.
fn check(
    session: &SessionState,
    expected: i32,
    xid: i32,
    reply: &Reply,
) -> std::result::Result<(), Trouble> {
    if reply.err == code::SESSION_EXPIRED {
        return Err(Trouble::Expired);
    }
    if reply.err == code::SESSION_MOVED {
        let moved = io::Error::other("the session moved");
        return Err(Trouble::Lost(moved));
    }
    if xid != expected {
        let sentence = format!("an answer to request {xid} where {expected} is next");
        return Err(Trouble::Wrong(Error::wrong(sentence)));
    }
    // Pings tell the zxid of the server's tree, which other sessions moved on.
    if xid != PING_XID && reply.zxid < session.last_zxid {
        let (zxid, last) = (reply.zxid, session.last_zxid);
        let sentence = format!("an answer at 0x{zxid:x} after one at 0x{last:x}");
        return Err(Trouble::Wrong(Error::wrong(sentence)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(zxid: i64, err: i32) -> Reply {
        Reply {
            zxid,
            err,
            body: Vec::new(),
        }
    }

    #[test]
    fn answers_go_forward_in_time() {
        let mut session = SessionState::new(1000);
        session.last_zxid = 5;
        check(&session, 1, 1, &reply(5, 0)).unwrap();
        let back = check(&session, 1, 1, &reply(4, 0));
        assert!(matches!(back, Err(Trouble::Wrong(_))), "{back:?}");
        let other = check(&session, 1, 2, &reply(5, 0));
        assert!(matches!(other, Err(Trouble::Wrong(_))), "{other:?}");
    }

    #[test]
    fn the_end_of_a_session_is_told_apart() {
        let session = SessionState::new(1000);
        let ended = check(&session, 1, 1, &reply(0, code::SESSION_EXPIRED));
        assert!(matches!(ended, Err(Trouble::Expired)), "{ended:?}");
        let moved = check(&session, 1, 1, &reply(0, code::SESSION_MOVED));
        assert!(matches!(moved, Err(Trouble::Lost(_))), "{moved:?}");
    }
}
