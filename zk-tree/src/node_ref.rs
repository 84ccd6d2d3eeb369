//! A znode as readers see it. Nothing here changes the tree.

use crate::node::{Node, NodeId};
use crate::{AclIndex, AclRef, DataTree};
use std::fmt;
use zk_proto::{EphemeralType, Stat, StatPersisted};

/// A znode of a [`DataTree`].
#[derive(Clone, Copy)]
pub struct NodeRef<'a> {
    pub(crate) tree: &'a DataTree,
    pub(crate) id: NodeId,
    pub(crate) node: &'a Node,
}

impl<'a> NodeRef<'a> {
    /// The data; `None` for null, which is not the same as empty.
    #[must_use]
    pub fn data(&self) -> Option<&'a [u8]> {
        self.node.data()
    }

    /// Bytes of the data; 0 for null.
    #[must_use]
    pub fn data_len(&self) -> usize {
        self.node.data_len()
    }

    /// The numbers that clients see.
    #[must_use]
    pub fn stat(&self) -> Stat {
        self.node.stat(self.kind().visible_owner())
    }

    /// The numbers that snapshots and the digest hold.
    #[must_use]
    pub const fn stored(&self) -> StatPersisted {
        self.node.stored()
    }

    /// Whether it is persistent, ephemeral, a container or has a time to
    /// live.
    #[must_use]
    pub const fn kind(&self) -> EphemeralType {
        self.tree.kind(self.node.owner)
    }

    /// Who may do what.
    #[must_use]
    pub fn acl(&self) -> AclRef<'a> {
        self.tree.acl(AclIndex(self.node.acl))
    }

    /// The number of its access control list.
    #[must_use]
    pub const fn acl_index(&self) -> AclIndex {
        AclIndex(self.node.acl)
    }

    /// CRC-32 of path and data: [`crate::digest::content_crc`]. 0 where
    /// digests are off and for znodes under `/zookeeper/`.
    #[must_use]
    pub const fn content_crc(&self) -> u32 {
        self.node.content_crc
    }

    /// Children that it has.
    #[must_use]
    pub fn num_children(&self) -> usize {
        self.node.children().len()
    }

    /// The last component of its path; "" for the root.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.node.name()
    }

    /// Names of the children, in no order that means anything.
    pub fn child_names(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let tree = self.tree;
        self.node
            .children()
            .iter()
            .map(move |&id| tree.node(id).name())
    }

    /// The child of that name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<Self> {
        let mut path = self.path();
        if self.id != NodeId::ROOT {
            path.push('/');
        }
        path.push_str(name);
        self.tree.get(&path)
    }

    /// The parent; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        (self.id != NodeId::ROOT).then(|| self.tree.node_ref(self.node.parent))
    }

    /// Its path; "/" for the root.
    #[must_use]
    pub fn path(&self) -> String {
        match self.id {
            NodeId::ROOT => "/".to_owned(),
            id => self.tree.path_of(id),
        }
    }
}

impl fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeRef")
            .field("path", &self.path())
            .field("stat", &self.stored())
            .field("acl", &self.acl().entries())
            .finish_non_exhaustive()
    }
}
