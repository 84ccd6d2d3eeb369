//! The replicated state machine of ZooKeeper: a request and the tree give a
//! transaction, a transaction and the tree give the next tree and the events
//! to watch for.
mod acl_check;
mod acl_table;
mod apply;
pub mod digest;
mod digest_check;
mod error;
mod event;
mod index;
mod loader;
mod node;
mod node_ref;
mod owners;
mod pending;
mod prepare;
mod quota;
mod quota_check;
mod quota_trie;
mod slab;
mod snapshot_cursor;
mod stats_track;
mod tree;
mod watches;

pub use acl_check::{AclRules, SaslScheme, Schemes, X509Scheme, masked};
pub use acl_table::{AclIndex, AclRef};
pub use apply::{Applied, Outcome};
pub use digest_check::DigestMismatch;
pub use error::TreeError;
pub use event::TreeEvent;
pub use loader::TreeLoader;
pub use node_ref::NodeRef;
pub use pending::Pending;
pub use prepare::{Caller, PrepareConfig, Prepared, Stamp, prepare, prepare_error};
pub use quota_check::{QuotaExceeded, QuotaKind};
pub use snapshot_cursor::SnapshotCursor;
pub use stats_track::StatsTrack;
pub use tree::{DataTree, TreeConfig};
pub use watches::{NodeTimes, WatchKind, WatchLists, WatchSummary, WatcherId, Watches};

#[cfg(test)]
mod test_random;
#[cfg(test)]
pub(crate) use test_random::test_random;
