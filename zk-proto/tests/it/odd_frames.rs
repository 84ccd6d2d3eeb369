//! The captured messages that are no plain frame of the protocol, each with
//! what becomes of it here and why.

use crate::fixtures::{self, Captured};
use std::collections::BTreeSet;
use zk_proto::frame::{self, MAX_FRAME};
use zk_proto::{
    ConnectRequest, ConnectResponse, OpCode, ReplyHeader, Request, RequestHeader, jute,
};

#[test]
fn odd_requests_are_read_as_apache_reads_them() {
    let mut met = BTreeSet::new();
    for captured in fixtures::client_wire() {
        if !captured.from_client {
            continue;
        }
        let (name, told) = (captured.name.as_str(), outcome(&captured));
        if let Some(op) = name.strip_suffix(" with empty body") {
            assert!(told.starts_with(op), "{}", captured.label());
            assert!(told.ends_with(" bytes too early"), "{}", captured.label());
        } else if let Some(expected) = expected(name) {
            assert_eq!(told, expected, "{}", captured.label());
            met.insert(captured.name);
        } else if !captured.decoded.is_null() {
            // A plain request.
        } else if let Some(op) = name.strip_prefix("unknown or odd opcode ") {
            let refused = format!("type {op} has no record here");
            assert!(told.ends_with(&refused), "{}", captured.label());
        } else {
            panic!("{} is not named", captured.label());
        }
    }
    assert_eq!(met.len(), ODD_REQUESTS.len());
}

/// Whether the general test leaves this request to the one above.
pub(crate) fn is_odd_request(captured: &Captured) -> bool {
    captured.decoded.is_null() || expected(&captured.name).is_some()
}

fn expected(name: &str) -> Option<&'static str> {
    let row = ODD_REQUESTS.iter().find(|(odd, _)| *odd == name);
    row.map(|(_, expected)| *expected)
}

/// What reading the bytes gives, told in words.
fn outcome(captured: &Captured) -> String {
    let is_connect = captured.name.contains("connect");
    let mut told = Vec::new();
    let mut rest = captured.bytes.as_slice();
    while !rest.is_empty() {
        let payload = match frame::split(rest, MAX_FRAME) {
            Ok(Some(payload)) => payload,
            Ok(None) => {
                told.push("waits for more".into());
                break;
            }
            Err(error) => {
                told.push(error.to_string());
                break;
            }
        };
        rest = &rest[4 + payload.len()..];
        told.push(match is_connect && told.is_empty() {
            true => connect_outcome(payload),
            false => request_outcome(payload),
        });
    }
    told.join("; ")
}

fn connect_outcome(payload: &[u8]) -> String {
    match ConnectRequest::decode(payload) {
        Ok(request) => {
            let mut again = Vec::new();
            request.encode(&mut again).unwrap();
            told_with_rest("connect", payload, &again)
        }
        Err(error) => format!("connect: {error}"),
    }
}

fn request_outcome(payload: &[u8]) -> String {
    let (header, body) = match RequestHeader::split(payload) {
        Ok(split) => split,
        Err(error) => return format!("header: {error}"),
    };
    match Request::decode(header.op, body) {
        Ok(request) => {
            let mut again = Vec::new();
            request.encode(&mut again).unwrap();
            told_with_rest(&header.op.to_string(), body, &again)
        }
        Err(error) => format!("{}: {error}", header.op),
    }
}

fn told_with_rest(what: &str, body: &[u8], again: &[u8]) -> String {
    match body.strip_prefix(again) {
        Some([]) => format!("{what} ok"),
        Some(rest) => format!("{what} ok, {} bytes ignored", rest.len()),
        None => format!("{what} ok, written otherwise"),
    }
}

/// Answers that are not what the xid or the place in the stream says.
#[test]
fn odd_answers() {
    for captured in fixtures::client_wire() {
        if captured.from_client {
            continue;
        }
        let bytes = captured.bytes.as_slice();
        match captured.name.as_str() {
            // Text without a frame.
            "before-connect: ruok" | "before-connect: ruok newline" => {
                assert_eq!(bytes, b"imok");
            }
            // createSession is answered like a handshake.
            "createSession from a client" => {
                let response = ConnectResponse::decode(&bytes[4..]).unwrap();
                assert_eq!(response.password.unwrap().len(), 16);
                assert_eq!(response.read_only, Some(false));
            }
            // A client's own xid -1 makes the answer look like a notification.
            "xid -1" => {
                let mut reader = jute::Reader::new(&bytes[4..]);
                let header: ReplyHeader = reader.read().unwrap();
                assert_eq!((header.xid.0, header.err.0), (-1, 0));
                let exists = zk_proto::Response::decode(OpCode::EXISTS, reader.remaining());
                assert!(matches!(exists, Ok(zk_proto::Response::Stat(_))));
            }
            _ => {}
        }
    }
}

/// Answers that the general test leaves out, and why.
pub(crate) const ODD_ANSWERS: &[(&str, &str)] = &[
    ("before-connect: ruok", "text without a frame"),
    ("before-connect: ruok newline", "text without a frame"),
    ("createSession from a client", "a handshake's answer"),
    ("xid -1", "looks like a notification"),
    (
        "create of exactly jute.maxbuffer",
        "its request was not kept",
    ),
];

/// Requests that the general test leaves out, and what reading them gives.
/// "Written otherwise" is a value that other bytes give too.
const ODD_REQUESTS: &[(&str, &str)] = &[
    // More than one frame, or more bytes than the records take.
    ("pipelined-connect-and-exists", "connect ok; exists ok"),
    (
        "closeSession and another request in one write",
        "closeSession ok; exists ok",
    ),
    (
        "five requests in one write",
        "exists ok; create ok; exists ok; create ok; exists ok",
    ),
    ("connect-with-trailing-bytes", "connect ok, 5 bytes ignored"),
    ("create with trailing bytes", "create ok, 3 bytes ignored"),
    // Fewer bytes than the records take.
    (
        "connect-too-short",
        "connect: the record ends 4 bytes too early",
    ),
    (
        "connect-empty-frame",
        "connect: the record ends 4 bytes too early",
    ),
    (
        "before-connect: a request without connect",
        "connect: the record ends 2 bytes too early",
    ),
    (
        "frame length 0",
        "header: the record ends 4 bytes too early",
    ),
    (
        "frame of 4 bytes",
        "header: the record ends 4 bytes too early",
    ),
    (
        "create cut in the middle",
        "create: a length of 5 is unreasonable",
    ),
    (
        "auth without body",
        "auth: the record ends 4 bytes too early",
    ),
    (
        "createSession from a client, no body",
        "createSession: the record ends 4 bytes too early",
    ),
    (
        "unknown or odd opcode 22",
        "multiRead: the record ends 4 bytes too early",
    ),
    (
        "multi without end header",
        "multi: the record ends 4 bytes too early",
    ),
    (
        "multi: done header only partly",
        "multi: the record ends 2 bytes too early",
    ),
    // No frames at all.
    (
        "before-connect: length -1",
        "a frame of -1 bytes is outside 0..=1048575",
    ),
    (
        "frame length -1",
        "a frame of -1 bytes is outside 0..=1048575",
    ),
    (
        "before-connect: length 0x7fffffff",
        "a frame of 2147483647 bytes is outside 0..=1048575",
    ),
    (
        "before-connect: length 1048576",
        "a frame of 1048576 bytes is outside 0..=1048575",
    ),
    (
        "frame too large by one",
        "a frame of 1048576 bytes is outside 0..=1048575",
    ),
    (
        "before-connect: length 1048575 without body",
        "waits for more",
    ),
    ("before-connect: 2 bytes", "waits for more"),
    (
        "before-connect: http",
        "a frame of 1195725856 bytes is outside 0..=1048575",
    ),
    (
        "before-connect: tls hello",
        "a frame of 369295616 bytes is outside 0..=1048575",
    ),
    (
        "before-connect: unknown 4lw",
        "a frame of 1633837924 bytes is outside 0..=1048575",
    ),
    (
        "before-connect: ruok",
        "a frame of 1920298859 bytes is outside 0..=1048575",
    ),
    (
        "before-connect: ruok newline",
        "a frame of 1920298859 bytes is outside 0..=1048575",
    ),
    (
        "4lw after connect",
        "a frame of 1920298859 bytes is outside 0..=1048575",
    ),
    // Lengths and counts that lie. A negative count is an empty list in Java.
    (
        "create: path length -2",
        "create: a length of -2 is unreasonable",
    ),
    (
        "create: path length 2^31-1",
        "create: a length of 2147483647 is unreasonable",
    ),
    (
        "create: data length -7",
        "create: a length of -7 is unreasonable",
    ),
    (
        "create: acl count 2^30",
        "create: a length of 1073741824 is unreasonable",
    ),
    ("create: acl count -5", "create ok, written otherwise"),
    // Any byte but 0 is true, the error in a multi's request header is not
    // looked at, and what is no UTF-8 becomes U+FFFD.
    ("exists: watch byte 2", "exists ok, written otherwise"),
    (
        "multi: create op with done=false err=0",
        "multi ok, written otherwise",
    ),
    ("create-path-utf8-invalid", "create ok, written otherwise"),
    // Operations that a multi or a multiRead may not hold.
    ("multi: unknown op 77", "multi: type 77 has no record here"),
    ("multi inside multi", "multi: type 14 has no record here"),
    (
        "multi-unsupported-op-getData",
        "multi: type 4 has no record here",
    ),
    ("multi-mixed-read-write", "multi: type 8 has no record here"),
    ("multi-setACL-inside", "multi: type 7 has no record here"),
    (
        "multiRead-write-inside",
        "multiRead: type 1 has no record here",
    ),
    (
        "multiRead-exists-inside",
        "multiRead: type 3 has no record here",
    ),
    // Plain frames that the capture leaves undecoded.
    ("second ConnectRequest", "op 0: type 0 has no record here"),
    ("createSession from a client", "createSession ok"),
    ("xid 0", "exists ok"),
    ("xid negative -77", "exists ok"),
    ("xid -1", "exists ok"),
];
