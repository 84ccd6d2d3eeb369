//! A client of the bare protocol whose server may die, stand still or refuse
//! at any moment: every call says so, and none waits for ever.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use zk_proto::{
    Acl, Buffer, ConnectRequest, ConnectResponse, CreateRequest, DeleteRequest, ErrorCode, OpCode,
    PathRequest, ReadRequest, ReplyHeader, Request, RequestHeader, Response, SessionId,
    SetDataRequest, Xid, Zxid, frame, jute,
};

/// Longer than a listening server that runs needs to accept.
const CONNECT: Duration = Duration::from_secs(1);

/// No answer is longer; a length that is has no sense.
const ANSWER_MAX: usize = 4 << 20;

/// A session as its client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) id: SessionId,
    pub(crate) timeout_ms: i32,
    password: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) header: ReplyHeader,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) const fn code(&self) -> ErrorCode {
        self.header.err
    }

    /// The record of an answer that is good.
    pub(crate) fn record(&self, op: OpCode) -> io::Result<Response<'_>> {
        match self.header.err {
            ErrorCode::OK => Response::decode(op, &self.body).map_err(io::Error::other),
            code => Err(io::Error::other(format!("{op} answers {code:?}"))),
        }
    }
}

/// A session's connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
    last_xid: i32,
    pub(crate) ticket: Ticket,
}

/// How a server takes a session.
#[derive(Debug)]
pub(crate) enum Welcome {
    Served(Wire),
    /// There is no such session, or not any more.
    Expired,
}

impl Wire {
    /// Opens a session.
    pub(crate) fn open(
        address: SocketAddr,
        timeout_ms: i32,
        patience: Duration,
    ) -> io::Result<Self> {
        let nobody = Ticket {
            id: SessionId::NONE,
            timeout_ms,
            password: vec![0; 16],
        };
        match Self::resume(address, &nobody, Zxid::ZERO, patience)? {
            Welcome::Served(wire) => Ok(wire),
            Welcome::Expired => Err(io::Error::other("a new session was refused")),
        }
    }

    /// Goes on with a session, at a server that has got as far as `seen`.
    pub(crate) fn resume(
        address: SocketAddr,
        ticket: &Ticket,
        seen: Zxid,
        patience: Duration,
    ) -> io::Result<Welcome> {
        let stream = TcpStream::connect_timeout(&address, CONNECT)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.set_nodelay(true)?;
        let mut wire = Self {
            stream: BufReader::new(stream),
            last_xid: 0,
            ticket: ticket.clone(),
        };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: seen,
            timeout_ms: ticket.timeout_ms,
            session_id: ticket.id,
            password: Some(Buffer(&ticket.password)),
            read_only: Some(false),
        };
        let mut payload = Vec::new();
        request.encode(&mut payload).expect("it encodes");
        wire.write(&framed(&payload))?;
        let payload = wire.payload()?;
        let response = ConnectResponse::decode(&payload).map_err(io::Error::other)?;
        if response.session_id == SessionId::NONE || response.timeout_ms <= 0 {
            return Ok(Welcome::Expired);
        }
        wire.ticket = Ticket {
            id: response.session_id,
            timeout_ms: response.timeout_ms,
            password: response.password.map_or(Vec::new(), |it| it.to_vec()),
        };
        Ok(Welcome::Served(wire))
    }

    /// Sends requests in one write; their answers must be taken in this order.
    pub(crate) fn send(&mut self, requests: &[Request<'_>]) -> io::Result<()> {
        let mut out = Vec::new();
        let first = self.last_xid + 1;
        for (xid, request) in (first..).zip(requests) {
            out.extend(framed(&encoded(Xid(xid), request)));
            self.last_xid = xid;
        }
        self.write(&out)
    }

    /// The next answer, which must be to the request `behind` the last one.
    pub(crate) fn answer(&mut self, behind: usize) -> io::Result<Answer> {
        let payload = self.payload()?;
        let mut reader = jute::Reader::new(&payload);
        let header: ReplyHeader = reader.read().map_err(io::Error::other)?;
        let behind = i32::try_from(behind).expect("a few requests");
        assert_eq!(header.xid, Xid(self.last_xid - behind), "an answer's xid");
        Ok(Answer {
            header,
            body: reader.remaining().to_vec(),
        })
    }

    /// Sends one request and waits for its answer.
    pub(crate) fn call(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        self.send(std::slice::from_ref(request))?;
        self.answer(0)
    }

    /// Sends requests at once and waits for all answers.
    pub(crate) fn call_all(&mut self, requests: &[Request<'_>]) -> io::Result<Vec<Answer>> {
        self.send(requests)?;
        let behind = (0..requests.len()).rev();
        behind.map(|behind| self.answer(behind)).collect()
    }

    /// Tells the server that the client lives.
    pub(crate) fn ping(&mut self) -> io::Result<()> {
        self.write(&framed(&encoded(Xid::PING, &Request::Ping)))?;
        self.payload().map(drop)
    }

    /// Ends the session.
    pub(crate) fn close(mut self) -> io::Result<()> {
        self.call(&Request::CloseSession).map(drop)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    fn payload(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        assert!(length <= ANSWER_MAX, "an answer of {length} bytes");
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload)?;
        Ok(payload)
    }
}

fn encoded(xid: Xid, request: &Request<'_>) -> Vec<u8> {
    let op = request.op();
    let mut payload = jute::to_vec(&RequestHeader { xid, op }).expect("it encodes");
    request.encode(&mut payload).expect("it encodes");
    payload
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 4);
    let start = frame::start(&mut out);
    out.extend_from_slice(payload);
    frame::finish(&mut out, start);
    out
}

/// The answer to a four-letter word.
pub(crate) fn word(address: SocketAddr, word: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
    stream.set_read_timeout(Some(CONNECT))?;
    stream.write_all(word.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// create2 of an open znode.
pub(crate) fn create<'a>(path: &'a str, data: &'a [u8], flags: i32) -> Request<'a> {
    let record = CreateRequest {
        path: Some(path.into()),
        data: Some(Buffer(data)),
        acl: Some(vec![Acl::open()]),
        flags,
    };
    Request::Create(OpCode::CREATE2, record)
}

pub(crate) fn set<'a>(path: &'a str, data: &'a [u8], version: i32) -> Request<'a> {
    Request::SetData(SetDataRequest {
        path: Some(path.into()),
        data: Some(Buffer(data)),
        version,
    })
}

pub(crate) fn delete(path: &str) -> Request<'_> {
    let path = Some(path.into());
    let version = -1;
    Request::Delete(DeleteRequest { path, version })
}

pub(crate) fn sync(path: &str) -> Request<'_> {
    Request::Sync(of_path(path))
}

pub(crate) fn get_data(path: &str) -> Request<'_> {
    Request::GetData(read(path))
}

/// getACL and others.
pub(crate) fn of_path(path: &str) -> PathRequest<'_> {
    let path = Some(path.into());
    PathRequest { path }
}

/// exists, getData, getChildren: what they have in common.
pub(crate) fn read(path: &str) -> ReadRequest<'_> {
    let path = Some(path.into());
    ReadRequest { path, watch: false }
}
