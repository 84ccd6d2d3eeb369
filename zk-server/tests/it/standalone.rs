//! One server and its clients: sessions, order, watches, restarts.

use crate::support::local::Local;
use crate::support::wire::{Wire, create};
use zk_proto::{
    Buffer, DeleteRequest, ErrorCode, OpCode, PathRequest, ReadRequest, Request, Response,
    SetDataRequest, Xid,
};

fn get(path: &str, watch: bool) -> Request<'_> {
    Request::GetData(ReadRequest {
        path: Some(path.into()),
        watch,
    })
}

fn exists(path: &str) -> Request<'_> {
    Request::Exists(ReadRequest {
        path: Some(path.into()),
        watch: false,
    })
}

fn set<'a>(path: &'a str, data: &'a [u8]) -> Request<'a> {
    Request::SetData(SetDataRequest {
        path: Some(path.into()),
        data: Some(Buffer(data)),
        version: -1,
    })
}

#[test]
fn what_is_written_is_read() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.ok(&create("/a", b"one", 0));
    let answer = wire.ok(&get("/a", false));
    let Response::Data(Some(data), stat) = answer.record(OpCode::GET_DATA) else {
        panic!("no data: {answer:?}");
    };
    assert_eq!((&*data, stat.version), (&b"one"[..], 0));
    assert_eq!(wire.err(&create("/a", b"", 0)), ErrorCode::NODE_EXISTS);
    assert_eq!(wire.err(&get("/b", false)), ErrorCode::NO_NODE);
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.ok(&create("/a", b"0", 0));
    let mut expected = Vec::new();
    for round in 0..50u8 {
        let data = [round];
        expected.push((wire.send(&set("/a", &data)), None));
        expected.push((wire.send(&get("/a", false)), Some(round)));
        expected.push((wire.send(&exists("/none")), None));
    }
    for (xid, data) in expected {
        let answer = wire.next().expect("an answer");
        assert_eq!(answer.header.xid, xid);
        if let Some(round) = data {
            let Response::Data(Some(data), _) = answer.record(OpCode::GET_DATA) else {
                panic!("no data");
            };
            assert_eq!(&*data, &[round], "a read saw another write than its own");
        }
    }
}

#[test]
fn an_event_precedes_the_answer_of_the_write_behind_it() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.ok(&create("/a", b"", 0));
    wire.ok(&get("/a", true));
    let xid = wire.send(&set("/a", b"x"));
    let event = wire.next().expect("an event");
    assert_eq!(event.event(), Some((3, "/a".into())));
    let answer = wire.next().expect("an answer");
    assert_eq!(answer.header.xid, xid);
    assert_eq!(event.header.zxid, answer.header.zxid);
}

#[test]
fn ephemerals_go_with_their_session() {
    let server = Local::start("");
    let (mut owner, _) = Wire::open(server.address());
    let (mut other, _) = Wire::open(server.address());
    owner.ok(&create("/e", b"", 1));
    other.ok(&get("/e", true));
    owner.ok(&Request::CloseSession);
    assert!(
        owner.next().is_none(),
        "the server closes behind the answer"
    );
    let event = other.next().expect("an event");
    assert_eq!(event.event(), Some((2, "/e".into())));
    assert_eq!(other.err(&exists("/e")), ErrorCode::NO_NODE);
}

#[test]
fn silent_sessions_expire() {
    let server = Local::start("minSessionTimeout=400");
    let (mut other, _) = Wire::open(server.address());
    let mut silent = Wire::bare(server.address());
    let ticket = silent.handshake(None, 1).expect("a session");
    assert_eq!(ticket.timeout_ms, 400);
    silent.ok(&create("/e", b"", 1));
    other.ok(&get("/e", true));
    let event = other.next().expect("the session expires");
    assert_eq!(event.event(), Some((2, "/e".into())));
    assert!(silent.next().is_none(), "its connection is closed");
    assert!(Wire::resume(server.address(), &ticket).is_none());
}

#[test]
fn a_session_resumes_on_another_connection() {
    let server = Local::start("");
    let (mut first, ticket) = Wire::open(server.address());
    first.ok(&create("/e", b"", 1));
    let mut second = Wire::resume(server.address(), &ticket).expect("it resumes");
    assert!(first.next().is_none(), "the older connection is closed");
    second.ok(&exists("/e"));
}

#[test]
fn a_wrong_password_neither_resumes_nor_disturbs() {
    let server = Local::start("");
    let (mut owner, ticket) = Wire::open(server.address());
    let mut forged = ticket;
    forged.password = vec![7; 16];
    assert!(Wire::resume(server.address(), &forged).is_none());
    owner.ok(&exists("/"));
}

#[test]
fn unknown_operations_are_answered_and_end_the_connection() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.send_body(OpCode(999), b"");
    let answer = wire.next().expect("an answer");
    assert_eq!(answer.header.err, ErrorCode::UNIMPLEMENTED);
    assert_eq!(answer.header.zxid.0, -1);
    assert!(wire.next().is_none());
}

#[test]
fn what_cannot_be_decoded_is_an_error_and_nothing_more() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    for op in [
        OpCode::CREATE,
        OpCode::SET_DATA,
        OpCode::MULTI,
        OpCode::GET_DATA,
        OpCode::SET_WATCHES,
    ] {
        let xid = wire.send_body(op, &[0xff, 0xff]);
        let answer = wire.next().expect("an answer");
        assert_eq!(answer.header.xid, xid);
        assert_eq!(answer.header.err, ErrorCode::MARSHALLING_ERROR, "{op}");
    }
    wire.ok(&create("/still-here", b"", 0));
}

#[test]
fn frames_outside_the_limits_end_the_connection() {
    let server = Local::start("");
    for prefix in [-1i32, 0x10_0000, i32::MAX] {
        let (mut wire, _) = Wire::open(server.address());
        wire.send_raw(&prefix.to_be_bytes());
        assert_eq!(wire.rest(), [], "{prefix}");
    }
    let (mut wire, _) = Wire::open(server.address());
    wire.send_payload(&[]);
    assert_eq!(wire.rest(), [], "a frame without a request");
}

#[test]
fn pings_and_syncs_are_answered() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    wire.send(&Request::Ping);
    assert_eq!(wire.next().expect("a pong").header.xid, Xid::PING);
    let sync = Request::Sync(PathRequest {
        path: Some("/nowhere".into()),
    });
    let answer = wire.ok(&sync);
    let echoed = answer.record(OpCode::SYNC);
    assert_eq!(echoed, Response::Path(Some("/nowhere".into())));
}

#[test]
fn everything_survives_a_restart() {
    let mut server = Local::start("");
    let (mut wire, ticket) = Wire::open(server.address());
    wire.ok(&create("/p", b"kept", 0));
    wire.ok(&create("/e", b"", 1));
    wire.ok(&create("/gone", b"", 0));
    wire.ok(&Request::Delete(DeleteRequest {
        path: Some("/gone".into()),
        version: -1,
    }));
    server.restart();
    let mut wire = Wire::resume(server.address(), &ticket).expect("the session lives");
    let answer = wire.ok(&get("/p", false));
    let Response::Data(Some(data), _) = answer.record(OpCode::GET_DATA) else {
        panic!("no data");
    };
    assert_eq!(&*data, b"kept");
    wire.ok(&exists("/e"));
    assert_eq!(wire.err(&exists("/gone")), ErrorCode::NO_NODE);
}
