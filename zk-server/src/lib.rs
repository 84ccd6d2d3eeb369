//! A ZooKeeper server, composed from zk-proto, zk-tree and zk-log and driven
//! by tokio.
//!
//! The key decision: one thread owns the write path, from the check of a
//! request to its answer, and everything that waits for it becomes one batch
//! with one flush; reads are answered by the connections' own tasks, from a
//! tree that many can read. So a write changes hands once, and a read never.
//!
//! Who wants only the rules of the tree should use `zk-tree`; who wants only
//! the files, `zk-log`.

mod auth;
mod clock;
pub mod config;
mod conn;
mod driver;
mod four_letter;
pub mod host;
mod housekeeping;
mod listener;
mod metrics;
pub mod peer;
mod pipeline;
mod reads;
mod recovery;
mod role;
mod server;
mod session;
mod shared;
mod snapshotter;
mod stats;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use auth::generate_digest;
pub use clock::Hands;
pub use recovery::TreeSink;
pub use role::ServerRole;
pub use server::{Server, ServerError};
