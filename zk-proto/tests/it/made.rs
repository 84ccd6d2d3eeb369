//! Records made up from numbers: every kind, every null, lengths around the
//! edges. The same numbers make the same records.

use crate::rng::Rng;
use zk_proto::txn::{
    CreateContainerTxn, CreateTtlTxn, CreateTxn, LoggedTxn, SetAclTxn, SetDataTxn, SubTxn, Txn,
    TxnDigest, TxnHeader,
};
use zk_proto::{
    Acl, AddWatchRequest, AuthPacket, Buffer, CheckVersionRequest, ClientInfo, CreateRequest,
    CreateTtlRequest, DeleteRequest, ErrorCode, Id, MultiOp, MultiReadOp, MultiReadResult,
    MultiResult, OpCode, PathRequest, Perms, ReadRequest, ReconfigRequest, Request, Response,
    SessionId, SetAclRequest, SetDataRequest, SetWatches, SetWatches2, Stat, Ustr, WatcherRequest,
    Zxid,
};

pub(crate) const REQUESTS: [OpCode; 29] = [
    OpCode::CREATE,
    OpCode::CREATE2,
    OpCode::CREATE_CONTAINER,
    OpCode::CREATE_TTL,
    OpCode::DELETE,
    OpCode::EXISTS,
    OpCode::GET_DATA,
    OpCode::SET_DATA,
    OpCode::GET_ACL,
    OpCode::SET_ACL,
    OpCode::GET_CHILDREN,
    OpCode::GET_CHILDREN2,
    OpCode::SYNC,
    OpCode::PING,
    OpCode::CHECK,
    OpCode::MULTI,
    OpCode::RECONFIG,
    OpCode::CHECK_WATCHES,
    OpCode::REMOVE_WATCHES,
    OpCode::MULTI_READ,
    OpCode::AUTH,
    OpCode::SET_WATCHES,
    OpCode::SET_WATCHES2,
    OpCode::SASL,
    OpCode::GET_EPHEMERALS,
    OpCode::ADD_WATCH,
    OpCode::WHO_AM_I,
    OpCode::CREATE_SESSION,
    OpCode::CLOSE_SESSION,
];

pub(crate) fn request(rng: &mut Rng, op: OpCode) -> Request<'static> {
    match op {
        OpCode::CREATE_TTL => Request::CreateTtl(create_ttl(rng)),
        OpCode::DELETE => Request::Delete(delete(rng)),
        OpCode::EXISTS => Request::Exists(read(rng)),
        OpCode::GET_DATA => Request::GetData(read(rng)),
        OpCode::SET_DATA => Request::SetData(set_data(rng)),
        OpCode::GET_ACL => Request::GetAcl(path(rng)),
        OpCode::SET_ACL => Request::SetAcl(SetAclRequest {
            path: text(rng),
            acl: acl(rng),
            version: int(rng),
        }),
        OpCode::GET_CHILDREN => Request::GetChildren(read(rng)),
        OpCode::GET_CHILDREN2 => Request::GetChildren2(read(rng)),
        OpCode::SYNC => Request::Sync(path(rng)),
        OpCode::PING => Request::Ping,
        OpCode::CHECK => Request::Check(check(rng)),
        OpCode::MULTI => Request::Multi(list(rng, multi_op)),
        OpCode::RECONFIG => Request::Reconfig(ReconfigRequest {
            joining: text(rng),
            leaving: text(rng),
            members: text(rng),
            config_id: long(rng),
        }),
        OpCode::CHECK_WATCHES => Request::CheckWatches(watcher(rng)),
        OpCode::REMOVE_WATCHES => Request::RemoveWatches(watcher(rng)),
        OpCode::MULTI_READ => Request::MultiRead(list(rng, multi_read_op)),
        OpCode::AUTH => Request::Auth(AuthPacket {
            auth_type: int(rng),
            scheme: text(rng),
            auth: buffer(rng),
        }),
        OpCode::SET_WATCHES => Request::SetWatches(SetWatches {
            relative_zxid: Zxid(long(rng)),
            data: texts(rng),
            exist: texts(rng),
            child: texts(rng),
        }),
        OpCode::SET_WATCHES2 => Request::SetWatches2(SetWatches2 {
            relative_zxid: Zxid(long(rng)),
            data: texts(rng),
            exist: texts(rng),
            child: texts(rng),
            persistent: texts(rng),
            recursive: texts(rng),
        }),
        OpCode::SASL => Request::Sasl(buffer(rng)),
        OpCode::GET_EPHEMERALS => Request::GetEphemerals(path(rng)),
        OpCode::ADD_WATCH => Request::AddWatch(AddWatchRequest {
            path: text(rng),
            mode: int(rng),
        }),
        OpCode::WHO_AM_I => Request::WhoAmI,
        OpCode::CREATE_SESSION => Request::CreateSession(int(rng)),
        OpCode::CLOSE_SESSION => Request::CloseSession,
        create_like => Request::Create(create_like, create(rng)),
    }
}

pub(crate) const RESPONSES: [OpCode; 16] = [
    OpCode::CREATE,
    OpCode::CREATE2,
    OpCode::DELETE,
    OpCode::EXISTS,
    OpCode::GET_DATA,
    OpCode::GET_ACL,
    OpCode::GET_CHILDREN,
    OpCode::GET_CHILDREN2,
    OpCode::GET_ALL_CHILDREN_NUMBER,
    OpCode::GET_EPHEMERALS,
    OpCode::ADD_WATCH,
    OpCode::SASL,
    OpCode::WHO_AM_I,
    OpCode::MULTI,
    OpCode::MULTI_READ,
    OpCode::RECONFIG,
];

pub(crate) fn response(rng: &mut Rng, op: OpCode) -> Response<'static> {
    match op {
        OpCode::CREATE => Response::Path(text(rng)),
        OpCode::CREATE2 => Response::PathStat(text(rng), stat(rng)),
        OpCode::EXISTS => Response::Stat(stat(rng)),
        OpCode::GET_DATA | OpCode::RECONFIG => Response::Data(buffer(rng), stat(rng)),
        OpCode::GET_ACL => Response::Acl(acl(rng), stat(rng)),
        OpCode::GET_CHILDREN | OpCode::GET_EPHEMERALS => Response::Names(texts(rng)),
        OpCode::GET_CHILDREN2 => Response::NamesStat(texts(rng), stat(rng)),
        OpCode::GET_ALL_CHILDREN_NUMBER => Response::Count(int(rng)),
        OpCode::ADD_WATCH => Response::Error(ErrorCode(int(rng))),
        OpCode::SASL => Response::Sasl(buffer(rng)),
        OpCode::WHO_AM_I => Response::ClientInfos(maybe(rng, |rng| {
            list(rng, |rng| ClientInfo {
                scheme: text(rng),
                user: text(rng),
            })
        })),
        OpCode::MULTI => Response::Multi(list(rng, multi_result)),
        OpCode::MULTI_READ => Response::MultiRead(list(rng, multi_read_result)),
        _ => Response::Empty,
    }
}

/// The records that may stand in a multi.
pub(crate) const PARTS: [OpCode; 8] = [
    OpCode::CREATE,
    OpCode::CREATE2,
    OpCode::CREATE_CONTAINER,
    OpCode::CREATE_TTL,
    OpCode::DELETE,
    OpCode::SET_DATA,
    OpCode::CHECK,
    OpCode::ERROR,
];

pub(crate) const TXNS: [OpCode; 13] = [
    OpCode::CREATE_SESSION,
    OpCode::CLOSE_SESSION,
    OpCode::CREATE,
    OpCode::CREATE2,
    OpCode::CREATE_CONTAINER,
    OpCode::CREATE_TTL,
    OpCode::DELETE,
    OpCode::DELETE_CONTAINER,
    OpCode::SET_DATA,
    OpCode::RECONFIG,
    OpCode::SET_ACL,
    OpCode::CHECK,
    OpCode::ERROR,
];

pub(crate) fn logged(rng: &mut Rng, kind: OpCode) -> LoggedTxn<'static> {
    LoggedTxn {
        header: header(rng, kind),
        txn: txn(rng, kind),
        digest: maybe(rng, |rng| TxnDigest {
            version: 2,
            tree: long(rng),
        }),
    }
}

pub(crate) fn header(rng: &mut Rng, kind: OpCode) -> TxnHeader {
    TxnHeader {
        client_id: SessionId(long(rng)),
        cxid: int(rng),
        zxid: Zxid(long(rng)),
        time: long(rng),
        kind,
    }
}

pub(crate) fn txn(rng: &mut Rng, kind: OpCode) -> Txn<'static> {
    match kind {
        OpCode::CREATE_SESSION => Txn::CreateSession(int(rng)),
        OpCode::CLOSE_SESSION => Txn::CloseSession(maybe(rng, |rng| list(rng, some_path))),
        OpCode::CREATE => Txn::Create(create_txn(rng)),
        OpCode::CREATE2 => Txn::Create2(create_txn(rng)),
        OpCode::CREATE_CONTAINER => Txn::CreateContainer(CreateContainerTxn {
            path: some_path(rng),
            data: buffer(rng),
            acl: acl(rng),
            parent_cversion: int(rng),
        }),
        OpCode::CREATE_TTL => Txn::CreateTtl(CreateTtlTxn {
            path: some_path(rng),
            data: buffer(rng),
            acl: acl(rng),
            parent_cversion: int(rng),
            ttl: long(rng),
        }),
        OpCode::DELETE => Txn::Delete(some_path(rng)),
        OpCode::DELETE_CONTAINER => Txn::DeleteContainer(some_path(rng)),
        OpCode::SET_DATA => Txn::SetData(set_data_txn(rng)),
        OpCode::RECONFIG => Txn::Reconfig(set_data_txn(rng)),
        OpCode::SET_ACL => Txn::SetAcl(SetAclTxn {
            path: some_path(rng),
            acl: acl(rng),
            version: int(rng),
        }),
        OpCode::CHECK => Txn::Check(some_path(rng), int(rng)),
        _ => Txn::Error(ErrorCode(int(rng))),
    }
}

pub(crate) fn sub(kind: OpCode, body: &[u8]) -> SubTxn<'_> {
    SubTxn {
        kind,
        data: Buffer(body),
    }
}

fn create_txn(rng: &mut Rng) -> CreateTxn<'static> {
    CreateTxn {
        path: some_path(rng),
        data: buffer(rng),
        acl: acl(rng),
        ephemeral: rng.chance(2),
        parent_cversion: int(rng),
    }
}

fn set_data_txn(rng: &mut Rng) -> SetDataTxn<'static> {
    SetDataTxn {
        path: some_path(rng),
        data: buffer(rng),
        version: int(rng),
    }
}

fn multi_op(rng: &mut Rng) -> MultiOp<'static> {
    match rng.below(7) {
        0 => MultiOp::Create(OpCode::CREATE, create(rng)),
        1 => MultiOp::Create(OpCode::CREATE2, create(rng)),
        2 => MultiOp::Create(OpCode::CREATE_CONTAINER, create(rng)),
        3 => MultiOp::CreateTtl(create_ttl(rng)),
        4 => MultiOp::Delete(delete(rng)),
        5 => MultiOp::SetData(set_data(rng)),
        _ => MultiOp::Check(check(rng)),
    }
}

fn multi_read_op(rng: &mut Rng) -> MultiReadOp<'static> {
    match rng.below(2) {
        0 => MultiReadOp::GetData(read(rng)),
        _ => MultiReadOp::GetChildren(read(rng)),
    }
}

fn multi_result(rng: &mut Rng) -> MultiResult<'static> {
    match rng.below(6) {
        0 => MultiResult::Create(some_path(rng)),
        1 => MultiResult::Create2(some_path(rng), stat(rng)),
        2 => MultiResult::SetData(stat(rng)),
        3 => MultiResult::Delete,
        4 => MultiResult::Check,
        _ => MultiResult::Error(ErrorCode(int(rng))),
    }
}

fn multi_read_result(rng: &mut Rng) -> MultiReadResult<'static> {
    match rng.below(3) {
        0 => MultiReadResult::Ok(OpCode::GET_DATA, response(rng, OpCode::GET_DATA)),
        1 => MultiReadResult::Ok(OpCode::GET_CHILDREN, response(rng, OpCode::GET_CHILDREN)),
        _ => MultiReadResult::Error(ErrorCode(int(rng))),
    }
}

fn create(rng: &mut Rng) -> CreateRequest<'static> {
    CreateRequest {
        path: text(rng),
        data: buffer(rng),
        acl: acl(rng),
        flags: int(rng),
    }
}

fn create_ttl(rng: &mut Rng) -> CreateTtlRequest<'static> {
    CreateTtlRequest {
        path: text(rng),
        data: buffer(rng),
        acl: acl(rng),
        flags: int(rng),
        ttl: long(rng),
    }
}

fn delete(rng: &mut Rng) -> DeleteRequest<'static> {
    DeleteRequest {
        path: text(rng),
        version: int(rng),
    }
}

fn read(rng: &mut Rng) -> ReadRequest<'static> {
    ReadRequest {
        path: text(rng),
        watch: rng.chance(2),
    }
}

fn path(rng: &mut Rng) -> PathRequest<'static> {
    PathRequest { path: text(rng) }
}

fn set_data(rng: &mut Rng) -> SetDataRequest<'static> {
    SetDataRequest {
        path: text(rng),
        data: buffer(rng),
        version: int(rng),
    }
}

fn check(rng: &mut Rng) -> CheckVersionRequest<'static> {
    CheckVersionRequest {
        path: text(rng),
        version: int(rng),
    }
}

fn watcher(rng: &mut Rng) -> WatcherRequest<'static> {
    WatcherRequest {
        path: text(rng),
        watcher_type: int(rng),
    }
}

fn stat(rng: &mut Rng) -> Stat {
    Stat {
        czxid: Zxid(long(rng)),
        mzxid: Zxid(long(rng)),
        ctime: long(rng),
        mtime: long(rng),
        version: int(rng),
        cversion: int(rng),
        aversion: int(rng),
        ephemeral_owner: long(rng),
        data_length: int(rng),
        num_children: int(rng),
        pzxid: Zxid(long(rng)),
    }
}

fn acl(rng: &mut Rng) -> Option<Vec<Acl<'static>>> {
    maybe(rng, |rng| {
        list(rng, |rng| Acl {
            perms: Perms(int(rng)),
            id: Id {
                scheme: text(rng),
                id: text(rng),
            },
        })
    })
}

fn texts(rng: &mut Rng) -> Option<Vec<Ustr<'static>>> {
    maybe(rng, |rng| list(rng, some_path))
}

fn text(rng: &mut Rng) -> Option<Ustr<'static>> {
    maybe(rng, some_path)
}

/// Text of one to five pieces, from every length of UTF-8.
fn some_path(rng: &mut Rng) -> Ustr<'static> {
    const PIECES: [&str; 8] = [
        "/",
        "a",
        "node-0000000001",
        "é",
        "\u{d7ff}",
        "日本",
        "😀",
        "\0",
    ];
    let pieces = (0..rng.below(5)).map(|_| PIECES[rng.below(PIECES.len())]);
    Ustr::from(format!("/{}", pieces.collect::<String>()))
}

pub(crate) fn buffer(rng: &mut Rng) -> Option<Buffer<'static>> {
    static POOL: [u8; 300] = [0xa5; 300];
    maybe(rng, |rng| Buffer(&POOL[..rng.below(POOL.len())]))
}

/// Numbers that may be taken for lengths, and any others.
pub(crate) fn int(rng: &mut Rng) -> i32 {
    match rng.below(4) {
        0 => -1,
        1 => i32::try_from(rng.below(9)).unwrap(),
        2 => i32::MIN,
        _ => rng.next() as i32,
    }
}

pub(crate) fn long(rng: &mut Rng) -> i64 {
    match rng.below(3) {
        0 => -1,
        1 => i64::from(int(rng)),
        _ => rng.next().cast_signed(),
    }
}

pub(crate) fn maybe<T>(rng: &mut Rng, make: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    (!rng.chance(5)).then(|| make(rng))
}

fn list<T>(rng: &mut Rng, make: impl Fn(&mut Rng) -> T) -> Vec<T> {
    (0..rng.below(4)).map(|_| make(rng)).collect()
}
