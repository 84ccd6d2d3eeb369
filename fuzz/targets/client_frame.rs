//! A client's side of a connection, as a server reads it: frames, handshake, requests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zk_fuzz::check;
use zk_proto::frame::{self, MAX_FRAME};
use zk_proto::{ConnectRequest, Request, RequestHeader};

fuzz_target!(|input: &[u8]| {
    arrives_in_parts(input);
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

/// A first frame is the same whether the bytes behind it are there or not, and is no frame before
/// its last byte is.
fn arrives_in_parts(input: &[u8]) {
    let Ok(Some(payload)) = frame::split(input, MAX_FRAME) else {
        return;
    };
    let end = 4 + payload.len();
    for cut in (0..end.min(64)).chain(end.saturating_sub(64)..end) {
        assert_eq!(frame::split(&input[..cut], MAX_FRAME), Ok(None));
    }
    assert_eq!(frame::split(&input[..end], MAX_FRAME), Ok(Some(payload)));
}

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
