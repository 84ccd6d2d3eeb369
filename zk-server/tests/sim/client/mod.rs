//! A client of the simulated ensemble: a session over the bare protocol, byte
//! by byte, that goes to another server when one is silent or gone. It
//! refuses to judge what it is told.

mod frames;
mod workload;

pub(crate) use frames::sibling;
pub(crate) use workload::Workload;

use crate::net::{ConnId, Machine};
use crate::queue::{MS, Micros, SECOND};
use crate::rng::Rng;
use std::collections::{BTreeMap, VecDeque};
use zk_proto::{
    ConnectRequest, ConnectResponse, OpCode, ReplyHeader, SessionId, WatcherEvent, Xid, Zxid, jute,
};

/// A request that has no answer yet.
#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub(crate) xid: Xid,
    pub(crate) kind: OpCode,
    pub(crate) path: String,
    /// What is written.
    pub(crate) value: u64,
    /// The version that is asked for; -1 for any.
    pub(crate) version: i32,
    /// Whether it leaves a watch.
    pub(crate) watch: bool,
    /// For a read behind a sync: what it has to show at least.
    pub(crate) is_strict: bool,
    /// The highest zxid that anybody had seen when it was asked for.
    pub(crate) seen: Zxid,
}

/// Something that a client was told.
#[derive(Debug)]
pub(crate) enum Told {
    /// It has this session, new or not.
    Session(SessionId),
    /// The session that it had is over.
    Expired(SessionId),
    Answer {
        op: Op,
        header: ReplyHeader,
        body: Vec<u8>,
    },
    /// A watch fired.
    Event { path: String, kind: i32 },
    /// Something that no client should be told.
    Nonsense(String),
}

/// What a client has of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Nothing; it dials at that time.
    Down(Micros),
    /// It waits for the connection, or for the answer to its greeting.
    Opening(Micros),
    /// It asked for a session on this one.
    Greeting(ConnId, Micros),
    Open(ConnId),
}

/// What a client wants of the world.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Dial(Machine),
    Send(ConnId, Vec<u8>),
    Close(ConnId),
}

pub(crate) struct Client {
    servers: Vec<Machine>,
    /// The only one that it goes to.
    pub(crate) pinned: Option<Machine>,
    pub(crate) rng: Rng,
    link: Link,
    /// How often it dialled.
    dials: u32,
    server: Machine,
    session: Option<(SessionId, Vec<u8>)>,
    timeout: Micros,
    pub(crate) last_zxid: Zxid,
    /// Writes that succeeded.
    pub(crate) writes: u64,
    next_xid: i32,
    ops: VecDeque<Op>,
    input: Vec<u8>,
    heard: Micros,
    sent: Micros,
    /// It says nothing before that.
    silent_until: Micros,
    /// Set watches, and the zxid of the answer that set them.
    pub(crate) watches: BTreeMap<String, Zxid>,
    wants: Vec<Want>,
    pub(crate) work: Workload,
}

impl Client {
    pub(crate) fn new(machine: Machine, servers: usize, timeout_ms: u64, mut rng: Rng) -> Self {
        let work = Workload::new(machine as u64, &mut rng);
        Self {
            servers: (0..servers).collect(),
            pinned: None,
            link: Link::Down(0),
            dials: 0,
            server: 0,
            session: None,
            timeout: timeout_ms * MS,
            last_zxid: Zxid::ZERO,
            writes: 0,
            next_xid: 1,
            ops: VecDeque::new(),
            input: Vec::new(),
            heard: 0,
            sent: 0,
            silent_until: 0,
            watches: BTreeMap::new(),
            wants: Vec::new(),
            work,
            rng,
        }
    }

    pub(crate) fn session(&self) -> Option<SessionId> {
        self.session.as_ref().map(|(id, _)| *id)
    }

    pub(crate) fn timeout(&self) -> Micros {
        self.timeout
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.link, Link::Open(_))
    }

    /// The server that it is connected to.
    pub(crate) fn server(&self) -> Option<Machine> {
        self.is_open().then_some(self.server)
    }

    pub(crate) fn pending(&self) -> usize {
        self.ops.len()
    }

    pub(crate) fn take_wants(&mut self) -> Vec<Want> {
        std::mem::take(&mut self.wants)
    }

    /// Says nothing for a while, as a client that hangs.
    pub(crate) fn be_silent(&mut self, until: Micros) {
        self.silent_until = until;
    }

    /// When it has something to do at the latest.
    pub(crate) fn due(&self) -> Micros {
        let due = match self.link {
            Link::Down(until) => until,
            Link::Opening(since) | Link::Greeting(_, since) => since + self.patience(),
            Link::Open(_) => {
                let ping = self.sent + self.timeout / 3;
                ping.min(self.heard + self.patience()).min(self.work.due())
            }
        };
        due.max(self.silent_until)
    }

    /// How long it waits for a server to say something.
    fn patience(&self) -> Micros {
        self.timeout * 2 / 3
    }

    /// Time has passed.
    pub(crate) fn turn(&mut self, now: Micros, seen: Zxid) {
        if now < self.silent_until {
            return;
        }
        match self.link {
            Link::Down(until) if now >= until => self.dial(now),
            Link::Opening(since) | Link::Greeting(_, since) if now >= since + self.patience() => {
                self.leave(now);
            }
            Link::Open(_) if now >= self.heard + self.patience() => self.leave(now),
            Link::Open(conn) => {
                if now >= self.work.due() {
                    self.work_on(now, seen);
                } else if now >= self.sent + self.timeout / 3 {
                    self.ping(now, conn);
                }
            }
            _ => {}
        }
    }

    fn dial(&mut self, now: Micros) {
        let others = self.servers.len();
        self.server = self
            .pinned
            .unwrap_or_else(|| self.servers[self.rng.index(others)]);
        self.link = Link::Opening(now);
        self.dials += 1;
        self.wants.push(Want::Dial(self.server));
    }

    /// Gives up what it has of the network.
    pub(crate) fn leave(&mut self, now: Micros) {
        if let Link::Greeting(conn, _) | Link::Open(conn) = self.link {
            self.wants.push(Want::Close(conn));
        }
        self.lost(now);
    }

    /// The connection is gone, or was not to be had.
    pub(crate) fn lost(&mut self, now: Micros) {
        let again = self.rng.skewed(10 * MS, SECOND.min(self.timeout / 4));
        self.link = Link::Down(now + again);
        self.ops.clear();
        self.input.clear();
    }

    /// Whether this is its connection.
    pub(crate) fn has(&self, conn: ConnId) -> bool {
        matches!(self.link, Link::Greeting(own, _) | Link::Open(own) if own == conn)
    }

    /// Whether it still waits for a dial.
    pub(crate) fn is_dialling(&self) -> bool {
        matches!(self.link, Link::Opening(_))
    }

    /// Which dial it waits for.
    pub(crate) fn dials(&self) -> u32 {
        self.dials
    }

    /// The connection is there.
    pub(crate) fn connected(&mut self, now: Micros, conn: ConnId) {
        self.link = Link::Greeting(conn, now);
        if self.session.is_none() {
            self.watches.clear();
        }
        let empty = (SessionId::NONE, vec![0; 16]);
        let (session_id, password) = self.session.as_ref().unwrap_or(&empty);
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.last_zxid,
            timeout_ms: i32::try_from(self.timeout / MS).unwrap_or(i32::MAX),
            session_id: *session_id,
            password: Some(zk_proto::Buffer(password)),
            read_only: Some(false),
        };
        let mut payload = Vec::new();
        request.encode(&mut payload).expect("it encodes");
        self.send(now, conn, &payload);
    }

    fn send(&mut self, now: Micros, conn: ConnId, payload: &[u8]) {
        self.sent = now;
        self.wants.push(Want::Send(conn, frames::frame(payload)));
    }

    fn ping(&mut self, now: Micros, conn: ConnId) {
        let op = self.work.bare(Xid::PING, OpCode::PING);
        self.ask_on(now, conn, op, &[]);
    }

    fn ask_on(&mut self, now: Micros, conn: ConnId, op: Op, body: &[u8]) {
        let payload = frames::request(op.xid, op.kind, body);
        self.ops.push_back(op);
        self.send(now, conn, &payload);
    }

    /// Asks for something, if it is connected.
    pub(crate) fn ask(&mut self, now: Micros, mut op: Op) -> bool {
        let Link::Open(conn) = self.link else {
            return false;
        };
        op.xid = Xid(self.next_xid);
        self.next_xid += 1;
        let body = frames::body(&op);
        self.ask_on(now, conn, op, &body);
        true
    }

    fn work_on(&mut self, now: Micros, seen: Zxid) {
        let idle = self.ops.len() < 40;
        for op in self.work.burst(now, &mut self.rng, idle, seen) {
            self.ask(now, op);
        }
    }

    /// Bytes of its connection: what they tell.
    pub(crate) fn receive(&mut self, now: Micros, bytes: &[u8]) -> Vec<Told> {
        self.heard = now;
        self.input.extend_from_slice(bytes);
        let mut told = Vec::new();
        let input = std::mem::take(&mut self.input);
        let mut rest = &input[..];
        while let Some(payload) = frames::next(&mut rest) {
            match self.link {
                Link::Greeting(conn, _) => told.push(self.greeted(now, conn, payload)),
                Link::Open(_) if self.session.is_some() => told.push(self.answered(payload)),
                // What comes behind the end of its session is nothing to it.
                _ => break,
            }
        }
        if matches!(self.link, Link::Greeting(..) | Link::Open(_)) {
            self.input = rest.to_vec();
        }
        told
    }

    fn greeted(&mut self, now: Micros, conn: ConnId, payload: &[u8]) -> Told {
        let Ok(response) = ConnectResponse::decode(payload) else {
            return Told::Nonsense("a greeting that cannot be read".into());
        };
        if response.session_id == SessionId::NONE {
            let over = self.session().unwrap_or(SessionId::NONE);
            self.forget_session();
            self.leave(now);
            return Told::Expired(over);
        }
        if self
            .session()
            .is_some_and(|session| session != response.session_id)
        {
            return Told::Nonsense("another session than the one asked for".into());
        }
        let password = response.password.map_or(Vec::new(), |it| it.0.to_vec());
        self.session = Some((response.session_id, password));
        self.timeout = u64::try_from(response.timeout_ms).unwrap_or(0) * MS;
        self.link = Link::Open(conn);
        self.set_watches(now, conn);
        Told::Session(response.session_id)
    }

    /// Sets the watches of the connection before again.
    fn set_watches(&mut self, now: Micros, conn: ConnId) {
        if self.watches.is_empty() {
            return;
        }
        let body = frames::set_watches(self.last_zxid, self.watches.keys());
        let op = self.work.bare(Xid::SET_WATCHES, OpCode::SET_WATCHES);
        self.ask_on(now, conn, op, &body);
    }

    fn answered(&mut self, payload: &[u8]) -> Told {
        let Some((header, body)) = frames::answer(payload) else {
            return Told::Nonsense("an answer that cannot be read".into());
        };
        if header.xid == Xid::NOTIFICATION {
            return event(body);
        }
        let Some(op) = self.ops.pop_front() else {
            return Told::Nonsense(format!("an answer to nothing: {header:?}"));
        };
        if op.xid != header.xid {
            return Told::Nonsense(format!("an answer out of order: {header:?} to {op:?}"));
        }
        if op.kind == OpCode::CLOSE_SESSION && header.err.is_ok() {
            self.forget_session();
        }
        let body = body.to_vec();
        Told::Answer { op, header, body }
    }

    fn forget_session(&mut self) {
        self.session = None;
        self.work.start_over();
    }

    /// Believes to have a session, whatever it had.
    pub(crate) fn claim(&mut self, session: SessionId) {
        let password = zk_proto::session_password(session).to_vec();
        self.session = Some((session, password));
    }
}

fn event(body: &[u8]) -> Told {
    let event: Result<WatcherEvent<'_>, _> = jute::from_slice(body);
    match event {
        Ok(event) => Told::Event {
            path: event.path.map_or(String::new(), |path| path.to_string()),
            kind: event.event_type,
        },
        Err(error) => Told::Nonsense(format!("an event that cannot be read: {error}")),
    }
}
