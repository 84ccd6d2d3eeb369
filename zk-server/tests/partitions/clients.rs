//! The clients: some stay at one server, whatever becomes of it; some move
//! about with their session; guests come, leave an ephemeral and go, with or
//! without a word. They record what they do and judge only what they alone
//! can: whether their session lives.

use crate::board::{Board, Phase};
use crate::history::{Act, ClientId, Key, Moment, Op, Saw, Value};
use crate::netns::Network;
use crate::rng::Rng;
use crate::wire::{self, Answer, Ticket, Welcome, Wire};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use zk_proto::{ErrorCode, OpCode, Response, ServerId, Zxid};

/// Where the sessions of clients that stay have their ephemerals.
pub(crate) const LIVE: &str = "/live";
/// Where those of guests are.
pub(crate) const GUESTS: &str = "/guests";
/// Of each round, the first half are never deleted.
pub(crate) const KEYS: u32 = 4;

/// Longer than any fault takes and its repair: no such session may end.
const SESSION_MS: i32 = 25_000;
/// How long a client that may go elsewhere waits for an answer.
const ROAMER_PATIENCE: Duration = Duration::from_millis(1500);
/// How long one waits that may not; a paused server answers when it goes on.
const PINNED_PATIENCE: Duration = Duration::from_secs(60);
/// How often a client that rests tells that it lives.
const PING_EVERY: Duration = Duration::from_millis(200);

/// Which servers a client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    At(ServerId),
    Anywhere,
}

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    Everything,
    /// Plain reads, which a server answers by itself while it believes that
    /// it may.
    Reads,
}

/// Where clients reach a server.
pub(crate) fn address(server: ServerId) -> SocketAddr {
    (Network::client_address(server), 2181).into()
}

/// A client with one session for the whole run.
#[derive(Debug)]
pub(crate) struct Client {
    id: ClientId,
    home: Home,
    habit: Habit,
    rng: Rng,
    network: Arc<Network>,
    board: Arc<Board>,
    wire: Option<Wire>,
    ticket: Option<Ticket>,
    /// Whether its ephemeral is there.
    has_mark: bool,
    /// Whom it is connected to.
    at: ServerId,
    /// The highest zxid it was told.
    seen: Zxid,
    /// The last versions it was told.
    versions: BTreeMap<Key, i32>,
}

impl Client {
    /// Starts a thread that is the client until the end of the run.
    pub(crate) fn start(
        id: ClientId,
        (home, habit): (Home, Habit),
        seed: u64,
        network: Arc<Network>,
        board: Arc<Board>,
    ) -> JoinHandle<()> {
        let client = Self {
            id,
            home,
            habit,
            rng: Rng::new(seed ^ u64::from(id.0) << 32),
            network,
            board,
            wire: None,
            ticket: None,
            has_mark: false,
            at: ServerId(1),
            seen: Zxid::ZERO,
            versions: BTreeMap::new(),
        };
        std::thread::spawn(move || client.run())
    }

    fn run(mut self) {
        let _watched = self.board.watch();
        self.network.clone().enter();
        loop {
            match self.board.phase() {
                Phase::Work(round) if self.is_connected() => self.work(round),
                Phase::Rest if self.is_connected() => self.rest(),
                Phase::End => break,
                // Not at once again: a server that refuses is not asked in a loop.
                phase => self.pause(phase, 5),
            }
        }
        if let Some(wire) = self.wire {
            // It is the end: nobody asks for more.
            let _ = wire.close();
        }
    }

    /// A pace that leaves the processors to the servers.
    fn pause(&mut self, phase: Phase, most_ms: usize) {
        let pause = Duration::from_micros(100 + self.rng.below(most_ms * 1000) as u64);
        self.board.await_other_phase(phase, pause);
    }

    fn rest(&mut self) {
        let answer = self.wire.as_mut().map(Wire::ping);
        if !matches!(answer, Some(Ok(()))) {
            self.wire = None;
            return;
        }
        self.board.rests(self.id);
        self.board.await_other_phase(Phase::Rest, PING_EVERY);
    }

    fn work(&mut self, round: u32) {
        let index = u32::try_from(self.rng.below(KEYS as usize)).expect("a few keys");
        let key = Key { round, index };
        let act = self.choose(key);
        let invoked = self.board.clock.now();
        let done = self.perform(key, act);
        let answered = self.board.clock.now();
        match done {
            Ok(Some((saw, zxid))) => self.told(key, act, (invoked, answered), (saw, zxid)),
            Ok(None) => self.wire = None,
            Err(_) => {
                self.wire = None;
                self.record(
                    key,
                    act,
                    (invoked, Moment::NEVER),
                    (Saw::Nothing, Zxid::ZERO),
                );
            }
        }
        if self.home == Home::Anywhere && self.rng.below(150) == 0 {
            self.wire = None;
        }
        let pause = match self.habit {
            Habit::Everything => 4,
            Habit::Reads => 20,
        };
        self.pause(Phase::Work(round), pause);
    }

    fn told(&mut self, key: Key, act: Act, times: (Moment, Moment), answer: (Saw, Zxid)) {
        let (saw, zxid) = answer;
        self.seen = self.seen.max(zxid);
        match saw {
            Saw::Wrote { version } | Saw::Data { version, .. } => {
                self.versions.insert(key, version);
            }
            Saw::NoNode | Saw::Deleted => {
                self.versions.remove(&key);
            }
            _ => {}
        }
        self.record(key, act, times, answer);
    }

    fn record(&self, key: Key, act: Act, times: (Moment, Moment), answer: (Saw, Zxid)) {
        self.board.record(Op {
            client: self.id,
            server: self.at,
            key,
            act,
            invoked: times.0,
            answered: times.1,
            saw: answer.0,
            zxid: answer.1,
        });
    }

    fn choose(&mut self, key: Key) -> Act {
        if self.habit == Habit::Reads {
            return Act::Read;
        }
        let stays = key.index < KEYS / 2;
        let value = self.board.new_value();
        let known = self.versions.get(&key).copied();
        match self.rng.below(20) {
            0..=5 => Act::Set(value, None),
            6..=9 => Act::Set(value, Some(known.unwrap_or(0))),
            10..=14 => Act::SyncRead,
            15..=16 => Act::Read,
            17 if !stays => Act::Delete,
            _ if !stays && known.is_none() => Act::Create(value),
            17..=18 => Act::SyncRead,
            _ => Act::Create(value),
        }
    }

    /// Does it; `None` if it was refused for certain.
    fn perform(&mut self, key: Key, act: Act) -> io::Result<Option<(Saw, Zxid)>> {
        let path = key.path();
        let at_once = self.rng.below(2) == 0;
        let Some(wire) = &mut self.wire else {
            return Ok(None);
        };
        let answer = match act {
            Act::Create(value) => wire.call(&wire::create(&path, &data(value), 0))?,
            Act::Set(value, version) => {
                wire.call(&wire::set(&path, &data(value), version.unwrap_or(-1)))?
            }
            Act::Delete => wire.call(&wire::delete(&path))?,
            Act::SyncRead => sync_read(wire, &path, at_once)?,
            Act::Read => wire.call(&wire::get_data(&path))?,
        };
        let zxid = answer.header.zxid;
        Ok(interpret(act, &answer)?.map(|saw| (saw, zxid)))
    }

    /// Connects if it must; whether it is connected then.
    fn is_connected(&mut self) -> bool {
        if self.wire.is_none() {
            self.connect();
        }
        self.wire.is_some() && (self.has_mark || self.make_mark())
    }

    fn connect(&mut self) {
        self.at = match self.home {
            Home::At(server) => server,
            Home::Anywhere => self.rng.pick(self.network.servers()),
        };
        let (address, patience) = (address(self.at), self.patience());
        let welcome = match &self.ticket {
            None => Wire::open(address, SESSION_MS, patience).map(Welcome::Served),
            Some(ticket) => Wire::resume(address, ticket, self.seen, patience),
        };
        match welcome {
            Ok(Welcome::Served(wire)) => self.begin(wire),
            Ok(Welcome::Expired) => {
                let (id, at) = (self.id.0, self.at);
                let now = self.board.clock.now();
                let what = format!("at {now} server {at} does not know the session of client {id}");
                self.board.fail(what);
                self.pause(Phase::Rest, 1000);
            }
            // Nobody serves there.
            Err(_) => {}
        }
    }

    fn begin(&mut self, wire: Wire) {
        if self.ticket.is_none() {
            self.board.begins(wire.ticket.id);
        }
        self.ticket = Some(wire.ticket.clone());
        self.wire = Some(wire);
    }

    const fn patience(&self) -> Duration {
        match self.home {
            Home::At(_) => PINNED_PATIENCE,
            Home::Anywhere => ROAMER_PATIENCE,
        }
    }

    fn make_mark(&mut self) -> bool {
        let path = format!("{LIVE}/{}", self.id.0);
        let request = wire::create(&path, b"", 1);
        let answer = self.wire.as_mut().map(|wire| wire.call(&request));
        self.has_mark = match answer {
            Some(Ok(answer)) => {
                // The first attempt may have had no answer.
                answer.code().is_ok() || answer.code() == ErrorCode::NODE_EXISTS
            }
            _ => false,
        };
        if !self.has_mark {
            self.wire = None;
        }
        self.has_mark
    }
}

/// What is written of a value.
pub(crate) fn data(value: Value) -> Vec<u8> {
    value.0.to_string().into_bytes()
}

/// Reads back [`data`].
pub(crate) fn value(data: &[u8]) -> io::Result<Value> {
    let text = str::from_utf8(data).map_err(io::Error::other)?;
    text.parse().map(Value).map_err(io::Error::other)
}

/// A read behind a sync, in one packet with it or after its answer.
fn sync_read(wire: &mut Wire, path: &str, at_once: bool) -> io::Result<Answer> {
    let both = [wire::sync(path), wire::get_data(path)];
    let (sync, read) = if at_once {
        wire.send(&both)?;
        (wire.answer(1)?, wire.answer(0)?)
    } else {
        (wire.call(&both[0])?, wire.call(&both[1])?)
    };
    if sync.code().is_ok() {
        return Ok(read);
    }
    Err(io::Error::other(format!("sync answers {:?}", sync.code())))
}

/// What an answer says; `None` if nothing was done, for a reason that says
/// nothing of the znode.
pub(crate) fn interpret(act: Act, answer: &Answer) -> io::Result<Option<Saw>> {
    let saw = match answer.code() {
        ErrorCode::OK => return done(act, answer).map(Some),
        ErrorCode::NO_NODE => Saw::NoNode,
        ErrorCode::NODE_EXISTS => Saw::NodeExists,
        ErrorCode::BAD_VERSION => Saw::BadVersion,
        ErrorCode::SESSION_MOVED => return Ok(None),
        code => return Err(io::Error::other(format!("{act:?} answers {code:?}"))),
    };
    Ok(Some(saw))
}

fn done(act: Act, answer: &Answer) -> io::Result<Saw> {
    let zxid = answer.header.zxid;
    let (op, wrote) = match act {
        Act::Create(_) => (OpCode::CREATE2, true),
        Act::Set(..) => (OpCode::SET_DATA, true),
        Act::Delete => return Ok(Saw::Deleted),
        Act::SyncRead | Act::Read => (OpCode::GET_DATA, false),
    };
    match answer.record(op)? {
        Response::Stat(stat) | Response::PathStat(_, stat) if wrote => {
            assert_eq!(stat.mzxid, zxid, "the zxid of {act:?}");
            Ok(Saw::Wrote {
                version: stat.version,
            })
        }
        Response::Data(Some(data), stat) => Ok(Saw::Data {
            value: value(&data)?,
            version: stat.version,
            mzxid: stat.mzxid,
        }),
        other => Err(io::Error::other(format!("{act:?} answers {other:?}"))),
    }
}

/// Guests, one after the other, until the end of the run.
pub(crate) fn start_guests(
    seed: u64,
    timeout_ms: i32,
    network: Arc<Network>,
    board: Arc<Board>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let _watched = board.watch();
        network.enter();
        let mut rng = Rng::new(seed ^ 0x6775_6573_7473);
        for number in 0.. {
            match board.phase() {
                Phase::End => break,
                Phase::Work(_) => {
                    let server = rng.pick(network.servers());
                    let politely = rng.below(2) == 0;
                    // Whoever cannot come in comes another time.
                    let _ = visit(&board, server, number, timeout_ms, politely);
                }
                Phase::Rest => {}
            }
            let pause = Duration::from_millis(20 + rng.below(60) as u64);
            board.await_other_phase(board.phase(), pause);
        }
    })
}

fn visit(
    board: &Board,
    server: ServerId,
    number: u64,
    timeout_ms: i32,
    politely: bool,
) -> io::Result<()> {
    let mut wire = Wire::open(address(server), timeout_ms, ROAMER_PATIENCE)?;
    board.begins(wire.ticket.id);
    let path = format!("{GUESTS}/{number}");
    wire.call(&wire::create(&path, b"", 1))?;
    if politely {
        wire.close()?;
        board.closes(path);
    }
    Ok(())
}
