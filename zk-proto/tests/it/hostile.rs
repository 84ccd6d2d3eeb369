//! What captured bytes become when they are cut or when their lengths lie:
//! an error or a value, never a panic, and never much memory.

use crate::disk;
use crate::fixtures;
use crate::memory::Heap;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use zk_proto::frame;
use zk_proto::jute::{self, Error, Reader};
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotFileHeader, read_node};
use zk_proto::txn::{LoggedTxn, Txn};
use zk_proto::{
    ConnectRequest, ConnectResponse, OpCode, ReplyHeader, Request, RequestHeader, Response,
    WatcherEvent,
};

/// How bytes are to be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Connect,
    Connected,
    Request,
    Response(OpCode),
    Event,
    Txn,
    Node,
    Acls,
}

#[test]
fn truncations_are_errors_or_values() {
    for (kind, bytes) in genuine() {
        for end in 0..bytes.len() {
            read(kind, &bytes[..end]);
        }
    }
}

/// Every four bytes are replaced, lengths among them.
#[test]
fn lying_lengths_are_errors_or_values() {
    for (kind, bytes) in genuine() {
        let mut lie = bytes.clone();
        for at in 0..bytes.len().saturating_sub(3) {
            let beyond = i32::try_from(bytes.len() - at - 4 + 1).unwrap();
            for length in [-1, -2, i32::MAX, beyond] {
                lie[at..at + 4].copy_from_slice(&length.to_be_bytes());
                read(kind, &lie);
            }
            lie[at..at + 4].copy_from_slice(&bytes[at..at + 4]);
        }
    }
}

/// A frame of the greatest size behind a record, so that great lengths and
/// counts are plausible.
#[test]
fn plausible_lengths_reserve_little() {
    for kind in [
        Kind::Connect,
        Kind::Request,
        Kind::Response(OpCode::GET_ACL),
        Kind::Response(OpCode::GET_CHILDREN2),
        Kind::Response(OpCode::WHO_AM_I),
        Kind::Txn,
        Kind::Acls,
    ] {
        for bytes in genuine_of(kind).into_iter().take(40) {
            let mut padded = bytes.clone();
            padded.resize(frame::MAX_FRAME, 0xff);
            let plausible = i32::try_from(frame::MAX_FRAME - bytes.len()).unwrap();
            for at in (0..bytes.len().saturating_sub(3)).step_by(4) {
                padded[at..at + 4].copy_from_slice(&plausible.to_be_bytes());
                read(kind, &padded);
                padded[at..at + 4].copy_from_slice(&bytes[at..at + 4]);
            }
        }
    }
}

/// Inputs that are all tiny elements hold the most memory for their size.
#[test]
fn dense_inputs_hold_a_bounded_multiple_of_their_size() {
    let count = 200_000;
    let empty_paths = [&i64::to_be_bytes(0)[..], &lists(count, &[0; 4])].concat();
    let no_names = [&[0, 0, 0, 1, b'/'][..], &lists(count / 3, &[0; 12])].concat();
    let garbage = [&i32::to_be_bytes(count)[..], &[0xed; 200_000]].concat();
    for (op, body) in [
        (OpCode::SET_WATCHES, empty_paths),
        (OpCode::SET_ACL, no_names),
        (OpCode::SYNC, garbage),
    ] {
        let mut input = jute::to_vec(&(1i32, op)).unwrap();
        input.extend(body);
        input.extend([0; 16]);
        let heap = read(Kind::Request, &input).expect("a request");
        assert!(heap > input.len(), "{op} holds {heap}");
        assert!(heap <= 12 * input.len(), "{op} holds {heap}");
    }
}

fn lists(count: i32, element: &[u8]) -> Vec<u8> {
    let elements = element.repeat(usize::try_from(count).unwrap());
    [&count.to_be_bytes()[..], &elements].concat()
}

/// Nothing is reserved for a count before the elements are there.
#[test]
fn counts_reserve_little() {
    for count in [0, 1, 512, 513, 60_000, 1 << 20] {
        let mut bytes = i32::to_be_bytes(count).to_vec();
        bytes.resize(1 << 21, 0);
        let hint: SizeHint = jute::from_prefix(&bytes).unwrap();
        let expected = usize::try_from(count).unwrap().min(512);
        assert_eq!(hint.0, Some(expected));
    }
    assert!(size_of::<AclEntry<'_>>().max(size_of::<zk_proto::Acl<'_>>()) <= 128);
}

/// What a vector is told to reserve.
struct SizeHint(Option<usize>);

impl<'de> Deserialize<'de> for SizeHint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Probe;
        impl<'de> Visitor<'de> for Probe {
            type Value = SizeHint;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vector")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<SizeHint, A::Error> {
                Ok(SizeHint(seq.size_hint()))
            }
        }
        deserializer.deserialize_seq(Probe)
    }
}

/// Reads the bytes, checks what a value holds and that it encodes to itself,
/// and gives the heap bytes of a value.
fn read(kind: Kind, bytes: &[u8]) -> Option<usize> {
    let heap = try_read(kind, bytes).ok()?;
    let limit = 12 * bytes.len() + 64 * 1024;
    assert!(heap <= limit, "{kind:?} of {} holds {heap}", bytes.len());
    Some(heap)
}

fn try_read(kind: Kind, bytes: &[u8]) -> Result<usize, Error> {
    let mut reader = Reader::new(bytes);
    match kind {
        Kind::Connect => {
            let value = ConnectRequest::decode(bytes)?;
            reread(&value, ConnectRequest::encode, |b| {
                ConnectRequest::decode(b).as_ref() == Ok(&value)
            });
            Ok(value.heap())
        }
        Kind::Connected => {
            let value = ConnectResponse::decode(bytes)?;
            reread(&value, ConnectResponse::encode, |b| {
                ConnectResponse::decode(b).as_ref() == Ok(&value)
            });
            Ok(value.heap())
        }
        Kind::Request => {
            let (header, body) = RequestHeader::split(bytes)?;
            let value = Request::decode(header.op, body)?;
            reread(&value, Request::encode, |b| {
                Request::decode(header.op, b).as_ref() == Ok(&value)
            });
            Ok(value.heap())
        }
        Kind::Response(op) => {
            let _: ReplyHeader = reader.read()?;
            let value = Response::decode(op, reader.remaining())?;
            reread(&value, Response::encode, |b| {
                Response::decode(op, b).as_ref() == Ok(&value)
            });
            Ok(value.heap())
        }
        Kind::Event => {
            let _: ReplyHeader = reader.read()?;
            Ok(reader.read::<WatcherEvent<'_>>()?.heap())
        }
        Kind::Txn => read_txn(bytes),
        Kind::Node => Ok(read_node(&mut reader)?.heap()),
        Kind::Acls => Ok(reader.read::<Vec<AclEntry<'_>>>()?.heap()),
    }
}

fn read_txn(bytes: &[u8]) -> Result<usize, Error> {
    let value = LoggedTxn::decode(bytes)?;
    if let Txn::Multi(parts) = &value.txn {
        parts.iter().for_each(|part| drop(part.decode()));
    }
    // A digest of version 1 behind an absent body may look like a path.
    if value.txn != Txn::CloseSession(None) {
        reread(&value, LoggedTxn::encode, |b| {
            LoggedTxn::decode(b).as_ref() == Ok(&value)
        });
    }
    Ok(value.heap())
}

/// A value that was read can be written, and then reads back as itself.
fn reread<T: fmt::Debug>(
    value: &T,
    encode: impl Fn(&T, &mut Vec<u8>) -> Result<(), Error>,
    same: impl Fn(&[u8]) -> bool,
) {
    let mut again = Vec::new();
    encode(value, &mut again).unwrap();
    assert!(same(&again), "{value:?}");
}

fn genuine_of(kind: Kind) -> Vec<Vec<u8>> {
    let mut genuine = genuine();
    genuine.retain(|(is, _)| *is == kind);
    assert!(!genuine.is_empty(), "{kind:?} is in no fixture");
    genuine.into_iter().map(|(_, bytes)| bytes).collect()
}

/// Everything captured that is short enough to be mutated everywhere.
fn genuine() -> BTreeSet<(Kind, Vec<u8>)> {
    let mut all = BTreeSet::new();
    for captured in fixtures::client_wire() {
        let Some(payload) = captured.bytes.get(4..) else {
            continue;
        };
        all.insert((kind_of(&captured), payload.to_vec()));
    }
    all.extend(
        disk::records()
            .into_iter()
            .map(|record| (Kind::Txn, record.payload)),
    );
    for folder in disk::SNAPSHOTS {
        for name in fixtures::files(&format!("disk/{folder}"), "") {
            if name.starts_with("snapshot.") {
                add_snapshot(&fixtures::read(&format!("disk/{folder}/{name}")), &mut all);
            }
        }
    }
    all.retain(|(_, bytes)| bytes.len() <= 1024);
    all
}

fn kind_of(captured: &fixtures::Captured) -> Kind {
    let decoded = &captured.decoded;
    let connect = decoded.get("timeOut").is_some();
    match (connect, captured.from_client) {
        (true, true) => Kind::Connect,
        (true, false) => Kind::Connected,
        (false, true) => Kind::Request,
        (false, false) if decoded["op"] == "notification" => Kind::Event,
        (false, false) => {
            let op = (-11..108)
                .map(OpCode)
                .find(|op| op.name().is_some_and(|name| decoded["op"] == name));
            Kind::Response(op.unwrap_or(OpCode::PING))
        }
    }
}

fn add_snapshot(bytes: &[u8], all: &mut BTreeSet<(Kind, Vec<u8>)>) {
    let mut reader = Reader::new(bytes);
    let _: SnapshotFileHeader = reader.read().unwrap();
    let _: Vec<SessionEntry> = reader.read().unwrap();
    let acls: Vec<AclEntry<'_>> = reader.read().unwrap();
    all.insert((Kind::Acls, jute::to_vec(&acls).unwrap()));
    while let Some(node) = read_node(&mut reader).unwrap() {
        let node: NodeEntry<'_> = node;
        all.insert((Kind::Node, jute::to_vec(&node).unwrap()));
    }
}
