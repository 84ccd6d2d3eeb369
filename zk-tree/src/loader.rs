//! Builds a tree from the items of a snapshot (`DataTree.deserialize`). It
//! does not know where they come from: a file and a SNAP sync are the same.

use crate::acl_table::CLOSED_LIST;
use crate::node::NodeId;
use crate::{AclIndex, DataTree, TreeConfig, TreeError};
use std::collections::BTreeMap;
use zk_proto::path::split;
use zk_proto::snapshot::{AclEntry, NodeEntry, OPEN_ACL_INDEX, SessionEntry, SnapshotDigest};
use zk_proto::txn::DIGEST_VERSION;
use zk_proto::{StatPersisted, Zxid};

/// Takes sessions, access control lists and znodes, in that order, and gives
/// a tree. After an error it is of no use.
#[derive(Debug)]
pub struct TreeLoader {
    tree: DataTree,
    /// The snapshot's numbers of lists and this tree's. Each counts one use
    /// until the end, so that no list is forgotten before.
    acls: BTreeMap<i64, AclIndex>,
    /// The parent of the last znode: siblings come one after the other.
    parent_path: String,
    parent: NodeId,
}

impl DataTree {
    /// Starts a tree from a snapshot.
    #[must_use]
    pub fn loader(config: TreeConfig) -> TreeLoader {
        TreeLoader {
            tree: Self::without_znodes(config),
            acls: BTreeMap::new(),
            parent_path: String::new(),
            parent: NodeId::ROOT,
        }
    }
}

impl TreeLoader {
    /// Adds a session.
    pub fn session(&mut self, entry: SessionEntry) {
        self.tree.sessions.insert(entry.id, entry.timeout_ms);
    }

    /// Adds an access control list. [`TreeError::NullAcl`] if there is none.
    pub fn acl(&mut self, entry: &AclEntry<'_>) -> Result<(), TreeError> {
        let index = entry.index;
        let list = entry.acl.as_deref().ok_or(TreeError::NullAcl { index })?;
        let acl = self.tree.acls.acquire(Some(list));
        if let Some(earlier) = self.acls.insert(index, acl) {
            self.tree.acls.release(earlier);
        }
        Ok(())
    }

    /// Adds a znode; its parent came before it. A znode whose list did not
    /// come is closed to everyone, until the log behind a fuzzy snapshot
    /// sets the right one.
    pub fn node(&mut self, entry: &NodeEntry<'_>) -> Result<(), TreeError> {
        let path: &str = &entry.path;
        let stat = &entry.stat;
        let data = entry.data.map(|data| data.0);
        self.tree.loaded_zxid = self.tree.loaded_zxid.max(stat.czxid);
        if path.is_empty() {
            return self.root(data, entry.acl, stat);
        }
        let (parent_path, name) = split(path)
            .filter(|&(parent, name)| parent != "/" && (parent, name) != ("", ""))
            .ok_or_else(|| TreeError::NoPath { path: path.into() })?;
        self.find_parent(parent_path)
            .ok_or_else(|| TreeError::NoParent { path: path.into() })?;
        let hash = self.tree.index.hash(path);
        if self.tree.lookup_hashed(path, hash).is_some() {
            return Err(TreeError::Twice { path: path.into() });
        }
        let acl = self.use_acl(entry.acl);
        self.tree
            .insert(self.parent, path, hash, name, data, stat, acl);
        Ok(())
    }

    fn root(
        &mut self,
        data: Option<&[u8]>,
        acl: i64,
        stat: &StatPersisted,
    ) -> Result<(), TreeError> {
        if self.tree.slab.len() > 0 {
            return Err(TreeError::Twice { path: "/".into() });
        }
        let acl = self.use_acl(acl);
        self.tree.insert_root(data, stat, acl);
        Ok(())
    }

    fn find_parent(&mut self, path: &str) -> Option<()> {
        if self.tree.slab.len() == 0 {
            return None;
        }
        if path != self.parent_path {
            self.parent = self.tree.lookup(path)?;
            self.parent_path.clear();
            self.parent_path.push_str(path);
        }
        Some(())
    }

    fn use_acl(&mut self, stored: i64) -> AclIndex {
        if stored == OPEN_ACL_INDEX {
            return AclIndex::OPEN;
        }
        match self.acls.get(&stored) {
            Some(&acl) => {
                self.tree.acls.acquire_again(acl);
                acl
            }
            None => self.tree.acls.acquire(Some(&CLOSED_LIST)),
        }
    }

    /// The tree of a fuzzy snapshot that does not say until when it is: one
    /// that a leader sends. It is compared with no digest until
    /// [`DataTree::end_fuzziness`].
    pub fn finish_fuzzy(self, zxid: Zxid) -> Result<DataTree, TreeError> {
        // Apache's followers leave such an empty digest in their files, too.
        let unknown = SnapshotDigest {
            zxid: Zxid::ZERO,
            version: DIGEST_VERSION,
            tree: 0,
        };
        self.finish(zxid, Some(unknown))
    }

    /// The tree as it was at `zxid`, or, if the snapshot is fuzzy, as it will
    /// be once the log has been applied up to the zxid of `digest`. Lists
    /// that no znode has are dropped, and what quotas count is counted.
    pub fn finish(
        mut self,
        zxid: Zxid,
        digest: Option<SnapshotDigest>,
    ) -> Result<DataTree, TreeError> {
        if self.tree.slab.len() == 0 {
            return Err(TreeError::NoRoot);
        }
        for &acl in self.acls.values() {
            self.tree.acls.release(acl);
        }
        self.tree.last_zxid = zxid;
        self.tree.set_up_quotas();
        if self.tree.config.digest {
            let actual = self.tree.digest;
            self.tree.digest_check.loaded(digest, zxid, actual);
        }
        Ok(self.tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::{Acl, Buffer, Perms, SessionId, Ustr};

    const CONFIG: TreeConfig = TreeConfig {
        hash_seed: 1,
        extended_types: true,
        digest: true,
    };

    fn node(path: &str, acl: i64) -> NodeEntry<'_> {
        NodeEntry {
            path: Ustr::from(path),
            data: Some(Buffer(b"x")),
            acl,
            stat: StatPersisted::default(),
        }
    }

    fn load(paths: &[&str]) -> Result<DataTree, TreeError> {
        let mut loader = DataTree::loader(CONFIG);
        for path in paths {
            loader.node(&node(path, -1))?;
        }
        loader.finish(Zxid(1), None)
    }

    #[test]
    fn bad_items_are_errors_that_name_the_path() {
        let path = |path: &str| path.to_owned();
        assert_eq!(load(&[]).err(), Some(TreeError::NoRoot));
        assert_eq!(
            load(&["/a"]).err(),
            Some(TreeError::NoParent { path: path("/a") })
        );
        assert_eq!(
            load(&["", "/a/b"]).err(),
            Some(TreeError::NoParent { path: path("/a/b") })
        );
        for bad in ["a", "/", "//a"] {
            let error = load(&["", bad]).err();
            assert_eq!(error, Some(TreeError::NoPath { path: path(bad) }));
        }
        for twice in [["", ""], ["", "/a"]] {
            let error = load(&[twice[0], twice[1], twice[1]]).err();
            assert!(matches!(error, Some(TreeError::Twice { .. })));
        }
        let null = AclEntry {
            index: 7,
            acl: None,
        };
        assert_eq!(
            DataTree::loader(CONFIG).acl(&null),
            Err(TreeError::NullAcl { index: 7 })
        );
    }

    #[test]
    fn lists_are_found_by_the_numbers_of_the_snapshot() {
        let mut loader = DataTree::loader(CONFIG);
        loader.session(SessionEntry {
            id: SessionId(5),
            timeout_ms: 4000,
        });
        let list = vec![Acl::new(Perms::READ, "ip", "10.0.0.1")];
        for index in [40, 50, 60] {
            let acl = match index {
                60 => Some(Vec::new()),
                _ => Some(list.clone()),
            };
            loader.acl(&AclEntry { index, acl }).unwrap();
        }
        for (path, acl) in [("", -1), ("/a", 40), ("/b", 50), ("/c", 99)] {
            loader.node(&node(path, acl)).unwrap();
        }
        let tree = loader.finish(Zxid(9), None).unwrap();
        let entries = |path| tree.get(path).unwrap().acl().entries();
        assert_eq!(entries("/"), [Acl::open()]);
        assert_eq!((entries("/a"), entries("/b")), (&*list, &*list));
        assert_eq!(entries("/c")[0].perms, Perms(0), "closed to everyone");
        assert_eq!(tree.acl_count(), 2, "the empty list is in no use");
        assert_eq!(tree.session_timeout(SessionId(5)), Some(4000));
        assert_eq!(tree.last_zxid(), Zxid(9));
    }
}
