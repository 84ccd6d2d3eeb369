//! A log file of any bytes: read to its end or refused, and once recovered, good to go on with.
//!
//! The first byte says whether checksums are made right before reading.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use zk_fuzz::mend;
use zk_log::{
    LogConfig, LogDirs, LogNext, LogReader, LogRecord, LogStart, MemStorage, RecoverySink, TxnLog,
    recover,
};
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotDigest};
use zk_proto::txn::{LoggedTxn, Txn, TxnHeader};
use zk_proto::{ErrorCode, OpCode, SessionId, Zxid};

const DIR: &str = "/";
const PATH: &str = "/log.1";

fuzz_target!(|input: &[u8]| {
    let Some((flags, file)) = input.split_first() else {
        return;
    };
    let mut file = file.to_vec();
    if flags & 1 == 1 {
        mend::log(&mut file);
    }
    let storage = MemStorage::new();
    storage.put(Path::new(PATH), &file);
    read(&storage, &file);
    go_on(&storage, &file);
});

fn read(storage: &MemStorage, file: &[u8]) {
    let mut reader = LogReader::open(storage, Path::new(PATH)).expect("the file is there");
    let Ok(LogStart::Header) = reader.start() else {
        return;
    };
    let mut before = reader.position();
    while let Ok(LogNext::Record(record)) = reader.next() {
        check(&record, file);
        assert!(reader.position() > before && reader.position() <= file.len() as u64);
        before = reader.position();
    }
}

/// What a record says of itself is what stands in the file.
fn check(record: &LogRecord<'_>, file: &[u8]) {
    let start = usize::try_from(record.offset).expect("files are small") + 12;
    assert_eq!(record.payload, &file[start..start + record.payload.len()]);
    if let Ok(logged) = record.decode(Path::new(PATH)) {
        assert_eq!(logged.header.zxid, record.zxid);
        assert_eq!(logged.header.kind, record.kind);
    }
}

/// What was refused is untouched. What was recovered needs no second repair, and the history
/// goes on from there.
fn go_on(storage: &MemStorage, file: &[u8]) {
    let Some((last, history)) = history(storage) else {
        let untouched = storage.bytes(Path::new(PATH)).expect("nothing was removed");
        assert_eq!(*untouched, file);
        return;
    };
    let again = self::history(storage).expect("what was recovered can be recovered again");
    assert_eq!(again, (last, history.clone()));
    let Some(next) = append(storage, last) else {
        return;
    };
    let (last, longer) = self::history(storage).expect("what was appended can be recovered");
    assert_eq!(last, next);
    assert_eq!(longer[..history.len()], history);
    assert_eq!(longer.len(), history.len() + 1);
}

fn append(storage: &MemStorage, last: Zxid) -> Option<Zxid> {
    let zxid = last.next()?;
    let mut log = TxnLog::open(Arc::new(storage.clone()), Path::new(DIR), &config(), last);
    log.append(zxid, &payload(zxid)).ok()?;
    log.flush().expect("the disk does not fail");
    log.close().expect("the disk does not fail");
    Some(zxid)
}

fn payload(zxid: Zxid) -> Vec<u8> {
    let header = TxnHeader {
        client_id: SessionId(1),
        cxid: 1,
        zxid,
        time: 1,
        kind: OpCode::ERROR,
    };
    let logged = LoggedTxn {
        header,
        txn: Txn::Error(ErrorCode::OK),
        digest: None,
    };
    let mut payload = Vec::new();
    logged.encode(&mut payload).expect("the record has a form");
    payload
}

/// The last zxid and all transactions that recovery finds.
fn history(storage: &MemStorage) -> Option<(Zxid, Vec<Vec<u8>>)> {
    let dirs = LogDirs {
        snap_dir: DIR.into(),
        log_dir: DIR.into(),
    };
    let mut history = History(Vec::new());
    let recovered = recover(storage, &dirs, &config(), &mut history).ok()?;
    Some((recovered.last_zxid, history.0))
}

fn config() -> LogConfig {
    LogConfig {
        prealloc_bytes: 0,
        trust_empty_snapshot: true,
        ..LogConfig::default()
    }
}

/// The bytes of every transaction.
struct History(Vec<Vec<u8>>);

impl RecoverySink for History {
    fn txn(&mut self, txn: &LoggedTxn<'_>) -> Result<(), String> {
        let mut bytes = Vec::new();
        txn.encode(&mut bytes)
            .expect("what was read can be written");
        self.0.push(bytes);
        Ok(())
    }

    fn session(&mut self, _: SessionEntry) -> Result<(), String> {
        Err("there is no snapshot".to_owned())
    }

    fn acl(&mut self, _: &AclEntry<'_>) -> Result<(), String> {
        Err("there is no snapshot".to_owned())
    }

    fn node(&mut self, _: &NodeEntry<'_>) -> Result<(), String> {
        Err("there is no snapshot".to_owned())
    }

    fn snapshot_done(&mut self, _: Zxid, _: Option<SnapshotDigest>) -> Result<(), String> {
        Err("there is no snapshot".to_owned())
    }

    fn discard(&mut self) {}
}
