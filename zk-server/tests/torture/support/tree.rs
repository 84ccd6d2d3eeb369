//! A whole tree, as the wire shows it or as a directory holds it.

use crate::support::client::{Client, of_path, read};
use std::collections::BTreeMap;
use zk_log::{LogConfig, LogDirs, LogError, Recovered, Storage};
use zk_proto::{Acl, OpCode, Request, Response, Stat, StatPersisted};
use zk_server::TreeSink;
use zk_tree::{DataTree, TreeConfig};

/// A znode as its clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) stat: Stat,
    pub(crate) acl: Vec<Acl<'static>>,
}

/// All znodes by path.
pub(crate) type Nodes = BTreeMap<String, Seen>;

/// Recovers a directory as a server does.
pub(crate) fn recover(
    storage: &dyn Storage,
    dirs: &LogDirs,
    config: &LogConfig,
) -> Result<(Recovered, DataTree), LogError> {
    recover_with(storage, dirs, config, true)
}

/// The same with or without digests.
pub(crate) fn recover_with(
    storage: &dyn Storage,
    dirs: &LogDirs,
    config: &LogConfig,
    digest: bool,
) -> Result<(Recovered, DataTree), LogError> {
    let mut sink = TreeSink::new(TreeConfig {
        hash_seed: 7,
        extended_types: true,
        digest,
    });
    let recovered = zk_log::recover(storage, dirs, config, &mut sink)?;
    Ok((recovered, sink.finish()))
}

/// Every znode, and what the wire does not show of it.
pub(crate) fn nodes(tree: &DataTree) -> BTreeMap<String, (Seen, StatPersisted)> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![tree.get("/").expect("a root")];
    while let Some(node) = ahead.pop() {
        ahead.extend(node.child_names().filter_map(|name| node.child(name)));
        let seen = Seen {
            data: node.data().map(<[u8]>::to_vec),
            stat: node.stat(),
            acl: node.acl().entries().to_vec(),
        };
        found.insert(node.path(), (seen, node.stored()));
    }
    found
}

/// Every znode, as clients see it.
pub(crate) fn seen(tree: &DataTree) -> Nodes {
    let nodes = nodes(tree).into_iter();
    nodes.map(|(path, (seen, _))| (path, seen)).collect()
}

/// Walks the tree over the wire. The client must be allowed to read all.
pub(crate) fn walk(client: &mut Client) -> Nodes {
    let mut found = Nodes::new();
    let mut level = vec!["/".to_owned()];
    while !level.is_empty() {
        let mut below = Vec::new();
        for paths in level.chunks(100) {
            visit(client, paths, &mut found, &mut below);
        }
        level = below;
    }
    found
}

fn visit(client: &mut Client, paths: &[String], found: &mut Nodes, below: &mut Vec<String>) {
    let requests: Vec<_> = paths
        .iter()
        .flat_map(|path| {
            [
                Request::GetData(read(path)),
                Request::GetAcl(of_path(path)),
                Request::GetChildren(read(path)),
            ]
        })
        .collect();
    client.send(&requests).expect("the server lives");
    for path in paths {
        let mut answer = || client.next().expect("the server lives");
        let (data, acl, names) = (answer(), answer(), answer());
        let Response::Data(data, stat) = data.record(OpCode::GET_DATA) else {
            panic!("no data of {path}");
        };
        let Response::Acl(Some(acl), _) = acl.record(OpCode::GET_ACL) else {
            panic!("no ACL of {path}");
        };
        let Response::Names(Some(names)) = names.record(OpCode::GET_CHILDREN) else {
            panic!("no children of {path}");
        };
        let top = path.trim_end_matches('/');
        below.extend(names.iter().map(|name| format!("{top}/{name}")));
        let seen = Seen {
            data: data.map(|data| data.to_vec()),
            stat,
            acl: acl.into_iter().map(Acl::into_owned).collect(),
        };
        found.insert(path.clone(), seen);
    }
}

/// Two trees are the same, or the first difference is told.
#[track_caller]
pub(crate) fn assert_same(what: &str, left: &Nodes, right: &Nodes) {
    for (path, node) in left {
        let other = right.get(path);
        assert_eq!(Some(node), other, "{what}: {path}");
    }
    let extra = right.keys().find(|path| !left.contains_key(*path));
    assert_eq!(extra, None, "{what}: only on the right");
}

/// Every live session with its timeout and its ephemerals.
pub(crate) fn sessions(tree: &DataTree) -> BTreeMap<i64, (i32, Vec<String>)> {
    tree.sessions()
        .map(|(id, timeout)| (id.0, (timeout, tree.ephemerals(id))))
        .collect()
}
