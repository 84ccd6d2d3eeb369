//! A session that outlives its connections: it moves on when a server leaves
//! it, and never begins anew. It refuses to know what it is used for.

use super::link::framed;
use std::collections::VecDeque;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use zk_proto::{
    Buffer, ConnectRequest, ConnectResponse, ErrorCode, OpCode, PathRequest, ReadRequest,
    ReplyHeader, Request, RequestHeader, Response, SessionId, SetWatches, WatcherEvent, Xid, Zxid,
    jute,
};

/// Longer than servers on a busy machine need for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// A server that says nothing for so long has left its client.
const SILENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(2);
/// Between two attempts at servers that refuse.
const PAUSE: Duration = Duration::from_millis(20);
/// No answer is longer; a length that is has no sense.
const ANSWER_MAX: usize = 4 << 20;
/// Longer than the whole test may take.
const TIMEOUT_MS: i32 = 110_000;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) header: ReplyHeader,
    body: Vec<u8>,
}

impl Answer {
    /// The record of an answer that is good.
    pub(crate) fn record(&self, op: OpCode) -> Response<'_> {
        assert_eq!(self.header.err, ErrorCode::OK, "the answer to {op}");
        Response::decode(op, &self.body).expect("the server's record decodes")
    }
}

/// A session, connected or not.
#[derive(Debug)]
pub(crate) struct Session {
    addresses: Vec<SocketAddr>,
    /// Which of them is tried next, or is connected to.
    at: usize,
    pub(crate) id: SessionId,
    password: Vec<u8>,
    seen: Zxid,
    last_xid: i32,
    stream: Option<BufReader<TcpStream>>,
    /// Type and path of watch events that nobody took yet.
    events: VecDeque<(i32, String)>,
}

impl Session {
    /// Opens a session at the first of the servers, or at those behind it.
    pub(crate) fn open(addresses: Vec<SocketAddr>) -> Self {
        let mut session = Self {
            addresses,
            at: 0,
            id: SessionId::NONE,
            password: vec![0; 16],
            seen: Zxid::ZERO,
            last_xid: 0,
            stream: None,
            events: VecDeque::new(),
        };
        session.reconnect();
        session
    }

    /// Sends one request, once. An error says that nobody knows whether it
    /// was executed, and leaves the session without a connection.
    pub(crate) fn call(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        let answer = self.exchange(request);
        let lost = match &answer {
            Ok(answer) => matches!(
                answer.header.err,
                ErrorCode::CONNECTION_LOSS | ErrorCode::SESSION_MOVED
            ),
            Err(_) => true,
        };
        if lost {
            self.lose();
            return Err(answer.err().unwrap_or_else(|| io::Error::other("moved")));
        }
        answer
    }

    /// Asks until there is an answer: for requests that may be executed twice.
    pub(crate) fn ask(&mut self, request: &Request<'_>) -> Answer {
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.call(request) {
                Ok(answer) => return answer,
                Err(error) => assert!(Instant::now() < give_up, "no answer: {error}"),
            }
            self.reconnect();
        }
    }

    /// As [`Session::ask`], behind everything that was written before.
    pub(crate) fn ask_synced(&mut self, request: &Request<'_>) -> Answer {
        let give_up = Instant::now() + PATIENCE;
        let sync = Request::Sync(PathRequest {
            path: Some("/".into()),
        });
        loop {
            let synced = self.call(&sync).inspect(|it| {
                it.record(OpCode::SYNC);
            });
            match synced.and_then(|_| self.call(request)) {
                Ok(answer) => return answer,
                Err(error) => assert!(Instant::now() < give_up, "no answer: {error}"),
            }
            self.reconnect();
        }
    }

    /// Waits for a watch event.
    pub(crate) fn event(&mut self) -> io::Result<(i32, String)> {
        while self.events.is_empty() {
            let (header, body) = self.frame()?;
            assert_eq!(header.xid, Xid::NOTIFICATION, "nothing was asked");
            self.note_event(&body);
        }
        Ok(self.events.pop_front().expect("there is one"))
    }

    /// Gives the connection up, not the session.
    pub(crate) fn lose(&mut self) {
        self.stream = None;
        self.at += 1;
    }

    /// Leaves a data watch again, at a server that does not know of it; what
    /// changed since then is an event at once.
    pub(crate) fn rearm(&mut self, path: &str) {
        let watches = Request::SetWatches(SetWatches {
            relative_zxid: self.seen,
            data: Some(vec![path.into()]),
            exist: Some(Vec::new()),
            child: Some(Vec::new()),
        });
        // If this is lost as well, so is the next event.
        let _ = self.call(&watches);
    }

    /// Goes on at whichever server takes it.
    pub(crate) fn reconnect(&mut self) {
        let give_up = Instant::now() + PATIENCE;
        while self.stream.is_none() {
            let address = self.addresses[self.at % self.addresses.len()];
            if let Err(error) = self.connect(address) {
                let is_late = Instant::now() >= give_up;
                assert!(!is_late, "no server takes {}: {error}", self.id);
                self.at += 1;
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Ends the session.
    pub(crate) fn close(mut self) {
        self.ask(&Request::CloseSession);
    }

    fn connect(&mut self, address: SocketAddr) -> io::Result<()> {
        let stream = TcpStream::connect_timeout(&address, CONNECT)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.seen,
            timeout_ms: TIMEOUT_MS,
            session_id: self.id,
            password: Some(Buffer(&self.password)),
            read_only: Some(false),
        };
        let mut payload = Vec::new();
        request.encode(&mut payload).expect("it encodes");
        stream.get_mut().write_all(&framed(&payload))?;
        let payload = payload_of(&mut stream)?;
        let response = ConnectResponse::decode(&payload).expect("a ConnectResponse");
        assert_ne!(response.session_id, SessionId::NONE, "{} ended", self.id);
        self.id = response.session_id;
        self.password = response.password.expect("a password").to_vec();
        self.stream = Some(stream);
        Ok(())
    }

    fn exchange(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        self.last_xid += 1;
        let xid = Xid(self.last_xid);
        let op = request.op();
        let mut payload = jute::to_vec(&RequestHeader { xid, op }).expect("it encodes");
        request.encode(&mut payload).expect("it encodes");
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stream.get_mut().write_all(&framed(&payload))?;
        loop {
            let (header, body) = self.frame()?;
            if header.xid == Xid::NOTIFICATION {
                self.note_event(&body);
                continue;
            }
            assert_eq!(header.xid, xid, "the answer to another request");
            return Ok(Answer { header, body });
        }
    }

    fn frame(&mut self) -> io::Result<(ReplyHeader, Vec<u8>)> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let payload = payload_of(stream)?;
        let mut reader = jute::Reader::new(&payload);
        let header: ReplyHeader = reader.read().expect("a reply header");
        self.seen = self.seen.max(header.zxid);
        Ok((header, reader.remaining().to_vec()))
    }

    fn note_event(&mut self, body: &[u8]) {
        let event: WatcherEvent<'_> = jute::from_slice(body).expect("an event decodes");
        let path = event.path.expect("a path").to_string();
        self.events.push_back((event.event_type, path));
    }
}

fn payload_of(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    assert!(length <= ANSWER_MAX, "an answer of {length} bytes");
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok(payload)
}

/// getData, or what else has its record.
pub(crate) fn read(path: &str, watch: bool) -> ReadRequest<'_> {
    ReadRequest {
        path: Some(path.into()),
        watch,
    }
}
