//! Clients that were recorded with Apache's server, played to ours: the same
//! frames in the same order, and what comes back compared with the recording.

use crate::differential::call::{Call, hex};
use crate::differential::canon::{Line, Sessions};
use crate::support::link::{Incoming, Link};
use crate::support::process::{Process, Program};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use zk_proto::{ConnectResponse, OpCode, ReplyHeader, RequestHeader, SessionId, jute};

/// What every recorded server had.
const USUAL: &str = "tickTime=2000\nextendedTypesEnabled=true\nmaxClientCnxns=0\n";

/// Where ours does something else, on purpose: file, name of the exchange,
/// and what ours does instead of closing.
const DIFFERENCES: [(&str, &str, &str); 3] = [
    (
        "02-connect",
        "ping-original-session",
        "xid -2, zxid 0x2, ok (0), 0 bytes: Empty",
    ),
    (
        "05-server-crash",
        "createTTL flags=0 ttl=-1",
        "xid 1, zxid 0x2, BadArguments (-8), 0 bytes: ",
    ),
    (
        "05-server-crash",
        "createTTL flags=4 (container) ttl=-1",
        "xid 1, zxid 0x2, BadArguments (-8), 0 bytes: ",
    ),
];

#[test]
fn operations() {
    replay("01-operations", USUAL, |_| true);
}

#[test]
fn handshakes() {
    // Pings while a session expires: how many there were is chance.
    replay("02-connect", USUAL, |row| {
        row.conn != "c24" || row.name != "ping" || row.is_notification()
    });
}

#[test]
fn watches() {
    replay("03-watches", USUAL, |_| true);
}

#[test]
fn malformed_requests() {
    replay("04-malformed", USUAL, |_| true);
}

#[test]
fn requests_that_end_apache() {
    for conns in [&["c1"][..], &["c2"], &["c3"]] {
        replay("05-server-crash", USUAL, |row| conns.contains(&&*row.conn));
    }
}

#[test]
fn options() {
    let configs = [
        (
            &["c1", "c2", "c3"][..],
            "extendedTypesEnabled=true\nmaxClientCnxns=2",
        ),
        (&["c4"], ""),
        (&["c5"], "extendedTypesEnabled=true\nenforceQuota=true"),
        (&["c6"], "extendedTypesEnabled=true\nskipACL=yes"),
        // c7 was recorded with sessionRequireClientSASLAuth and no SASL: ours
        // does not start where it could serve nobody.
        (&["c8"], "extendedTypesEnabled=true\njute.maxbuffer=1000"),
        (
            &["c9"],
            "extendedTypesEnabled=true\nlargeRequestThreshold=400\nlargeRequestMaxBytes=500",
        ),
    ];
    for (conns, config) in configs {
        replay("06-limits-and-options", config, |row| {
            conns.contains(&&*row.conn)
        });
    }
}

/// One line of a recording.
#[derive(Debug)]
struct Row {
    name: String,
    conn: String,
    is_sent: bool,
    bytes: Vec<u8>,
    closes: bool,
    length: usize,
}

impl Row {
    fn parse(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            conn: text("conn"),
            is_sent: text("direction") == "c2s",
            bytes: unhex(&text("hex")),
            closes: text("event") == "server closed the connection",
            length: value["length"].as_u64().map_or(0, |length| length as usize),
        }
    }

    fn is_notification(&self) -> bool {
        !self.is_sent && self.bytes.get(4..8) == Some(&[0xff; 4])
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn replay(file: &str, config: &str, wanted: impl Fn(&Row) -> bool) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../zk-proto/tests/fixtures");
    let path = fixtures.join("client-wire").join(format!("{file}.jsonl"));
    let text = std::fs::read_to_string(&path).expect("the recording is there");
    let rows: Vec<_> = text.lines().map(Row::parse).filter(wanted).collect();
    assert!(rows.len() > 2, "a recording of something");
    let mut player = Player::new(file, config);
    for row in &rows {
        player.play(row);
    }
}

/// A connection, and what was sent on it.
struct Conn {
    link: Link,
    /// Whether the handshake is over.
    is_open: bool,
    sent: Vec<RequestHeader>,
}

struct Player<'f> {
    file: &'f str,
    server: Process,
    conns: HashMap<String, Conn>,
    sessions: Sessions,
    /// Recorded ids and passwords, and what ours are.
    tickets: Vec<[(SessionId, Vec<u8>); 2]>,
    /// Ours answered where Apache closed.
    kept_open: Vec<String>,
}

impl<'f> Player<'f> {
    fn new(file: &'f str, config: &str) -> Self {
        Self {
            file,
            server: Process::start(Program::ours(), config),
            conns: HashMap::new(),
            sessions: Sessions::default(),
            tickets: Vec::new(),
            kept_open: Vec::new(),
        }
    }

    fn play(&mut self, row: &Row) {
        if row.is_sent {
            self.send(row);
        } else if row.closes {
            self.expect_close(row);
        } else if !row.bytes.is_empty() || row.length > 0 {
            self.expect(row);
        }
    }

    fn send(&mut self, row: &Row) {
        let address = self.server.address();
        let conn = self.conns.entry(row.conn.clone()).or_insert_with(|| Conn {
            link: Link::open(address),
            is_open: false,
            sent: Vec::new(),
        });
        let mut bytes = row.bytes.clone();
        if row.length > 0 {
            bytes = large_create(row.length);
        }
        let is_handshake = conn.sent.is_empty() && !conn.is_open;
        if is_handshake {
            self.translate(&mut bytes);
        }
        let conn = self.conns.get_mut(&row.conn).expect("it was just made");
        conn.sent.extend(headers(&bytes, is_handshake));
        conn.link.send(&bytes);
    }

    /// Puts our session and password in place of the recorded ones.
    fn translate(&self, bytes: &mut [u8]) {
        const ID: std::ops::Range<usize> = 20..28;
        for [(theirs, password), (ours, our_password)] in &self.tickets {
            if bytes.get(ID) != Some(&theirs.0.to_be_bytes()[..]) {
                continue;
            }
            bytes[ID].copy_from_slice(&ours.0.to_be_bytes());
            if bytes.get(32..48) == Some(&password[..]) {
                bytes[32..48].copy_from_slice(our_password);
            }
            return;
        }
    }

    fn expect_close(&mut self, row: &Row) {
        let exception = DIFFERENCES
            .iter()
            .find(|(file, name, _)| *file == self.file && *name == row.name);
        let conn = self.conns.get_mut(&row.conn).expect("something was sent");
        if let Some((_, _, instead)) = exception {
            let line = match conn.link.next() {
                Incoming::Frame(payload) => {
                    let call = answered(conn, &payload);
                    self.sessions.line(1, &call, &payload)
                }
                other => panic!("{}: {other:?} for {instead}", row.name),
            };
            assert_eq!(line.text, *instead, "{}", row.name);
            self.kept_open.push(row.conn.clone());
            return;
        }
        if !self.kept_open.contains(&row.conn) {
            assert_eq!(
                conn.link.next(),
                Incoming::Closed,
                "{} {}",
                self.file,
                row.name
            );
        }
    }

    fn expect(&mut self, row: &Row) {
        let conn = self.conns.get_mut(&row.conn).expect("something was sent");
        let is_framed = row.length > 0 || is_frame(&row.bytes);
        if !is_framed {
            let rest = conn.link.rest().expect("the answer to a word");
            assert_eq!(hex(&rest), hex(&row.bytes), "{}", row.name);
            conn.link.end();
            return;
        }
        let ours = match conn.link.next() {
            Incoming::Frame(payload) => payload,
            other => panic!("{} {}: {other:?} instead of {row:?}", self.file, row.name),
        };
        if row.length > 0 {
            assert_eq!(ours.len() + 4, row.length, "{}", row.name);
            return;
        }
        let theirs = &row.bytes[4..];
        if !conn.is_open {
            conn.is_open = true;
            return self.handshake(row, theirs, &ours);
        }
        let call = answered(conn, theirs);
        let theirs = self.sessions.line(0, &call, theirs);
        let ours = self.sessions.line(1, &call, &ours);
        assert_eq!(
            masked(row, ours),
            masked(row, theirs),
            "{} {row:?}",
            self.file
        );
    }

    fn handshake(&mut self, row: &Row, theirs: &[u8], ours: &[u8]) {
        let responses = [theirs, ours].map(|payload| ConnectResponse::decode(payload).unwrap());
        let [theirs, ours] = &responses;
        let is_known = self
            .tickets
            .iter()
            .any(|[known, _]| known.0 == theirs.session_id);
        if !is_known && theirs.session_id != SessionId::NONE {
            self.sessions.add([theirs.session_id, ours.session_id]);
            let ticket = |response: &ConnectResponse<'_>| {
                let password = response.password.map(|password| password.to_vec());
                (response.session_id, password.unwrap_or_default())
            };
            self.tickets.push([ticket(theirs), ticket(ours)]);
        }
        assert_eq!(
            self.sessions.connected(1, ours),
            self.sessions.connected(0, theirs),
            "{} {}",
            self.file,
            row.name
        );
    }
}

/// Several sessions of a recording expired in one tick, in any order.
fn masked(row: &Row, line: Line) -> String {
    if row.conn == "c24" && row.name == "ping" {
        return line.text.split(':').skip(1).collect();
    }
    line.text
}

/// The call that a frame answers, by its xid.
fn answered(conn: &Conn, payload: &[u8]) -> Call {
    let header: Option<ReplyHeader> = jute::from_prefix(payload).ok();
    let created = || {
        let is_it = |sent: &&RequestHeader| sent.op == OpCode::CREATE_SESSION;
        conn.sent.iter().rev().find(is_it).map(|sent| sent.op)
    };
    let by_xid = header.and_then(|header| {
        let is_it = |sent: &&RequestHeader| sent.xid == header.xid;
        conn.sent.iter().rev().find(is_it).map(|sent| sent.op)
    });
    let op = match payload.len() {
        36 | 37 if payload.starts_with(&[0; 4]) => created().or(by_xid),
        _ => by_xid,
    };
    let mut call = Call::raw(op.unwrap_or(OpCode::PING), Vec::new());
    if let Some(header) = header
        && conn.sent.last().is_some_and(|sent| sent.xid.0 == -1)
        && header.xid.0 == -1
    {
        call.xid = Some(-1);
    }
    call
}

/// The headers of all requests in these bytes.
fn headers(mut bytes: &[u8], mut is_handshake: bool) -> Vec<RequestHeader> {
    let mut headers = Vec::new();
    while let Some(length) = bytes.first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some(payload) = bytes.get(4..length.saturating_add(4)) else {
            break;
        };
        if !std::mem::take(&mut is_handshake)
            && let Ok((header, _)) = RequestHeader::split(payload)
        {
            headers.push(header);
        }
        bytes = &bytes[4 + length..];
    }
    headers
}

fn is_frame(bytes: &[u8]) -> bool {
    let length = bytes
        .first_chunk::<4>()
        .map(|length| i32::from_be_bytes(*length));
    length.and_then(|length| usize::try_from(length).ok()) == Some(bytes.len() - 4)
}

/// The create of `/big` whose frame has this length.
fn large_create(length: usize) -> Vec<u8> {
    use zk_proto::{Acl, Buffer, CreateRequest, Request, Xid};
    let create = |data: &[u8]| {
        let header = RequestHeader {
            xid: Xid(5),
            op: OpCode::CREATE,
        };
        let mut payload = jute::to_vec(&header).unwrap();
        let record = CreateRequest {
            path: Some("/big".into()),
            data: Some(Buffer(data)),
            acl: Some(vec![Acl::open()]),
            flags: 0,
        };
        Request::Create(OpCode::CREATE, record)
            .encode(&mut payload)
            .unwrap();
        crate::support::link::framed(&payload)
    };
    let around = create(b"").len();
    create(&vec![0x7a; length - around])
}
