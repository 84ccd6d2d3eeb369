//! A server for tests: connections with sessions, identities and watches
//! around one tree. It has no sockets, sends no bytes and applies each
//! transaction as soon as it is prepared.

use std::collections::{BTreeMap, VecDeque};
use zk_proto::jute::{self, Error};
use zk_proto::txn::{LoggedTxn, Txn};
use zk_proto::{
    Acl, AddWatchMode, ClientInfo, ErrorCode, EventType, Id, MultiReadOp, MultiReadResult,
    MultiResult, OpCode, Perms, ReadRequest, ReplyHeader, Request, RequestHeader, Response,
    SessionId, WatcherType, Xid, Zxid,
};
use zk_tree::{
    Caller, DataTree, NodeRef, NodeTimes, Outcome, Pending, PrepareConfig, Stamp, TreeConfig,
    WatchKind, WatchLists, WatcherId, Watches, masked, prepare, prepare_error,
};

/// What a server sends, still as records.
#[derive(Debug)]
pub(crate) enum Packet {
    /// An answer: its op, header and the bytes of its record.
    Answer(OpCode, ReplyHeader, Vec<u8>),
    /// A notification.
    Event(EventType, String, Zxid),
    /// The answer to createSession.
    Session(SessionId),
}

/// One client.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) session: SessionId,
    pub(crate) identities: Vec<Id<'static>>,
    /// What was sent and not looked at yet.
    pub(crate) sent: VecDeque<Packet>,
    pub(crate) closed: bool,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) tree: DataTree,
    pub(crate) config: PrepareConfig,
    pub(crate) connections: BTreeMap<WatcherId, Connection>,
    pub(crate) watches: Watches,
    pending: Pending,
    /// Last zxid that was given out.
    zxid: Zxid,
    /// digest:user:password pairs and what they hash to.
    passwords: &'static [(&'static str, &'static str)],
}

type Answer = Result<Response<'static>, ErrorCode>;

impl Server {
    pub(crate) fn new(tree: TreeConfig, config: PrepareConfig) -> Self {
        Self {
            tree: DataTree::new(tree),
            config,
            connections: BTreeMap::new(),
            watches: Watches::new(tree.hash_seed),
            pending: Pending::new(tree.hash_seed),
            zxid: Zxid::ZERO,
            passwords: &[],
        }
    }

    pub(crate) const fn with_passwords(
        mut self,
        passwords: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.passwords = passwords;
        self
    }

    /// A connection of a new session, or of one that lives.
    pub(crate) fn connect(&mut self, id: WatcherId, session: SessionId, timeout_ms: i32) {
        let connection = Connection {
            session,
            identities: vec![Id::new("ip", "127.0.0.1")],
            sent: VecDeque::new(),
            closed: false,
        };
        self.connections.insert(id, connection);
        if self.tree.session_timeout(session).is_none() {
            let opened = self.write(id, 0, &Request::CreateSession(timeout_ms));
            assert_eq!(opened, Ok(Response::Empty));
        }
    }

    /// Serves the payload of one frame.
    pub(crate) fn receive(&mut self, id: WatcherId, payload: &[u8]) {
        if self.connections[&id].closed {
            return;
        }
        let Ok((header, body)) = RequestHeader::split(payload) else {
            return self.close(id);
        };
        match Request::decode(header.op, body) {
            // A multi names an unknown type when a part of it has one.
            Err(Error::UnknownType(_)) if !is_multi(header.op) => self.refuse(id, header),
            _ if header.op == OpCode::CHECK => self.refuse(id, header),
            Ok(request) => self.serve(id, header, &request),
            Err(_) if header.op == OpCode::AUTH => self.close(id),
            Err(_) => {
                if matches!(header.op, OpCode::MULTI | OpCode::CREATE_SESSION) {
                    self.log_error(id, header.xid);
                }
                self.answer(id, header, Err(ErrorCode::MARSHALLING_ERROR));
            }
        }
    }

    fn close(&mut self, id: WatcherId) {
        self.connection(id).closed = true;
        self.watches.remove_watcher(id);
    }

    fn connection(&mut self, id: WatcherId) -> &mut Connection {
        self.connections.get_mut(&id).unwrap()
    }

    fn refuse(&mut self, id: WatcherId, header: RequestHeader) {
        let answer = ReplyHeader {
            xid: header.xid,
            zxid: Zxid::NONE,
            err: ErrorCode::UNIMPLEMENTED,
        };
        let packet = Packet::Answer(header.op, answer, Vec::new());
        self.connection(id).sent.push_back(packet);
        self.close(id);
    }

    /// The transaction of a request that cannot be decoded.
    fn log_error(&mut self, id: WatcherId, xid: Xid) {
        let stamp = self.next_stamp();
        let caller = Caller {
            session: self.connections[&id].session,
            cxid: xid.0,
            identities: &[],
        };
        let mut payload = Vec::new();
        prepare_error(&caller, stamp, ErrorCode::MARSHALLING_ERROR, &mut payload);
        let txn = LoggedTxn::decode(&payload).unwrap();
        self.tree.apply(&txn, &mut |_| {});
    }

    fn next_stamp(&mut self) -> Stamp {
        self.zxid = self.zxid.next().unwrap();
        Stamp {
            zxid: self.zxid,
            time_ms: 1_700_000_000_000 + self.zxid.0,
        }
    }

    fn serve(&mut self, id: WatcherId, header: RequestHeader, request: &Request<'_>) {
        match request {
            Request::Ping => {
                let header = RequestHeader {
                    xid: Xid::PING,
                    ..header
                };
                self.answer(id, header, Ok(Response::Empty));
            }
            Request::Auth(auth) => {
                let scheme = auth.scheme.as_deref().unwrap_or("");
                let known = self.authenticate(id, scheme, auth.auth.as_deref());
                self.push_answer(id, header, Zxid::ZERO, known.map(|()| Response::Empty));
                if known.is_err() {
                    self.close(id);
                }
            }
            Request::Sasl(_) => {
                self.push_answer(id, header, Zxid::ZERO, Ok(Response::Sasl(None)));
            }
            Request::CreateSession(_) => {
                let opened = self.write(id, header.xid.0, request);
                assert_eq!(opened, Ok(Response::Empty));
                let session = self.connections[&id].session;
                self.connection(id).sent.push_back(Packet::Session(session));
            }
            Request::Create(..)
            | Request::CreateTtl(_)
            | Request::Delete(_)
            | Request::DeleteContainer(_)
            | Request::SetData(_)
            | Request::SetAcl(_)
            | Request::Multi(_)
            | Request::Reconfig(_)
            | Request::CloseSession => {
                let answer = self.write(id, header.xid.0, request);
                self.answer(id, header, answer);
                if *request == Request::CloseSession {
                    self.close(id);
                }
            }
            read => {
                let answer = self.read(id, read);
                self.answer(id, header, answer);
            }
        }
    }

    fn answer(&mut self, id: WatcherId, header: RequestHeader, answer: Answer) {
        let zxid = self.tree.last_zxid();
        self.push_answer(id, header, zxid, answer);
    }

    fn push_answer(&mut self, id: WatcherId, header: RequestHeader, zxid: Zxid, answer: Answer) {
        let mut body = Vec::new();
        let err = match answer {
            Ok(record) => {
                record.encode(&mut body).unwrap();
                ErrorCode::OK
            }
            Err(code) => code,
        };
        let reply = ReplyHeader {
            xid: header.xid,
            zxid,
            err,
        };
        let packet = Packet::Answer(header.op, reply, body);
        self.connection(id).sent.push_back(packet);
    }

    /// The caller knows what a password hashes to.
    fn authenticate(
        &mut self,
        id: WatcherId,
        scheme: &str,
        auth: Option<&[u8]>,
    ) -> Result<(), ErrorCode> {
        let auth = auth.map(|auth| String::from_utf8_lossy(auth).into_owned());
        match (scheme, auth) {
            ("ip", _) => Ok(()),
            ("digest", Some(auth)) => {
                let known = self.passwords.iter().find(|(plain, _)| *plain == auth);
                let (_, digest) = known.expect("fixtures use known passwords");
                let identities = &mut self.connection(id).identities;
                if auth.starts_with("super:") {
                    identities.push(Id::new("super", ""));
                }
                identities.push(Id::new("digest", *digest));
                Ok(())
            }
            _ => Err(ErrorCode::AUTH_FAILED),
        }
    }

    /// Prepares, applies, tells who watches.
    pub(crate) fn write(&mut self, id: WatcherId, cxid: i32, request: &Request<'_>) -> Answer {
        let stamp = self.next_stamp();
        let caller = Caller {
            session: self.connections[&id].session,
            cxid,
            identities: &self.connections[&id].identities,
        };
        let mut payload = Vec::new();
        let (tree, pending) = (&self.tree, &mut self.pending);
        let prepared = prepare(
            tree,
            pending,
            &self.config,
            &caller,
            stamp,
            request,
            &mut payload,
        );
        let txn = LoggedTxn::decode(&payload).unwrap();
        assert_eq!(txn.header.zxid, stamp.zxid);
        let outcome = self.apply(&txn);
        self.pending.applied(stamp.zxid);
        assert!(self.pending.is_empty());
        if !prepared.error.is_ok() {
            assert_eq!(outcome, Outcome::Error(prepared.error));
            return Err(prepared.error);
        }
        Ok(response(&txn.txn, outcome))
    }

    fn apply(&mut self, txn: &LoggedTxn<'_>) -> Outcome {
        let (watches, connections) = (&mut self.watches, &mut self.connections);
        let rules = &self.config.acl;
        let applied = self.tree.apply(txn, &mut |event| {
            watches.fire(event.kind, event.path, &mut |id| {
                let connection = connections.get_mut(&id).unwrap();
                let entries = event.acl.entries();
                if rules.allows(entries, Perms::READ, &connection.identities) {
                    let path = event.path.to_owned();
                    let packet = Packet::Event(event.kind, path, event.zxid);
                    connection.sent.push_back(packet);
                }
            });
        });
        assert_eq!(applied.digest_mismatch, None, "{txn:?}");
        if let Some(digest) = txn.digest {
            assert_eq!(digest.tree.cast_unsigned(), self.tree.digest(), "{txn:?}");
        }
        applied.outcome
    }

    fn read(&mut self, id: WatcherId, request: &Request<'_>) -> Answer {
        match request {
            Request::Exists(read) => self.exists(id, read),
            Request::GetData(read) => {
                let node = self.readable(id, read.path.as_deref())?;
                let data = node.data().map(|data| data.to_vec().leak() as &[u8]);
                let answer = Response::Data(data.map(Into::into), node.stat());
                self.watch(id, read, WatchKind::Data);
                Ok(answer)
            }
            Request::GetChildren(read) => {
                let node = self.readable(id, read.path.as_deref())?;
                let answer = Response::Names(Some(names(node)));
                self.watch(id, read, WatchKind::Child);
                Ok(answer)
            }
            Request::GetChildren2(read) => {
                let node = self.readable(id, read.path.as_deref())?;
                let answer = Response::NamesStat(Some(names(node)), node.stat());
                self.watch(id, read, WatchKind::Child);
                Ok(answer)
            }
            Request::GetAcl(read) => self.get_acl(id, read.path.as_deref()),
            Request::Sync(read) => Ok(Response::Path(read.path.clone().map(|p| p.into_owned()))),
            Request::GetAllChildrenNumber(read) => {
                let path = self.readable(id, read.path.as_deref())?.path();
                let count = self.tree.count_descendants(&path).unwrap();
                Ok(Response::Count(count as i32))
            }
            Request::GetEphemerals(read) => {
                let prefix = read.path.as_deref().unwrap_or("");
                let mut paths = self.tree.ephemerals(self.connections[&id].session);
                paths.retain(|path| path.starts_with(prefix));
                Ok(Response::Names(Some(
                    paths.into_iter().map(Into::into).collect(),
                )))
            }
            Request::MultiRead(ops) => Ok(self.multi_read(id, ops)),
            Request::WhoAmI => Ok(self.who_am_i(id)),
            watching => self.serve_watches(id, watching),
        }
    }

    fn serve_watches(&mut self, id: WatcherId, request: &Request<'_>) -> Answer {
        match request {
            Request::SetWatches(lists) => self.set_again(id, &lists.into()),
            Request::SetWatches2(lists) => self.set_again(id, &lists.into()),
            Request::AddWatch(add) => {
                let mode = AddWatchMode::from_code(add.mode).ok_or(ErrorCode::MARSHALLING_ERROR)?;
                self.watches.add(id, add.path.as_deref(), mode.into());
                Ok(Response::Error(ErrorCode::OK))
            }
            Request::CheckWatches(which) => {
                let kind = WatcherType::from_code(which.watcher_type)
                    .ok_or(ErrorCode::MARSHALLING_ERROR)?;
                found(self.watches.contains(id, which.path.as_deref(), kind))
            }
            Request::RemoveWatches(which) => {
                let kind = WatcherType::from_code(which.watcher_type)
                    .ok_or(ErrorCode::MARSHALLING_ERROR)?;
                found(self.watches.remove(id, which.path.as_deref(), kind))
            }
            other => panic!("{other:?} is not served"),
        }
    }

    fn exists(&mut self, id: WatcherId, read: &ReadRequest<'_>) -> Answer {
        let path = read.path.as_deref();
        if path.is_some_and(|path| path.contains('\0')) {
            return Err(ErrorCode::BAD_ARGUMENTS);
        }
        let answer = self.readable(id, path).map(|node| node.stat());
        if matches!(answer, Ok(_) | Err(ErrorCode::NO_NODE)) {
            self.watch(id, read, WatchKind::Data);
        }
        answer.map(Response::Stat)
    }

    fn readable(&self, id: WatcherId, path: Option<&str>) -> Result<NodeRef<'_>, ErrorCode> {
        let path = path.ok_or(ErrorCode::MARSHALLING_ERROR)?;
        let node = self.tree.get(path).ok_or(ErrorCode::NO_NODE)?;
        self.check(id, node, Perms::READ)?;
        Ok(node)
    }

    fn check(&self, id: WatcherId, node: NodeRef<'_>, wanted: Perms) -> Result<(), ErrorCode> {
        let identities = &self.connections[&id].identities;
        match self
            .config
            .acl
            .allows(node.acl().entries(), wanted, identities)
        {
            true => Ok(()),
            false => Err(ErrorCode::NO_AUTH),
        }
    }

    fn watch(&mut self, id: WatcherId, read: &ReadRequest<'_>, kind: WatchKind) {
        if read.watch {
            self.watches.add(id, read.path.as_deref(), kind);
        }
    }

    fn get_acl(&self, id: WatcherId, path: Option<&str>) -> Answer {
        let path = path.ok_or(ErrorCode::MARSHALLING_ERROR)?;
        let node = self.tree.get(path).ok_or(ErrorCode::NO_NODE)?;
        self.check(id, node, Perms::READ.union(Perms::ADMIN))?;
        let entries = node.acl().entries();
        let shown = match self.check(id, node, Perms::ADMIN) {
            Ok(()) => entries.to_vec(),
            Err(_) => masked(entries),
        };
        Ok(Response::Acl(Some(shown), node.stat()))
    }

    fn multi_read(&mut self, id: WatcherId, ops: &[MultiReadOp<'_>]) -> Response<'static> {
        let results = ops.iter().map(|op| {
            let (code, request) = match op {
                MultiReadOp::GetData(read) => (OpCode::GET_DATA, Request::GetData(read.clone())),
                MultiReadOp::GetChildren(read) => {
                    (OpCode::GET_CHILDREN, Request::GetChildren(read.clone()))
                }
            };
            match self.read(id, &request) {
                Ok(answer) => MultiReadResult::Ok(code, answer),
                Err(error) => MultiReadResult::Error(error),
            }
        });
        Response::MultiRead(results.collect())
    }

    fn who_am_i(&self, id: WatcherId) -> Response<'static> {
        let info = |id: &Id<'static>| ClientInfo {
            scheme: id.scheme.clone(),
            user: id
                .id
                .as_deref()
                .map(|id| id.split(':').next().unwrap_or("").to_owned().into()),
        };
        let identities = &self.connections[&id].identities;
        Response::ClientInfos(Some(identities.iter().map(info).collect()))
    }

    fn set_again(&mut self, id: WatcherId, lists: &WatchLists<'_, '_>) -> Answer {
        let tree = &self.tree;
        let times = |path: &str| {
            tree.get(path).map(|node| NodeTimes {
                mzxid: node.stored().mzxid,
                pzxid: node.stored().pzxid,
            })
        };
        let sent = &mut self.connections.get_mut(&id).unwrap().sent;
        self.watches.set_again(id, lists, times, |kind, path| {
            sent.push_back(Packet::Event(kind, path.to_owned(), Zxid::NONE));
        });
        match lists.is_whole {
            true => Ok(Response::Empty),
            false => Err(ErrorCode::MARSHALLING_ERROR),
        }
    }
}

fn is_multi(op: OpCode) -> bool {
    matches!(op, OpCode::MULTI | OpCode::MULTI_READ)
}

fn found(found: bool) -> Answer {
    if found {
        Ok(Response::Empty)
    } else {
        Err(ErrorCode::NO_WATCHER)
    }
}

fn names(node: NodeRef<'_>) -> Vec<zk_proto::Ustr<'static>> {
    node.child_names()
        .map(|name| name.to_owned().into())
        .collect()
}

/// What the client is told of its own write.
fn response(txn: &Txn<'_>, outcome: Outcome) -> Response<'static> {
    match (txn, outcome) {
        (Txn::Create(record), Outcome::Created(_)) => {
            Response::Path(Some(record.path.clone().into_owned()))
        }
        (txn, Outcome::Created(stat)) => Response::PathStat(Some(path(txn).into()), stat),
        (_, Outcome::DataSet(stat) | Outcome::AclSet(stat)) => Response::Stat(stat),
        (Txn::Multi(parts), Outcome::Multi(outcomes)) => {
            let parts = parts.iter().map(|part| part.decode().unwrap());
            let results = parts
                .zip(outcomes)
                .map(|(txn, outcome)| part(&txn, outcome));
            Response::Multi(results.collect())
        }
        _ => Response::Empty,
    }
}

fn part(txn: &Txn<'_>, outcome: Outcome) -> MultiResult<'static> {
    match (txn, outcome) {
        (Txn::Create(record), Outcome::Created(_)) => {
            MultiResult::Create(record.path.clone().into_owned())
        }
        (txn, Outcome::Created(stat)) => MultiResult::Create2(path(txn).into(), stat),
        (_, Outcome::DataSet(stat)) => MultiResult::SetData(stat),
        (_, Outcome::Deleted) => MultiResult::Delete,
        (_, Outcome::Checked) => MultiResult::Check,
        (_, Outcome::Error(error)) => MultiResult::Error(error),
        (txn, outcome) => panic!("{txn:?} gave {outcome:?}"),
    }
}

fn path(txn: &Txn<'_>) -> String {
    match txn {
        Txn::Create2(record) => record.path.to_string(),
        Txn::CreateContainer(record) => record.path.to_string(),
        Txn::CreateTtl(record) => record.path.to_string(),
        other => panic!("{other:?} has no path"),
    }
}

/// The body of a create request of the plainest kind.
pub(crate) fn create_body(path: &str, data: &[u8]) -> Vec<u8> {
    let acl = [Acl::open()];
    jute::to_vec(&(path, zk_proto::Buffer(data), &acl[..], 0)).unwrap()
}
