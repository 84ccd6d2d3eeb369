//! A snapshot as text or as JSON (`SnapshotFormatter`).

use super::snapshot_tree::{Node, Tree};
use super::{Outcome, java_set, parse, snapshot_json, zxid_of_name};
use crate::error::CliError;
use crate::flags::{Flag, flag, value};
use crate::java_time;
use crate::output::Output;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::path::Path;

const FLAGS: &[Flag] = &[flag("d"), flag("json"), value("o")];

pub(super) fn dump(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("snapshot", FLAGS, words, 1..=1)?;
    let path = Path::new(&parsed.words[0]);
    match parsed.value("o") {
        None | Some("text") => {}
        Some("json") => return snapshot_json::lines(output, path),
        Some(other) => return Err(CliError::usage(format!("-o {other}: json or text"))),
    }
    let with_data = parsed.has("d");
    if with_data && parsed.has("json") {
        return Err(CliError::usage(
            "Cannot specify both data dump (-d) and json mode (-json) in same call",
        ));
    }
    let mut tree = Tree::read(path, with_data)?;
    tree.order_as_java();
    if parsed.has("json") {
        snapshot_json::ncdu(output, &tree);
        return tree.check_end();
    }
    print_nodes(output, &tree, with_data);
    print_sessions(output, &tree);
    let newest = tree.nodes.iter().map(newest).max().unwrap_or(0);
    let name = zxid_of_name(path).map_or(-1, |zxid| zxid.0);
    output.line(&format!("----\nLast zxid: 0x{:x}", name.max(newest)));
    tree.check_end()
}

fn newest(node: &Node) -> i64 {
    node.stat.mzxid.0.max(node.stat.pzxid.0)
}

fn print_nodes(output: &Output, tree: &Tree, with_data: bool) {
    // The root has two names, and Apache counts both.
    let count = tree.nodes.len() + 1;
    output.line(&format!("ZNode Details (count={count}):"));
    for (_, node) in tree.depth_first(0) {
        output.line("----");
        output.line(node.shown_path());
        output.text(&details(node, with_data));
    }
    output.line("----");
}

fn details(node: &Node, with_data: bool) -> String {
    let stat = &node.stat;
    let data = match with_data {
        true => {
            let data = node.data.as_deref().unwrap_or_default();
            format!("data = {}", BASE64_STANDARD.encode(data))
        }
        false => format!("dataLength = {}", node.length),
    };
    format!(
        "  cZxid = {:#016x}\n  ctime = {}\n  mZxid = {:#016x}\n  mtime = {}\n  pZxid = {:#016x}\n  \
         cversion = {}\n  dataVersion = {}\n  aclVersion = {}\n  ephemeralOwner = {:#016x}\n  \
         {data}\n",
        stat.czxid.0,
        java_time::date(stat.ctime),
        stat.mzxid.0,
        java_time::date(stat.mtime),
        stat.pzxid.0,
        stat.cversion,
        stat.version,
        stat.aversion,
        stat.ephemeral_owner,
    )
}

fn print_sessions(output: &Output, tree: &Tree) {
    output.line("Session Details (sid, timeout, ephemeralCount):");
    let ephemerals = tree.ephemerals();
    for at in java_set::longs(tree.sessions.iter().map(|session| session.id.0)) {
        let session = &tree.sessions[at];
        let count = ephemerals.get(&session.id.0).copied().unwrap_or(0);
        output.line(&format!(
            "{:#016x}, {}, {count}",
            session.id.0, session.timeout_ms
        ));
    }
}
