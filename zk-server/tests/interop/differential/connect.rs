//! Handshakes: new sessions, old ones again, and everything that can be wrong
//! with them.

use super::call::{Call, hex};
use super::canon::{Kind, Line};
use super::world::{Ticket, World};
use crate::support::link::{Incoming, framed};
use zk_proto::{
    AuthPacket, Buffer, ConnectRequest, ConnectResponse, ErrorCode, OpCode, Request, SessionId,
    Zxid,
};

/// Long enough that nothing expires by itself.
pub(crate) const TIMEOUT_MS: i32 = 3_600_000;

/// Which password a client shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Password {
    Right,
    Wrong,
    Null,
    Short,
}

/// What a client says first.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    pub(crate) version: i32,
    pub(crate) last_zxid: i64,
    pub(crate) timeout_ms: i32,
    /// The client's session, or a new one.
    pub(crate) resume: bool,
    pub(crate) password: Password,
    pub(crate) read_only: Option<bool>,
    pub(crate) trailing: usize,
}

impl Handshake {
    pub(crate) const NEW: Self = Self {
        version: 0,
        last_zxid: 0,
        timeout_ms: TIMEOUT_MS,
        resume: false,
        password: Password::Right,
        read_only: Some(false),
        trailing: 0,
    };
    pub(crate) const RESUME: Self = Self {
        resume: true,
        ..Self::NEW
    };

    pub(crate) fn payload(&self, ticket: Option<&Ticket>) -> Vec<u8> {
        let right = ticket.map_or(&[0; 16][..], |ticket| &ticket.password);
        let request = ConnectRequest {
            protocol_version: self.version,
            last_zxid_seen: Zxid(self.last_zxid),
            timeout_ms: self.timeout_ms,
            session_id: ticket.map_or(SessionId::NONE, |ticket| ticket.id),
            password: match self.password {
                Password::Right => Some(Buffer(right)),
                Password::Wrong => Some(Buffer(b"0123456789abcdef")),
                Password::Null => None,
                Password::Short => Some(Buffer(&right[..7])),
            },
            read_only: self.read_only,
        };
        let mut payload = Vec::new();
        request.encode(&mut payload).expect("it encodes");
        payload.extend(vec![7; self.trailing]);
        payload
    }
}

impl World {
    /// Connects a client to both servers and shakes hands; whether it has a
    /// session now.
    pub(crate) fn connect(&mut self, client: usize, handshake: &Handshake) -> bool {
        self.operations += 1;
        self.dial(client);
        let tickets = self.clients[client].tickets.clone();
        let mut got = [None, None];
        for side in 0..2 {
            let ticket = tickets.as_ref().filter(|_| handshake.resume);
            let payload = handshake.payload(ticket.map(|tickets| &tickets[side]));
            let link = &mut self.clients[client].links.as_mut().expect("dialled")[side];
            link.send_frame(&payload);
            got[side] = Some(link.next());
        }
        let [theirs, ours] = got.map(|incoming| incoming.expect("both were asked"));
        let accepted = self.accept(client, handshake, [&theirs, &ours]);
        let lines =
            [(0, &theirs), (1, &ours)].map(|(side, got)| self.first_line(client, side, got));
        let [theirs, ours] = lines;
        self.compare(client, &format!("{handshake:?}"), &theirs, &ours);
        if !accepted {
            self.clients[client].links = None;
        }
        accepted
    }

    /// Remembers a session that both servers granted.
    fn accept(&mut self, client: usize, handshake: &Handshake, got: [&Incoming; 2]) -> bool {
        let tickets = got.map(ticket);
        let [Some(theirs), Some(ours)] = tickets else {
            return false;
        };
        if !handshake.resume {
            self.sessions.add([theirs.id, ours.id]);
            // createSession is a transaction.
            self.zxid += 1;
        }
        self.clients[client].tickets = Some([theirs, ours]);
        true
    }

    fn first_line(&mut self, client: usize, side: usize, got: &Incoming) -> Vec<Line> {
        let text = match got {
            Incoming::Closed => return vec![Line::closed()],
            Incoming::Silence => return vec![Line::silence()],
            Incoming::Frame(payload) => match ConnectResponse::decode(payload) {
                Ok(response) => {
                    let text = self.sessions.connected(side, &response);
                    format!("{} bytes, {text}", payload.len())
                }
                Err(_) => hex(payload),
            },
        };
        let answer = Line {
            text,
            kind: Kind::Answer {
                zxid: 0,
                err: ErrorCode::OK,
            },
        };
        if ticket(got).is_some() {
            return vec![answer];
        }
        let link = &mut self.clients[client].links.as_mut().expect("dialled")[side];
        let rest = match link.next() {
            Incoming::Closed => Line::closed(),
            _ => Line::silence(),
        };
        vec![answer, rest]
    }

    /// Sends bytes that no server answers, and compares what it does instead.
    pub(crate) fn raw(&mut self, client: usize, what: &str, bytes: &[u8], and_end: bool) {
        self.operations += 1;
        let links = self.clients[client].links.as_mut().expect("connected");
        let lines = links.each_mut().map(|link| {
            link.send(bytes);
            if and_end {
                link.end();
            }
        });
        let _ = lines;
        let mut texts = Vec::new();
        for side in 0..2 {
            texts.push(self.rest(client, side));
        }
        let shown = hex(&bytes[..bytes.len().min(64)]);
        let what = format!("{what}: {} bytes {shown}, end {and_end}", bytes.len());
        self.compare(client, &what, &texts[0], &texts[1]);
        self.clients[client].links = None;
    }

    /// Events that were on their way, and the end.
    fn rest(&mut self, client: usize, side: usize) -> Vec<Line> {
        let nothing = Call::raw(OpCode(0), Vec::new());
        let mut lines = Vec::new();
        loop {
            let link = &mut self.clients[client].links.as_mut().expect("connected")[side];
            match link.next() {
                Incoming::Frame(payload) => {
                    lines.push(self.sessions.line(side, &nothing, &payload));
                }
                Incoming::Closed => {
                    lines.push(Line::closed());
                    return lines;
                }
                Incoming::Silence => {
                    lines.push(Line::silence());
                    return lines;
                }
            }
        }
    }

    /// Proves an identity, or does not.
    pub(crate) fn authenticate(
        &mut self,
        client: usize,
        scheme: Option<&str>,
        auth: Option<&[u8]>,
    ) {
        let packet = AuthPacket {
            auth_type: 0,
            scheme: scheme.map(Into::into),
            auth: auth.map(Buffer),
        };
        let mut call = Call::new(&Request::Auth(packet));
        call.xid = Some(-4);
        self.burst(client, &[call]);
    }
}

fn ticket(got: &Incoming) -> Option<Ticket> {
    let Incoming::Frame(payload) = got else {
        return None;
    };
    let response = ConnectResponse::decode(payload).ok()?;
    (response.session_id != SessionId::NONE).then(|| Ticket {
        id: response.session_id,
        password: response
            .password
            .map(|bytes| bytes.to_vec())
            .unwrap_or_default(),
    })
}

/// A payload with a length of its own.
pub(crate) fn with_length(length: i32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = framed(payload);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes
}
