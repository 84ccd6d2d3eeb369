//! Which error wins when a request has two faults: every operation with
//! every pair of its faults. The lists stand in the order in which
//! `PrepRequestProcessor` of Apache 3.9.5 looks.

use crate::leader::{Client, Leader};
use crate::requests as make;
use zk_proto::{
    Acl, CheckVersionRequest, CreateRequest, CreateTtlRequest, DeleteRequest, ErrorCode, MultiOp,
    OpCode, PathRequest, Perms, Request, SetAclRequest, SetDataRequest, Ustr,
};
use zk_tree::{Outcome, PrepareConfig};

/// What can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Flags,
    Ttl,
    Session,
    NullPath,
    /// No slash, a NUL, or a path that nobody may delete.
    ImpossiblePath,
    Acl,
    NullId,
    NoParent,
    NoNode,
    NoAuth,
    /// A path with a parent that no znode may have.
    BadPath,
    Exists,
    EphemeralParent,
    Ephemeral,
    Quota,
    Version,
    NotEmpty,
}

use Fault::{
    Acl as BadAcl, BadPath, Ephemeral, EphemeralParent, Exists, Flags, ImpossiblePath, NoAuth,
    NoNode, NoParent, NotEmpty, NullId, NullPath, Quota, Session, Ttl, Version,
};

const fn code(fault: Fault) -> ErrorCode {
    match fault {
        Flags | Ttl | ImpossiblePath | BadPath => ErrorCode::BAD_ARGUMENTS,
        Session => ErrorCode::SESSION_EXPIRED,
        NullPath | NullId => ErrorCode::MARSHALLING_ERROR,
        BadAcl => ErrorCode::INVALID_ACL,
        NoParent | NoNode => ErrorCode::NO_NODE,
        NoAuth => ErrorCode::NO_AUTH,
        Exists => ErrorCode::NODE_EXISTS,
        EphemeralParent => ErrorCode::NO_CHILDREN_FOR_EPHEMERALS,
        Ephemeral | Version => ErrorCode::BAD_VERSION,
        Quota => ErrorCode::QUOTA_EXCEEDED,
        NotEmpty => ErrorCode::NOT_EMPTY,
    }
}

/// The order of an operation's checks, and a request with some faults of
/// them, if there can be one.
struct Operation {
    name: &'static str,
    order: &'static [Fault],
    build: fn(&[Fault]) -> Option<Request<'static>>,
}

const OPERATIONS: [Operation; 7] = [
    Operation {
        name: "create",
        order: &[
            Flags,
            Session,
            NullPath,
            ImpossiblePath,
            BadAcl,
            NullId,
            NoParent,
            NoAuth,
            BadPath,
            Exists,
            EphemeralParent,
            Quota,
        ],
        build: create,
    },
    Operation {
        name: "createTTL",
        order: &[
            Flags,
            Ttl,
            Session,
            NullPath,
            ImpossiblePath,
            BadAcl,
            NullId,
            NoParent,
            NoAuth,
            BadPath,
            Exists,
            EphemeralParent,
            Quota,
        ],
        build: create_ttl,
    },
    Operation {
        name: "delete",
        order: &[
            Session,
            NullPath,
            ImpossiblePath,
            NoParent,
            NoAuth,
            NoNode,
            Version,
            NotEmpty,
        ],
        build: delete,
    },
    Operation {
        name: "deleteContainer",
        order: &[NullPath, ImpossiblePath, NoNode, NotEmpty, Ephemeral],
        build: delete_container,
    },
    Operation {
        name: "setData",
        order: &[Session, BadPath, NoNode, NoAuth, Quota, Version],
        build: set_data,
    },
    Operation {
        name: "setACL",
        order: &[Session, BadPath, BadAcl, NullId, NoNode, NoAuth, Version],
        build: set_acl,
    },
    Operation {
        name: "check",
        order: &[Session, BadPath, NoNode, NoAuth, Version],
        build: check,
    },
];

#[test]
fn the_first_check_that_fails_answers() {
    let mut pairs = 0;
    for operation in &OPERATIONS {
        let order = operation.order;
        for (at, first) in order.iter().enumerate() {
            assert_eq!(
                answer(operation, &[*first]),
                Some(code(*first)),
                "{} {first:?}",
                operation.name
            );
            for second in &order[at + 1..] {
                let faults = [*first, *second];
                if let Some(answer) = answer(operation, &faults) {
                    assert_eq!(answer, code(*first), "{} {faults:?}", operation.name);
                    pairs += 1;
                }
            }
        }
        assert_eq!(
            answer(operation, &[]),
            Some(ErrorCode::OK),
            "{}",
            operation.name
        );
    }
    assert!(pairs > 110, "{pairs} pairs are possible");
}

/// Every znode that a fault needs, made by somebody who may.
fn leader() -> Leader {
    let config = PrepareConfig {
        enforce_quota: true,
        ..PrepareConfig::default()
    };
    let mut leader = Leader::new(config);
    let maker = Client::new(2);
    leader.write(&maker, &Request::CreateSession(4000));
    leader.write(&Client::new(1), &Request::CreateSession(4000));
    let closed = || Acl::new(Perms::ADMIN, "digest", "maker:hash");
    let requests = [
        make::create("/zookeeper/quota/full", 0),
        make::create("/open", 0),
        make::create("/open/kid", 0),
        make::create("/open/kid/x", 0),
        make::create("/open/empty", 0),
        make::create("/locked", 0),
        make::create("/locked/kid", 0),
        make::create("/locked/kid/x", 0),
        make::create("/locked/empty", 0),
        make::create("/full", 0),
        make::create("/full/kid", 0),
        make::create("/full/locked", 0),
        make::create("/full/locked/kid", 0),
        make::create("/full/eph", 1),
        make::create("/eph", 1),
        make::create("/lockedeph", 1),
        make::set_acl("/locked", closed(), -1),
        make::set_acl("/locked/kid", closed(), -1),
        make::set_acl("/locked/empty", closed(), -1),
        make::set_acl("/full/locked", closed(), -1),
        make::set_acl("/lockedeph", closed(), -1),
    ];
    for request in requests {
        assert_eq!(leader.write(&maker, &request), ErrorCode::OK, "{request:?}");
    }
    for (name, data) in [
        (
            "/zookeeper/quota/full/zookeeper_limits",
            &b"count=-1,bytes=-1=;byteHardLimit=24;countHardLimit=6"[..],
        ),
        ("/zookeeper/quota/full/zookeeper_stats", b"count=0,bytes=0"),
    ] {
        let request = Request::Create(OpCode::CREATE, make::create_record(name, data, 0));
        assert_eq!(leader.write(&maker, &request), ErrorCode::OK);
    }
    // Of six znodes and 24 bytes that may be, five and 20 are there.
    assert_eq!(
        leader.write(&maker, &make::create("/full/last", 0)),
        ErrorCode::OK
    );
    leader
}

fn answer(operation: &Operation, faults: &[Fault]) -> Option<ErrorCode> {
    let request = (operation.build)(faults)?;
    let mut leader = leader();
    let session = if faults.contains(&Session) { 9 } else { 1 };
    let client = Client::new(session);
    let error = leader.prepare(&client, &request).error;
    let outcome = leader.apply_one().outcome;
    Some(match outcome {
        Outcome::Multi(parts) => parts.first().map_or(error, |part| match part {
            Outcome::Error(error) => *error,
            _ => ErrorCode::OK,
        }),
        _ => error,
    })
}

/// A parent with the wanted faults: (without, with) a quota that is full.
fn parent(faults: &[Fault]) -> Option<&'static str> {
    let has = |fault| faults.contains(&fault);
    Some(
        match (has(NoParent), has(NoAuth), has(EphemeralParent), has(Quota)) {
            (false, false, false, false) => "/open",
            (false, true, false, false) => "/locked",
            (false, false, true, false) => "/eph",
            (false, true, true, false) => "/lockedeph",
            (false, false, false, true) => "/full",
            (false, true, false, true) => "/full/locked",
            (false, false, true, true) => "/full/eph",
            (true, false, false, false) => "/missing",
            _ => return None,
        },
    )
}

/// A path to create, with "/kid" there under parents that can have children.
fn new_path(faults: &[Fault]) -> Option<Option<Ustr<'static>>> {
    let has = |fault| faults.contains(&fault);
    let odd = [NullPath, ImpossiblePath, BadPath]
        .iter()
        .filter(|odd| has(**odd))
        .count();
    let parent = parent(faults)?;
    if odd > 1 || has(Exists) && (odd > 0 || has(NoParent) || has(EphemeralParent)) {
        return None;
    }
    let name = match (has(Exists), has(BadPath), has(ImpossiblePath)) {
        (true, ..) => "kid",
        (_, true, _) => "..",
        (_, _, true) => "a\0",
        _ => "new",
    };
    Some((!has(NullPath)).then(|| format!("{parent}/{name}").into()))
}

/// A list with the wanted fault.
fn acl(faults: &[Fault]) -> Option<Option<Vec<Acl<'static>>>> {
    let mut null = Acl::open();
    null.id.id = None;
    match (faults.contains(&BadAcl), faults.contains(&NullId)) {
        (false, false) => Some(Some(vec![Acl::open()])),
        (true, false) => Some(Some(vec![])),
        (false, true) => Some(Some(vec![null])),
        // An unknown scheme first, then a null id.
        (true, true) => Some(Some(vec![Acl::new(Perms::ALL, "zzz", "q"), null])),
    }
}

fn create(faults: &[Fault]) -> Option<Request<'static>> {
    let record = CreateRequest {
        path: new_path(faults)?,
        data: None,
        acl: acl(faults)?,
        flags: if faults.contains(&Flags) { 9 } else { 0 },
    };
    Some(Request::Create(OpCode::CREATE2, record))
}

fn create_ttl(faults: &[Fault]) -> Option<Request<'static>> {
    Some(Request::CreateTtl(CreateTtlRequest {
        path: new_path(faults)?,
        data: None,
        acl: acl(faults)?,
        flags: if faults.contains(&Flags) { 9 } else { 5 },
        ttl: if faults.contains(&Ttl) { 0 } else { 5000 },
    }))
}

/// A path to delete or change.
fn old_path(faults: &[Fault]) -> Option<Option<Ustr<'static>>> {
    let has = |fault| faults.contains(&fault);
    let odd = [NullPath, ImpossiblePath, BadPath]
        .iter()
        .filter(|odd| has(**odd))
        .count();
    if odd > 1
        || (has(NoNode) || has(NoParent)) && (has(Version) || has(NotEmpty) || has(Ephemeral))
    {
        return None;
    }
    if has(ImpossiblePath) {
        return Some(Some("/zookeeper".into()));
    }
    let parent = parent(faults)?;
    let name = match (has(NoNode), has(NotEmpty), has(BadPath)) {
        (true, false, _) => "none",
        (false, true, false) => "kid",
        (false, false, true) => "..",
        (false, false, false) => "empty",
        _ => return None,
    };
    Some((!has(NullPath)).then(|| format!("{parent}/{name}").into()))
}

const fn version(faulty: bool) -> i32 {
    if faulty { 5 } else { -1 }
}

fn delete(faults: &[Fault]) -> Option<Request<'static>> {
    // A locked znode below a full quota is none of these.
    Some(Request::Delete(DeleteRequest {
        path: old_path(faults)?,
        version: version(faults.contains(&Version)),
    }))
}

fn delete_container(faults: &[Fault]) -> Option<Request<'static>> {
    let path = match faults {
        // Ephemerals have no children.
        [NotEmpty, Ephemeral] => return None,
        faults if faults.contains(&Ephemeral) && faults.len() == 1 => Some("/eph".into()),
        faults if faults.contains(&Ephemeral) && faults[0] == NullPath => None,
        faults => old_path(faults)?,
    };
    Some(Request::DeleteContainer(PathRequest { path }))
}

/// A znode to change, by its own faults: (path, whether null).
fn own_path(faults: &[Fault]) -> Option<Ustr<'static>> {
    let has = |fault| faults.contains(&fault);
    if has(BadPath) {
        return Some("/open/..".into());
    }
    if has(NoNode) {
        return (!has(NoAuth) && !has(Quota) && !has(Version)).then(|| "/open/none".into());
    }
    Some(match (has(NoAuth), has(Quota)) {
        (false, false) => "/open".into(),
        (true, false) => "/locked/empty".into(),
        (false, true) => "/full".into(),
        (true, true) => "/full/locked".into(),
    })
}

fn set_data(faults: &[Fault]) -> Option<Request<'static>> {
    Some(Request::SetData(SetDataRequest {
        path: Some(own_path(faults)?),
        data: Some(zk_proto::Buffer(&[0; 100])),
        version: version(faults.contains(&Version)),
    }))
}

fn set_acl(faults: &[Fault]) -> Option<Request<'static>> {
    // The maker's list grants ADMIN to the maker alone.
    Some(Request::SetAcl(SetAclRequest {
        path: Some(own_path(faults)?),
        acl: acl(faults)?,
        version: version(faults.contains(&Version)),
    }))
}

fn check(faults: &[Fault]) -> Option<Request<'static>> {
    let record = CheckVersionRequest {
        path: Some(own_path(faults)?),
        version: version(faults.contains(&Version)),
    };
    Some(Request::Multi(vec![MultiOp::Check(record)]))
}
