//! The transaction log: files `log.<zxid>` of records, each a checksum, a
//! length, a transaction and an end byte. `docs/formats/txn-log.md` draws the
//! bytes and argues the crash cases.

mod around;
mod reader;
mod record;
mod scan;
mod tail;
mod truncate;
mod writer;

pub use around::{read_around, read_end};
pub use reader::{LogNext, LogReader, LogRecord, LogStart, RecordFault};
pub use record::MAX_PAYLOAD;
pub use scan::{BadTail, Scanned, read_txns};
pub(crate) use scan::{logs, scan};
pub use truncate::{Truncated, truncate_after};
pub use writer::{FlushReport, TxnLog, UNFLUSHED_MAX};
