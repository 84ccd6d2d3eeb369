//! The log as a leader reads it for learners: not only what is behind a zxid,
//! but also the last transaction at or before it, so that the leader sees
//! where the two histories part; and its end, to be kept in memory.

use super::scan::{logs, scan};
use crate::{LogError, Storage};
use std::collections::VecDeque;
use std::path::Path;
use zk_proto::Zxid;

/// Reads the payloads of the last transaction at or before `zxid` and of all
/// behind it, in order. Nothing at all if the logs do not reach back so far,
/// or if the payloads together are longer than `bytes_max`.
/// (`FileTxnLog.getProposalsFromTxnLog`)
///
/// What is not flushed yet may be missing.
///
/// # Errors
/// Damage or a gap.
pub fn read_around(
    storage: &dyn Storage,
    dir: &Path,
    zxid: Zxid,
    bytes_max: u64,
) -> Result<Vec<(Zxid, Vec<u8>)>, LogError> {
    let files = logs(storage, dir)?;
    let before = files.partition_point(|(start, _)| *start <= zxid);
    let Some((start, _)) = files[..before].last() else {
        return Ok(Vec::new());
    };
    let mut found = Found::default();
    scan(storage, dir, Zxid(start.0 - 1), &mut |_, record| {
        found.add(zxid, record.zxid, record.payload, bytes_max);
        Ok(())
    })?;
    Ok(found.finish(zxid))
}

/// Reads the payloads of the last transactions, `count_max` at most, in order.
///
/// # Errors
/// Damage or a gap in the files that hold them.
pub fn read_end(
    storage: &dyn Storage,
    dir: &Path,
    count_max: usize,
) -> Result<VecDeque<(Zxid, Vec<u8>)>, LogError> {
    let mut end = VecDeque::new();
    for (start, _) in logs(storage, dir)?.iter().rev() {
        end.clear();
        scan(storage, dir, Zxid(start.0 - 1), &mut |_, record| {
            end.push_back((record.zxid, record.payload.to_vec()));
            if end.len() > count_max {
                end.pop_front();
            }
            Ok(())
        })?;
        if end.len() >= count_max {
            break;
        }
    }
    Ok(end)
}

#[derive(Default)]
struct Found {
    txns: Vec<(Zxid, Vec<u8>)>,
    bytes: u64,
    too_many: bool,
}

impl Found {
    fn add(&mut self, around: Zxid, zxid: Zxid, payload: &[u8], bytes_max: u64) {
        if zxid <= around {
            self.txns.clear();
            (self.bytes, self.too_many) = (0, false);
        }
        self.bytes += payload.len() as u64;
        self.too_many |= self.bytes > bytes_max;
        if !self.too_many {
            self.txns.push((zxid, payload.to_vec()));
        }
    }

    fn finish(self, around: Zxid) -> Vec<(Zxid, Vec<u8>)> {
        let reaches_back = self.txns.first().is_some_and(|(zxid, _)| *zxid <= around);
        if self.too_many || !reaches_back {
            return Vec::new();
        }
        self.txns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogConfig, MemStorage, TxnLog};
    use std::sync::Arc;
    use zk_proto::txn::{LoggedTxn, Txn, TxnHeader};
    use zk_proto::{OpCode, SessionId};

    const DIR: &str = "/log";

    fn payload(zxid: Zxid) -> Vec<u8> {
        let header = TxnHeader {
            client_id: SessionId(1),
            cxid: 0,
            zxid,
            time: 0,
            kind: OpCode::ERROR,
        };
        let txn = LoggedTxn {
            header,
            txn: Txn::Error(zk_proto::ErrorCode(-1)),
            digest: None,
        };
        let mut out = Vec::new();
        txn.encode(&mut out).unwrap();
        out
    }

    fn log_of(rolls: &[&[i64]]) -> Arc<MemStorage> {
        let storage = Arc::new(MemStorage::new());
        storage.create_dirs(Path::new(DIR)).unwrap();
        let config = LogConfig::default();
        let mut log = TxnLog::open(storage.clone(), Path::new(DIR), &config, Zxid::ZERO);
        for file in rolls {
            for &zxid in *file {
                log.append(Zxid(zxid), &payload(Zxid(zxid))).unwrap();
            }
            log.flush().unwrap();
            log.roll().unwrap();
        }
        storage
    }

    fn around(storage: &MemStorage, zxid: i64, bytes_max: u64) -> Vec<i64> {
        let read = read_around(storage, Path::new(DIR), Zxid(zxid), bytes_max).unwrap();
        read.iter().map(|(zxid, _)| zxid.0).collect()
    }

    #[test]
    fn it_begins_with_the_last_one_at_or_before() {
        const EPOCH: i64 = 1 << 32;
        let storage = log_of(&[&[1, 2, 3], &[4, 5], &[EPOCH + 1]]);
        assert_eq!(around(&storage, 2, 9999), [2, 3, 4, 5, EPOCH + 1]);
        assert_eq!(around(&storage, 4, 9999), [4, 5, EPOCH + 1]);
        assert_eq!(around(&storage, 99, 9999), [5, EPOCH + 1]);
        assert_eq!(
            around(&storage, 0, 9999),
            [0i64; 0],
            "it does not reach back"
        );
        assert_eq!(around(&storage, 2, 50), [0i64; 0], "too much");
    }

    #[test]
    fn the_end_may_begin_in_any_file() {
        let storage = log_of(&[&[1, 2, 3], &[4, 5], &[6]]);
        let end = |count_max| -> Vec<i64> {
            let end = read_end(&*storage, Path::new(DIR), count_max).unwrap();
            end.iter().map(|(zxid, _)| zxid.0).collect()
        };
        assert_eq!(end(0), [0i64; 0]);
        assert_eq!(end(1), [6]);
        assert_eq!(end(3), [4, 5, 6]);
        assert_eq!(end(4), [3, 4, 5, 6]);
        assert_eq!(end(99), [1, 2, 3, 4, 5, 6]);
        let empty = log_of(&[]);
        assert!(read_end(&*empty, Path::new(DIR), 9).unwrap().is_empty());
    }
}
