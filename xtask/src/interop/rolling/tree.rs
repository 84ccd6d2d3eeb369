//! The whole tree of a server as a client reads it, and where two trees differ.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::client::{Acl, Connection, Reply, Request, SessionState, Stat};
use crate::error::{Error, Result};

/// Every znode by its path.
pub(super) type Tree = BTreeMap<String, Znode>;

/// A znode with everything that a client can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Znode {
    pub(super) data: Option<Vec<u8>>,
    pub(super) stat: Stat,
    pub(super) acl: Vec<Acl>,
}

/// The configuration's znode. Each server makes it at its start, outside of any transaction, so
/// only its data is the same everywhere.
const CONFIG: &str = "/zookeeper/config";

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

const TIMEOUT_MS: i32 = 20_000;

/// Differences that are told before the rest is only counted.
const TOLD: usize = 5;

/// Reads all znodes after a sync. Nobody may write meanwhile.
pub(super) fn read(server: SocketAddr) -> Result<Tree> {
    let mut session = SessionState::new(TIMEOUT_MS);
    let mut connection = Connection::open(server, &mut session, PATIENCE)?;
    let synced = connection.call(&mut session, &Request::sync("/"))?;
    synced.body()?;
    let mut tree = Tree::new();
    let mut level = vec!["/".to_owned()];
    while !level.is_empty() {
        level = read_level(&mut connection, &mut session, &level, &mut tree)?;
    }
    connection.call(&mut session, &Request::close())?;
    Ok(tree)
}

/// How one server's tree differs from another's; nothing if it does not.
pub(super) fn differences(one: &Tree, other: &Tree) -> Vec<String> {
    let mut found: Vec<_> = one
        .iter()
        .filter_map(|(path, znode)| difference(path, Some(znode), other.get(path)))
        .collect();
    let added = other.keys().filter(|path| !one.contains_key(*path));
    found.extend(added.map(|path| format!("{path} is on the second only")));
    if found.len() > TOLD {
        let more = format!("and {} more", found.len() - TOLD);
        found.truncate(TOLD);
        found.push(more);
    }
    found
}

/// Reads the znodes and returns the paths of their children.
fn read_level(
    connection: &mut Connection,
    session: &mut SessionState,
    paths: &[String],
    tree: &mut Tree,
) -> Result<Vec<String>> {
    let mut ask = |request: fn(&str) -> Request| -> Result<Vec<Reply>> {
        let requests: Vec<_> = paths.iter().map(|path| request(path)).collect();
        Ok(connection.call_all(session, &requests)?)
    };
    let (data, acls, children) = (
        ask(Request::get)?,
        ask(Request::acl)?,
        ask(Request::children)?,
    );
    let mut next = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        let gone = |_| Error::wrong(format!("{path} went while the tree was read"));
        let mut reader = data[at].body().map_err(gone)?;
        let znode = Znode {
            data: reader.buffer()?.map(<[u8]>::to_vec),
            stat: reader.stat()?,
            acl: acls[at].body().map_err(gone)?.acls()?,
        };
        tree.insert(path.clone(), znode);
        let names = children[at].body().map_err(gone)?.texts()?;
        let parent = path.trim_end_matches('/');
        next.extend(names.iter().map(|name| format!("{parent}/{name}")));
    }
    Ok(next)
}

fn difference(path: &str, one: Option<&Znode>, other: Option<&Znode>) -> Option<String> {
    let (Some(one), Some(other)) = (one, other) else {
        return Some(format!("{path} is on the first only"));
    };
    let same = if path == CONFIG {
        one.data == other.data
    } else {
        one == other
    };
    (!same).then(|| format!("{path} is {one} on the first and {other} on the second"))
}

impl fmt::Display for Znode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.data.as_deref().map(String::from_utf8_lossy);
        write!(f, "{data:?} {:?} {:?}", self.stat, self.acl)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn znode(data: &[u8], version: i32, owner: i64) -> Znode {
        Znode {
            data: Some(data.to_vec()),
            stat: Stat {
                czxid: 1,
                mzxid: 1,
                ctime: 0,
                mtime: 0,
                version,
                cversion: 0,
                aversion: 0,
                ephemeral_owner: owner,
                data_length: i32::try_from(data.len()).unwrap(),
                children: 0,
                pzxid: 1,
            },
            acl: Vec::new(),
        }
    }

    #[test]
    fn every_field_counts_but_for_the_configuration() {
        let one = Tree::from([
            ("/a".to_owned(), znode(b"1", 0, 0)),
            (CONFIG.to_owned(), znode(b"1", 0, 0)),
        ]);
        assert!(differences(&one, &one).is_empty());
        let mut other = one.clone();
        other.insert(CONFIG.to_owned(), znode(b"1", 1, 0));
        assert!(differences(&one, &other).is_empty());
        other.insert("/a".to_owned(), znode(b"1", 1, 0));
        assert_eq!(differences(&one, &other).len(), 1);
        other.insert("/b".to_owned(), znode(b"1", 0, 0));
        other.insert(CONFIG.to_owned(), znode(b"2", 0, 0));
        assert_eq!(differences(&one, &other).len(), 3);
        assert_eq!(differences(&other, &one).len(), 3);
    }
}
