//! Operation codes, as they stand in request headers and in multi.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The `type` of a request. Any `i32` may arrive; the known ones are the
/// associated constants (`ZooDefs.OpCode`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct OpCode(pub i32);

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl OpCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The operation's name as ZooKeeper's documents write it.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

ops! {
    /// Create a znode, answer its path.
    CREATE = 1, "create";
    /// Delete a childless znode.
    DELETE = 2, "delete";
    /// Stat of a znode, or NONODE.
    EXISTS = 3, "exists";
    /// Data and Stat.
    GET_DATA = 4, "getData";
    /// Replace the data.
    SET_DATA = 5, "setData";
    /// ACL and Stat.
    GET_ACL = 6, "getACL";
    /// Replace the ACL.
    SET_ACL = 7, "setACL";
    /// Names of the children.
    GET_CHILDREN = 8, "getChildren";
    /// Wait until this server has applied what the leader had committed.
    SYNC = 9, "sync";
    /// Keep the session alive.
    PING = 11, "ping";
    /// Names of the children and the Stat.
    GET_CHILDREN2 = 12, "getChildren2";
    /// Version check, inside multi only.
    CHECK = 13, "check";
    /// All or nothing over several writes.
    MULTI = 14, "multi";
    /// Create a znode, answer its path and Stat.
    CREATE2 = 15, "create2";
    /// Change the ensemble.
    RECONFIG = 16, "reconfig";
    /// Whether a watch is set on this connection.
    CHECK_WATCHES = 17, "checkWatches";
    /// Remove watches of this connection.
    REMOVE_WATCHES = 18, "removeWatches";
    /// Create a container.
    CREATE_CONTAINER = 19, "createContainer";
    /// The leader's own removal of an empty container or expired TTL znode.
    DELETE_CONTAINER = 20, "deleteContainer";
    /// Create a znode with a time to live.
    CREATE_TTL = 21, "createTTL";
    /// Several reads in one frame.
    MULTI_READ = 22, "multiRead";
    /// Add an identity to the connection.
    AUTH = 100, "auth";
    /// Set one-shot watches again after a reconnect.
    SET_WATCHES = 101, "setWatches";
    /// One step of a SASL exchange.
    SASL = 102, "sasl";
    /// Ephemerals of the own session.
    GET_EPHEMERALS = 103, "getEphemerals";
    /// Number of descendants.
    GET_ALL_CHILDREN_NUMBER = 104, "getAllChildrenNumber";
    /// Set all kinds of watches again after a reconnect.
    SET_WATCHES2 = 105, "setWatches2";
    /// Add a persistent or recursive watch.
    ADD_WATCH = 106, "addWatch";
    /// Identities of the connection.
    WHO_AM_I = 107, "whoAmI";
    /// Internal: a new session.
    CREATE_SESSION = -10, "createSession";
    /// End of a session.
    CLOSE_SESSION = -11, "closeSession";
    /// A failed write, in headers of transactions and of multi results.
    ERROR = -1, "error";
}

impl fmt::Debug for OpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "op {}", self.0),
        }
    }
}

impl fmt::Display for OpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
