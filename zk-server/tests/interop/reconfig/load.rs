//! Sessions that write all the time, each into znodes of its own, and know
//! what every one of them must be: after each answer, and after a connection
//! that was lost with a write under way.

use crate::support::session::{Answer, Session, read};
use parking_lot::{RwLock, RwLockWriteGuard};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use zk_proto::{
    Acl, Buffer, CreateRequest, DeleteRequest, ErrorCode, OpCode, Request, Response,
    SetDataRequest, Stat, Zxid,
};

/// How many children a writer leaves alone.
const CHILDREN: usize = 30;
const EPHEMERAL: i32 = 1;

/// What the writers were told, by path: data and mzxid.
pub(crate) type Acknowledged = BTreeMap<String, (Vec<u8>, Zxid)>;

/// The writers.
#[derive(Debug)]
pub(crate) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Writer>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Held for reading while a write is under way.
    gate: RwLock<()>,
    ends: AtomicBool,
    /// Acknowledged writes.
    count: AtomicU64,
}

/// One session and its znodes.
#[derive(Debug)]
struct Writer {
    session: Session,
    path: String,
    version: i32,
    next: u64,
    children: VecDeque<String>,
    known: Acknowledged,
    shared: Arc<Shared>,
}

impl Load {
    /// `count` writers, the first of which begins at the first server, and so
    /// on.
    pub(crate) fn start(count: usize, addresses: &[SocketAddr]) -> Self {
        let shared = Arc::new(Shared::default());
        let mut admin = Session::open(addresses.to_vec());
        admin.ask(&create("/load", b"", 0)).record(OpCode::CREATE2);
        admin.close();
        let threads = (0..count).map(|number| {
            let mut addresses = addresses.to_vec();
            addresses.rotate_left(number);
            let session = Session::open(addresses);
            let writer = Writer::new(session, number, Arc::clone(&shared));
            std::thread::spawn(|| writer.run())
        });
        let threads = threads.collect();
        Self { shared, threads }
    }

    /// How many writes were acknowledged so far.
    pub(crate) fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Whether a writer found something wrong.
    pub(crate) fn failed(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// No write is under way as long as this is held.
    pub(crate) fn paused(&self) -> RwLockWriteGuard<'_, ()> {
        self.shared.gate.write()
    }

    /// Ends the writing, not the sessions: what must be there, and the
    /// sessions that wrote it.
    pub(crate) fn finish(self) -> (Acknowledged, Vec<Session>) {
        self.shared.ends.store(true, Ordering::Relaxed);
        let mut known = Acknowledged::new();
        let mut sessions = Vec::new();
        for thread in self.threads {
            let writer = thread.join().expect("a writer without complaints");
            known.extend(writer.known);
            sessions.push(writer.session);
        }
        (known, sessions)
    }
}

impl Writer {
    fn new(mut session: Session, number: usize, shared: Arc<Shared>) -> Self {
        let path = format!("/load/{number}");
        let mut known = Acknowledged::new();
        for (path, flags) in [(path.clone(), 0), (format!("{path}-lives"), EPHEMERAL)] {
            let answer = session.ask(&create(&path, b"", flags));
            known.insert(path, (Vec::new(), stat_of(&answer, OpCode::CREATE2).mzxid));
        }
        Self {
            session,
            path,
            version: 0,
            next: 0,
            children: VecDeque::new(),
            known,
            shared,
        }
    }

    fn run(mut self) -> Self {
        while !self.shared.ends.load(Ordering::Relaxed) {
            let shared = Arc::clone(&self.shared);
            let _writes = shared.gate.read();
            self.step();
            shared.count.fetch_add(1, Ordering::Relaxed);
        }
        self
    }

    fn step(&mut self) {
        self.next += 1;
        if !self.next.is_multiple_of(8) {
            self.set();
        } else if self.children.len() < CHILDREN {
            self.create();
        } else {
            self.delete();
        }
    }

    fn set(&mut self) {
        let (path, data) = (self.path.clone(), self.next.to_string().into_bytes());
        let request = Request::SetData(SetDataRequest {
            path: Some(path.as_str().into()),
            data: Some(Buffer(&data)),
            version: self.version,
        });
        let stat = loop {
            if let Ok(answer) = self.session.call(&request) {
                break stat_of(&answer, OpCode::SET_DATA);
            }
            let (found, stat) = self.look(&path).expect("a znode that was created");
            if stat.version == self.version + 1 && found == data {
                break stat;
            }
            assert_eq!(stat.version, self.version, "{path} holds {found:?}");
        };
        self.version += 1;
        assert_eq!(stat.version, self.version, "the version of {path}");
        self.known.insert(path, (data, stat.mzxid));
    }

    fn create(&mut self) {
        let path = format!("{}/{}", self.path, self.next);
        let request = create(&path, b"child", 0);
        let stat = loop {
            match self.session.call(&request) {
                Ok(answer) => break stat_of(&answer, OpCode::CREATE2),
                Err(_) => match self.look(&path) {
                    Some((_, stat)) => break stat,
                    None => continue,
                },
            }
        };
        self.known
            .insert(path.clone(), (b"child".to_vec(), stat.mzxid));
        self.children.push_back(path);
    }

    fn delete(&mut self) {
        let path = self.children.pop_front().expect("there are many");
        let request = Request::Delete(DeleteRequest {
            path: Some(path.as_str().into()),
            version: 0,
        });
        loop {
            match self.session.call(&request) {
                Ok(answer) => {
                    answer.record(OpCode::DELETE);
                    break;
                }
                Err(_) if self.look(&path).is_none() => break,
                Err(_) => {}
            }
        }
        self.known.remove(&path);
    }

    /// What became of a znode when a connection was lost.
    fn look(&mut self, path: &str) -> Option<(Vec<u8>, Stat)> {
        self.session.reconnect();
        let answer = self
            .session
            .ask_synced(&Request::GetData(read(path, false)));
        if answer.header.err == ErrorCode::NO_NODE {
            return None;
        }
        let Response::Data(data, stat) = answer.record(OpCode::GET_DATA) else {
            panic!("no data of {path}");
        };
        Some((data.map(|it| it.to_vec()).unwrap_or_default(), stat))
    }
}

fn stat_of(answer: &Answer, op: OpCode) -> Stat {
    match answer.record(op) {
        Response::Stat(stat) | Response::PathStat(_, stat) => stat,
        other => panic!("{op} has no Stat: {other:?}"),
    }
}

/// create2 of an open znode.
fn create<'a>(path: &'a str, data: &'a [u8], flags: i32) -> Request<'a> {
    Request::Create(
        OpCode::CREATE2,
        CreateRequest {
            path: Some(path.into()),
            data: Some(Buffer(data)),
            acl: Some(vec![Acl::open()]),
            flags,
        },
    )
}
