//! What a cache knows, and what is new about what it learns. Does not know
//! where that comes from.

use super::CacheEvent;
use crate::{Stat, Zxid};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A znode as a cache knows it. Clones share the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedNode {
    /// Its path.
    pub path: String,
    /// Its data; empty for null.
    pub data: Bytes,
    /// Its Stat when the data were read. Changes of children do not renew it.
    pub stat: Stat,
}

/// All znodes of a cache, by path.
#[derive(Debug, Default)]
pub(super) struct Nodes(RwLock<BTreeMap<String, CachedNode>>);

impl Nodes {
    pub(super) fn get(&self, path: &str) -> Option<CachedNode> {
        self.read().get(path).cloned()
    }

    pub(super) fn all(&self) -> Vec<CachedNode> {
        self.read().values().cloned().collect()
    }

    /// Learns of a znode; says what is new about it. It may be older than what
    /// is known.
    pub(super) fn put(&self, node: CachedNode) -> Vec<CacheEvent> {
        let mut nodes = self.write();
        let before = nodes.get(&node.path);
        if before.is_some_and(|before| before.stat.mzxid >= node.stat.mzxid) {
            return Vec::new();
        }
        let before = nodes.insert(node.path.clone(), node.clone());
        match before {
            None => vec![CacheEvent::Created(node)],
            Some(before) if before.stat.czxid == node.stat.czxid => {
                vec![CacheEvent::Changed { before, now: node }]
            }
            // It went and came again between two looks.
            Some(before) => vec![CacheEvent::Deleted(before), CacheEvent::Created(node)],
        }
    }

    /// Learns that a znode went, by the transaction `zxid` if that is known.
    pub(super) fn remove(&self, path: &str, zxid: Zxid) -> Option<CacheEvent> {
        let mut nodes = self.write();
        let known = nodes.get(path)?;
        // What is known may already be the one that came after.
        if zxid != Zxid::NONE && zxid < known.stat.czxid {
            return None;
        }
        nodes.remove(path).map(CacheEvent::Deleted)
    }

    /// Learns that nothing else is there; children go before their parents.
    pub(super) fn keep(&self, present: &BTreeSet<String>) -> Vec<CacheEvent> {
        let mut nodes = self.write();
        let gone: Vec<String> = nodes
            .keys()
            .rev()
            .filter(|path| !present.contains(*path))
            .cloned()
            .collect();
        let gone = gone.iter().filter_map(|path| nodes.remove(path));
        gone.map(CacheEvent::Deleted).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, CachedNode>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, CachedNode>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(path: &str, czxid: i64, mzxid: i64) -> CachedNode {
        let stat = Stat {
            czxid: Zxid(czxid),
            mzxid: Zxid(mzxid),
            ..Stat::default()
        };
        CachedNode {
            path: path.to_owned(),
            data: Bytes::new(),
            stat,
        }
    }

    #[test]
    fn what_is_known_is_no_news() {
        let nodes = Nodes::default();
        assert_eq!(
            nodes.put(node("/a", 1, 1)),
            [CacheEvent::Created(node("/a", 1, 1))]
        );
        assert!(nodes.put(node("/a", 1, 1)).is_empty());
        let changed = nodes.put(node("/a", 1, 3));
        assert!(matches!(&changed[..], [CacheEvent::Changed { .. }]));
        assert!(nodes.put(node("/a", 1, 2)).is_empty(), "that is older");
    }

    #[test]
    fn another_znode_of_the_same_path_is_another() {
        let nodes = Nodes::default();
        nodes.put(node("/a", 1, 1));
        let events = nodes.put(node("/a", 5, 5));
        assert!(matches!(
            &events[..],
            [CacheEvent::Deleted(_), CacheEvent::Created(_)]
        ));
        assert_eq!(nodes.remove("/a", Zxid(4)), None, "that was the one before");
        assert!(nodes.remove("/a", Zxid(6)).is_some());
        nodes.put(node("/a", 7, 7));
        assert!(nodes.remove("/a", Zxid::NONE).is_some());
    }

    #[test]
    fn children_go_before_their_parents() {
        let nodes = Nodes::default();
        for path in ["/a", "/a/b", "/a/b/c", "/d"] {
            nodes.put(node(path, 1, 1));
        }
        let gone = nodes.keep(&BTreeSet::from(["/d".to_owned()]));
        let paths: Vec<_> = gone
            .iter()
            .map(|event| match event {
                CacheEvent::Deleted(node) => node.path.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(paths, ["/a/b/c", "/a/b", "/a"]);
    }
}
