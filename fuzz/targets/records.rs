//! Records one by one: answers, transactions, znodes of snapshots, paths.
//!
//! The first byte of the input chooses the kind of record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zk_fuzz::check;
use zk_proto::jute::{self, Reader};
use zk_proto::snapshot::{self, AclEntry};
use zk_proto::txn::{LoggedTxn, Txn};
use zk_proto::{ConnectResponse, OpCode, Response, WatcherEvent, path};

fuzz_target!(|input: &[u8]| {
    let Some((kind, body)) = input.split_first() else {
        return;
    };
    match kind % 7 {
        0 => logged_txn(body),
        1 => response(body),
        2 => connect_response(body),
        3 => watcher_event(body),
        4 => nodes(body),
        5 => acls(body),
        _ => paths(body),
    }
});

/// Behind a closeSession without a body some digests look like paths, so that one is only read.
fn logged_txn(body: &[u8]) {
    let Ok(logged) = LoggedTxn::decode(body) else {
        return;
    };
    if let Txn::Multi(parts) = &logged.txn {
        for part in parts {
            let _ = part.decode();
        }
    }
    if logged.txn == Txn::CloseSession(None) {
        return;
    }
    check(&logged, LoggedTxn::encode, |logged, bytes| {
        Ok(LoggedTxn::decode(bytes)? == *logged)
    });
}

fn response(body: &[u8]) {
    let Some((op, body)) = body.split_first_chunk::<4>() else {
        return;
    };
    let op = OpCode(i32::from_be_bytes(*op));
    let Ok(response) = Response::decode(op, body) else {
        return;
    };
    check(&response, Response::encode, |response, bytes| {
        Ok(Response::decode(op, bytes)? == *response)
    });
}

fn connect_response(body: &[u8]) {
    let Ok(response) = ConnectResponse::decode(body) else {
        return;
    };
    check(&response, ConnectResponse::encode, |response, bytes| {
        Ok(ConnectResponse::decode(bytes)? == *response)
    });
}

fn watcher_event(body: &[u8]) {
    let Ok(event) = jute::from_prefix::<WatcherEvent<'_>>(body) else {
        return;
    };
    let encode = |event: &_, out: &mut _| jute::append(out, event);
    check(&event, encode, |event, bytes| {
        Ok(jute::from_slice::<WatcherEvent<'_>>(bytes)? == *event)
    });
}

fn nodes(body: &[u8]) {
    let mut reader = Reader::new(body);
    while let Ok(Some(node)) = snapshot::read_node(&mut reader) {
        let encode = |node: &_, out: &mut _| jute::append(out, node);
        check(&node, encode, |node, bytes| {
            Ok(snapshot::read_node(&mut Reader::new(bytes))?.as_ref() == Some(node))
        });
    }
}

fn acls(body: &[u8]) {
    let Ok(entries) = jute::from_prefix::<Vec<AclEntry<'_>>>(body) else {
        return;
    };
    let encode = |entries: &_, out: &mut _| jute::append(out, entries);
    check(&entries, encode, |entries, bytes| {
        Ok(jute::from_slice::<Vec<AclEntry<'_>>>(bytes)? == *entries)
    });
}

/// A valid path is absolute and comes apart into a parent and a name.
fn paths(body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    if let Err(error) = path::validate(&text) {
        let _ = error.java_message(&text);
        return;
    }
    assert!(path::validate_sequential(&text).is_ok());
    assert!(text.starts_with('/'));
    if let Some(parent) = path::parent(&text) {
        assert!(path::validate(parent).is_ok() && parent.len() < text.len());
    }
}
