//! What a server refuses: requests too large, clients without a name, and
//! what it cannot decode.

use crate::support::local::Local;
use crate::support::wire::{Answer, Wire, create};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use zk_proto::{
    AuthPacket, Buffer, ErrorCode, OpCode, PathRequest, Perms, ReadRequest, Request, Xid, jute,
};

const REFUSED: ErrorCode = ErrorCode::SESSION_CLOSED_REQUIRE_SASL_AUTH;
const ENSEMBLE: &str =
    "authProvider.1=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider";

fn exists(path: &str) -> Request<'_> {
    Request::Exists(ReadRequest {
        path: Some(path.into()),
        watch: false,
    })
}

fn send_auth(wire: &mut Wire, scheme: &str, auth: &[u8]) -> Xid {
    let packet = AuthPacket {
        auth_type: 0,
        scheme: Some(scheme.into()),
        auth: Some(Buffer(auth)),
    };
    let body = jute::to_vec(&packet).expect("it encodes");
    wire.send_body(OpCode::AUTH, &body)
}

fn auth(wire: &mut Wire, scheme: &str, auth: &[u8]) -> Option<ErrorCode> {
    let xid = send_auth(wire, scheme, auth);
    let answer = wire.next()?;
    assert_eq!(answer.header.xid, xid);
    Some(answer.header.err)
}

/// The value of a metric as `mntr` shows it.
fn metric(server: &Local, name: &str) -> u64 {
    let mut stream = TcpStream::connect(server.address()).expect("the server accepts");
    stream.write_all(b"mntr").expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    let line = text
        .lines()
        .find(|line| line.split('\t').next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    let value = line.rsplit('\t').next().expect("a value");
    value.parse().expect("a number")
}

#[test]
fn a_request_beyond_the_budget_ends_the_connection() {
    let extra = "largeRequestThreshold=400\nlargeRequestMaxBytes=500\n4lw.commands.whitelist=mntr";
    let server = Local::start(extra);
    let (mut wire, ticket) = Wire::open(server.address());
    // As recorded from Apache, whose budget is free again with each answer.
    wire.ok(&create("/a", &[b'z'; 300], 0));
    wire.ok(&create("/b", &[b'z'; 420], 0));
    wire.ok(&create("/c", &[b'z'; 420], 0));
    wire.send(&create("/d", &[b'z'; 700], 0));
    assert_eq!(wire.rest(), []);
    let mut wire = Wire::resume(server.address(), &ticket).expect("the session lives");
    assert_eq!(wire.err(&exists("/d")), ErrorCode::NO_NODE);
    assert_eq!(metric(&server, "zk_large_requests_rejected"), 1);
}

#[test]
fn a_length_beyond_the_budget_is_enough() {
    let server = Local::start("largeRequestThreshold=400\nlargeRequestMaxBytes=500");
    let (mut wire, _) = Wire::open(server.address());
    wire.send_raw(&501i32.to_be_bytes());
    assert_eq!(wire.rest(), []);
    let mut wire = Wire::bare(server.address());
    wire.send_raw(&501i32.to_be_bytes());
    assert_eq!(wire.rest(), []);
}

#[test]
fn a_budget_without_a_threshold_limits_nothing() {
    let server = Local::start("largeRequestMaxBytes=500");
    let (mut wire, _) = Wire::open(server.address());
    wire.ok(&create("/a", &[b'z'; 10_000], 0));
}

#[test]
fn large_requests_under_way_share_the_budget() {
    // Room for two at a time: what is refused ends the connection, and what
    // was taken before is not lost.
    let server = Local::start("largeRequestThreshold=400\nlargeRequestMaxBytes=1500");
    let (mut wire, _) = Wire::open(server.address());
    for round in 0..20 {
        wire.ok(&create(&format!("/{round}"), &[b'z'; 700], 0));
    }
    // All in one piece, so that they are under way at the same time.
    let mut bytes = Vec::new();
    for round in 0..8 {
        let mut body = Vec::new();
        let path = format!("/more{round}");
        create(&path, &[b'z'; 700], 0)
            .encode(&mut body)
            .expect("it encodes");
        bytes.extend_from_slice(&(body.len() as i32 + 8).to_be_bytes());
        bytes.extend_from_slice(&100i32.to_be_bytes());
        bytes.extend_from_slice(&OpCode::CREATE.0.to_be_bytes());
        bytes.extend_from_slice(&body);
    }
    wire.send_raw(&bytes);
    wire.rest();
    let (mut wire, _) = Wire::open(server.address());
    assert_eq!(wire.err(&exists("/more7")), ErrorCode::NO_NODE);
    wire.ok(&create("/later", &[b'z'; 700], 0));
    wire.ok(&create("/latest", &[b'z'; 1400], 0));
}

#[test]
fn clients_without_an_enforced_scheme_are_refused() {
    let server = Local::start("enforce.auth.enabled=true\nenforce.auth.schemes=digest");
    for request in [exists("/"), create("/a", b"", 0), Request::Ping] {
        let (mut wire, _) = Wire::open(server.address());
        let xid = wire.send(&request);
        let Answer { header, .. } = wire.next().expect("an answer");
        assert_eq!((header.xid, header.zxid.0, header.err), (xid, 0, REFUSED));
        assert!(wire.next().is_none(), "the connection ends");
    }
    let (mut wire, _) = Wire::open(server.address());
    wire.send_body(OpCode(999), b"");
    assert_eq!(wire.next().expect("an answer").header.err, REFUSED);
}

#[test]
fn clients_with_an_enforced_scheme_are_served() {
    let server = Local::start("enforce.auth.enabled=true\nenforce.auth.schemes=digest");
    let (mut wire, _) = Wire::open(server.address());
    let token = jute::to_vec(&Some(Buffer(b""))).expect("it encodes");
    wire.send_body(OpCode::SASL, &token);
    assert_eq!(wire.next().expect("an answer").header.err, ErrorCode::OK);
    assert_eq!(auth(&mut wire, "ip", b""), Some(ErrorCode::OK));
    assert_eq!(auth(&mut wire, "digest", b"me:secret"), Some(ErrorCode::OK));
    wire.ok(&create("/a", b"", 0));
    wire.ok(&exists("/a"));
    wire.ok(&Request::CloseSession);
}

#[test]
fn one_enforced_scheme_of_several_is_enough() {
    let server = Local::start("enforce.auth.enabled=true\nenforce.auth.schemes=digest,ip");
    let (mut wire, _) = Wire::open(server.address());
    wire.ok(&create("/a", b"", 0));
}

#[test]
fn an_auth_packet_behind_the_handshake_counts_for_what_follows() {
    let server = Local::start("enforce.auth.enabled=true\nenforce.auth.schemes=digest");
    // Nothing is waited for, so all of it may wait behind the createSession.
    for authenticates in [true, false] {
        let mut wire = Wire::bare(server.address());
        wire.send_handshake();
        if authenticates {
            send_auth(&mut wire, "digest", b"me:secret");
        }
        let xid = wire.send(&create("/pipelined", b"", 1));
        wire.payload().expect("a ConnectResponse");
        if authenticates {
            assert_eq!(wire.next().expect("an answer").header.err, ErrorCode::OK);
        }
        let Answer { header, .. } = wire.next().expect("an answer");
        let expected = if authenticates {
            ErrorCode::OK
        } else {
            REFUSED
        };
        assert_eq!((header.xid, header.err), (xid, expected));
        if !authenticates {
            assert!(wire.next().is_none(), "the connection ends");
        }
    }
}

#[test]
fn a_refused_close_does_not_end_the_session() {
    let server = Local::start("enforce.auth.enabled=true\nenforce.auth.schemes=digest");
    let mut wire = Wire::bare(server.address());
    wire.send_handshake();
    wire.send(&Request::CloseSession);
    let ticket = wire.ticket().expect("a session");
    assert_eq!(wire.next().expect("an answer").header.err, REFUSED);
    let mut wire = Wire::resume(server.address(), &ticket).expect("the session lives");
    assert_eq!(auth(&mut wire, "digest", b"me:secret"), Some(ErrorCode::OK));
    wire.ok(&create("/e", b"", 1));
}

#[test]
fn clients_of_another_ensemble_are_sent_away() {
    let extra = format!("{ENSEMBLE}\nensembleAuthName=prod, east\n4lw.commands.whitelist=mntr");
    let server = Local::start(&extra);
    let (mut wire, ticket) = Wire::open(server.address());
    for name in ["prod", "east", ""] {
        let code = auth(&mut wire, "ensemble", name.as_bytes());
        assert_eq!(code, Some(ErrorCode::OK), "{name}");
    }
    assert_eq!(auth(&mut wire, "ensemble", b"west"), None);
    let mut wire = Wire::resume(server.address(), &ticket).expect("the session lives");
    // It is no scheme for an ACL.
    let mut acl = zk_proto::Acl::open();
    acl.perms = Perms::ALL;
    acl.id = zk_proto::Id::new("ensemble", "prod");
    let set = Request::SetAcl(zk_proto::SetAclRequest {
        path: Some("/".into()),
        acl: Some(vec![acl]),
        version: -1,
    });
    assert_eq!(wire.err(&set), ErrorCode::INVALID_ACL);
    for (name, count) in [("success", 2), ("skip", 1), ("fail", 1)] {
        let name = format!("zk_ensemble_auth_{name}");
        assert_eq!(metric(&server, &name), count, "{name}");
    }
}

#[test]
fn without_the_provider_there_is_no_scheme_ensemble() {
    let server = Local::start("ensembleAuthName=prod");
    let (mut wire, _) = Wire::open(server.address());
    let code = auth(&mut wire, "ensemble", b"prod");
    assert_eq!(code, Some(ErrorCode::AUTH_FAILED));
    assert!(wire.next().is_none());
}

#[test]
fn an_undecodable_create_session_takes_a_zxid() {
    let server = Local::start("");
    let (mut wire, _) = Wire::open(server.address());
    let before = wire.ok(&create("/a", b"", 0)).header.zxid;
    for (op, takes) in [
        (OpCode::CREATE_SESSION, 1),
        (OpCode::MULTI, 2),
        (OpCode::CREATE, 2),
    ] {
        wire.send_body(op, b"");
        let answer = wire.next().expect("an answer");
        assert_eq!(answer.header.err, ErrorCode::MARSHALLING_ERROR, "{op}");
        assert_eq!(answer.header.zxid.0, before.0 + takes, "{op}");
    }
    let sync = Request::Sync(PathRequest {
        path: Some("/".into()),
    });
    assert_eq!(wire.ok(&sync).header.zxid.0, before.0 + 2);
}

#[test]
fn a_used_container_goes_though_many_come_before_it() {
    let server = Local::start("znode.container.checkIntervalMs=20");
    let (mut wire, _) = Wire::open(server.address());
    let container = |path: &str| {
        let Request::Create(_, record) = create("/", b"", 4) else {
            panic!("a create");
        };
        let mut body = Vec::new();
        let path = Some(path.into());
        Request::Create(
            OpCode::CREATE_CONTAINER,
            zk_proto::CreateRequest { path, ..record },
        )
        .encode(&mut body)
        .expect("it encodes");
        body
    };
    // More than one look sees, and none of them was ever used.
    for number in 0..300 {
        wire.send_body(OpCode::CREATE_CONTAINER, &container(&format!("/c{number}")));
        assert_eq!(wire.next().expect("an answer").header.err, ErrorCode::OK);
    }
    wire.send_body(OpCode::CREATE_CONTAINER, &container("/used"));
    assert_eq!(wire.next().expect("an answer").header.err, ErrorCode::OK);
    wire.ok(&create("/used/child", b"", 0));
    wire.ok(&Request::Exists(ReadRequest {
        path: Some("/used".into()),
        watch: true,
    }));
    wire.ok(&Request::Delete(zk_proto::DeleteRequest {
        path: Some("/used/child".into()),
        version: -1,
    }));
    let event = wire.next().expect("an event");
    assert_eq!(event.event(), Some((2, "/used".into())));
    wire.ok(&exists("/c0"));
    wire.ok(&exists("/c299"));
}
