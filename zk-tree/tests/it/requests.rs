//! Requests, made short: the plain ones by name, and odd ones by chance.

use crate::leader::{Client, Leader};
use crate::random::Random;
use zk_proto::{
    Acl, Buffer, CheckVersionRequest, CreateRequest, CreateTtlRequest, DeleteRequest, ErrorCode,
    Id, MultiOp, OpCode, PathRequest, Perms, Request, SetAclRequest, SetDataRequest, Ustr,
};
use zk_tree::PrepareConfig;

fn path(path: &str) -> Option<Ustr<'_>> {
    Some(path.into())
}

pub(crate) fn create_record<'a>(at: &'a str, data: &'a [u8], flags: i32) -> CreateRequest<'a> {
    CreateRequest {
        path: path(at),
        data: Some(Buffer(data)),
        acl: Some(vec![Acl::open()]),
        flags,
    }
}

pub(crate) fn create(at: &str, flags: i32) -> Request<'_> {
    Request::Create(OpCode::CREATE, create_record(at, b"data", flags))
}

pub(crate) fn create_with<'a>(at: &'a str, acl: Acl<'a>) -> Request<'a> {
    let record = CreateRequest {
        acl: Some(vec![acl]),
        ..create_record(at, b"", 0)
    };
    Request::Create(OpCode::CREATE, record)
}

pub(crate) fn create_ttl_record(at: &str, flags: i32, ttl: i64) -> CreateTtlRequest<'_> {
    CreateTtlRequest {
        path: path(at),
        data: None,
        acl: Some(vec![Acl::open()]),
        flags,
        ttl,
    }
}

pub(crate) fn delete(at: &str, version: i32) -> Request<'_> {
    Request::Delete(DeleteRequest {
        path: path(at),
        version,
    })
}

pub(crate) fn delete_container(at: &str) -> Request<'_> {
    Request::DeleteContainer(PathRequest { path: path(at) })
}

pub(crate) fn set_data<'a>(at: &'a str, data: &'a [u8], version: i32) -> Request<'a> {
    Request::SetData(set_data_record(at, data, version))
}

pub(crate) fn set_data_record<'a>(at: &'a str, data: &'a [u8], version: i32) -> SetDataRequest<'a> {
    SetDataRequest {
        path: path(at),
        data: Some(Buffer(data)),
        version,
    }
}

pub(crate) fn check_record(at: &str, version: i32) -> CheckVersionRequest<'_> {
    CheckVersionRequest {
        path: path(at),
        version,
    }
}

pub(crate) fn set_acl<'a>(at: &'a str, acl: Acl<'a>, version: i32) -> Request<'a> {
    Request::SetAcl(SetAclRequest {
        path: path(at),
        acl: Some(vec![acl]),
        version,
    })
}

const NAMES: [&str; 4] = ["a", "b", "é", "q"];
const ODD: [&str; 12] = [
    "/",
    "",
    "a",
    "/a/",
    "//a",
    "/a//b",
    "/a/..",
    "/zookeeper",
    "/zookeeper/x",
    "/zookeeper/config",
    "/\u{1}",
    "/a\0",
];
const DATA: [&[u8]; 3] = [b"", b"x", b"some longer data"];

/// Four clients; the first one has no identity, the last is super.
pub(crate) fn clients() -> Vec<Client> {
    let ids: [&[(&str, &str)]; 4] = [
        &[],
        &[("ip", "10.0.0.1"), ("digest", "bob:hash")],
        &[("digest", "eve:hash")],
        &[("super", ""), ("digest", "super:hash")],
    ];
    (1..)
        .zip(ids)
        .map(|(session, ids)| Client {
            identities: ids
                .iter()
                .map(|(scheme, id)| Id::new((*scheme).to_owned(), (*id).to_owned()))
                .collect(),
            ..Client::new(session)
        })
        .collect()
}

fn any_path(random: &mut Random) -> Option<Ustr<'static>> {
    if random.below(20) == 0 {
        return match random.below(ODD.len() + 1) {
            0 => None,
            odd => path(ODD[odd - 1]),
        };
    }
    let depth = 1 + random.below(3);
    let text: String = (0..depth)
        .flat_map(|_| ["/", NAMES[random.below(NAMES.len())]])
        .collect();
    Some(text.into())
}

fn any_data(random: &mut Random) -> Option<Buffer<'static>> {
    let choice = random.below(DATA.len() + 1);
    DATA.get(choice).map(|data| Buffer(data))
}

fn any_acl(random: &mut Random) -> Option<Vec<Acl<'static>>> {
    let entry = |perms, scheme: &'static str, id: &'static str| Acl::new(Perms(perms), scheme, id);
    Some(match random.below(16) {
        0 => vec![entry(1, "world", "anyone")],
        1 => vec![entry(31, "digest", "bob:hash")],
        2 => vec![entry(31, "auth", "")],
        3 => vec![entry(1, "world", "anyone"), entry(31, "ip", "10.0.0.0/8")],
        4 => vec![entry(31, "zzz", "q")],
        5 => return None,
        6 => vec![entry(31, "world", "anyone"), entry(31, "world", "anyone")],
        _ => vec![Acl::open()],
    })
}

fn any_version(random: &mut Random) -> i32 {
    [-1, -1, -1, 0, 1, 2][random.below(6)]
}

fn any_create(random: &mut Random) -> CreateRequest<'static> {
    CreateRequest {
        path: any_path(random),
        data: any_data(random),
        acl: any_acl(random),
        flags: [0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 7][random.below(11)],
    }
}

fn any_create_ttl(random: &mut Random) -> CreateTtlRequest<'static> {
    let CreateRequest {
        path, data, acl, ..
    } = any_create(random);
    CreateTtlRequest {
        path,
        data,
        acl,
        flags: [5, 5, 6, 0, 4, 9][random.below(6)],
        ttl: [1, 3_600_000, 0, -1][random.below(4)],
    }
}

fn any_create_op(random: &mut Random) -> OpCode {
    [OpCode::CREATE, OpCode::CREATE2, OpCode::CREATE_CONTAINER][random.below(3)]
}

fn any_delete(random: &mut Random) -> DeleteRequest<'static> {
    DeleteRequest {
        path: any_path(random),
        version: any_version(random),
    }
}

fn any_set_data(random: &mut Random) -> SetDataRequest<'static> {
    SetDataRequest {
        path: any_path(random),
        data: any_data(random),
        version: any_version(random),
    }
}

fn any_op(random: &mut Random) -> MultiOp<'static> {
    match random.below(9) {
        0..4 => MultiOp::Create(any_create_op(random), any_create(random)),
        4 => MultiOp::CreateTtl(any_create_ttl(random)),
        5 => MultiOp::Delete(any_delete(random)),
        6 | 7 => MultiOp::SetData(any_set_data(random)),
        _ => MultiOp::Check(CheckVersionRequest {
            path: any_path(random),
            version: any_version(random),
        }),
    }
}

/// Any write.
pub(crate) fn any_request(random: &mut Random) -> Request<'static> {
    match random.below(40) {
        0..16 => Request::Create(any_create_op(random), any_create(random)),
        16..18 => Request::CreateTtl(any_create_ttl(random)),
        18..24 => Request::Delete(any_delete(random)),
        24..30 => Request::SetData(any_set_data(random)),
        30..32 => Request::SetAcl(SetAclRequest {
            path: any_path(random),
            acl: any_acl(random),
            version: any_version(random),
        }),
        32 => Request::DeleteContainer(PathRequest {
            path: any_path(random),
        }),
        33 => Request::CloseSession,
        34 | 35 => Request::CreateSession(4000),
        _ => Request::Multi((0..random.below(5)).map(|_| any_op(random)).collect()),
    }
}

/// A leader whose clients have sessions, and a quota on /q.
pub(crate) fn quota_leader(config: &PrepareConfig) -> Leader {
    let mut leader = Leader::new(config.clone());
    for client in clients() {
        let opened = leader.write(&client, &Request::CreateSession(4000));
        assert_eq!(opened, ErrorCode::OK);
    }
    let limits = b"count=3,bytes=9=;byteHardLimit=30;countHardLimit=6";
    for (path, data) in [
        ("/zookeeper/quota/q", &b""[..]),
        ("/zookeeper/quota/q/zookeeper_limits", limits),
        ("/zookeeper/quota/q/zookeeper_stats", b"count=0,bytes=0"),
    ] {
        let record = create_record(path, data, 0);
        let request = Request::Create(OpCode::CREATE, record);
        assert_eq!(leader.write(&clients()[0], &request), ErrorCode::OK);
    }
    leader
}
