//! Logs and snapshots that Apache ZooKeeper 3.9.5 wrote, and the trees that
//! it made of them.

use crate::base64;
use crate::files::{fixture, load_file, payloads, replay};
use serde_json::Value;
use std::fs;
use zk_proto::txn::LoggedTxn;
use zk_proto::{EphemeralType, Stat, Zxid};
use zk_tree::{DataTree, NodeRef, TreeConfig};

const CONFIG: TreeConfig = TreeConfig {
    hash_seed: 0x5eed,
    extended_types: true,
    digest: true,
};

/// The tree of a directory, made from its logs and from each of its
/// snapshots.
fn check(directory: &str, config: TreeConfig) {
    let log = fs::read(fixture(directory).join("txns.log")).unwrap();
    let expected = fs::read(fixture(directory).join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut tree = DataTree::new(config);
    replay(&mut tree, &log);
    compare(&tree, &expected, &format!("{directory}: logs alone"));
    let mut snapshots = 0;
    for file in fs::read_dir(fixture(directory)).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(zxid) = name.strip_prefix("snapshot.") else {
            continue;
        };
        let zxid = Zxid(i64::from_str_radix(zxid, 16).unwrap());
        let file = fs::read(fixture(directory).join(&name)).unwrap();
        let mut tree = load_file(&file, zxid, config);
        replay(&mut tree, &log);
        compare(&tree, &expected, &format!("{directory}: {name}"));
        snapshots += 1;
    }
    assert!(snapshots > 1, "{directory} has snapshots");
}

fn compare(tree: &DataTree, expected: &Value, what: &str) {
    assert_eq!(tree.digest_mismatches(), 0, "{what}: digests");
    assert_eq!(
        tree.last_zxid().0,
        expected["lastZxid"].as_i64().unwrap(),
        "{what}"
    );
    if let Some(digest) = expected["treeDigest"].as_str() {
        assert_eq!(tree.digest().to_string(), digest, "{what}");
    }
    let nodes = expected["tree"].as_array().unwrap();
    let is_ensemble = expected["properties"].is_null();
    for node in nodes {
        let path = node["path"].as_str().unwrap();
        // An ensemble keeps its configuration up to date outside the log.
        if !is_ensemble || path != "/zookeeper/config" {
            compare_node(tree.get(path), node, &format!("{what}: {path}"));
        }
    }
    assert_eq!(tree.count_descendants("/"), Some(nodes.len() - 1), "{what}");
    assert_eq!(tree.count_descendants(""), Some(nodes.len() - 1), "{what}");
    compare_sessions(tree, expected, what);
    compare_kinds(tree, expected, what);
}

fn compare_node(node: Option<NodeRef<'_>>, expected: &Value, what: &str) {
    let node = node.unwrap_or_else(|| panic!("{what} is missing"));
    let data = expected["data"].as_str().map(base64::decode);
    assert_eq!(node.data(), data.as_deref(), "{what}");
    assert_eq!(node.stat(), stat(&expected["stat"]), "{what}");
    let stored = &expected["stored"];
    assert_eq!(
        i64::from(node.stored().cversion),
        stored["cversion"].as_i64().unwrap(),
        "{what}"
    );
    let owner = &stored["ephemeralOwner"];
    assert_eq!(node.stored().ephemeral_owner, number(owner), "{what}");
    let acl: Vec<Value> = node
        .acl()
        .entries()
        .iter()
        .map(|it| {
            serde_json::json!({
                "perms": it.perms.0, "scheme": it.id.scheme(), "id": it.id.id(),
            })
        })
        .collect();
    assert_eq!(Value::Array(acl), expected["acl"], "{what}");
}

fn stat(value: &Value) -> Stat {
    let long = |name: &str| number(&value[name]);
    let int = |name: &str| i32::try_from(long(name)).unwrap();
    Stat {
        czxid: Zxid(long("czxid")),
        mzxid: Zxid(long("mzxid")),
        ctime: long("ctime"),
        mtime: long("mtime"),
        version: int("version"),
        cversion: int("cversion"),
        aversion: int("aversion"),
        ephemeral_owner: long("ephemeralOwner"),
        data_length: int("dataLength"),
        num_children: int("numChildren"),
        pzxid: Zxid(long("pzxid")),
    }
}

/// A number, or a string like "0x1f" or "-0x1f".
fn number(value: &Value) -> i64 {
    match value.as_str() {
        None => value.as_i64().unwrap(),
        Some(text) => u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap() as i64,
    }
}

fn compare_sessions(tree: &DataTree, expected: &Value, what: &str) {
    let mut sessions: Vec<(i64, i64, Vec<String>)> = expected["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                number(&it["id"]),
                number(&it["timeout"]),
                strings(&it["ephemerals"]),
            )
        })
        .collect();
    sessions.sort();
    let actual: Vec<_> = tree
        .sessions()
        .map(|(id, timeout)| (id.0, i64::from(timeout), tree.ephemerals(id)))
        .collect();
    assert_eq!(actual, sessions, "{what}");
    let ephemerals: usize = sessions.iter().map(|it| it.2.len()).sum();
    assert_eq!(tree.ephemeral_count(), ephemerals, "{what}");
}

fn compare_kinds(tree: &DataTree, expected: &Value, what: &str) {
    let (mut containers, mut ttls) = (Vec::new(), Vec::new());
    for node in expected["tree"].as_array().unwrap() {
        let path = node["path"].as_str().unwrap();
        match tree.get(path).unwrap().kind() {
            EphemeralType::Container => containers.push(path.to_owned()),
            EphemeralType::Ttl(_) => ttls.push(path.to_owned()),
            _ => {}
        }
    }
    containers.sort();
    ttls.sort();
    assert_eq!(containers, strings(&expected["containers"]), "{what}");
    assert_eq!(ttls, strings(&expected["ttls"]), "{what}");
}

fn strings(value: &Value) -> Vec<String> {
    let mut strings: Vec<String> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    strings.sort();
    strings
}

#[test]
fn every_kind_of_transaction() {
    check("standalone", CONFIG);
}

#[test]
fn close_session_without_paths() {
    check("digest-nolastzxid", CONFIG);
}

#[test]
fn files_without_digests() {
    let config = TreeConfig {
        digest: false,
        ..CONFIG
    };
    check("nodigest", config);
}

#[test]
fn an_ensemble_with_reconfig_and_two_epochs() {
    check("ensemble", CONFIG);
}

/// Apache wrote this snapshot while two clients were writing: 55 of its
/// znodes are newer than its name. The digests behind its end tell whether
/// replay has made one of the trees that were.
#[test]
fn a_fuzzy_snapshot() {
    let file = fs::read(fixture("fuzzy/snapshot.424")).unwrap();
    let log = fs::read(fixture("fuzzy/txns.log")).unwrap();
    let mut tree = load_file(&file, Zxid(0x424), CONFIG);
    let end = Zxid(1120);
    let mut compared = 0;
    for payload in payloads(&log) {
        let txn = LoggedTxn::decode(payload).unwrap();
        tree.apply(&txn, &mut |_| {});
        // Failed writes carry none.
        if let Some(digest) = txn.digest.filter(|_| txn.header.zxid >= end) {
            assert_eq!(tree.digest() as i64, digest.tree);
            compared += 1;
        }
    }
    assert_eq!(tree.digest_mismatches(), 0);
    assert!(compared > 50);
}

#[test]
fn the_tree_of_an_empty_directory() {
    let tree = DataTree::new(CONFIG);
    assert_eq!(tree.digest(), 1_371_985_504);
    assert_eq!((tree.node_count(), tree.data_size()), (5, 44));
    assert_eq!(tree.get("/zookeeper").unwrap().stat().cversion, -2);
    let file = fs::read(fixture("standalone/snapshot.0")).unwrap();
    let loaded = load_file(&file, Zxid(0), CONFIG);
    assert_eq!((loaded.digest(), loaded.data_size()), (tree.digest(), 44));
    for path in ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"] {
        let (new, old) = (tree.get(path).unwrap(), loaded.get(path).unwrap());
        assert_eq!(
            (new.stored(), new.data(), new.acl()),
            (old.stored(), old.data(), old.acl())
        );
    }
}
