//! Requests that make no sense, answered as Apache's server answers them.
//! Each was found by sending the same random requests to both.

use crate::support::local::Local;
use crate::support::wire::{Answer, Wire, create};
use zk_proto::{
    Buffer, ConnectRequest, ConnectResponse, CreateRequest, ErrorCode, MultiOp, MultiReadOp,
    OpCode, PathRequest, ReadRequest, Request, Response, SessionId, SetWatches, Zxid, jute,
};

fn exists(path: &str) -> Request<'_> {
    Request::Exists(ReadRequest {
        path: Some(path.into()),
        watch: false,
    })
}

fn path_request(path: Option<&str>) -> PathRequest<'_> {
    PathRequest {
        path: path.map(Into::into),
    }
}

/// The last zxid, by a read that fails.
fn zxid(wire: &mut Wire) -> Zxid {
    wire.call(&exists("/none")).header.zxid
}

fn create_without_acl(flags: i32) -> MultiOp<'static> {
    let record = CreateRequest {
        path: Some("/a".into()),
        data: None,
        acl: None,
        flags,
    };
    MultiOp::Create(OpCode::CREATE, record)
}

/// Apache stumbles over a missing ACL list before the multi has a zxid, and
/// over flags that are none when it has one.
#[test]
fn a_multi_without_an_acl_takes_no_zxid() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    let start = zxid(&mut wire);
    for (flags, taken) in [(0, 0), (6, 0), (77, 1)] {
        let before = zxid(&mut wire);
        let multi = Request::Multi(vec![create_without_acl(flags)]);
        let answer = wire.call(&multi);
        assert_eq!(answer.header.err, ErrorCode::MARSHALLING_ERROR);
        assert_eq!(answer.header.zxid.0 - before.0, taken, "flags {flags}");
    }
    // The same in front of a part that cannot be decoded.
    let mut body = Vec::new();
    let multi = Request::Multi(vec![create_without_acl(0)]);
    multi.encode(&mut body).expect("it encodes");
    let end = body.len() - 9;
    body[end..end + 4].copy_from_slice(&OpCode::SET_ACL.0.to_be_bytes());
    body[end + 4] = 0;
    wire.send_body(OpCode::MULTI, &body);
    let answer = wire.next().expect("an answer");
    assert_eq!(answer.header.err, ErrorCode::MARSHALLING_ERROR);
    assert_eq!(zxid(&mut wire).0 - start.0, 1);
}

#[test]
fn a_delete_container_of_null_takes_no_zxid() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    let before = zxid(&mut wire);
    let request = Request::DeleteContainer(path_request(None));
    assert_eq!(wire.err(&request), ErrorCode::MARSHALLING_ERROR);
    assert_eq!(zxid(&mut wire), before);
}

fn read(path: Option<&str>, watch: bool) -> ReadRequest<'_> {
    ReadRequest {
        path: path.map(Into::into),
        watch,
    }
}

#[test]
fn a_multi_read_leaves_no_watch() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.ok(&Request::MultiRead(vec![
        MultiReadOp::GetChildren(read(Some("/"), true)),
        MultiReadOp::GetData(read(Some("/"), true)),
    ]));
    // The next frame is the answer and no event.
    wire.ok(&create("/a", b"", 0));
}

/// The error is in the header, and behind it is what was read before.
#[test]
fn a_multi_read_of_null_keeps_the_results_before_it() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    let answer = wire.call(&Request::MultiRead(vec![
        MultiReadOp::GetData(read(Some("/none"), false)),
        MultiReadOp::GetData(read(None, false)),
        MultiReadOp::GetData(read(Some("/"), false)),
    ]));
    assert_eq!(answer.header.err, ErrorCode::MARSHALLING_ERROR);
    assert_eq!(results(&answer), 1);
}

/// Writes alone are understood and refused, a mixture is not understood.
#[test]
fn a_multi_read_of_writes_has_no_results() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    let mut body = Vec::new();
    let delete = zk_proto::DeleteRequest {
        path: Some("/a".into()),
        version: -1,
    };
    let writes = Request::Multi(vec![MultiOp::Delete(delete)]);
    writes.encode(&mut body).expect("it encodes");
    wire.send_body(OpCode::MULTI_READ, &body);
    let answer = wire.next().expect("an answer");
    assert_eq!(answer.header.err, ErrorCode::MARSHALLING_ERROR);
    assert_eq!(results(&answer), 0);

    let reads = Request::MultiRead(vec![MultiReadOp::GetData(read(Some("/"), false))]);
    let mut mixed = Vec::new();
    reads.encode(&mut mixed).expect("it encodes");
    mixed.truncate(mixed.len() - 9);
    mixed.extend_from_slice(&body);
    wire.send_body(OpCode::MULTI_READ, &mixed);
    let answer = wire.next().expect("an answer");
    assert_eq!(answer.header.err, ErrorCode::MARSHALLING_ERROR);
    assert!(answer.body.is_empty());
}

fn results(answer: &Answer) -> usize {
    match answer.record(OpCode::MULTI_READ) {
        Response::MultiRead(results) => results.len(),
        other => panic!("no results: {other:?}"),
    }
}

/// The lists up to the null one take effect.
#[test]
fn set_watches_stumbles_where_a_list_is_null() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.send(&Request::SetWatches(SetWatches {
        relative_zxid: Zxid::ZERO,
        data: Some(vec!["/none".into(), "/".into()]),
        exist: None,
        child: Some(vec!["/none".into()]),
    }));
    let event = wire.next().expect("an event").event();
    assert_eq!(event, Some((2, "/none".into())));
    let answer = wire.next().expect("an answer");
    assert_eq!(answer.header.err, ErrorCode::MARSHALLING_ERROR);
}

#[test]
fn a_prefix_of_blanks_means_all_ephemerals() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.ok(&create("/e", b"", 1));
    for (prefix, count) in [("\0", 1), (" / ", 1), ("", 1), ("/x", 0), (" /e", 0)] {
        let answer = wire.ok(&Request::GetEphemerals(path_request(Some(prefix))));
        let Response::Names(Some(names)) = answer.record(OpCode::GET_EPHEMERALS) else {
            panic!("no names: {answer:?}");
        };
        assert_eq!(names.len(), count, "prefix {prefix:?}");
    }
}

/// "" is the root by its other name, under which it counts itself.
#[test]
fn the_root_without_a_name_counts_itself() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    let mut count = |path| {
        let answer = wire.ok(&Request::GetAllChildrenNumber(path_request(Some(path))));
        match answer.record(OpCode::GET_ALL_CHILDREN_NUMBER) {
            Response::Count(count) => count,
            other => panic!("no count: {other:?}"),
        }
    };
    assert_eq!(count("") - count("/"), 1);
}

#[test]
fn sasl_without_a_token_ends_the_connection() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.ok(&Request::Sasl(Some(Buffer(b""))));
    wire.send(&Request::Sasl(None));
    assert_eq!(wire.next(), None);
}

/// createSession from a client is answered like its handshake was.
#[test]
fn an_old_client_gets_old_connect_responses() {
    let server = Local::start("");
    let mut wire = Wire::bare(server.address());
    let request = ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid::ZERO,
        timeout_ms: 30_000,
        session_id: SessionId::NONE,
        password: None,
        read_only: None,
    };
    wire.send_payload(&jute::to_vec(&request).expect("it encodes"));
    wire.send(&Request::CreateSession(30_000));
    for _ in 0..2 {
        let payload = wire.payload().expect("a ConnectResponse");
        let response = ConnectResponse::decode(&payload).expect("it decodes");
        assert_ne!(response.session_id, SessionId::NONE);
        assert_eq!(response.read_only, None);
    }
}
