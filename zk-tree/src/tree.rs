//! The tree itself: znodes, the index that finds them, and everything that is
//! derived from them and kept in step (digest, sizes, owners). It does not
//! decide what a transaction does; `apply` does.

use crate::acl_table::AclTable;
use crate::digest;
use crate::digest_check::DigestCheck;
use crate::index::{PathHash, PathIndex};
use crate::node::{Node, NodeId};
use crate::owners::Owners;
use crate::quota_trie::QuotaTrie;
use crate::slab::Slab;
use crate::{AclIndex, AclRef, NodeRef};
use std::collections::BTreeMap;
use std::fmt;
use zk_proto::snapshot::SnapshotDigest;
use zk_proto::txn::DIGEST_VERSION;
use zk_proto::{Acl, EphemeralType, Perms, SessionId, StatPersisted, Zxid};

/// How a tree behaves. Servers of one ensemble must agree on all but the
/// seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeConfig {
    /// Random number that makes hash collisions unpredictable to clients. It
    /// never shows in an output.
    pub hash_seed: u64,
    /// Whether owners may mean a time to live
    /// (`zookeeper.extendedTypesEnabled`).
    pub extended_types: bool,
    /// Whether the digest is kept and compared (`zookeeper.digest.enabled`).
    pub digest: bool,
}

/// The znodes, and the sessions that own some of them (`DataTree` and the
/// session table of `ZKDatabase`).
pub struct DataTree {
    pub(crate) config: TreeConfig,
    pub(crate) slab: Slab,
    pub(crate) index: PathIndex,
    pub(crate) acls: AclTable,
    pub(crate) owners: Owners,
    pub(crate) sessions: BTreeMap<SessionId, i32>,
    pub(crate) quotas: QuotaTrie,
    pub(crate) last_zxid: Zxid,
    /// Nothing of a snapshot that was loaded is newer than this.
    pub(crate) loaded_zxid: Zxid,
    pub(crate) digest: u64,
    pub(crate) digest_check: DigestCheck,
    pub(crate) data_size: i64,
}

/// What a server of an empty directory starts with.
const FIRST_ZNODES: [&str; 3] = ["/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

impl DataTree {
    /// The tree of an empty directory: the root, `/zookeeper` and its
    /// children `quota` and `config`, the last one readable only.
    #[must_use]
    pub fn new(config: TreeConfig) -> Self {
        let mut tree = Self::without_znodes(config);
        let stat = StatPersisted::default();
        tree.insert_root(Some(b""), &stat, AclIndex::OPEN);
        for path in FIRST_ZNODES {
            let hash = tree.index.hash(path);
            let (parent, name) = zk_proto::path::split(path).expect("it is a full path");
            let parent = tree.lookup(parent).expect("parents come first");
            tree.insert(parent, path, hash, name, Some(b""), &stat, AclIndex::OPEN);
        }
        tree.protect_config();
        tree
    }

    fn protect_config(&mut self) {
        let list = [Acl::new(Perms::READ, "world", "anyone")];
        let acl = self.acls.acquire(Some(&list));
        let config = self.lookup("/zookeeper/config").expect("it was just made");
        let node = self.slab.node_mut(config);
        node.acl = acl.0;
        node.aversion = -1;
    }

    pub(crate) fn without_znodes(config: TreeConfig) -> Self {
        Self {
            config,
            slab: Slab::default(),
            index: PathIndex::new(config.hash_seed),
            acls: AclTable::new(config.hash_seed),
            owners: Owners::default(),
            sessions: BTreeMap::new(),
            quotas: QuotaTrie::new(),
            last_zxid: Zxid::ZERO,
            loaded_zxid: Zxid::ZERO,
            digest: 0,
            digest_check: DigestCheck::default(),
            data_size: 0,
        }
    }

    // Getters of the whole.

    /// How the tree was made.
    #[must_use]
    pub const fn config(&self) -> &TreeConfig {
        &self.config
    }

    /// The last transaction that was applied.
    #[must_use]
    pub const fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// Moves on to a zxid that no transaction has: the start of a leader's
    /// epoch. Never back.
    pub fn advance_zxid(&mut self, zxid: Zxid) {
        self.last_zxid = self.last_zxid.max(zxid);
    }

    /// The digest (version 2); 0 where digests are off.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// The digest as the end of a snapshot holds it. A tree that is still
    /// fuzzy has none of its own, and hands on until when it is.
    #[must_use]
    pub const fn snapshot_digest(&self) -> SnapshotDigest {
        if let Some(digest) = self.digest_check.fuzzy_until() {
            return digest;
        }
        let tree = match self.last_zxid {
            Zxid::ZERO => 0,
            _ => self.digest as i64,
        };
        SnapshotDigest {
            zxid: self.last_zxid,
            version: DIGEST_VERSION,
            tree,
        }
    }

    /// Everything has been applied that the snapshot below this tree was
    /// ahead of: digests are compared from now on. For trees of
    /// [`TreeLoader::finish_fuzzy`](crate::TreeLoader::finish_fuzzy).
    pub fn end_fuzziness(&mut self) {
        self.digest_check.settle();
    }

    /// Transactions and snapshots whose digest was not that of this tree.
    #[must_use]
    pub fn digest_mismatches(&self) -> u64 {
        self.digest_check.mismatches()
    }

    /// The digests after the last 1024 zxids that 128 divides, oldest first
    /// (the four-letter word `hash`).
    pub fn digest_history(&self) -> impl Iterator<Item = (Zxid, u64)> {
        self.digest_check.history()
    }

    /// Znodes as Apache counts them: the root twice, as "" and as "/".
    #[must_use]
    pub const fn node_count(&self) -> usize {
        self.slab.len() + 1
    }

    /// Bytes of paths (UTF-16 units) and data, as `mntr` shows them.
    #[must_use]
    pub const fn data_size(&self) -> i64 {
        self.data_size
    }

    /// Distinct access control lists.
    #[must_use]
    pub fn acl_count(&self) -> usize {
        self.acls.len()
    }

    // Getters of znodes.

    /// The znode at `path`. The root is "/" and "". What is no path has no
    /// znode.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<NodeRef<'_>> {
        self.lookup(path).map(|id| self.node_ref(id))
    }

    /// An access control list of this tree. A number that is not in use is
    /// [`AclIndex::OPEN`] or belongs to another tree.
    #[must_use]
    pub fn acl(&self, index: AclIndex) -> AclRef<'_> {
        self.acls.get(index)
    }

    /// Znodes below `path`, which is not counted itself
    /// (`getAllChildrenNumber`). `None` when there is no such znode.
    #[must_use]
    pub fn count_descendants(&self, path: &str) -> Option<usize> {
        let id = self.lookup(path)?;
        if id == NodeId::ROOT {
            return Some(self.slab.len() - 1);
        }
        Some(self.subtree(id).count() - 1)
    }

    // Getters of sessions.

    /// Every session with its timeout in ms, in order of the ids.
    pub fn sessions(&self) -> impl ExactSizeIterator<Item = (SessionId, i32)> {
        self.sessions.iter().map(|(&id, &timeout)| (id, timeout))
    }

    /// A session's timeout in ms; `None` for one that is not alive.
    #[must_use]
    pub fn session_timeout(&self, session: SessionId) -> Option<i32> {
        self.sessions.get(&session).copied()
    }

    /// Sessions that are alive.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Paths of a session's ephemerals, sorted.
    #[must_use]
    pub fn ephemerals(&self, session: SessionId) -> Vec<String> {
        let mut paths: Vec<String> = self
            .owners
            .ephemerals(session)
            .map(|id| self.path_of(id))
            .collect();
        paths.sort_unstable();
        paths
    }

    /// Sessions that have ephemerals, or had some since they began (the
    /// four-letter word `dump`).
    pub fn sessions_with_ephemerals(&self) -> impl Iterator<Item = SessionId> {
        self.owners.sessions()
    }

    /// Ephemerals of all sessions.
    #[must_use]
    pub const fn ephemeral_count(&self) -> usize {
        self.owners.ephemeral_count()
    }

    // Finding znodes.

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.slab.node(id)
    }

    pub(crate) fn node_ref(&self, id: NodeId) -> NodeRef<'_> {
        NodeRef {
            tree: self,
            id,
            node: self.node(id),
        }
    }

    pub(crate) const fn kind(&self, owner: i64) -> EphemeralType {
        EphemeralType::from_owner(owner, self.config.extended_types)
    }

    pub(crate) fn lookup(&self, path: &str) -> Option<NodeId> {
        self.lookup_hashed(path, self.index.hash(path))
    }

    pub(crate) fn lookup_hashed(&self, path: &str, hash: PathHash) -> Option<NodeId> {
        if path.is_empty() || path == "/" {
            return Some(NodeId::ROOT);
        }
        self.index.find(hash, |id| self.is_at(id, path))
    }

    /// Compares from the last component up.
    fn is_at(&self, mut id: NodeId, path: &str) -> bool {
        let mut rest = path.as_bytes();
        while id != NodeId::ROOT {
            let node = self.node(id);
            let Some(above) = rest.strip_suffix(node.name_bytes()) else {
                return false;
            };
            let Some(above) = above.strip_suffix(b"/") else {
                return false;
            };
            rest = above;
            id = node.parent;
        }
        rest.is_empty()
    }

    /// The path; "" for the root.
    pub(crate) fn path_of(&self, id: NodeId) -> String {
        let ancestors: Vec<&str> =
            std::iter::successors((id != NodeId::ROOT).then_some(id), |&id| {
                let parent = self.node(id).parent;
                (parent != NodeId::ROOT).then_some(parent)
            })
            .map(|id| self.node(id).name())
            .collect();
        let length = ancestors.iter().map(|name| name.len() + 1).sum();
        let mut path = String::with_capacity(length);
        for name in ancestors.iter().rev() {
            path.push('/');
            path.push_str(name);
        }
        path
    }

    /// A znode and everything below it, parents first.
    pub(crate) fn subtree(&self, top: NodeId) -> impl Iterator<Item = NodeId> {
        let mut ahead = vec![top];
        std::iter::from_fn(move || {
            let id = ahead.pop()?;
            ahead.extend_from_slice(self.node(id).children());
            Some(id)
        })
    }

    // Changing znodes.

    pub(crate) fn insert_root(&mut self, data: Option<&[u8]>, stat: &StatPersisted, acl: AclIndex) {
        let mut node = Node::new(NodeId::ROOT, "", data, stat, acl.0);
        if self.config.digest {
            node.content_crc = digest::content_crc("", data);
            self.digest = digest::node_digest(node.content_crc, stat);
        }
        // It counts as "" and as "/".
        self.data_size += 1 + 2 * node.data_len() as i64;
        let id = self.slab.insert(node);
        assert_eq!(id, NodeId::ROOT, "the root is the first znode");
    }

    /// Adds a znode that is not there. `path` is its parent's with `name`
    /// behind it, `hash` is that of `path`; the use of `acl` is counted
    /// already. The parent's numbers stay as they are.
    #[expect(clippy::too_many_arguments, reason = "a znode has that many parts")]
    pub(crate) fn insert(
        &mut self,
        parent: NodeId,
        path: &str,
        hash: PathHash,
        name: &str,
        data: Option<&[u8]>,
        stat: &StatPersisted,
        acl: AclIndex,
    ) -> NodeId {
        let mut node = Node::new(parent, name, data, stat, acl.0);
        if self.is_digested(path) {
            node.content_crc = digest::content_crc(path, data);
            let part = digest::node_digest(node.content_crc, stat);
            self.digest = self.digest.wrapping_add(part);
        }
        self.data_size += node_size(path, data.map_or(0, <[u8]>::len));
        let id = self.slab.insert(node);
        let position = self.slab.node_mut(parent).push_child(id);
        self.slab.node_mut(id).position = position;
        self.index.insert(hash, id);
        self.owners.add(self.kind(stat.ephemeral_owner), id);
        id
    }

    /// Takes out a childless znode. The use of its list stays counted. The
    /// parent's numbers stay as they are.
    pub(crate) fn remove(&mut self, id: NodeId, path: &str) -> Node {
        let hash = self.index.hash(path);
        self.index.remove(hash, id);
        let node = self.slab.remove(id);
        assert!(node.children().is_empty(), "children are removed first");
        let moved = self
            .slab
            .node_mut(node.parent)
            .remove_child(node.position, id);
        if let Some(moved) = moved {
            self.slab.node_mut(moved).position = node.position;
        }
        self.owners.remove(self.kind(node.owner), id);
        self.data_size -= node_size(path, node.data_len());
        if self.is_digested(path) {
            let part = digest::node_digest(node.content_crc, &node.stored());
            self.digest = self.digest.wrapping_sub(part);
        }
        node
    }

    /// Changes a znode's numbers, and the digest with them.
    pub(crate) fn change<R>(
        &mut self,
        id: NodeId,
        path: &str,
        change: impl FnOnce(&mut Node) -> R,
    ) -> R {
        let digested = self.is_digested(path);
        let node = self.slab.node_mut(id);
        if !digested {
            return change(node);
        }
        let before = digest::node_digest(node.content_crc, &node.stored());
        let result = change(node);
        let after = digest::node_digest(node.content_crc, &node.stored());
        self.digest = self.digest.wrapping_sub(before).wrapping_add(after);
        result
    }

    pub(crate) fn is_digested(&self, path: &str) -> bool {
        self.config.digest && digest::covers(path)
    }
}

/// The tree in a line: its znodes may be millions.
impl fmt::Debug for DataTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataTree")
            .field("last_zxid", &self.last_zxid)
            .field("nodes", &self.slab.len())
            .field("sessions", &self.sessions.len())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// What a znode adds to [`DataTree::data_size`]. Java counts UTF-16 units.
pub(crate) fn node_size(path: &str, data_len: usize) -> i64 {
    let path = match path.is_ascii() {
        true => path.len(),
        false => path.encode_utf16().count(),
    };
    (path + data_len) as i64
}
