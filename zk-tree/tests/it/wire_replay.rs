//! What clients sent to Apache ZooKeeper 3.9.5 is sent to the test server,
//! and its answers and notifications are compared with Apache's: order,
//! headers with zxids, records. Only times and the order of names differ.

use crate::files::fixture;
use crate::server::{Packet, Server, create_body};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use zk_proto::frame;
use zk_proto::jute::Reader;
use zk_proto::{
    ConnectRequest, ConnectResponse, ErrorCode, MultiReadResult, MultiResult, OpCode, ReplyHeader,
    Response, Stat, WatcherEvent,
};
use zk_tree::{AclRules, PrepareConfig, TreeConfig, WatcherId};

const TREE: TreeConfig = TreeConfig {
    hash_seed: 0x5eed,
    extended_types: true,
    digest: true,
};

/// The passwords of the fixtures, hashed.
const PASSWORDS: &[(&str, &str)] = &[
    ("", ":2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
    ("alice:secret", "alice:aYXlLOpEooaV1cRAvUL1fp9Qt7E="),
    ("bob:pw", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="),
    ("carol:pw", "carol:RffyCdXXV1Js0ywLAoP5/l25yKs="),
    ("nocolon", "nocolon:Ra+cHr2ZoHvBjtNArFGNGlVie4g="),
    ("super:fixture", "super:aUNvlR1MTvkJltEXyKE6RkjAUlk="),
];

#[test]
fn operations() {
    let compared = replay(
        "01-operations",
        server(TREE, PrepareConfig::default()),
        |_| true,
    );
    assert_eq!(compared, 195);
}

#[test]
fn watches() {
    let compared = replay("03-watches", server(TREE, PrepareConfig::default()), |_| {
        true
    });
    assert_eq!(compared, 157);
}

#[test]
fn malformed_requests() {
    let compared = replay(
        "04-malformed",
        server(TREE, PrepareConfig::default()),
        |_| true,
    );
    assert_eq!(compared, 177);
}

#[test]
fn odd_kinds_of_znodes() {
    let server = server(TREE, PrepareConfig::default());
    let compared = replay("05-server-crash", server, |conn| {
        matches!(conn, "c3" | "c4")
    });
    assert_eq!(compared, 6);
}

#[test]
fn without_extended_types() {
    let tree = TreeConfig {
        extended_types: false,
        ..TREE
    };
    let server = server(tree, PrepareConfig::default());
    let compared = replay("06-limits-and-options", server, |conn| conn == "c4");
    assert_eq!(compared, 3);
}

#[test]
fn with_enforced_quotas() {
    let config = PrepareConfig {
        enforce_quota: true,
        ..PrepareConfig::default()
    };
    let compared = replay("06-limits-and-options", server(TREE, config), |conn| {
        conn == "c5"
    });
    assert_eq!(compared, 13);
}

#[test]
fn without_acls() {
    let acl = AclRules {
        skip: true,
        ..AclRules::default()
    };
    let config = PrepareConfig {
        acl,
        ..PrepareConfig::default()
    };
    let compared = replay("06-limits-and-options", server(TREE, config), |conn| {
        conn == "c6"
    });
    assert_eq!(compared, 4);
}

fn server(tree: TreeConfig, config: PrepareConfig) -> Server {
    Server::new(tree, config).with_passwords(PASSWORDS)
}

/// Plays the chosen connections of a capture; how many packets of Apache were
/// compared.
fn replay(name: &str, mut server: Server, chosen: impl Fn(&str) -> bool) -> usize {
    let text = fs::read_to_string(fixture("client-wire").join(format!("{name}.jsonl"))).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let mut ids = BTreeMap::new();
    let mut compared = 0;
    for (at, row) in rows.iter().enumerate() {
        let Some(conn) = row["conn"].as_str().filter(|conn| chosen(conn)) else {
            continue;
        };
        let next_id = WatcherId(ids.len() as u64);
        let id = *ids.entry(conn.to_owned()).or_insert(next_id);
        let context = format!("{name} line {}: {}", at + 1, row["name"]);
        let bytes = bytes_of(row);
        if row["direction"] == "c2s" {
            match server.connections.contains_key(&id) {
                true => receive_all(&mut server, id, &bytes),
                false => connect(&mut server, id, &bytes, answer_to(&rows[at + 1..], conn)),
            }
        } else if let Some(connection) = server.connections.get_mut(&id) {
            if let Some(length) = row["length"].as_u64() {
                let Some(Packet::Answer(_, _, body)) = connection.sent.pop_front() else {
                    panic!("{context}: nothing was sent");
                };
                assert_eq!(body.len() as u64 + 20, length, "{context}");
                compared += 1;
            }
            if bytes.is_empty() {
                continue;
            }
            let payload = frame::split(&bytes, usize::MAX).unwrap().unwrap();
            if connection.sent.is_empty() {
                assert!(
                    ConnectResponse::decode(payload).is_ok_and(|r| r.protocol_version == 0),
                    "{context}: nothing was sent"
                );
            } else {
                let packet = connection.sent.pop_front().unwrap();
                compare(&packet, payload, &context);
            }
            compared += 1;
        }
    }
    for (id, connection) in &server.connections {
        let left = connection.sent.len();
        assert_eq!(left, 0, "{name}: {id:?} was sent more than by Apache");
    }
    compared
}

/// A few rows hold no bytes, being too long.
fn bytes_of(row: &Value) -> Vec<u8> {
    if let Some(hex) = row["hex"].as_str().filter(|hex| !hex.is_empty()) {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        return (0..hex.len()).step_by(2).map(digit).collect();
    }
    if row["name"] == "create of exactly jute.maxbuffer" && row["direction"] == "c2s" {
        let mut bytes = Vec::new();
        let start = frame::start(&mut bytes);
        bytes.extend([0, 0, 0, 5, 0, 0, 0, 1]);
        bytes.extend(create_body("/big", &[b'z'; 1_048_524]));
        frame::finish(&mut bytes, start);
        assert_eq!(bytes.len() as u64, row["length"].as_u64().unwrap());
        return bytes;
    }
    Vec::new()
}

/// The first packet that Apache sent on a connection.
fn answer_to(rows: &[Value], conn: &str) -> Option<Vec<u8>> {
    rows.iter()
        .find(|row| row["conn"] == conn && row["direction"] == "s2c")
        .map(bytes_of)
}

/// Connections that Apache closed at once are left out.
fn connect(server: &mut Server, id: WatcherId, bytes: &[u8], answer: Option<Vec<u8>>) {
    let Ok(Some(request)) = frame::split(bytes, frame::MAX_FRAME) else {
        return;
    };
    let answer = answer.unwrap_or_default();
    let Ok(Some(answer)) = frame::split(&answer, usize::MAX) else {
        return;
    };
    ConnectRequest::decode(request).unwrap();
    let answer = ConnectResponse::decode(answer).unwrap();
    server.connect(id, answer.session_id, answer.timeout_ms);
}

fn receive_all(server: &mut Server, id: WatcherId, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let Ok(Some(payload)) = frame::split(bytes, frame::MAX_FRAME) else {
            return;
        };
        server.receive(id, payload);
        bytes = &bytes[4 + payload.len()..];
    }
}

fn compare(packet: &Packet, payload: &[u8], context: &str) {
    let mut reader = Reader::new(payload);
    match packet {
        Packet::Session(session) => {
            let answer = ConnectResponse::decode(payload).unwrap();
            assert_eq!(answer.session_id, *session, "{context}");
        }
        Packet::Event(kind, path, zxid) => {
            let header: ReplyHeader = reader.read().unwrap();
            let event: WatcherEvent<'_> = reader.read().unwrap();
            let sent = (
                zk_proto::Xid::NOTIFICATION,
                *zxid,
                kind.code(),
                path.as_str(),
            );
            let apache = (
                header.xid,
                header.zxid,
                event.event_type,
                event.path.as_deref().unwrap(),
            );
            assert_eq!(sent, apache, "{context}");
        }
        Packet::Answer(op, header, body) => {
            let apache: ReplyHeader = reader.read().unwrap();
            assert_eq!(*header, apache, "{context}");
            if header.err == ErrorCode::OK {
                let ours = comparable(*op, body);
                assert_eq!(ours, comparable(*op, reader.remaining()), "{context}");
            }
        }
    }
}

/// The record as text without what may differ.
fn comparable(op: OpCode, body: &[u8]) -> String {
    let mut response = Response::decode(op, body).unwrap();
    level(&mut response);
    format!("{response:?}")
}

fn level(response: &mut Response<'_>) {
    match response {
        Response::PathStat(_, stat)
        | Response::Stat(stat)
        | Response::Data(_, stat)
        | Response::Acl(_, stat) => level_stat(stat),
        Response::Names(Some(names)) => names.sort(),
        Response::NamesStat(Some(names), stat) => {
            names.sort();
            level_stat(stat);
        }
        Response::ClientInfos(Some(infos)) => {
            infos.sort_by(|a, b| (&a.scheme, &a.user).cmp(&(&b.scheme, &b.user)));
        }
        Response::Multi(results) => {
            for result in results {
                if let MultiResult::Create2(_, stat) | MultiResult::SetData(stat) = result {
                    level_stat(stat);
                }
            }
        }
        Response::MultiRead(results) => {
            for result in results {
                if let MultiReadResult::Ok(_, response) = result {
                    level(response);
                }
            }
        }
        _ => {}
    }
}

/// Znodes that every tree starts with have no times; of others only whether
/// they have some is compared.
fn level_stat(stat: &mut Stat) {
    stat.ctime = stat.ctime.signum();
    stat.mtime = stat.mtime.signum();
}
