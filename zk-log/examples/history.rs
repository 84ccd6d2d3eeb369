//! The life of a history: recover, write a first snapshot, append, flush,
//! stop, recover again.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::sync::Arc;
use zk_log::{
    FileStorage, LogConfig, LogDirs, LogError, RecoverySink, SnapshotWriter, Storage, TxnLog,
    recover,
};
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotDigest, append_end};
use zk_proto::txn::{LoggedTxn, Txn, TxnHeader};
use zk_proto::{OpCode, SessionId, Zxid};

/// Counts instead of keeping a tree.
#[derive(Default)]
struct Count {
    nodes: usize,
    txns: usize,
}

impl RecoverySink for Count {
    fn session(&mut self, _: SessionEntry) -> Result<(), String> {
        Ok(())
    }
    fn acl(&mut self, _: &AclEntry<'_>) -> Result<(), String> {
        Ok(())
    }
    fn node(&mut self, _: &NodeEntry<'_>) -> Result<(), String> {
        self.nodes += 1;
        Ok(())
    }
    fn snapshot_done(&mut self, _: Zxid, _: Option<SnapshotDigest>) -> Result<(), String> {
        Ok(())
    }
    fn discard(&mut self) {
        *self = Self::default();
    }
    fn txn(&mut self, _: &LoggedTxn<'_>) -> Result<(), String> {
        self.txns += 1;
        Ok(())
    }
}

fn main() -> Result<(), LogError> {
    let temp = std::env::temp_dir().join(format!("zk-log-{}", std::process::id()));
    let dirs = LogDirs::new(&temp, &temp);
    let config = LogConfig::default();
    let storage: Arc<dyn Storage> = Arc::new(FileStorage);

    let recovered = recover(&*storage, &dirs, &config, &mut Count::default())?;
    if recovered.empty {
        let mut writer = SnapshotWriter::create(storage.clone(), &dirs, &config, Zxid::ZERO)?;
        let mut content = vec![0; 8]; // no sessions, no access control lists
        append_end(&mut content).expect("the end mark is encodable");
        writer.write(&content)?;
        writer.finish(None, Some(Zxid::ZERO))?;
    }

    let mut log = TxnLog::open(storage.clone(), &dirs.log_dir, &config, recovered.last_zxid);
    for zxid in 1..=3 {
        let txn = LoggedTxn {
            header: TxnHeader {
                client_id: SessionId(zxid),
                cxid: 0,
                zxid: Zxid(zxid),
                time: 0,
                kind: OpCode::CREATE_SESSION,
            },
            txn: Txn::CreateSession(4000),
            digest: None,
        };
        let mut payload = Vec::new();
        txn.encode(&mut payload)
            .expect("a transaction is encodable");
        log.append(Zxid(zxid), &payload)?;
    }
    println!("{:?}", log.flush()?);
    log.close()?;

    let mut count = Count::default();
    let recovered = recover(&*storage, &dirs, &config, &mut count)?;
    println!("{} transactions up to {}", count.txns, recovered.last_zxid);
    let _ = std::fs::remove_dir_all(&temp);
    Ok(())
}
