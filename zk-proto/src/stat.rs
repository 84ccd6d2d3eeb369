//! A znode's numbers, as clients and as disks see them.

use crate::Zxid;
use serde::{Deserialize, Serialize};

/// What clients see of a znode: 68 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Stat {
    /// Transaction that created the znode.
    pub czxid: Zxid,
    /// Transaction that last set its data.
    pub mzxid: Zxid,
    /// Creation time, ms since 1970 by the leader's clock.
    pub ctime: i64,
    /// Time of the last change of data, likewise.
    pub mtime: i64,
    /// Changes of data since creation.
    pub version: i32,
    /// Creations and deletions of children: twice the stored count of
    /// creations, less the children that are there.
    pub cversion: i32,
    /// Changes of the ACL.
    pub aversion: i32,
    /// Session of an ephemeral; 0 for any other znode.
    pub ephemeral_owner: i64,
    /// Bytes of data; 0 for null.
    pub data_length: i32,
    /// Direct children.
    pub num_children: i32,
    /// Transaction that last created or deleted a child.
    pub pzxid: Zxid,
}

/// What snapshots and the tree digest hold of a znode: 60 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct StatPersisted {
    /// As in [`Stat`].
    pub czxid: Zxid,
    /// As in [`Stat`].
    pub mzxid: Zxid,
    /// As in [`Stat`].
    pub ctime: i64,
    /// As in [`Stat`].
    pub mtime: i64,
    /// As in [`Stat`].
    pub version: i32,
    /// Children ever created.
    pub cversion: i32,
    /// As in [`Stat`].
    pub aversion: i32,
    /// The session of an ephemeral, or the kind of a container or TTL znode
    /// (see [`crate::EphemeralType`]).
    pub ephemeral_owner: i64,
    /// As in [`Stat`].
    pub pzxid: Zxid,
}
