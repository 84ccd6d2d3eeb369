//! The whole tree of a server, as a client sees it after a sync.

use crate::wire::{self, Wire};
use std::collections::BTreeMap;
use std::io;
use zk_proto::{Acl, ErrorCode, OpCode, Request, Response, Stat, Zxid};

/// A znode as its clients see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) stat: Stat,
    acl: Vec<Acl<'static>>,
}

/// All znodes by path.
pub(crate) type Nodes = BTreeMap<String, Seen>;

/// A walk over a tree.
#[derive(Debug)]
pub(crate) struct Dump {
    pub(crate) nodes: Nodes,
    /// How far the server had got when the walk ended.
    pub(crate) zxid: Zxid,
}

/// Walks the tree of a server as it is at the time of a sync or later.
pub(crate) fn dump(wire: &mut Wire) -> io::Result<Dump> {
    let sync = wire.call(&wire::sync("/"))?;
    sync.record(OpCode::SYNC)?;
    let mut dump = Dump {
        nodes: Nodes::new(),
        zxid: Zxid::ZERO,
    };
    let mut level = vec!["/".to_owned()];
    while !level.is_empty() {
        let mut below = Vec::new();
        for paths in level.chunks(50) {
            visit(wire, paths, &mut dump, &mut below)?;
        }
        level = below;
    }
    Ok(dump)
}

fn visit(
    wire: &mut Wire,
    paths: &[String],
    dump: &mut Dump,
    below: &mut Vec<String>,
) -> io::Result<()> {
    let requests: Vec<_> = paths.iter().flat_map(|path| questions(path)).collect();
    let answers = wire.call_all(&requests)?;
    for (path, answers) in paths.iter().zip(answers.chunks(3)) {
        dump.zxid = dump.zxid.max(answers[2].header.zxid);
        // An ephemeral may end while it is looked at.
        if answers.iter().any(|it| it.code() == ErrorCode::NO_NODE) {
            continue;
        }
        let Response::Data(data, stat) = answers[0].record(OpCode::GET_DATA)? else {
            panic!("no data of {path}");
        };
        let Response::Acl(Some(acl), _) = answers[1].record(OpCode::GET_ACL)? else {
            panic!("no ACL of {path}");
        };
        let Response::Names(Some(names)) = answers[2].record(OpCode::GET_CHILDREN)? else {
            panic!("no children of {path}");
        };
        let top = path.trim_end_matches('/');
        below.extend(names.iter().map(|name| format!("{top}/{name}")));
        let seen = Seen {
            data: data.map(|data| data.to_vec()),
            stat,
            acl: acl.into_iter().map(Acl::into_owned).collect(),
        };
        dump.nodes.insert(path.clone(), seen);
    }
    Ok(())
}

fn questions(path: &str) -> [Request<'_>; 3] {
    [
        wire::get_data(path),
        Request::GetAcl(wire::of_path(path)),
        Request::GetChildren(wire::read(path)),
    ]
}

/// The first difference of two trees. Each server writes the znodes of its
/// own directory by itself, at its own time: they have equal data.
pub(crate) fn difference(left: &Nodes, right: &Nodes) -> Option<String> {
    let is_own = |path: &str| path.starts_with("/zookeeper/");
    let differ = |path: &&String| match (left.get(*path), right.get(*path)) {
        (Some(left), Some(right)) if is_own(path) => left.data != right.data,
        (left, right) => left != right,
    };
    let path = left.keys().chain(right.keys()).find(differ)?;
    let show = |seen: Option<&Seen>| {
        seen.map_or_else(
            || "none".to_owned(),
            |seen| {
                let data = String::from_utf8_lossy(seen.data.as_deref().unwrap_or_default());
                format!(
                    "{:?} {:?} {:?}",
                    data.chars().take(40).collect::<String>(),
                    seen.stat,
                    seen.acl
                )
            },
        )
    };
    Some(format!(
        "{path}:\n  {}\n  {}",
        show(left.get(path)),
        show(right.get(path))
    ))
}
