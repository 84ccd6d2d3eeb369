//! Requests as tests write them.

use super::wire::{Answer, Wire};
use zk_proto::{
    Acl, AuthPacket, Buffer, CreateRequest, CreateTtlRequest, DeleteRequest, OpCode, PathRequest,
    ReadRequest, Request, Response, SetDataRequest, Xid, jute,
};

/// A flag of create.
pub(crate) const EPHEMERAL: i32 = 1;
/// A flag of create.
pub(crate) const SEQUENTIAL: i32 = 2;
/// What createContainer has for flags.
pub(crate) const CONTAINER: i32 = 4;
/// What createTTL has for flags.
pub(crate) const WITH_TTL: i32 = 5;

fn read(path: &str, watch: bool) -> ReadRequest<'_> {
    ReadRequest {
        path: Some(path.into()),
        watch,
    }
}

pub(crate) fn get(path: &str) -> Request<'_> {
    Request::GetData(read(path, false))
}

/// As [`get`], and leaves a watch.
pub(crate) fn get_and_watch(path: &str) -> Request<'_> {
    Request::GetData(read(path, true))
}

pub(crate) fn exists(path: &str) -> Request<'_> {
    Request::Exists(read(path, false))
}

/// As [`exists`], and leaves a watch.
pub(crate) fn exists_and_watch(path: &str) -> Request<'_> {
    Request::Exists(read(path, true))
}

pub(crate) fn set<'a>(path: &'a str, data: &'a [u8]) -> Request<'a> {
    Request::SetData(SetDataRequest {
        path: Some(path.into()),
        data: Some(Buffer(data)),
        version: -1,
    })
}

pub(crate) fn delete_record(path: &str) -> DeleteRequest<'_> {
    DeleteRequest {
        path: Some(path.into()),
        version: -1,
    }
}

pub(crate) fn delete(path: &str) -> Request<'_> {
    Request::Delete(delete_record(path))
}

pub(crate) fn sync(path: &str) -> Request<'_> {
    Request::Sync(PathRequest {
        path: Some(path.into()),
    })
}

pub(crate) fn create_record<'a>(
    path: &'a str,
    data: &'a [u8],
    acl: Vec<Acl<'a>>,
    flags: i32,
) -> CreateRequest<'a> {
    CreateRequest {
        path: Some(path.into()),
        data: Some(Buffer(data)),
        acl: Some(acl),
        flags,
    }
}

pub(crate) fn create_guarded<'a>(path: &'a str, data: &'a [u8], acl: Vec<Acl<'a>>) -> Request<'a> {
    Request::Create(OpCode::CREATE, create_record(path, data, acl, 0))
}

pub(crate) fn create_container(path: &str) -> Request<'_> {
    let record = create_record(path, b"", vec![Acl::open()], CONTAINER);
    Request::Create(OpCode::CREATE_CONTAINER, record)
}

pub(crate) fn create_ttl(path: &str, ttl_ms: i64) -> Request<'_> {
    Request::CreateTtl(CreateTtlRequest {
        path: Some(path.into()),
        data: Some(Buffer(b"")),
        acl: Some(vec![Acl::open()]),
        flags: WITH_TTL,
        ttl: ttl_ms,
    })
}

/// Proves an identity to the server, which must accept it.
pub(crate) fn authenticate(wire: &mut Wire, scheme: &str, auth: &[u8]) {
    let packet = AuthPacket {
        auth_type: 0,
        scheme: Some(scheme.into()),
        auth: Some(Buffer(auth)),
    };
    let header = zk_proto::RequestHeader {
        xid: Xid::AUTH,
        op: OpCode::AUTH,
    };
    let mut payload = jute::to_vec(&header).expect("it encodes");
    payload.extend(jute::to_vec(&packet).expect("it encodes"));
    wire.send_payload(&payload);
    let answer = wire.next().expect("an answer");
    assert_eq!(answer.header.xid, Xid::AUTH);
    assert!(answer.header.err.is_ok(), "{answer:?}");
}

/// The data of an answer to getData.
pub(crate) fn data_of(answer: &Answer) -> Vec<u8> {
    assert!(answer.header.err.is_ok(), "{answer:?}");
    match answer.record(OpCode::GET_DATA) {
        Response::Data(Some(data), _) => data.to_vec(),
        other => panic!("no data: {other:?}"),
    }
}

/// What a znode's data are once this server has all that was written before.
pub(crate) fn synced_data(wire: &mut Wire, path: &str) -> Vec<u8> {
    wire.ok(&sync("/"));
    data_of(&wire.ok(&get(path)))
}
