//! Every transaction and every snapshot item that Apache wrote is decoded,
//! compared with what Apache's own reader saw, and encoded to the same bytes.

use crate::fixtures;
use crate::json;
use serde_json::{Value, json};
use zk_proto::jute::{self, Reader};
use zk_proto::snapshot::{
    self, AclEntry, SessionEntry, SnapshotDigest, SnapshotFileHeader, read_node,
};
use zk_proto::txn::{CreateTxn, LogFileHeader, LoggedTxn, RECORD_END, Txn, TxnHeader};
use zk_proto::{Acl, Buffer, OpCode, SessionId, Ustr, Zxid};

const LOGS: [&str; 5] = [
    "standalone",
    "nodigest",
    "digest-nolastzxid",
    "ensemble-node-3",
    "snappy",
];

/// A record of a log, and what Apache's reader saw in it.
pub(crate) struct Record {
    pub(crate) label: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) seen: Value,
}

pub(crate) fn records() -> Vec<Record> {
    let mut all = Vec::new();
    for folder in LOGS {
        for log in fixtures::read_json(&format!("disk/{folder}/txns.json"))
            .as_array()
            .unwrap()
        {
            let name = format!("disk/{folder}/{}", log["file"].as_str().unwrap());
            records_of(&name, log["txns"].as_array().unwrap(), &mut all);
        }
    }
    all
}

fn records_of(name: &str, seen: &[Value], all: &mut Vec<Record>) {
    let bytes = fixtures::read(name);
    let mut reader = Reader::new(&bytes);
    let header: LogFileHeader = reader.read().unwrap();
    assert_eq!(header, LogFileHeader::current());
    for seen in seen {
        let _adler32: i64 = reader.read().unwrap();
        let payload: Buffer<'_> = reader.read().unwrap();
        assert_eq!(reader.take(1).unwrap(), [RECORD_END]);
        assert_eq!(json!(payload.len()), seen["length"]);
        all.push(Record {
            label: format!("{name} at {}", seen["offset"]),
            payload: payload.to_vec(),
            seen: seen.clone(),
        });
    }
    assert!(reader.is_empty(), "{name} holds more records");
}

#[test]
fn transactions_decode_as_apache_reads_them_and_encode_back() {
    let records = records();
    assert!(records.len() > 850, "only {} records", records.len());
    for record in records {
        let logged = LoggedTxn::decode(&record.payload)
            .unwrap_or_else(|error| panic!("{}: {error}", record.label));
        assert_eq!(logged.header.kind, logged.txn.kind());
        let mut seen = record.seen;
        for of_the_file in ["offset", "length"] {
            seen.as_object_mut().unwrap().remove(of_the_file);
        }
        let mut told = json::logged(&logged);
        compare_long_data(&mut told, &mut seen);
        assert_eq!(told, seen, "{}", record.label);
        let mut again = Vec::new();
        logged.encode(&mut again).unwrap();
        assert_eq!(again, record.payload, "{}", record.label);
    }
}

/// Long data were told by their length and a hash; the hash is left to the
/// comparison of bytes.
fn compare_long_data(told: &mut Value, seen: &mut Value) {
    if let Some(length) = seen["txn"]["data"].get("len") {
        let hex = told["txn"]["data"].take();
        assert_eq!(json!(hex.as_str().unwrap().len() / 2), *length);
        seen["txn"]["data"] = Value::Null;
    }
}

#[test]
fn parts_of_a_multi_encode_back() {
    let mut parts = 0;
    for record in records() {
        let logged = LoggedTxn::decode(&record.payload).unwrap();
        let Txn::Multi(subs) = &logged.txn else {
            continue;
        };
        for sub in subs {
            let mut again = Vec::new();
            sub.decode().unwrap().encode(&mut again).unwrap();
            assert_eq!(again, *sub.data, "{}", record.label);
            parts += 1;
        }
    }
    assert!(parts > 100, "only {parts} parts");
}

/// Error transactions have none; all others have one where digests are on.
#[test]
fn digests_stand_behind_all_but_errors() {
    for record in records() {
        let logged = LoggedTxn::decode(&record.payload).unwrap();
        let on = !record.label.starts_with("disk/nodigest");
        let expected = on && logged.header.kind != OpCode::ERROR;
        assert_eq!(logged.digest.is_some(), expected, "{}", record.label);
    }
}

/// Servers with closeSessionTxn.enabled=false leave the record out; the
/// digest behind the header must not be taken for it.
#[test]
fn close_session_without_a_body() {
    let mut bodies = [0, 0];
    for record in records() {
        let logged = LoggedTxn::decode(&record.payload).unwrap();
        let Txn::CloseSession(paths) = &logged.txn else {
            continue;
        };
        let left_out = record.label.starts_with("disk/digest-nolastzxid");
        assert_eq!(paths.is_none(), left_out, "{}", record.label);
        bodies[usize::from(left_out)] += 1;
    }
    assert!(bodies[0] > 5 && bodies[1] == 3, "{bodies:?}");
}

/// Whatever digest follows an absent body, the body is absent. A sum below
/// 2^32 starts like an empty path.
#[test]
fn no_digest_is_taken_for_closed_paths() {
    let header = header(OpCode::CLOSE_SESSION);
    for tree in [0, 1, -1, 160_987_155_876, 1 << 32, i64::MIN, 0x1_2f00_0000] {
        let bytes = jute::to_vec(&(header, 2i32, tree)).unwrap();
        let logged = LoggedTxn::decode(&bytes).unwrap();
        assert_eq!(logged.txn, Txn::CloseSession(None), "{tree:#x}");
        assert_eq!(logged.digest.map(|digest| digest.tree), Some(tree));
    }
}

/// Servers before 3.4 wrote no parentCVersion: it reads as -1.
#[test]
fn creates_of_old_servers() {
    let old = (
        Ustr::from("/a"),
        Some(Buffer(b"data")),
        Some(vec![Acl::open()]),
        false,
    );
    let bytes = jute::to_vec(&(header(OpCode::CREATE), &old)).unwrap();
    let expected = CreateTxn {
        path: old.0.clone(),
        data: old.1,
        acl: old.2.clone(),
        ephemeral: false,
        parent_cversion: -1,
    };
    let logged = LoggedTxn::decode(&bytes).unwrap();
    assert_eq!(logged.txn, Txn::Create(expected));
    for end in 32..bytes.len() {
        assert!(LoggedTxn::decode(&bytes[..end]).is_err(), "{end}");
    }
    let create2 = jute::to_vec(&(header(OpCode::CREATE2), &old)).unwrap();
    assert!(LoggedTxn::decode(&create2).is_err());
}

fn header(kind: OpCode) -> TxnHeader {
    TxnHeader {
        client_id: SessionId(7),
        cxid: 1,
        zxid: Zxid(9),
        time: 1000,
        kind,
    }
}

pub(crate) const SNAPSHOTS: [&str; 3] = ["standalone", "nodigest", "digest-nolastzxid"];

#[test]
fn snapshots_decode_as_apache_reads_them_and_encode_back() {
    for folder in SNAPSHOTS {
        let seen = fixtures::read_json(&format!("disk/{folder}/snapshots.json"));
        for seen in seen.as_array().unwrap() {
            let name = format!("disk/{folder}/{}", seen["file"].as_str().unwrap());
            check_snapshot(&name, seen);
        }
    }
}

fn check_snapshot(name: &str, seen: &Value) {
    let bytes = fixtures::read(name);
    let mut reader = Reader::new(&bytes);
    let mut again = Vec::new();

    let header: SnapshotFileHeader = reader.read().unwrap();
    assert_eq!(header, SnapshotFileHeader::current());
    jute::append(&mut again, &header).unwrap();

    let sessions: Vec<SessionEntry> = reader.read().unwrap();
    let session = |s: &SessionEntry| json!({"id": s.id.0, "timeout": s.timeout_ms});
    let told: Value = sessions.iter().map(session).collect();
    assert_eq!(told, seen["sessions"], "{name}");
    jute::append(&mut again, &sessions).unwrap();

    let acls: Vec<AclEntry<'_>> = reader.read().unwrap();
    let entry = |e: &AclEntry<'_>| json!({"index": e.index, "acl": json::acl(&e.acl)});
    let told: Value = acls.iter().map(entry).collect();
    assert_eq!(told, seen["acl_entries"], "{name}");
    jute::append(&mut again, &acls).unwrap();

    check_nodes(&mut reader, seen, &mut again);
    check_tail(&bytes, reader, seen, &mut again);
    assert_eq!(again, bytes, "{name}");
}

fn check_nodes(reader: &mut Reader<'_>, seen: &Value, again: &mut Vec<u8>) {
    let mut paths = Vec::new();
    while let Some(node) = read_node(reader).unwrap() {
        jute::append(again, &node).unwrap();
        paths.push(json!(&*node.path));
    }
    snapshot::append_end(again).unwrap();
    assert_eq!(json!(paths.len()), seen["nodes"]);
    let head = seen["node_order_head"].as_array().unwrap();
    assert!(paths.starts_with(head));
}

/// The seals, and the digest and last zxid where the server wrote them.
fn check_tail(bytes: &[u8], mut reader: Reader<'_>, seen: &Value, again: &mut Vec<u8>) {
    for (part, seal) in seen["seals"].as_array().unwrap().iter().enumerate() {
        match part {
            0 => {}
            1 => {
                let digest = SnapshotDigest::read(&mut reader).unwrap();
                let sum = digest.tree.to_string();
                let told = json!({"zxid": digest.zxid.0, "version": digest.version, "digest": sum});
                assert_eq!(told, seen["digest"]);
                jute::append(again, &digest).unwrap();
            }
            _ => {
                let last: Zxid = reader.read().unwrap();
                assert_eq!(json!(last.0), seen["lastProcessedZxid"]);
                jute::append(again, &last).unwrap();
            }
        }
        let at = bytes.len() - reader.remaining().len();
        let (adler32, mark): (i64, Ustr<'_>) = reader.read().unwrap();
        let told = json!({"at": at, "value": adler32, "path": &*mark, "ok": true});
        assert_eq!(told, *seal);
        snapshot::append_seal(again, u32::try_from(adler32).unwrap()).unwrap();
        assert_eq!(again.len(), at + snapshot::SEAL_LEN);
    }
    assert!(reader.is_empty());
}
