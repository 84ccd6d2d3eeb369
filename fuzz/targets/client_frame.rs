//! A client's side of a connection, as a server reads it: frames, handshake, requests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zk_fuzz::check;
use zk_proto::frame::{self, MAX_FRAME};
use zk_proto::{ConnectRequest, Request, RequestHeader};

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let mut connected = false;
    while let Ok(Some(payload)) = frame::split(rest, MAX_FRAME) {
        rest = &rest[4 + payload.len()..];
        match connected {
            false => connect(payload),
            true => request(payload),
        }
        connected = true;
    }
});

fn connect(payload: &[u8]) {
    let Ok(request) = ConnectRequest::decode(payload) else {
        return;
    };
    check(&request, ConnectRequest::encode, |request, bytes| {
        Ok(ConnectRequest::decode(bytes)? == *request)
    });
}

fn request(payload: &[u8]) {
    let Ok((header, body)) = RequestHeader::split(payload) else {
        return;
    };
    let Ok(request) = Request::decode(header.op, body) else {
        return;
    };
    check(&request, Request::encode, |request, bytes| {
        Ok(Request::decode(header.op, bytes)? == *request)
    });
}
