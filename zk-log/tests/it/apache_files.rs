//! Every directory that Apache left opens with Apache's own state.

use crate::model::{CONTAINER, Model, Node, TTL_MASK};
use crate::support::{base64, disk, files, json, recover, zxid};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use zk_log::{LogNext, LogReader, LogStart};
use zk_proto::{Acl, OpCode, Perms};

const ALL: [&str; 10] = [
    "standalone",
    "digest-nolastzxid",
    "nodigest",
    "gz",
    "snappy",
    "fuzzy",
    "ensemble/node-1",
    "ensemble/node-2",
    "ensemble/node-3",
    "ensemble/node-4",
];

#[test]
fn every_directory_recovers_to_the_state_that_apache_had() {
    for name in ALL {
        check(name);
    }
}

/// The fuzzy snapshots too: each of them, with the logs, makes the same tree.
#[test]
fn every_snapshot_leads_to_the_same_state() {
    for name in ALL {
        let expected = json(&format!("{name}/expected.json"));
        let mut all = files(&format!("{name}/version-2"));
        while let Some(newest) = all
            .iter()
            .rposition(|(name, _)| name.starts_with("snapshot."))
        {
            let newest = newest_snapshot(&all).unwrap_or(newest);
            let (_, model) = recover(&disk(&all)).unwrap_or_else(|error| panic!("{name}: {error}"));
            compare(name, &model, &expected);
            all.remove(newest);
        }
    }
}

fn newest_snapshot(files: &[(String, Vec<u8>)]) -> Option<usize> {
    let zxid = |name: &str| {
        let digits = name.strip_prefix("snapshot.")?.split('.').next()?;
        i64::from_str_radix(digits, 16).ok()
    };
    let found = files.iter().enumerate();
    found
        .filter_map(|(at, (name, _))| Some((zxid(name)?, at)))
        .max()
        .map(|(_, at)| at)
}

fn check(name: &str) {
    let expected = json(&format!("{name}/expected.json"));
    let (recovered, model) = recover(&disk(&files(&format!("{name}/version-2"))))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(recovered.last_zxid, zxid(&expected["lastZxid"]), "{name}");
    assert!(
        recovered.torn.is_none() && recovered.bad_snapshots.is_empty(),
        "{name}"
    );
    assert!(!recovered.empty);
    compare(name, &model, &expected);
}

fn compare(name: &str, model: &Model, expected: &Value) {
    assert_eq!(model.last, zxid(&expected["lastZxid"]), "{name}");
    compare_sessions(name, model, expected);
    let owned = |wanted: fn(i64) -> bool| -> BTreeSet<&str> {
        let nodes = model.nodes.iter();
        nodes
            .filter(|(_, node)| wanted(node.stat.ephemeral_owner))
            .map(|(path, _)| path.as_str())
            .collect()
    };
    assert_eq!(
        owned(|owner| owner == CONTAINER),
        texts(&expected["containers"]),
        "{name}"
    );
    if name == "standalone" {
        // Elsewhere extendedTypesEnabled was off or there are none.
        assert_eq!(owned(is_ttl), texts(&expected["ttls"]), "{name}");
    }
    compare_nodes(name, model, expected);
    let digest: i64 = expected["treeDigest"].as_str().unwrap().parse().unwrap();
    // 0: digests were off.
    if digest != 0 {
        assert_eq!(model.digest(), digest, "{name}: the tree's digest");
    }
}

fn is_ttl(owner: i64) -> bool {
    owner & TTL_MASK == TTL_MASK
}

fn texts(value: &Value) -> BTreeSet<&str> {
    let list = value.as_array().unwrap();
    list.iter().map(|it| it.as_str().unwrap()).collect()
}

fn compare_sessions(name: &str, model: &Model, expected: &Value) {
    let mut sessions = BTreeMap::new();
    for session in expected["sessions"].as_array().unwrap() {
        let id = zxid(&session["id"]).0;
        sessions.insert(
            id,
            i32::try_from(session["timeout"].as_i64().unwrap()).unwrap(),
        );
        assert_eq!(
            model.ephemerals(id),
            texts(&session["ephemerals"]),
            "{name} {id:x}"
        );
    }
    assert_eq!(model.sessions, sessions, "{name}");
}

fn compare_nodes(name: &str, model: &Model, expected: &Value) {
    let tree = expected["tree"].as_array().unwrap();
    let paths: BTreeSet<&str> = tree.iter().map(path).collect();
    let there: BTreeSet<&str> = model.nodes.keys().map(String::as_str).collect();
    assert_eq!(there, paths, "{name}");
    for wanted in tree {
        let node = &model.nodes[path(wanted)];
        let context = format!("{name} {}", path(wanted));
        compare_stat(&context, model, node, wanted);
        assert_eq!(node.acl, acl(&wanted["acl"]), "{context}");
        compare_data(&context, node, wanted);
    }
}

/// Apache shows the root as "/".
fn path(node: &Value) -> &str {
    match node["path"].as_str().unwrap() {
        "/" => "",
        path => path,
    }
}

fn compare_stat(context: &str, model: &Model, node: &Node, wanted: &Value) {
    let stat = &node.stat;
    let children = i64::try_from(model.children(path(wanted))).unwrap();
    let found = [
        ("czxid", stat.czxid.0),
        ("mzxid", stat.mzxid.0),
        ("ctime", stat.ctime),
        ("mtime", stat.mtime),
        ("version", stat.version.into()),
        ("aversion", stat.aversion.into()),
        ("pzxid", stat.pzxid.0),
        ("numChildren", children),
        ("cversion", 2 * i64::from(stat.cversion) - children),
    ];
    for (field, value) in found {
        // Each server sets the configuration by its own clock.
        if path(wanted) == "/zookeeper/config" && field == "mtime" {
            continue;
        }
        assert_eq!(
            wanted["stat"][field].as_i64(),
            Some(value),
            "{context} {field}"
        );
    }
    let stored = &wanted["stored"];
    assert_eq!(
        stored["cversion"].as_i64(),
        Some(stat.cversion.into()),
        "{context}"
    );
    let owner = stored["ephemeralOwner"].as_i64();
    assert_eq!(owner, Some(stat.ephemeral_owner), "{context}");
}

fn compare_data(context: &str, node: &Node, wanted: &Value) {
    // The quota's usage is counted by the tree, outside of transactions.
    if context.ends_with("zookeeper_stats") {
        return;
    }
    let data = node.data.as_deref();
    match &wanted["data"] {
        Value::Null => assert_eq!(data, None, "{context}"),
        Value::String(text) => assert_eq!(data, Some(&base64(text)[..]), "{context}"),
        // Large; the digest of the tree covers the bytes.
        large => assert_eq!(
            data.map(<[u8]>::len),
            large["length"]
                .as_u64()
                .map(|it| usize::try_from(it).unwrap()),
            "{context}"
        ),
    }
}

fn acl(value: &Value) -> Vec<Acl<'static>> {
    let entries = value.as_array().unwrap().iter();
    let entry = |it: &Value| {
        let text = |field: &str| it[field].as_str().unwrap().to_owned();
        let perms = i32::try_from(it["perms"].as_i64().unwrap()).unwrap();
        Acl::new(Perms(perms), text("scheme"), text("id"))
    };
    entries.map(entry).collect()
}

/// Record by record: offset, checksum, length, header.
#[test]
fn every_record_is_read_where_apache_wrote_it() {
    let mut records = 0;
    for name in ALL {
        let storage = disk(&files(&format!("{name}/version-2")));
        for file in json(&format!("{name}/txns.json")).as_array().unwrap() {
            let path = crate::support::dirs()
                .log_dir
                .join(file["file"].as_str().unwrap());
            let mut reader = LogReader::open(&storage, &path).unwrap();
            assert_eq!(reader.start().unwrap(), LogStart::Header);
            for wanted in file["txns"].as_array().unwrap() {
                let LogNext::Record(record) = reader.next().unwrap() else {
                    panic!("{name} {}: ends early", path.display());
                };
                let header = if wanted["header"].is_null() {
                    wanted
                } else {
                    &wanted["header"]
                };
                let txn = record.decode(&path).unwrap();
                assert_eq!(wanted["offset"].as_u64(), Some(record.offset));
                assert_eq!(wanted["crc"].as_u64(), Some(record.checksum.into()));
                assert_eq!(wanted["length"].as_u64(), Some(record.payload.len() as u64));
                assert_eq!(header["clientId"].as_i64(), Some(txn.header.client_id.0));
                assert_eq!(header["cxid"].as_i64(), Some(txn.header.cxid.into()));
                assert_eq!(header["zxid"].as_i64(), Some(record.zxid.0));
                assert_eq!(header["time"].as_i64(), Some(txn.header.time));
                assert_eq!(header["type"].as_i64(), Some(record.kind.0.into()));
                assert_eq!(record.kind == OpCode::ERROR, wanted["op"] == "error");
                records += 1;
            }
            assert!(matches!(reader.next().unwrap(), LogNext::End));
            assert_eq!(file["end_offset"].as_u64(), Some(reader.position()));
        }
    }
    assert_eq!(records, expected_records());
}

fn expected_records() -> usize {
    let of = |name: &&str| {
        let logs = json(&format!("{name}/txns.json"));
        let logs = logs.as_array().unwrap().iter();
        logs.map(|log| log["txns"].as_array().unwrap().len())
            .sum::<usize>()
    };
    ALL.iter().map(of).sum()
}
