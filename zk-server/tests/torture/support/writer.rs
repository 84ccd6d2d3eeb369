//! A client that pipelines writes and knows what must be left of them.
//!
//! It alone writes below its znode, so it can predict every answer. What was
//! acknowledged must be there after a crash, and of what was sent behind it a
//! prefix may be: requests of one session take effect in their order.

use crate::support::client::{Client, Ticket, create, create_record, delete, of_path, read, set};
use crate::support::rng::Rng;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use zk_log::Recovered;
use zk_proto::{
    CheckVersionRequest, DeleteRequest, ErrorCode, MultiOp, OpCode, Request, Response, SessionId,
    SetDataRequest, Zxid,
};
use zk_tree::DataTree;

/// Sequential znodes of all writers go here.
pub(crate) const QUEUE: &str = "/queue";
/// No session of a test expires.
pub(crate) const SESSION_MS: i32 = 600_000;

/// Names that a writer uses over and over.
const NAMES: usize = 12;
const EPHEMERAL: i32 = 1;
const SEQUENTIAL: i32 = 2;

/// One write, to a child of the writer's znode or to the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Op {
    Create {
        path: String,
        data: Vec<u8>,
        flags: i32,
    },
    Set {
        path: String,
        data: Vec<u8>,
        version: i32,
    },
    Delete {
        path: String,
        version: i32,
    },
    Check {
        path: String,
        version: i32,
    },
    Multi(Vec<Self>),
    Queue,
}

impl Op {
    fn request(&self) -> Request<'_> {
        match self {
            Self::Create { path, data, flags } => create(path, data, *flags),
            Self::Set {
                path,
                data,
                version,
            } => set(path, data, *version),
            Self::Delete { path, version } => delete(path, *version),
            Self::Multi(ops) => Request::Multi(ops.iter().map(Self::part).collect()),
            Self::Queue => create("/queue/n-", b"queued", SEQUENTIAL),
            Self::Check { .. } => unreachable!("check is legal inside multi only"),
        }
    }

    fn part(&self) -> MultiOp<'_> {
        match self {
            Self::Create { path, data, flags } => {
                MultiOp::Create(OpCode::CREATE, create_record(path, data, *flags))
            }
            Self::Set {
                path,
                data,
                version,
            } => MultiOp::SetData(SetDataRequest {
                path: Some(path.as_str().into()),
                data: Some(zk_proto::Buffer(data)),
                version: *version,
            }),
            Self::Delete { path, version } => MultiOp::Delete(DeleteRequest {
                path: Some(path.as_str().into()),
                version: *version,
            }),
            Self::Check { path, version } => MultiOp::Check(CheckVersionRequest {
                path: Some(path.as_str().into()),
                version: *version,
            }),
            Self::Multi(_) | Self::Queue => unreachable!("these are not parts of a multi"),
        }
    }
}

/// A znode below the writer's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Znode {
    data: Vec<u8>,
    version: i32,
    owner: i64,
}

/// What is below the writer's znode, and how many children it ever had.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    nodes: BTreeMap<String, Znode>,
    created: i32,
}

impl State {
    /// Does a write; the path that it makes, if it makes one.
    fn apply(&mut self, op: &Op, session: i64) -> Result<Option<String>, ErrorCode> {
        match op {
            Op::Create { path, data, flags } => {
                return self.create(path, data, *flags, session).map(Some);
            }
            Op::Set {
                path,
                data,
                version,
            } => {
                let node = self.expect(path, *version)?;
                node.data.clone_from(data);
                node.version += 1;
            }
            Op::Delete { path, version } => {
                self.expect(path, *version)?;
                self.nodes.remove(path);
            }
            Op::Check { path, version } => {
                self.expect(path, *version)?;
            }
            Op::Multi(ops) => {
                let mut all = self.clone();
                for op in ops {
                    all.apply(op, session)?;
                }
                *self = all;
            }
            Op::Queue => {}
        }
        Ok(None)
    }

    fn create(
        &mut self,
        path: &str,
        data: &[u8],
        flags: i32,
        session: i64,
    ) -> Result<String, ErrorCode> {
        let path = match flags & SEQUENTIAL {
            0 => path.to_owned(),
            _ => format!("{path}{:010}", self.created),
        };
        if self.nodes.contains_key(&path) {
            return Err(ErrorCode::NODE_EXISTS);
        }
        self.created += 1;
        let owner = if flags & EPHEMERAL == 0 { 0 } else { session };
        let node = Znode {
            data: data.to_vec(),
            version: 0,
            owner,
        };
        self.nodes.insert(path.clone(), node);
        Ok(path)
    }

    fn expect(&mut self, path: &str, version: i32) -> Result<&mut Znode, ErrorCode> {
        let node = self.nodes.get_mut(path).ok_or(ErrorCode::NO_NODE)?;
        if version != -1 && version != node.version {
            return Err(ErrorCode::BAD_VERSION);
        }
        Ok(node)
    }
}

/// What a writer sent and what it knows.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    home: String,
    session: i64,
    /// What the answers so far promise.
    acked: State,
    /// Sent and not answered, oldest first.
    sent: VecDeque<Op>,
    /// Paths in the queue that were acknowledged.
    pub(crate) queued: Vec<String>,
    /// Writes answered.
    pub(crate) answers: u64,
    /// The highest zxid in an answer.
    pub(crate) seen: Zxid,
}

impl Progress {
    /// Takes the answer to the oldest request.
    fn answered(&mut self, answer: &crate::support::client::Answer) {
        let op = self
            .sent
            .pop_front()
            .expect("an answer belongs to a request");
        let expected = self.acked.apply(&op, self.session);
        let code = expected.as_ref().err().copied().unwrap_or(ErrorCode::OK);
        let context = || format!("{}: {op:?} on {:?}", self.home, self.acked);
        match &op {
            // The session failed only if the whole of it failed with the
            // error of one of its parts, which the header does not tell.
            Op::Multi(_) => {
                let failed = answer.header.err != ErrorCode::OK || has_failed(answer);
                assert_eq!(failed, !code.is_ok(), "{}", context());
            }
            _ => assert_eq!(answer.header.err, code, "{}", context()),
        }
        match (&op, expected) {
            (Op::Queue, _) => self.queued.push(answer.path()),
            (Op::Create { .. }, Ok(Some(path))) => assert_eq!(answer.path(), path),
            _ => {}
        }
        self.answers += 1;
        self.seen = self.seen.max(answer.header.zxid);
    }

    /// What was found must be what was acknowledged and a prefix of the rest.
    pub(crate) fn settle(&mut self, found: State, context: &str) {
        let mut possible = self.acked.clone();
        let mut done = 0;
        while possible != found {
            let Some(op) = self.sent.get(done) else {
                panic!(
                    "{context}: {} is not what was acknowledged and a prefix of the rest\n\
                     found {found:?}\nacknowledged {:?}\nsent behind it {:?}",
                    self.home, self.acked, self.sent
                );
            };
            // What fails changes nothing.
            let _ = possible.apply(op, self.session);
            done += 1;
        }
        self.acked = found;
        self.sent.clear();
    }

    /// Paths of its session's ephemerals, sorted.
    pub(crate) fn ephemerals(&self) -> Vec<String> {
        let nodes = self.acked.nodes.iter();
        let owned = nodes.filter(|(_, node)| node.owner != 0);
        owned.map(|(path, _)| path.clone()).collect()
    }

    /// A recovered tree has everything that was acknowledged, and nothing
    /// that was not sent.
    pub(crate) fn check(&self, recovered: &Recovered, tree: &DataTree, context: &str) {
        assert!(
            recovered.last_zxid >= self.seen,
            "{context}: {} saw {}, but {} is left",
            self.home,
            self.seen,
            recovered.last_zxid
        );
        let session = tree.session_timeout(SessionId(self.session));
        assert_eq!(
            session,
            Some(SESSION_MS),
            "{context}: {}'s session",
            self.home
        );
        for path in &self.queued {
            assert!(
                tree.get(path).is_some(),
                "{context}: {path} was acknowledged"
            );
        }
        self.clone().settle(found_in(tree, &self.home), context);
    }
}

fn has_failed(answer: &crate::support::client::Answer) -> bool {
    let Response::Multi(results) = answer.record(OpCode::MULTI) else {
        panic!("no results");
    };
    let mut results = results.iter();
    results.any(|result| matches!(result, zk_proto::MultiResult::Error(_)))
}

/// One client with a session of its own.
#[derive(Debug)]
pub(crate) struct Writer {
    rng: Rng,
    home: String,
    pub(crate) ticket: Ticket,
    /// Bytes of the largest data that it writes.
    pub(crate) largest: usize,
    pub(crate) progress: Arc<Mutex<Progress>>,
}

impl Writer {
    /// Opens a session and makes its znode.
    pub(crate) fn new(address: SocketAddr, index: usize, seed: u64) -> Self {
        let home = format!("/w{index}");
        let mut client = Client::open(address, SESSION_MS).expect("a session");
        client.ok(&create(&home, b"", 0));
        // Whoever is first makes it.
        client.err(&create(QUEUE, b"", 0));
        let progress = Progress {
            home: home.clone(),
            session: client.ticket.id.0,
            acked: State::default(),
            sent: VecDeque::new(),
            queued: Vec::new(),
            answers: 0,
            seen: client.last_zxid,
        };
        Self {
            rng: Rng::new(seed ^ (index as u64) << 32),
            home,
            ticket: client.ticket.clone(),
            largest: 700,
            progress: Arc::new(Mutex::new(progress)),
        }
    }

    /// The same writer at the same point, in another world.
    pub(crate) fn fork(&self) -> Self {
        Self {
            rng: self.rng.clone(),
            home: self.home.clone(),
            ticket: self.ticket.clone(),
            largest: self.largest,
            progress: Arc::new(Mutex::new(self.progress.lock().clone())),
        }
    }

    /// The same writer, to be used by another thread while this one looks on.
    pub(crate) fn fork_shared(&mut self) -> Self {
        Self {
            rng: self.rng.clone(),
            home: self.home.clone(),
            ticket: self.ticket.clone(),
            largest: self.largest,
            progress: self.progress.clone(),
        }
    }

    /// The highest zxid that it saw.
    pub(crate) fn seen(&self) -> Zxid {
        self.progress.lock().seen
    }

    /// Resumes its session, which must live.
    pub(crate) fn resume(&self, address: SocketAddr) -> io::Result<Client> {
        let client = Client::resume(address, &self.ticket, self.seen())?;
        Ok(client.unwrap_or_else(|| panic!("the session of {} is gone", self.home)))
    }

    /// Writes until the server fails it.
    pub(crate) fn run(&mut self, client: &mut Client) -> io::Error {
        loop {
            if let Err(error) = self.batch(client, 24) {
                return error;
            }
        }
    }

    /// Sends up to `most` writes at once, and takes their answers.
    pub(crate) fn batch(&mut self, client: &mut Client, most: usize) -> io::Result<()> {
        let count = 1 + self.rng.below(most);
        let ops: Vec<Op> = (0..count).map(|_| self.op()).collect();
        let requests: Vec<_> = ops.iter().map(Op::request).collect();
        {
            let mut progress = self.progress.lock();
            progress.sent.extend(ops.iter().cloned());
            client.send(&requests)?;
        }
        for _ in 0..count {
            let answer = client.next()?;
            self.progress.lock().answered(&answer);
        }
        Ok(())
    }

    fn op(&mut self) -> Op {
        match self.rng.below(20) {
            0..=3 => self.create(0),
            4..=5 => self.create(EPHEMERAL),
            6 => self.create(SEQUENTIAL),
            7 => self.create(SEQUENTIAL | EPHEMERAL),
            8..=12 => self.set(),
            13..=15 => self.delete(),
            16..=18 => self.multi(),
            _ => Op::Queue,
        }
    }

    fn path(&mut self) -> String {
        format!("{}/{}", self.home, self.rng.below(NAMES))
    }

    fn data(&mut self) -> Vec<u8> {
        let length = self.rng.pick(&[0, 10, 100, self.largest]);
        let mut data = self.rng.next().to_be_bytes().to_vec();
        data.resize(8 + length, b'x');
        data
    }

    fn version(&mut self) -> i32 {
        self.rng.pick(&[-1, -1, -1, 0, 1])
    }

    fn create(&mut self, flags: i32) -> Op {
        Op::Create {
            path: self.path(),
            data: self.data(),
            flags,
        }
    }

    fn set(&mut self) -> Op {
        Op::Set {
            path: self.path(),
            data: self.data(),
            version: self.version(),
        }
    }

    fn delete(&mut self) -> Op {
        // Sequential znodes too, whose names end in what is likely by now.
        let path = match self.rng.below(3) {
            0 => {
                let created = self.progress.lock().acked.created;
                let back = i32::try_from(self.rng.below(30)).expect("it is small");
                format!("{}{:010}", self.path(), (created - back).max(0))
            }
            _ => self.path(),
        };
        Op::Delete {
            path,
            version: self.version(),
        }
    }

    /// Two znodes that always change together, and other mixtures, some of
    /// which fail.
    fn multi(&mut self) -> Op {
        let data = self.data();
        let pair = |name: &str| format!("{}/{name}", self.home);
        let both = [pair("left"), pair("right")];
        Op::Multi(match self.rng.below(5) {
            0 => both
                .map(|path| Op::Create {
                    path,
                    data: data.clone(),
                    flags: 0,
                })
                .into(),
            1..=2 => both
                .map(|path| Op::Set {
                    path,
                    data: data.clone(),
                    version: -1,
                })
                .into(),
            3 => both.map(|path| Op::Delete { path, version: -1 }).into(),
            _ => vec![
                self.create(0),
                self.set(),
                Op::Check {
                    path: self.path(),
                    version: self.version(),
                },
                self.create(SEQUENTIAL),
                self.delete(),
            ],
        })
    }

    /// What a server has of this writer's znodes.
    pub(crate) fn found_by(&self, client: &mut Client) -> State {
        let names = client.ok(&Request::GetChildren2(read(&self.home)));
        let Response::NamesStat(Some(names), stat) = names.record(OpCode::GET_CHILDREN2) else {
            panic!("no children");
        };
        let paths: Vec<_> = names
            .iter()
            .map(|it| format!("{}/{it}", self.home))
            .collect();
        let requests: Vec<_> = paths.iter().map(|it| Request::GetData(read(it))).collect();
        client.send(&requests).expect("the server lives");
        let mut nodes = BTreeMap::new();
        for path in paths {
            let answer = client.next().expect("the server lives");
            let Response::Data(data, stat) = answer.record(OpCode::GET_DATA) else {
                panic!("no data of {path}");
            };
            let node = Znode {
                data: data.expect("data").to_vec(),
                version: stat.version,
                owner: stat.ephemeral_owner,
            };
            nodes.insert(path, node);
        }
        let created = (stat.cversion + stat.num_children) / 2;
        State { nodes, created }
    }
}

/// What a tree has below a writer's znode.
fn found_in(tree: &DataTree, home: &str) -> State {
    let top = tree.get(home).expect("the writer's znode");
    let children = top.child_names().filter_map(|name| top.child(name));
    let nodes = children.map(|node| {
        let znode = Znode {
            data: node.data().expect("data").to_vec(),
            version: node.stat().version,
            owner: node.stat().ephemeral_owner,
        };
        (node.path(), znode)
    });
    State {
        nodes: nodes.collect(),
        created: top.stored().cversion,
    }
}

/// The children of the queue, as paths.
pub(crate) fn queue(client: &mut Client) -> Vec<String> {
    let answer = client.ok(&Request::GetChildren(read(QUEUE)));
    let Response::Names(Some(names)) = answer.record(OpCode::GET_CHILDREN) else {
        panic!("no children");
    };
    names.iter().map(|name| format!("{QUEUE}/{name}")).collect()
}

/// Paths of a session's ephemerals, as the server knows them.
pub(crate) fn ephemerals(client: &mut Client) -> Vec<String> {
    let answer = client.ok(&Request::GetEphemerals(of_path("/")));
    let Response::Names(Some(names)) = answer.record(OpCode::GET_EPHEMERALS) else {
        panic!("no paths");
    };
    names.iter().map(ToString::to_string).collect()
}
