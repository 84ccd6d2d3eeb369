//! The whole tree of a server, and how two of them differ.

use crate::support::session::{Session, read};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use zk_proto::{ErrorCode, OpCode, PathRequest, Request, Response, Stat};

/// Znodes by path: data and Stat.
pub(crate) type Tree = BTreeMap<String, (Vec<u8>, Stat)>;

/// Walks the tree of one server, behind everything that was written before.
pub(crate) fn of(address: SocketAddr) -> Tree {
    let mut session = Session::open(vec![address]);
    let sync = Request::Sync(PathRequest {
        path: Some("/".into()),
    });
    session.ask(&sync).record(OpCode::SYNC);
    let (mut tree, mut ahead) = (Tree::new(), vec!["/".to_owned()]);
    while let Some(path) = ahead.pop() {
        let answer = session.ask(&Request::GetData(read(&path, false)));
        // The sessions of other walks come and go, and nothing else.
        assert_eq!(answer.header.err, ErrorCode::OK, "{path}");
        if let Response::Data(data, stat) = answer.record(OpCode::GET_DATA) {
            let data = data.map(|it| it.to_vec()).unwrap_or_default();
            tree.insert(path.clone(), (data, stat));
        }
        let answer = session.ask(&Request::GetChildren(read(&path, false)));
        if let Response::Names(Some(names)) = answer.record(OpCode::GET_CHILDREN) {
            let top = path.trim_end_matches('/');
            ahead.extend(names.iter().map(|name| format!("{top}/{name}")));
        }
    }
    session.close();
    tree
}

/// Fails where two trees differ. Each server makes the znodes below
/// `/zookeeper` by itself, at its own time: they have equal data.
pub(crate) fn assert_equal(left: &Tree, right: &Tree, what: &str) {
    let paths = left.keys().chain(right.keys());
    for path in paths {
        let (one, other) = (left.get(path), right.get(path));
        if path.starts_with("/zookeeper") {
            let data = |it: Option<&(Vec<u8>, Stat)>| it.map(|it| it.0.clone());
            assert_eq!(data(one), data(other), "{path}, {what}");
        } else {
            assert_eq!(one, other, "{path}, {what}");
        }
    }
}
