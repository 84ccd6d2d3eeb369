//! Every directory that Apache left, opened by the server: the tree that
//! Apache had, over the wire and in the process; and of every damaged one what
//! was decided for it, as the process tells it.

#[path = "../../../zk-log/tests/it/decisions.rs"]
mod decisions;

use crate::support::client::{Client, Ticket, read};
use crate::support::fixtures::{content, files, is_dir, json, put};
use crate::support::process::{Launched, Process, assert_sound, write_config};
use crate::support::tree::{self, Nodes, Seen};
use crate::support::writer::{SESSION_MS, ephemerals};
use base64::Engine as _;
use decisions::Ours::{Refuse, RefuseThough, Same, Start};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use zk_log::{FileStorage, LogConfig, LogDirs};
use zk_proto::{
    Acl, EphemeralType, Perms, Request, SessionId, StatPersisted, Zxid, session_password,
};
use zk_tree::DataTree;

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

/// The super user of these directories, and its proof.
const SUPER: &str = "DigestAuthenticationProvider.superDigest=super:aUNvlR1MTvkJltEXyKE6RkjAUlk=";
const CREDENTIALS: &str = "super:fixture";

#[test]
fn every_directory_is_opened_with_apaches_tree() {
    for name in ALL {
        let expected = json(&format!("{name}/expected.json"));
        let dir = tempfile::tempdir().expect("a directory");
        let data_dir = dir.path().join("data");
        put(&data_dir, &files(&format!("{name}/version-2")));
        check_recovered(name, &data_dir, &expected);
        check_served(name, &data_dir, &expected);
    }
}

/// In the process: also what the wire does not show.
fn check_recovered(name: &str, data_dir: &Path, expected: &Value) {
    let dirs = LogDirs::new(data_dir, data_dir);
    let digest: i64 = text(&expected["treeDigest"]).parse().expect("a number");
    let recovered = tree::recover_with(&FileStorage, &dirs, &LogConfig::default(), digest != 0);
    let (recovered, tree) = recovered.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(recovered.last_zxid, zxid(&expected["lastZxid"]), "{name}");
    assert_eq!(tree.digest_mismatches(), 0, "{name}");
    assert_eq!(tree.digest() as i64, digest, "{name}");
    let nodes = tree::nodes(&tree);
    let seen = nodes
        .iter()
        .map(|(path, (seen, _))| (path.clone(), seen.clone()));
    compare(name, &seen.collect(), expected);
    for wanted in list(&expected["tree"]) {
        let (_, stored) = &nodes[text(&wanted["path"])];
        compare_stored(name, stored, &wanted["stored"]);
    }
    compare_sessions(name, &tree, expected);
    let ttls = of_kind(&tree, |kind| matches!(kind, EphemeralType::Ttl(_)));
    assert_eq!(ttls, texts(&expected["ttls"]), "{name}");
    let containers = of_kind(&tree, |kind| matches!(kind, EphemeralType::Container));
    assert_eq!(containers, texts(&expected["containers"]), "{name}");
}

fn of_kind(tree: &DataTree, wanted: fn(EphemeralType) -> bool) -> BTreeSet<String> {
    let paths = tree::nodes(tree).into_keys();
    paths
        .filter(|path| wanted(tree.get(path).expect("it was listed").kind()))
        .collect()
}

fn compare_stored(name: &str, stored: &StatPersisted, wanted: &Value) {
    let found = [Some(stored.cversion.into()), Some(stored.ephemeral_owner)];
    let wanted = [&wanted["cversion"], &wanted["ephemeralOwner"]].map(Value::as_i64);
    assert_eq!(found, wanted, "{name}");
}

fn compare_sessions(name: &str, tree: &DataTree, expected: &Value) {
    let sessions = list(&expected["sessions"]).iter().map(|session| {
        let timeout = session["timeout"].as_i64().expect("a timeout");
        let paths: Vec<String> = texts(&session["ephemerals"]).into_iter().collect();
        (
            zxid(&session["id"]).0,
            (i32::try_from(timeout).expect("ms"), paths),
        )
    });
    assert_eq!(
        tree::sessions(tree),
        sessions.collect::<BTreeMap<_, _>>(),
        "{name}"
    );
}

/// The real server, with the switches that Apache had.
fn check_served(name: &str, data_dir: &Path, expected: &Value) {
    let properties = expected["properties"].as_str().unwrap_or_default();
    let properties = properties.replace(' ', "\n");
    let extra = format!("{SUPER}\nextendedTypesEnabled=true\n{properties}");
    let server = Process::start(&write_config(data_dir, 0, &extra));
    let address = server.address();
    let mut client = walker(name, &server, zxid(&expected["lastZxid"]));
    compare(name, &tree::walk(&mut client), expected);
    for session in list(&expected["sessions"]) {
        let id = SessionId(zxid(&session["id"]).0);
        let ticket = Ticket {
            id,
            timeout_ms: SESSION_MS,
            password: session_password(id).to_vec(),
        };
        let resumed = Client::resume(address, &ticket, Zxid::ZERO).expect("it serves");
        let mut resumed = resumed.unwrap_or_else(|| panic!("{name}: no session {id}"));
        let owned: BTreeSet<String> = ephemerals(&mut resumed).into_iter().collect();
        assert_eq!(owned, texts(&session["ephemerals"]), "{name} {id}");
    }
    client.close();
    assert_sound(&server.kill());
}

fn compare(name: &str, found: &Nodes, expected: &Value) {
    let tree = list(&expected["tree"]);
    let paths: BTreeSet<&str> = tree.iter().map(|it| text(&it["path"])).collect();
    let there: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(there, paths, "{name}");
    for wanted in tree {
        let path = text(&wanted["path"]);
        compare_node(&format!("{name} {path}"), &found[path], wanted);
    }
}

fn compare_node(context: &str, node: &Seen, wanted: &Value) {
    let stat = &node.stat;
    let fields = [
        ("czxid", stat.czxid.0),
        ("mzxid", stat.mzxid.0),
        ("ctime", stat.ctime),
        ("mtime", stat.mtime),
        ("version", stat.version.into()),
        ("cversion", stat.cversion.into()),
        ("aversion", stat.aversion.into()),
        ("ephemeralOwner", stat.ephemeral_owner),
        ("dataLength", stat.data_length.into()),
        ("numChildren", stat.num_children.into()),
        ("pzxid", stat.pzxid.0),
    ];
    for (field, value) in fields {
        // Each server of an ensemble set this one by its own clock.
        if context.ends_with("/zookeeper/config") && field == "mtime" {
            continue;
        }
        assert_eq!(
            wanted["stat"][field].as_i64(),
            Some(value),
            "{context} {field}"
        );
    }
    let acls = list(&wanted["acl"]).iter().map(|it| {
        let perms = i32::try_from(it["perms"].as_i64().expect("perms")).expect("bits");
        Acl::new(
            Perms(perms),
            text(&it["scheme"]).to_owned(),
            text(&it["id"]).to_owned(),
        )
    });
    assert_eq!(node.acl, acls.collect::<Vec<_>>(), "{context}");
    compare_data(context, node.data.as_deref(), &wanted["data"]);
}

fn compare_data(context: &str, data: Option<&[u8]>, wanted: &Value) {
    match wanted {
        Value::Null => assert_eq!(data, None, "{context}"),
        Value::String(text) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text);
            assert_eq!(data, Some(&*bytes.expect("base64")), "{context}");
        }
        // Large; the digest of the tree covers the bytes.
        large => {
            let length = large["length"].as_u64();
            assert_eq!(data.map(|data| data.len() as u64), length, "{context}");
        }
    }
}

/// What each damaged directory does to the process: it serves the state that
/// was decided, or it ends with a message and changes nothing.
#[test]
fn every_damaged_directory_ends_as_decided() {
    let behaviours = json("corrupt/behaviour.json");
    let variants = behaviours["variants"].as_object().expect("variants");
    assert_eq!(variants.len(), 51);
    for (name, behaviour) in variants {
        let dir = tempfile::tempdir().expect("a directory");
        let data_dir = dir.path().join("data");
        put(&data_dir, &variant(name, behaviour));
        match decisions::decision(name) {
            Same => serves(name, &data_dir, zxid(&behaviour["behaviour"]["srvr_zxid"])),
            Start(last, why) => serves(&format!("{name}: {why}"), &data_dir, Zxid(last)),
            Refuse(message) => refuses(name, &data_dir, message),
            RefuseThough(message, why) => {
                refuses(&format!("{name}: {why}"), &data_dir, message);
            }
        }
    }
}

/// The base with a variant's changes.
fn variant(name: &str, behaviour: &Value) -> Vec<(String, Vec<u8>)> {
    let mut all: BTreeMap<_, _> = files("corrupt/intact").into_iter().collect();
    if name != "intact" && is_dir(&format!("corrupt/{name}")) {
        all.extend(files(&format!("corrupt/{name}")));
    }
    for removed in behaviour["removed_from_base"]
        .as_array()
        .into_iter()
        .flatten()
    {
        all.remove(text(removed));
    }
    all.into_iter().collect()
}

fn serves(name: &str, data_dir: &Path, last: Zxid) {
    let config = write_config(data_dir, 0, SUPER);
    let server = Process::start(&config);
    let walked = tree::walk(&mut walker(name, &server, last));
    server.kill();
    // What it repaired is repaired for good.
    let again = Process::start(&config);
    let walked_again = tree::walk(&mut walker(name, &again, Zxid(last.0 + 1)));
    tree::assert_same(name, &walked, &walked_again);
    let said = again.kill();
    assert!(
        !said.contains("interrupted write was cut"),
        "{name}: twice\n{said}"
    );
}

/// A client that may read everything. Its own session is the first
/// transaction behind the last one of the files.
fn walker(name: &str, server: &Process, last: Zxid) -> Client {
    let mut client = Client::open(server.address(), SESSION_MS).expect("a session");
    client.ok(&Request::Exists(read("/")));
    assert_eq!(client.last_zxid, Zxid(last.0 + 1), "{name}");
    client.authenticate(CREDENTIALS);
    client
}

fn refuses(name: &str, data_dir: &Path, message: &str) {
    let before = content(data_dir);
    let started = Launched::spawn(&write_config(data_dir, 0, SUPER)).serving();
    let (status, said) = started.expect_err(name);
    assert_eq!(status.code(), Some(1), "{name}: {said}");
    let error = said.lines().find(|line| line.contains("ERROR"));
    let error = error.unwrap_or_else(|| panic!("{name}: no error in\n{said}"));
    let dir = data_dir.join("version-2");
    assert!(error.contains(&*dir.to_string_lossy()), "{name}: {error}");
    assert!(error.contains(message), "{name}: {error}");
    assert_eq!(content(data_dir), before, "{name}: the files were changed");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn texts(value: &Value) -> BTreeSet<String> {
    list(value).iter().map(|it| text(it).to_owned()).collect()
}

/// `0x1f` or `31`.
fn zxid(value: &Value) -> Zxid {
    match value.as_str() {
        Some(text) => {
            let digits = text.trim_start_matches("0x");
            Zxid(i64::from_str_radix(digits, 16).expect("hex digits"))
        }
        None => Zxid(value.as_i64().expect("a number")),
    }
}
