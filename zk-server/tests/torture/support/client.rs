//! A client of the bare protocol whose server may die at any moment: every
//! call says so instead of panicking.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use zk_proto::{
    Acl, AuthPacket, Buffer, ConnectRequest, ConnectResponse, CreateRequest, DeleteRequest,
    ErrorCode, OpCode, PathRequest, ReadRequest, ReplyHeader, Request, RequestHeader, Response,
    SessionId, SetDataRequest, Xid, Zxid, frame, jute,
};

/// Longer than any answer takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A session as its client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) id: SessionId,
    pub(crate) timeout_ms: i32,
    pub(crate) password: Vec<u8>,
}

/// A frame from the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) header: ReplyHeader,
    body: Vec<u8>,
}

impl Answer {
    /// The record of an answer that must be good.
    pub(crate) fn record(&self, op: OpCode) -> Response<'_> {
        assert_eq!(self.header.err, ErrorCode::OK, "{op}");
        Response::decode(op, &self.body).expect("the server's record decodes")
    }

    /// The path that a create answered.
    pub(crate) fn path(&self) -> String {
        match self.record(OpCode::CREATE) {
            Response::Path(Some(path)) => path.to_string(),
            other => panic!("no path: {other:?}"),
        }
    }
}

/// A session's connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    next_xid: i32,
    pub(crate) ticket: Ticket,
    /// The highest zxid in an answer.
    pub(crate) last_zxid: Zxid,
}

impl Client {
    /// Opens a session.
    pub(crate) fn open(address: SocketAddr, timeout_ms: i32) -> io::Result<Self> {
        let client = Self::handshake(address, None, timeout_ms, Zxid::ZERO)?;
        client.ok_or_else(|| io::Error::other("a new session was refused"))
    }

    /// Resumes a session; `None` when the server does not know it any more.
    /// The server must have got as far as `seen`.
    pub(crate) fn resume(
        address: SocketAddr,
        ticket: &Ticket,
        seen: Zxid,
    ) -> io::Result<Option<Self>> {
        Self::handshake(address, Some(ticket), ticket.timeout_ms, seen)
    }

    fn handshake(
        address: SocketAddr,
        ticket: Option<&Ticket>,
        timeout_ms: i32,
        seen: Zxid,
    ) -> io::Result<Option<Self>> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream: BufReader::new(stream),
            next_xid: 1,
            ticket: Ticket {
                id: SessionId::NONE,
                timeout_ms: 0,
                password: Vec::new(),
            },
            last_zxid: seen,
        };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: seen,
            timeout_ms,
            session_id: ticket.map_or(SessionId::NONE, |ticket| ticket.id),
            password: Some(Buffer(ticket.map_or(&[0; 16], |ticket| &ticket.password))),
            read_only: Some(false),
        };
        let mut payload = Vec::new();
        request.encode(&mut payload).expect("it encodes");
        client.write(&framed(&payload))?;
        let payload = client.payload()?;
        let response = ConnectResponse::decode(&payload).expect("a ConnectResponse decodes");
        client.ticket = Ticket {
            id: response.session_id,
            timeout_ms: response.timeout_ms,
            password: response.password.expect("a password").to_vec(),
        };
        Ok((response.session_id != SessionId::NONE).then_some(client))
    }

    /// Sends requests in one write.
    pub(crate) fn send(&mut self, requests: &[Request<'_>]) -> io::Result<()> {
        let mut out = Vec::new();
        for request in requests {
            let header = RequestHeader {
                xid: Xid(self.next_xid),
                op: request.op(),
            };
            self.next_xid += 1;
            let mut payload = jute::to_vec(&header).expect("it encodes");
            request.encode(&mut payload).expect("it encodes");
            out.extend(framed(&payload));
        }
        self.write(&out)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// The next answer.
    pub(crate) fn next(&mut self) -> io::Result<Answer> {
        let payload = self.payload()?;
        let mut reader = jute::Reader::new(&payload);
        let header: ReplyHeader = reader.read().expect("a reply header");
        self.last_zxid = self.last_zxid.max(header.zxid);
        Ok(Answer {
            header,
            body: reader.remaining().to_vec(),
        })
    }

    /// The next answer, unless there is none for so long.
    pub(crate) fn next_within(&mut self, patience: Duration) -> io::Result<Answer> {
        self.stream.get_ref().set_read_timeout(Some(patience))?;
        self.next()
    }

    fn payload(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).expect("a length");
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload)?;
        Ok(payload)
    }

    /// Sends one request and waits for its answer.
    pub(crate) fn call(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        self.send(std::slice::from_ref(request))?;
        self.next()
    }

    /// A request that must succeed, on a server that must live.
    pub(crate) fn ok(&mut self, request: &Request<'_>) -> Answer {
        let answer = self.call(request).expect("the server lives");
        assert_eq!(answer.header.err, ErrorCode::OK, "{request:?}");
        answer
    }

    /// The error of a request, on a server that must live.
    pub(crate) fn err(&mut self, request: &Request<'_>) -> ErrorCode {
        self.call(request).expect("the server lives").header.err
    }

    /// Proves an identity of the digest scheme.
    pub(crate) fn authenticate(&mut self, credentials: &str) {
        self.ok(&Request::Auth(AuthPacket {
            auth_type: 0,
            scheme: Some("digest".into()),
            auth: Some(Buffer(credentials.as_bytes())),
        }));
    }

    /// Ends the session.
    pub(crate) fn close(mut self) {
        self.ok(&Request::CloseSession);
    }
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
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(word.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// The value of a line of `mntr`.
pub(crate) fn monitored(address: SocketAddr, key: &str) -> u64 {
    let text = word(address, "mntr").expect("mntr is answered");
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let value = line.unwrap_or_else(|| panic!("no {key} in {text}"));
    value.trim().parse().expect("a number")
}

/// A create of an open znode.
pub(crate) fn create<'a>(path: &'a str, data: &'a [u8], flags: i32) -> Request<'a> {
    Request::Create(OpCode::CREATE, create_record(path, data, flags))
}

/// The record of [`create`].
pub(crate) fn create_record<'a>(path: &'a str, data: &'a [u8], flags: i32) -> CreateRequest<'a> {
    CreateRequest {
        path: Some(path.into()),
        data: Some(Buffer(data)),
        acl: Some(vec![Acl::open()]),
        flags,
    }
}

pub(crate) fn set<'a>(path: &'a str, data: &'a [u8], version: i32) -> Request<'a> {
    Request::SetData(SetDataRequest {
        path: Some(path.into()),
        data: Some(Buffer(data)),
        version,
    })
}

pub(crate) fn delete(path: &str, version: i32) -> Request<'_> {
    Request::Delete(DeleteRequest {
        path: Some(path.into()),
        version,
    })
}

/// exists, getData, getChildren: what they have in common.
pub(crate) fn read(path: &str) -> ReadRequest<'_> {
    ReadRequest {
        path: Some(path.into()),
        watch: false,
    }
}

/// getACL and others.
pub(crate) fn of_path(path: &str) -> PathRequest<'_> {
    PathRequest {
        path: Some(path.into()),
    }
}
