//! Snapshots: files `snapshot.<zxid>` that hold sessions, access control
//! lists and znodes as a stream of `zk_proto::snapshot` items, sealed with
//! checksums. `docs/formats/snapshot.md` draws the bytes.

mod catalog;
mod compress;
mod content;
mod reader;
mod writer;

pub use catalog::{Candidate, newest_valid};
pub(crate) use catalog::{catalog, remove_temps};
pub use reader::{SnapshotEnd, SnapshotItem, SnapshotReader};
pub use writer::{SnapshotFile, SnapshotWriter};
