//! Every captured frame of client connections is decoded, compared with what
//! the capture says it holds, and encoded to the same bytes.

use crate::fixtures::{self, Captured};
use crate::json;
use crate::odd_frames::{self, ODD_ANSWERS};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use zk_proto::frame::{self, MAX_FRAME};
use zk_proto::{
    ConnectRequest, ConnectResponse, OpCode, ReplyHeader, Request, RequestHeader, Response,
    SessionId, WatcherEvent, Xid, jute, session_password,
};

#[test]
fn requests_decode_as_captured_and_encode_back() {
    let mut count = 0;
    for captured in fixtures::client_wire() {
        if !captured.from_client || odd_frames::is_odd_request(&captured) {
            continue;
        }
        let payload = only_frame(&captured);
        let mut again = Vec::new();
        if captured.decoded.get("timeOut").is_some() {
            let request = ConnectRequest::decode(payload).unwrap();
            assert_same(&captured, json::connect_request(&request));
            request.encode(&mut again).unwrap();
        } else {
            let (header, body) = RequestHeader::split(payload).unwrap();
            let request = Request::decode(header.op, body)
                .unwrap_or_else(|error| panic!("{}: {error}", captured.label()));
            assert_eq!(request.op(), header.op);
            assert_same(&captured, json::request(&header, &request));
            jute::append(&mut again, &header).unwrap();
            request.encode(&mut again).unwrap();
        }
        assert_eq!(again, payload, "{}", captured.label());
        count += 1;
    }
    assert!(count > 850, "only {count} requests");
}

#[test]
fn answers_decode_as_captured_and_encode_back() {
    let mut asked = Asked::default();
    let mut count = 0;
    for captured in fixtures::client_wire() {
        if captured.from_client {
            asked.note(&captured);
        } else if !ODD_ANSWERS.iter().any(|odd| odd.0 == captured.name) {
            check_answer(&captured, &asked);
            count += 1;
        }
    }
    assert!(count > 950, "only {count} answers");
}

/// The operations that were asked last, by file, connection and xid.
#[derive(Default)]
struct Asked {
    connected: HashSet<(String, String)>,
    ops: HashMap<(String, String, i32), OpCode>,
}

impl Asked {
    /// Remembers the requests of a message. The answer to a ping has xid -2
    /// whatever the request had.
    fn note(&mut self, captured: &Captured) {
        let (file, conn) = (&captured.file, &captured.conn);
        let mut rest = captured.bytes.as_slice();
        while let Ok(Some(payload)) = frame::split(rest, MAX_FRAME) {
            rest = &rest[4 + payload.len()..];
            if self.connected.insert((file.clone(), conn.clone())) {
                continue;
            }
            if let Ok((header, _)) = RequestHeader::split(payload) {
                let ping = header.op == OpCode::PING;
                let xid = if ping { Xid::PING } else { header.xid };
                self.ops
                    .insert((file.clone(), conn.clone(), xid.0), header.op);
            }
        }
    }

    fn op(&self, captured: &Captured, xid: Xid) -> OpCode {
        let key = (captured.file.clone(), captured.conn.clone(), xid.0);
        let op = self.ops.get(&key);
        *op.unwrap_or_else(|| panic!("{}: no request", captured.label()))
    }
}

fn check_answer(captured: &Captured, asked: &Asked) {
    let payload = only_frame(captured);
    let mut again = Vec::new();
    if captured.decoded.get("timeOut").is_some() {
        let response = ConnectResponse::decode(payload).unwrap();
        assert_same(captured, json::connect_response(&response));
        response.encode(&mut again).unwrap();
    } else {
        check_reply(captured, payload, asked, &mut again);
    }
    assert_eq!(again, payload, "{}", captured.label());
}

fn check_reply(captured: &Captured, payload: &[u8], asked: &Asked, again: &mut Vec<u8>) {
    let mut reader = jute::Reader::new(payload);
    let header: ReplyHeader = reader.read().unwrap();
    let body = reader.remaining();
    let decoded = &captured.decoded;
    assert_eq!(json::reply_header(&header), decoded["header"]);
    assert_eq!(header.err.is_ok(), decoded["err"] == "OK");
    jute::append(again, &header).unwrap();
    if header.xid == Xid::NOTIFICATION {
        let event: WatcherEvent<'_> = jute::from_slice(body).unwrap();
        assert_eq!(json::event(&event), decoded["record"]);
        return jute::append(again, &event).unwrap();
    }
    // An error has no record, but for a multiRead with a write in it.
    if decoded.get("record").is_none() && !header.err.is_ok() {
        return assert_eq!(body, b"", "{}", captured.label());
    }
    let op = asked.op(captured, header.xid);
    let response = Response::decode(op, body).unwrap();
    let record = decoded.get("record").cloned().unwrap_or(json!({}));
    assert_eq!(
        json::response(op, &response),
        record,
        "{}",
        captured.label()
    );
    response.encode(again).unwrap();
}

fn assert_same(captured: &Captured, ours: Value) {
    assert_eq!(ours, captured.decoded, "{}", captured.label());
}

fn only_frame(captured: &Captured) -> &[u8] {
    let payload = frame::split(&captured.bytes, 2 * MAX_FRAME)
        .unwrap_or_else(|error| panic!("{}: {error}", captured.label()))
        .unwrap_or_else(|| panic!("{}: cut", captured.label()));
    assert_eq!(
        payload.len() + 4,
        captured.bytes.len(),
        "{}",
        captured.label()
    );
    payload
}

#[test]
fn passwords_of_all_sessions_are_derived() {
    let mut sessions = 0;
    for captured in fixtures::client_wire() {
        if captured.from_client || captured.decoded.get("timeOut").is_none() {
            continue;
        }
        let response = ConnectResponse::decode(only_frame(&captured)).unwrap();
        let password = response.password.expect("a password");
        if response.session_id == SessionId::NONE {
            assert_eq!(*password, [0; 16], "{}", captured.label());
        } else {
            let expected = session_password(response.session_id);
            assert_eq!(*password, expected, "{}", captured.label());
            sessions += 1;
        }
    }
    assert!(sessions > 150, "only {sessions} sessions");
}
