//! From the files to the tree: where zk-log's recovery meets zk-tree.

use std::time::Instant;
use zk_log::RecoverySink;
use zk_proto::Zxid;
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotDigest};
use zk_proto::txn::LoggedTxn;
use zk_tree::{DataTree, TreeConfig, TreeLoader};

/// Builds a tree from what recovery finds: the sink of [`zk_log::recover`].
#[derive(Debug)]
pub struct TreeSink {
    config: TreeConfig,
    state: State,
    /// When the snapshot had been read.
    loaded: Option<Instant>,
}

#[derive(Debug)]
enum State {
    /// A snapshot is being read.
    Loading(Box<TreeLoader>),
    /// Transactions are being applied.
    Replaying(Box<DataTree>),
}

impl TreeSink {
    /// Nothing read yet.
    #[must_use]
    pub fn new(config: TreeConfig) -> Self {
        Self {
            config,
            state: State::Loading(Box::new(DataTree::loader(config))),
            loaded: None,
        }
    }

    /// When the snapshot had been read, if there was one.
    pub(crate) fn loaded(&self) -> Option<Instant> {
        self.loaded
    }

    /// The tree as the files have it.
    #[must_use]
    pub fn finish(self) -> DataTree {
        match self.state {
            State::Replaying(tree) => *tree,
            State::Loading(_) => DataTree::new(self.config),
        }
    }

    fn loader(&mut self) -> Result<&mut TreeLoader, String> {
        match &mut self.state {
            State::Loading(loader) => Ok(loader),
            State::Replaying(_) => Err("a snapshot item follows the end of the snapshot".into()),
        }
    }

    /// An empty tree, when there is no snapshot.
    fn tree(&mut self) -> &mut DataTree {
        if let State::Loading(_) = &self.state {
            self.state = State::Replaying(Box::new(DataTree::new(self.config)));
        }
        match &mut self.state {
            State::Replaying(tree) => tree,
            State::Loading(_) => unreachable!("the state was just set"),
        }
    }
}

impl RecoverySink for TreeSink {
    fn session(&mut self, session: SessionEntry) -> Result<(), String> {
        self.loader()?.session(session);
        Ok(())
    }

    fn acl(&mut self, acl: &AclEntry<'_>) -> Result<(), String> {
        self.loader()?.acl(acl).map_err(|error| error.to_string())
    }

    fn node(&mut self, node: &NodeEntry<'_>) -> Result<(), String> {
        self.loader()?.node(node).map_err(|error| error.to_string())
    }

    fn snapshot_done(&mut self, zxid: Zxid, digest: Option<SnapshotDigest>) -> Result<(), String> {
        let fresh = State::Loading(Box::new(DataTree::loader(self.config)));
        let State::Loading(loader) = std::mem::replace(&mut self.state, fresh) else {
            return Err("a snapshot ends twice".into());
        };
        let tree = loader
            .finish(zxid, digest)
            .map_err(|error| error.to_string())?;
        self.state = State::Replaying(Box::new(tree));
        self.loaded = Some(Instant::now());
        Ok(())
    }

    fn discard(&mut self) {
        self.state = State::Loading(Box::new(DataTree::loader(self.config)));
    }

    fn txn(&mut self, txn: &LoggedTxn<'_>) -> Result<(), String> {
        let applied = self.tree().apply(txn, &mut |_| {});
        if let Some(mismatch) = applied.digest_mismatch {
            tracing::error!(zxid = %txn.header.zxid, ?mismatch, "the tree's digest differs from the transaction's");
        }
        Ok(())
    }
}
