//! What happened to a znode, for those who watch. Who watches is not known
//! here.

use crate::AclRef;
use zk_proto::{EventType, Zxid};

/// A change that [`crate::DataTree::apply`] tells of, in Apache's order: a
/// znode's own event before its parent's.
///
/// A deletion is told once with [`EventType::NodeDeleted`] and is meant for
/// watches on data and on children alike.
#[derive(Debug, Clone, Copy)]
pub struct TreeEvent<'a> {
    /// `NodeCreated`, `NodeDeleted`, `NodeDataChanged` or
    /// `NodeChildrenChanged`.
    pub kind: EventType,
    /// The znode that it is about; "/" for the root.
    pub path: &'a str,
    /// The transaction.
    pub zxid: Zxid,
    /// The znode's access control list at that time, for a deletion the last
    /// one: only who may read is told.
    pub acl: AclRef<'a>,
}
