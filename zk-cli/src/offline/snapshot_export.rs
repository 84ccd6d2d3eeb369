//! A subtree of a snapshot as an archive, to be imported into a running
//! ensemble. Unlike a client, a snapshot knows which znodes are containers and
//! which have a time to live.

use super::{Outcome, parse, snapshot_tree};
use crate::error::CliError;
use crate::more::archive_file::Target;
use crate::output::Output;
use crate::paths;
use bytes::Bytes;
use std::collections::HashMap;
use std::path::Path;
use zk_log::SnapshotItem;
use zk_proto::archive::{ArchivedAcl, ArchivedNode};
use zk_proto::snapshot::{AclEntry, NodeEntry, OPEN_ACL_INDEX};
use zk_proto::{Acl, EphemeralType};

/// FILE, START_PATH and ARCHIVE. A snapshot that is not sound makes no
/// archive; ephemeral znodes, and `/zookeeper`, stay out.
pub(super) fn export(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("snapshot", &[], words, 3..=3)?;
    let (root, archive) = (&parsed.words[1], &parsed.words[2]);
    let mut reader = snapshot_tree::open(Path::new(&parsed.words[0]))?;
    let mut target = Target::create(archive)?;
    let mut acls = HashMap::from([(OPEN_ACL_INDEX, archived_acl(&[Acl::open()]))]);
    loop {
        let item = reader.next();
        match item.map_err(|error| CliError::new(error.to_string()))? {
            SnapshotItem::Session(_) => {}
            SnapshotItem::Acl(entry) => note(&mut acls, &entry),
            SnapshotItem::Node(node) => {
                if let Some(node) = archived(root, &node, &acls) {
                    target.push(&node)?;
                }
            }
            SnapshotItem::End(_) => break,
        }
    }
    match target.count() {
        0 => Err(CliError::no_node(root)),
        _ => {
            let count = target.finish()?;
            output.error(&format!("{count} znode(s) exported"));
            Ok(())
        }
    }
}

fn note(acls: &mut HashMap<i64, Vec<ArchivedAcl>>, entry: &AclEntry<'_>) {
    let acl = entry.acl.as_deref().unwrap_or_default();
    acls.insert(entry.index, archived_acl(acl));
}

fn archived_acl(acl: &[Acl<'_>]) -> Vec<ArchivedAcl> {
    let entries = acl.iter().map(|acl| ArchivedAcl {
        perms: acl.perms.0,
        scheme: acl.id.scheme().to_owned(),
        id: acl.id.id().to_owned(),
    });
    entries.collect()
}

/// The znode for the archive, if it belongs into it.
fn archived(
    root: &str,
    node: &NodeEntry<'_>,
    acls: &HashMap<i64, Vec<ArchivedAcl>>,
) -> Option<ArchivedNode> {
    let path = match node.path.as_str() {
        "" => "/",
        path => path,
    };
    let is_below = |root: &str| {
        path == root
            || path
                .strip_prefix(root)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let is_system = is_below("/zookeeper") && !root.starts_with("/zookeeper");
    if is_system || root != "/" && !is_below(root) {
        return None;
    }
    let kind = EphemeralType::from_owner(node.stat.ephemeral_owner, true);
    let ttl_ms = match kind {
        EphemeralType::Normal(_) => return None,
        EphemeralType::Ttl(ttl_ms) => Some(ttl_ms),
        EphemeralType::Void | EphemeralType::Container => None,
    };
    Some(ArchivedNode {
        path: paths::below(root, path).to_owned(),
        data: node
            .data
            .as_ref()
            .map(|data| Bytes::copy_from_slice(data.0)),
        acl: acls.get(&node.acl).cloned().unwrap_or_default(),
        ttl_ms,
        container: kind == EphemeralType::Container,
    })
}
