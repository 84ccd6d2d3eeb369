//! From the files to the tree, for tools that want its digest.

use zk_log::RecoverySink;
use zk_proto::Zxid;
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotDigest};
use zk_proto::txn::LoggedTxn;
use zk_tree::{DataTree, TreeConfig, TreeLoader};

const CONFIG: TreeConfig = TreeConfig {
    hash_seed: 0,
    extended_types: true,
    digest: true,
};

/// Takes what is replayed.
#[derive(Debug)]
pub(super) struct TreeSink {
    loader: TreeLoader,
    tree: Option<DataTree>,
}

impl TreeSink {
    pub(super) fn new() -> Self {
        Self {
            loader: DataTree::loader(CONFIG),
            tree: None,
        }
    }

    /// The tree as the files have it.
    pub(super) fn finish(self) -> DataTree {
        self.tree.unwrap_or_else(|| DataTree::new(CONFIG))
    }
}

impl RecoverySink for TreeSink {
    fn session(&mut self, session: SessionEntry) -> Result<(), String> {
        self.loader.session(session);
        Ok(())
    }

    fn acl(&mut self, acl: &AclEntry<'_>) -> Result<(), String> {
        self.loader.acl(acl).map_err(|error| error.to_string())
    }

    fn node(&mut self, node: &NodeEntry<'_>) -> Result<(), String> {
        self.loader.node(node).map_err(|error| error.to_string())
    }

    fn snapshot_done(&mut self, zxid: Zxid, digest: Option<SnapshotDigest>) -> Result<(), String> {
        let loader = std::mem::replace(&mut self.loader, DataTree::loader(CONFIG));
        let tree = loader.finish(zxid, digest);
        self.tree = Some(tree.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn discard(&mut self) {
        *self = Self::new();
    }

    fn txn(&mut self, txn: &LoggedTxn<'_>) -> Result<(), String> {
        let tree = self.tree.get_or_insert_with(|| DataTree::new(CONFIG));
        tree.apply(txn, &mut |_| {});
        Ok(())
    }
}
