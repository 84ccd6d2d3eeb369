//! All log files of a directory as one history: every record from a zxid on,
//! in order, with nothing missing and nothing twice.
//!
//! It changes no file. What it finds to be repaired it reports.

use super::reader::{LogNext, LogReader, LogRecord, LogStart};
use super::record;
use super::tail::{self, Torn};
use crate::error::Context;
use crate::{LogError, Storage, names};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use zk_proto::Zxid;
use zk_proto::txn::{LogFileHeader, LoggedTxn};

/// The log files of a directory, oldest first.
pub(crate) fn logs(storage: &dyn Storage, dir: &Path) -> Result<Vec<(Zxid, PathBuf)>, LogError> {
    let names = storage.list(dir).at("list", dir)?;
    let mut logs: Vec<_> = names
        .iter()
        .filter_map(|name| Some((names::parse_log(name)?, dir.join(name))))
        .collect();
    logs.sort_unstable();
    Ok(logs)
}

/// Reads every transaction after `after` from the logs in `dir`, in order.
///
/// # Errors
/// Damage, a gap, or whatever `visit` returns. A torn tail is no error; the
/// result names it.
pub fn read_txns(
    storage: &dyn Storage,
    dir: &Path,
    after: Zxid,
    visit: &mut dyn FnMut(&LoggedTxn<'_>) -> Result<(), LogError>,
) -> Result<Scanned, LogError> {
    scan(storage, dir, after, &mut |path, record| {
        visit(&record.decode(path)?)
    })
}

/// What was read, and what is left over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The last transaction, or where reading began.
    pub last: Zxid,
    /// How many transactions were visited.
    pub txns: u64,
    /// An interrupted write at the end of the history.
    pub torn: Option<BadTail>,
    /// Interrupted writes at the end of older files; what they lost was
    /// written again in the next file.
    pub stale: Vec<BadTail>,
    /// Files at the end without a single record.
    pub blank: Vec<PathBuf>,
}

/// The remains of an interrupted write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTail {
    /// The file.
    pub path: PathBuf,
    /// Where they start: behind the last good record.
    pub offset: u64,
    /// How many bytes there are.
    pub bytes: u64,
    /// What is wrong with the first record.
    pub what: String,
    /// Whether later records of the same interrupted batch are intact.
    pub holds_records: bool,
}

impl BadTail {
    /// Whether no record precedes it, so that the file holds none.
    #[must_use]
    pub const fn is_whole_file(&self) -> bool {
        self.offset <= LogFileHeader::LEN as u64
    }

    fn new(path: PathBuf, torn: Torn) -> Self {
        Self {
            path,
            offset: torn.offset,
            bytes: torn.end - torn.offset,
            what: torn.fault.to_string(),
            holds_records: torn.holds_records,
        }
    }
}

type Visit<'v> = &'v mut dyn FnMut(&Path, &LogRecord<'_>) -> Result<(), LogError>;

/// As [`read_txns`], with records instead of transactions.
pub(crate) fn scan(
    storage: &dyn Storage,
    dir: &Path,
    after: Zxid,
    visit: Visit<'_>,
) -> Result<Scanned, LogError> {
    let mut files = logs(storage, dir)?;
    // The file that goes on after `after` is the last one that starts at or
    // before its successor.
    let needed = files.partition_point(|(zxid, _)| zxid.0 <= after.0.saturating_add(1));
    files.drain(..needed.saturating_sub(1));
    let mut scan = Scan {
        storage,
        files: &files,
        after,
        tail: None,
        headless: None,
        result: Scanned {
            last: after,
            ..Scanned::default()
        },
    };
    for index in 0..files.len() {
        scan.file(index, visit)?;
    }
    let mut result = scan.result;
    result.torn = scan.tail.map(|(path, torn)| BadTail::new(path, torn));
    Ok(result)
}

struct Scan<'a> {
    storage: &'a dyn Storage,
    files: &'a [(Zxid, PathBuf)],
    after: Zxid,
    /// A bad end, torn unless a later file tells otherwise.
    tail: Option<(PathBuf, Torn)>,
    /// A file without a header, harmless unless a later file has records.
    headless: Option<PathBuf>,
    result: Scanned,
}

/// What is known about the file that is being read.
struct File {
    index: usize,
    /// Its record before this one.
    previous: Option<Zxid>,
    /// Checksum and length of the records of earlier files, once they are
    /// needed for comparison.
    earlier: Option<HashMap<Zxid, (u32, usize)>>,
}

impl Scan<'_> {
    fn file(&mut self, index: usize, visit: Visit<'_>) -> Result<(), LogError> {
        let path = &self.files[index].1;
        let mut reader = LogReader::open(self.storage, path)?;
        if reader.start()? == LogStart::Blank {
            self.headless.get_or_insert_with(|| path.clone());
            self.result.blank.push(path.clone());
            return Ok(());
        }
        let mut file = File {
            index,
            previous: None,
            earlier: None,
        };
        let fault = loop {
            match reader.next()? {
                LogNext::Record(record) => {
                    if self.accept(&mut file, &record)? {
                        visit(path, &record)?;
                        self.result.txns += 1;
                    }
                    file.previous = Some(record.zxid);
                }
                LogNext::End => break None,
                LogNext::Bad(fault) => break Some(fault),
            }
        };
        if let Some(fault) = fault {
            let torn = tail::judge(&mut reader, fault, self.result.last)?;
            self.keep_tail(path.clone(), torn)?;
        } else if file.previous.is_none() {
            self.result.blank.push(path.clone());
        }
        Ok(())
    }

    /// Whether the record is the next of the history, as opposed to one that
    /// is known already. Neither is an error.
    fn accept(&mut self, file: &mut File, record: &LogRecord<'_>) -> Result<bool, LogError> {
        let zxid = record.zxid;
        let last = self.result.last;
        if file.previous.is_none() {
            self.first_record(file.index, record)?;
        }
        if file.previous.is_some_and(|previous| zxid < previous) {
            return Err(self.out_of_order(file, record, "the log goes back"));
        }
        if zxid <= self.after && last == self.after {
            return Ok(false);
        }
        if record::follows(last, zxid) {
            self.result.last = zxid;
            return Ok(true);
        }
        if zxid > last {
            return Err(self.out_of_order(file, record, "transactions are missing"));
        }
        if record::repeats(last, zxid, record.kind) {
            return Ok(true);
        }
        if self.is_known(file, record)? {
            return Ok(false);
        }
        Err(self.out_of_order(file, record, "the history holds another transaction there"))
    }

    /// The first record of a file settles what earlier files left open.
    fn first_record(&mut self, index: usize, record: &LogRecord<'_>) -> Result<(), LogError> {
        let (name, path) = &self.files[index];
        if record.zxid != *name {
            return Err(LogError::Sequence {
                path: path.clone(),
                offset: record.offset,
                after: self.result.last,
                found: record.zxid,
                what: "the file's name says another zxid",
            });
        }
        if let Some(path) = self.headless.take() {
            return Err(LogError::Damaged {
                path,
                offset: 0,
                what: "the header is missing, yet later logs hold transactions".to_owned(),
            });
        }
        self.result.blank.clear();
        self.settle_tail(record.zxid)
    }

    /// A bad end in an older file is harmless if the next file goes on
    /// exactly where it broke off. After a change of epoch nobody can tell
    /// whether a transaction is missing; there only a write that was never
    /// finished is forgiven, as a leader that was killed leaves it.
    fn settle_tail(&mut self, next: Zxid) -> Result<(), LogError> {
        let Some((path, torn)) = self.tail.take() else {
            return Ok(());
        };
        let last = self.result.last;
        let goes_on = last.0.checked_add(1) == Some(next.0);
        let new_epoch = record::follows(last, next) && torn.unfinished;
        if !torn.holds_records && (goes_on || new_epoch) {
            self.result.stale.push(BadTail::new(path, torn));
            return Ok(());
        }
        Err(LogError::Damaged {
            path,
            offset: torn.offset,
            what: format!(
                "{}, and the next log goes on with {next} after {last}",
                torn.fault
            ),
        })
    }

    fn keep_tail(&mut self, path: PathBuf, torn: Torn) -> Result<(), LogError> {
        if let Some((path, torn)) = self.tail.take() {
            return Err(LogError::Damaged {
                path,
                offset: torn.offset,
                what: format!("{}, and the next log is damaged too", torn.fault),
            });
        }
        self.tail = Some((path, torn));
        Ok(())
    }

    /// Whether an earlier file holds the very same record.
    fn is_known(&self, file: &mut File, record: &LogRecord<'_>) -> Result<bool, LogError> {
        if file.earlier.is_none() {
            file.earlier = Some(self.earlier(file.index, record.zxid)?);
        }
        let known = file.earlier.as_ref().and_then(|map| map.get(&record.zxid));
        Ok(known == Some(&(record.checksum, record.payload.len())))
    }

    /// The records from `from` on in the files before `index`.
    fn earlier(&self, index: usize, from: Zxid) -> Result<HashMap<Zxid, (u32, usize)>, LogError> {
        let mut records = HashMap::new();
        for (_, path) in &self.files[..index] {
            let mut reader = LogReader::open(self.storage, path)?;
            if reader.start()? == LogStart::Blank {
                continue;
            }
            while let LogNext::Record(record) = reader.next()? {
                if record.zxid >= from {
                    records.insert(record.zxid, (record.checksum, record.payload.len()));
                }
            }
        }
        Ok(records)
    }

    fn out_of_order(&self, file: &File, record: &LogRecord<'_>, what: &'static str) -> LogError {
        LogError::Sequence {
            path: self.files[file.index].1.clone(),
            offset: record.offset,
            after: file
                .previous
                .unwrap_or(self.result.last)
                .max(self.result.last),
            found: record.zxid,
            what,
        }
    }
}
