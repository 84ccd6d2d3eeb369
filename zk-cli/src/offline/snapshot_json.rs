//! A snapshot as JSON: Apache's form, which `ncdu` shows, and one object a
//! line with everything that a snapshot holds.

use super::json_text::escape;
use super::snapshot_tree::{self, Tree};
use crate::error::CliError;
use crate::json;
use crate::output::Output;
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;
use zk_log::SnapshotItem;
use zk_proto::snapshot::{NodeEntry, OPEN_ACL_INDEX};
use zk_proto::{Acl, EphemeralType};

/// The first number that a znode gets is one more.
const FIRST_INODE: u64 = 1000;

/// Apache's form: nested arrays, names and sizes only. Without recursion, so
/// that a deep tree is only long.
pub(super) fn ncdu(output: &Output, tree: &Tree) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_millis());
    output.text(&format!(
        "[1,0,{{\"progname\":\"SnapshotFormatter.java\",\"progver\":\"0.01\",\"timestamp\":{now}}}"
    ));
    let mut open_at = Vec::new();
    for (inode, (depth, node)) in (FIRST_INODE + 1..).zip(tree.depth_first(0)) {
        while open_at.last().is_some_and(|&at| at >= depth) {
            open_at.pop();
            output.text("]");
        }
        let name = if depth == 0 { "/" } else { node.name() };
        let (name, size) = (escape(name), node.length);
        output.text(if node.children.is_empty() { "," } else { ",[" });
        output.text(&format!(
            "{{\"name\":\"{name}\",\"asize\":{size},\"dsize\":{size},\"dev\":0,\"ino\":{inode}}}"
        ));
        if !node.children.is_empty() {
            open_at.push(depth);
        }
    }
    output.text(&"]".repeat(open_at.len() + 1));
}

/// One object a line: sessions, znodes, and last what stands at the end. It
/// streams: a snapshot of any size takes no memory.
pub(super) fn lines(output: &Output, path: &Path) -> Result<(), CliError> {
    let mut reader = snapshot_tree::open(path)?;
    let mut acls: HashMap<i64, serde_json::Value> = HashMap::new();
    loop {
        let item = reader
            .next()
            .map_err(|error| CliError::new(error.to_string()))?;
        let value = match item {
            SnapshotItem::Session(session) => json!({
                "session": format!("0x{:x}", session.id.0),
                "timeoutMs": session.timeout_ms,
            }),
            SnapshotItem::Acl(entry) => {
                let acl = entry.acl.as_deref().unwrap_or_default();
                acls.insert(entry.index, json::acl(acl));
                continue;
            }
            SnapshotItem::Node(node) => {
                let acl = match node.acl {
                    OPEN_ACL_INDEX => json::acl(&[Acl::open()]),
                    index => acls.get(&index).cloned().unwrap_or_default(),
                };
                self::node(&node, acl)
            }
            SnapshotItem::End(end) => {
                let digest = end.digest.map(|digest| {
                    json!({
                        "zxid": format!("0x{:x}", digest.zxid.0),
                        "version": digest.version,
                        "tree": format!("{:016x}", digest.tree),
                    })
                });
                let last = end.last_zxid.map(|zxid| format!("0x{:x}", zxid.0));
                let end = json!({ "end": { "digest": digest, "lastZxid": last } });
                output.line(&end.to_string());
                return Ok(());
            }
        };
        output.line(&value.to_string());
    }
}

fn node(node: &NodeEntry<'_>, acl: serde_json::Value) -> serde_json::Value {
    let stat = &node.stat;
    let path = match node.path.as_str() {
        "" => "/",
        path => path,
    };
    let kind = match EphemeralType::from_owner(stat.ephemeral_owner, true) {
        EphemeralType::Void => json!("persistent"),
        EphemeralType::Normal(_) => json!("ephemeral"),
        EphemeralType::Container => json!("container"),
        EphemeralType::Ttl(ttl) => json!({ "ttlMs": ttl }),
    };
    let mut value = json::data(node.data.as_ref().map(|data| data.0));
    value["path"] = path.into();
    value["kind"] = kind;
    value["acl"] = acl;
    value["stat"] = json!({
        "czxid": format!("0x{:x}", stat.czxid.0),
        "mzxid": format!("0x{:x}", stat.mzxid.0),
        "pzxid": format!("0x{:x}", stat.pzxid.0),
        "ctime": stat.ctime,
        "mtime": stat.mtime,
        "version": stat.version,
        "cversion": stat.cversion,
        "aversion": stat.aversion,
        "ephemeralOwner": format!("0x{:x}", stat.ephemeral_owner),
    });
    value
}
