//! Durable history: the transaction log, snapshots, the epoch files, and
//! recovery over all of them, in Apache ZooKeeper's bytes.
//!
//! The key decision: nothing here knows the tree. A snapshot is a stream of
//! `zk_proto::snapshot` items, a transaction is its payload; recovery hands
//! both to a [`RecoverySink`]. And nothing but [`FileStorage`] knows the disk:
//! everything else goes through [`Storage`], so that every crash and failure
//! can be played through in memory.
//!
//! A server
//!
//! 1. calls [`recover`] with an empty tree as the sink,
//! 2. writes a snapshot, with [`SnapshotWriter`], if there was none,
//! 3. opens a [`TxnLog`] behind the last zxid, and for every batch appends,
//!    flushes, and only then acknowledges and applies,
//! 4. now and then rolls the log, writes a snapshot and calls [`purge()`],
//! 5. ends its process when the log fails.
//!
//! After a failed write or flush no further operation succeeds. The only
//! `unsafe` is in `storage/mmap.rs`.

mod config;
mod epochs;
mod error;
mod names;
mod purge;
mod recovery;
mod snapshot;
mod start_over;
mod storage;
mod txn_log;
mod verify;

pub use config::{Compression, LogConfig, LogDirs};
pub use epochs::Epochs;
pub use error::LogError;
pub use purge::{KEEP_MIN, Purged, purge};
pub use recovery::{LoadedSnapshot, Recovered, RecoverySink, consume_initialize, recover, replay};
pub use snapshot::{
    Candidate, SnapshotEnd, SnapshotFile, SnapshotItem, SnapshotReader, SnapshotWriter,
    newest_valid,
};
pub use start_over::start_over;
pub use storage::{
    Fault, FaultStorage, FileStorage, MemStorage, ReadFile, SECTOR, Segment, Storage, WriteFile,
};
pub use txn_log::{
    BadTail, FlushReport, LogNext, LogReader, LogRecord, LogStart, MAX_PAYLOAD, RecordFault,
    Scanned, Truncated, TxnLog, UNFLUSHED_MAX, read_around, read_end, read_txns, truncate_after,
};
pub use verify::{LogHealth, Report, SnapshotHealth, verify};
