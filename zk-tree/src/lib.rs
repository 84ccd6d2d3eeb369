//! The replicated state machine of ZooKeeper: a request and the tree give a
//! transaction, a transaction and the tree give the next tree and the events
//! to watch for.
//!
//! The key decision: the tree has no locks, clocks or threads inside. One
//! writer applies, readers share, and who composes them brings the lock. So
//! the same transactions give the same tree everywhere, digest included, and
//! a test can stop between any two steps. A znode is a slot of about 100
//! bytes and one allocation for name and data; paths are not stored but
//! hashed, and compared component by component from the end.
//!
//! Apache's bugs of replay are not kept: a tree made from a fuzzy snapshot
//! and the log behind it is the tree that was ([`SnapshotCursor`],
//! [`DataTree::apply`]).
//!
//! This crate reads no files and speaks to no clients. Who wants the bytes of
//! snapshots and transactions should use `zk-proto`; who wants them on disk,
//! `zk-log`.
//!
//! ```
//! use zk_proto::{Acl, CreateRequest, OpCode, Request, SessionId, Zxid, txn::LoggedTxn};
//! use zk_tree::{Caller, DataTree, Pending, PrepareConfig, Stamp, TreeConfig};
//!
//! let config = TreeConfig { hash_seed: 7, extended_types: true, digest: true };
//! let mut tree = DataTree::new(config);
//! let mut pending = Pending::new(7);
//!
//! let requests = [
//!     Request::CreateSession(30_000),
//!     Request::Create(OpCode::CREATE2, CreateRequest {
//!         path: Some("/lock-".into()),
//!         data: None,
//!         acl: Some(vec![Acl::open()]),
//!         flags: 2, // persistent, sequential
//!     }),
//! ];
//! let caller = Caller { session: SessionId(1), cxid: 1, identities: &[] };
//! let mut events = Vec::new();
//! for (zxid, request) in (1..).zip(&requests) {
//!     // A request becomes the payload of a log record ...
//!     let stamp = Stamp { zxid: Zxid(zxid), time_ms: 0 };
//!     let mut payload = Vec::new();
//!     let prepared = zk_tree::prepare(
//!         &tree, &mut pending, &PrepareConfig::default(), &caller, stamp, request, &mut payload,
//!     );
//!     assert!(prepared.error.is_ok());
//!     // ... and, once that is safe on disk, a change of the tree.
//!     let txn = LoggedTxn::decode(&payload)?;
//!     tree.apply(&txn, &mut |event| events.push((event.kind, event.path.to_owned())));
//!     pending.applied(txn.header.zxid);
//! }
//! assert_eq!(events.len(), 2); // /lock-0000000000 was created, / has a new child
//! assert!(tree.get("/lock-0000000000").is_some());
//! # Ok::<(), zk_proto::jute::Error>(())
//! ```

mod acl_check;
mod acl_table;
mod apply;
mod config_node;
pub mod digest;
mod digest_check;
mod error;
mod event;
mod expiry;
mod index;
mod loader;
mod node;
mod node_ref;
mod outcome;
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
pub use config_node::CONFIG_NODE;
pub use digest_check::DigestMismatch;
pub use error::TreeError;
pub use event::TreeEvent;
pub use expiry::{ExpiryRule, ExpiryScan};
pub use loader::TreeLoader;
pub use node_ref::NodeRef;
pub use outcome::{Applied, Outcome};
pub use pending::Pending;
pub use prepare::{
    Caller, PrepareConfig, Prepared, PreparedReconfig, ReconfigContext, Stamp, prepare,
    prepare_error, prepare_reconfig,
};
pub use quota_check::{QuotaExceeded, QuotaKind};
pub use snapshot_cursor::SnapshotCursor;
pub use stats_track::StatsTrack;
pub use tree::{DataTree, TreeConfig};
pub use watches::{NodeTimes, WatchKind, WatchLists, WatchSummary, WatcherId, Watches};

#[cfg(test)]
mod test_random;
#[cfg(test)]
pub(crate) use test_random::test_random;
