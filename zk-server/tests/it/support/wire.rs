//! A client of the bare protocol, blocking, one frame at a time: tests see
//! what a server sends and in which order, with no library in between.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use zk_proto::{
    Acl, Buffer, ConnectRequest, ConnectResponse, CreateRequest, ErrorCode, OpCode, ReplyHeader,
    Request, RequestHeader, Response, SessionId, WatcherEvent, Xid, Zxid, frame, jute,
};

/// Longer than any answer takes; a test that waits for it has failed.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    next_xid: i32,
}

/// A session as its client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) id: SessionId,
    pub(crate) timeout_ms: i32,
    pub(crate) password: Vec<u8>,
}

/// A frame from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) header: ReplyHeader,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The record, as the answer to `op`.
    pub(crate) fn record(&self, op: OpCode) -> Response<'_> {
        Response::decode(op, &self.body).expect("the server's record decodes")
    }

    /// The watch event, if it is one: its type and path.
    pub(crate) fn event(&self) -> Option<(i32, String)> {
        if self.header.xid != Xid::NOTIFICATION {
            return None;
        }
        let event: WatcherEvent<'_> = jute::from_slice(&self.body).expect("an event decodes");
        Some((event.event_type, event.path.expect("a path").to_string()))
    }
}

impl Wire {
    /// Connects and sends nothing.
    pub(crate) fn bare(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Self {
            stream,
            next_xid: 1,
        }
    }

    /// Opens a new session.
    pub(crate) fn open(address: SocketAddr) -> (Self, Ticket) {
        let mut wire = Self::bare(address);
        let ticket = wire.handshake(None, 30_000).expect("a session");
        (wire, ticket)
    }

    /// Resumes a session; `None` when the server refuses it.
    pub(crate) fn resume(address: SocketAddr, ticket: &Ticket) -> Option<Self> {
        let mut wire = Self::bare(address);
        wire.handshake(Some(ticket), ticket.timeout_ms)?;
        Some(wire)
    }

    /// Asks for a new session and waits for nothing.
    pub(crate) fn send_handshake(&mut self) {
        self.ask(None, 30_000);
    }

    pub(crate) fn handshake(&mut self, ticket: Option<&Ticket>, timeout_ms: i32) -> Option<Ticket> {
        self.ask(ticket, timeout_ms);
        self.ticket()
    }

    /// A new session at a server that may serve reads alone; whether it does.
    pub(crate) fn handshake_to_read(&mut self) -> Option<bool> {
        self.ask_as(None, 30_000, true);
        let payload = self.payload()?;
        let response = ConnectResponse::decode(&payload).expect("it decodes");
        assert_ne!(response.session_id, SessionId::NONE);
        response.read_only
    }

    /// Asks to go on with a session and waits for nothing.
    pub(crate) fn send_resume(&mut self, ticket: &Ticket) {
        self.ask(Some(ticket), ticket.timeout_ms);
    }

    /// The same at a server that may serve reads alone.
    pub(crate) fn send_resume_to_read(&mut self, ticket: &Ticket) {
        self.ask_as(Some(ticket), ticket.timeout_ms, true);
    }

    fn ask(&mut self, ticket: Option<&Ticket>, timeout_ms: i32) {
        self.ask_as(ticket, timeout_ms, false);
    }

    fn ask_as(&mut self, ticket: Option<&Ticket>, timeout_ms: i32, read_only: bool) {
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid::ZERO,
            timeout_ms,
            session_id: ticket.map_or(SessionId::NONE, |ticket| ticket.id),
            password: Some(Buffer(ticket.map_or(&[0; 16], |ticket| &ticket.password))),
            read_only: Some(read_only),
        };
        let mut payload = Vec::new();
        request.encode(&mut payload).expect("it encodes");
        self.send_payload(&payload);
    }

    /// The session that was asked for; `None` when it is refused.
    pub(crate) fn ticket(&mut self) -> Option<Ticket> {
        let payload = self.payload().expect("a ConnectResponse");
        let response = ConnectResponse::decode(&payload).expect("it decodes");
        if response.session_id == SessionId::NONE {
            return None;
        }
        Some(Ticket {
            id: response.session_id,
            timeout_ms: response.timeout_ms,
            password: response.password.expect("a password").to_vec(),
        })
    }

    /// Sends a request; returns its xid.
    pub(crate) fn send(&mut self, request: &Request<'_>) -> Xid {
        let mut body = Vec::new();
        request.encode(&mut body).expect("it encodes");
        self.send_body(request.op(), &body)
    }

    /// Sends a request with a body of the test's making; returns its xid.
    pub(crate) fn send_body(&mut self, op: OpCode, body: &[u8]) -> Xid {
        let xid = Xid(self.next_xid);
        self.next_xid += 1;
        let mut payload = jute::to_vec(&RequestHeader { xid, op }).expect("it encodes");
        payload.extend_from_slice(body);
        self.send_payload(&payload);
        xid
    }

    pub(crate) fn send_payload(&mut self, payload: &[u8]) {
        let mut out = Vec::with_capacity(payload.len() + 4);
        let start = frame::start(&mut out);
        out.extend_from_slice(payload);
        frame::finish(&mut out, start);
        self.send_raw(&out);
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// The next frame's payload; `None` when the server closed.
    pub(crate) fn payload(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        if !self.read_exact(&mut length) {
            return None;
        }
        let length = usize::try_from(i32::from_be_bytes(length)).expect("a length");
        let mut payload = vec![0; length];
        self.read_exact(&mut payload).then_some(payload)
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> bool {
        match self.stream.read_exact(bytes) {
            Ok(()) => true,
            Err(error) if ended(&error) => false,
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// Everything until the server closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest,
            Err(error) if ended(&error) => rest,
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        }
    }

    /// The next answer or event; `None` when the server closed.
    pub(crate) fn next(&mut self) -> Option<Answer> {
        let payload = self.payload()?;
        let mut reader = jute::Reader::new(&payload);
        let header = reader.read().expect("a reply header");
        Some(Answer {
            header,
            body: reader.remaining().to_vec(),
        })
    }

    /// Sends a request and takes the next frame as its answer.
    pub(crate) fn call(&mut self, request: &Request<'_>) -> Answer {
        let xid = self.send(request);
        let answer = self.next().expect("an answer");
        assert_eq!(answer.header.xid, xid, "the answer to another request");
        answer
    }

    /// Sends a request that must succeed.
    pub(crate) fn ok(&mut self, request: &Request<'_>) -> Answer {
        let answer = self.call(request);
        assert_eq!(answer.header.err, ErrorCode::OK, "{request:?}");
        answer
    }

    /// The error of a request.
    pub(crate) fn err(&mut self, request: &Request<'_>) -> ErrorCode {
        self.call(request).header.err
    }
}

fn ended(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

/// A create of an open znode.
pub(crate) fn create<'a>(path: &'a str, data: &'a [u8], flags: i32) -> Request<'a> {
    Request::Create(
        OpCode::CREATE,
        CreateRequest {
            path: Some(path.into()),
            data: Some(Buffer(data)),
            acl: Some(vec![Acl::open()]),
            flags,
        },
    )
}
