//! Appending, flushing, rolling: what lands in the files.

use crate::history::{Life, next, payload};
use crate::model::Model;
use crate::support::{config, dirs, files, fixture, recover, shared};
use std::path::Path;
use std::sync::Arc;
use zk_log::{
    FileStorage, LogConfig, LogDirs, LogError, LogNext, LogReader, MemStorage, Storage, TxnLog,
};
use zk_proto::txn::{LogFileHeader, SetDataTxn, Txn};
use zk_proto::{Buffer, ErrorCode, Zxid};

fn logs(storage: &dyn Storage, dir: &Path) -> Vec<String> {
    let mut names = storage.list(dir).unwrap();
    names.retain(|name| name.starts_with("log."));
    names.sort();
    names
}

/// Apache's records, appended again, make Apache's file up to the padding.
#[test]
fn the_same_transactions_make_apaches_bytes() {
    assert!(fixture("standalone").is_dir());
    for (name, wanted) in files("standalone/version-2") {
        let Some(first) = name.strip_prefix("log.") else {
            continue;
        };
        let first = Zxid(i64::from_str_radix(first, 16).unwrap());
        let apache = crate::support::disk(&[(name.clone(), wanted.clone())]);
        let storage = MemStorage::new();
        storage.create_dirs(&dirs().log_dir).unwrap();
        let mut log = TxnLog::open(
            shared(&storage),
            &dirs().log_dir,
            &config(),
            Zxid(first.0 - 1),
        );
        let path = dirs().log_dir.join(&name);
        let mut reader = LogReader::open(&apache, &path).unwrap();
        reader.start().unwrap();
        while let LogNext::Record(record) = reader.next().unwrap() {
            log.append(record.zxid, record.payload).unwrap();
        }
        let end = usize::try_from(reader.position()).unwrap();
        log.flush().unwrap();
        let written = storage.bytes(&path).unwrap();
        assert_eq!(written[..end], wanted[..end], "{name}");
        assert!(written[end..].iter().all(|&byte| byte == 0) && written.len() > end);
        log.close().unwrap();
        assert_eq!(storage.bytes(&path).unwrap().len(), end);
    }
}

#[test]
fn what_was_written_is_read_on_a_real_disk() {
    let temp = tempfile::tempdir().unwrap();
    for (prealloc, name) in [(64 << 20, "large"), (4096, "small"), (0, "none")] {
        let config = LogConfig {
            prealloc_bytes: prealloc,
            ..LogConfig::default()
        };
        let data = temp.path().join(name);
        let dirs = LogDirs::new(&data, &data);
        real_disk(&dirs, &config);
    }
}

fn real_disk(dirs: &LogDirs, config: &LogConfig) {
    let storage: Arc<dyn Storage> = Arc::new(FileStorage);
    let mut model = Model::default();
    let recovered = zk_log::recover(&*storage, dirs, config, &mut model).unwrap();
    assert!(recovered.empty && recovered.last_zxid == Zxid::ZERO);
    model = Model::fresh();
    let mut writer =
        zk_log::SnapshotWriter::create(storage.clone(), dirs, config, Zxid::ZERO).unwrap();
    writer.write(&model.content()).unwrap();
    writer.finish(None, None).unwrap();
    let mut log = TxnLog::open(storage.clone(), &dirs.log_dir, config, Zxid::ZERO);
    let mut appended = 0;
    for round in 0..60 {
        for _ in 0..5 {
            let zxid = next(log.last_zxid());
            let payload = payload(&mut model, zxid);
            log.append(zxid, &payload).unwrap();
            appended += payload.len() as u64 + 13;
        }
        let report = log.flush().unwrap();
        assert!(report.txns == 5 && report.bytes > 5 * 45, "{report:?}");
        if round == 40 {
            assert_eq!(log.bytes_since_roll(), appended);
            log.roll().unwrap();
        }
    }
    // A server that is killed: the log keeps its padding.
    drop(log);
    let mut again = Model::default();
    let recovered = zk_log::recover(&*storage, dirs, config, &mut again).unwrap();
    assert_eq!(recovered.txns, 300);
    assert_eq!((again.last, &again.nodes), (model.last, &model.nodes));
    assert!(recovered.torn.is_none());
    let rolled = dirs.log_dir.join("log.1");
    let mut reader = LogReader::open(&*storage, &rolled).unwrap();
    reader.start().unwrap();
    while let LogNext::Record(_) = reader.next().unwrap() {}
    assert_eq!(
        reader.position(),
        reader.size(),
        "a rolled log has no padding"
    );
}

#[test]
fn a_record_larger_than_the_step_gets_its_room() {
    let storage = MemStorage::new();
    let mut life = Life::start(shared(&storage)).unwrap();
    life.batch(3).unwrap();
    let data = vec![7; 100_000];
    for _ in 0..3 {
        let zxid = next(life.log.last_zxid());
        let txn = Txn::SetData(SetDataTxn {
            path: "/zookeeper".into(),
            data: Some(Buffer(&data)),
            version: 1,
        });
        let payload = life.model.write(zxid, 1, txn);
        life.log.append(zxid, &payload).unwrap();
    }
    life.log.flush().unwrap();
    let size = life.log.file_size();
    assert!(size > 300_000 && size.is_multiple_of(4096));
    let (_, model) = recover(&storage).unwrap();
    assert_eq!(model.nodes, life.model.nodes);
}

/// More than a batch may hold is flushed on the way, so that recovery can
/// rely on how much one crash damages.
#[test]
fn the_log_flushes_by_itself_before_too_much_piles_up() {
    let storage = MemStorage::new();
    let config = LogConfig {
        prealloc_bytes: 16 << 20,
        ..config()
    };
    let mut life = Life::start_with(shared(&storage), config).unwrap();
    let data = vec![7; 1 << 20];
    for turn in 0..6 {
        let zxid = next(life.log.last_zxid());
        let txn = Txn::SetData(SetDataTxn {
            path: "/zookeeper".into(),
            data: Some(Buffer(&data)),
            version: turn,
        });
        let payload = life.model.write(zxid, 1, txn);
        life.log.append(zxid, &payload).unwrap();
    }
    let left = storage.crash(&mut |_| 0);
    let (recovered, _) = recover(&left).unwrap();
    assert_eq!(recovered.last_zxid, Zxid(3));
}

#[test]
fn the_size_limit_begins_a_new_file() {
    let storage = MemStorage::new();
    let config = LogConfig {
        prealloc_bytes: 64 << 20,
        size_limit: Some(100 << 10),
        ..LogConfig::default()
    };
    let mut life = Life::start_with(shared(&storage), config).unwrap();
    while logs(&storage, &dirs().log_dir).len() < 4 {
        life.batch(5).unwrap();
    }
    let (_, model) = recover(&storage).unwrap();
    assert_eq!(model.nodes, life.model.nodes);
    for name in &logs(&storage, &dirs().log_dir)[..3] {
        let bytes = storage.bytes(&dirs().log_dir.join(name)).unwrap().len();
        assert!((90 << 10..125 << 10).contains(&bytes), "{name}: {bytes}");
    }
}

#[test]
fn what_could_not_be_read_back_is_not_appended() {
    let storage = MemStorage::new();
    let mut life = Life::start(shared(&storage)).unwrap();
    life.batch(5).unwrap();
    let mut model = life.model.clone();
    let mut refused = |zxid: i64, payload: &[u8]| {
        let result = life.log.append(Zxid(zxid), payload);
        assert!(matches!(result, Err(LogError::Append { .. })), "{result:?}");
    };
    let good = model.write(Zxid(7), 1, Txn::CreateSession(1));
    refused(7, &good);
    let good = model.write(Zxid(6), 1, Txn::CreateSession(1));
    refused(6, &good[..20]);
    refused(7, &good);
    let old = model.write(Zxid(5), 1, Txn::CreateSession(1));
    refused(5, &old);
    // None of that is final.
    life.log.append(Zxid(6), &good).unwrap();
    // The error of a request that could not be decoded has the zxid before it.
    let error = model.write(Zxid(6), 1, Txn::Error(ErrorCode(-5)));
    life.log.append(Zxid(6), &error).unwrap();
    life.log.flush().unwrap();
    let (recovered, _) = recover(&storage).unwrap();
    assert_eq!((recovered.last_zxid, recovered.txns), (Zxid(6), 7));
}

#[test]
fn an_existing_log_is_never_overwritten() {
    let storage = MemStorage::new();
    let mut life = Life::start(shared(&storage)).unwrap();
    life.batch(5).unwrap();
    let mut model = Model::fresh();
    let payload = payload(&mut model, Zxid(1));
    let mut stale = TxnLog::open(shared(&storage), &dirs().log_dir, &config(), Zxid::ZERO);
    let error = stale.append(Zxid(1), &payload).unwrap_err();
    assert!(
        matches!(
            error,
            LogError::Io {
                action: "allocate",
                ..
            }
        ),
        "{error}"
    );
    let (recovered, _) = recover(&storage).unwrap();
    assert_eq!(recovered.last_zxid, Zxid(5));
}

#[test]
fn without_force_sync_the_header_still_comes_first() {
    let storage = MemStorage::new();
    let config = LogConfig {
        force_sync: false,
        ..config()
    };
    let mut life = Life::start_with(shared(&storage), config).unwrap();
    life.batch(5).unwrap();
    let path = life.log.path().unwrap().to_owned();
    let bytes = storage.bytes(&path).unwrap();
    assert!(bytes.starts_with(&LogFileHeader::MAGIC.to_be_bytes()));
    drop(life);
    let (recovered, _) = recover(&storage).unwrap();
    assert_eq!(recovered.last_zxid, Zxid(5));
}

/// Logs that overlap hold the same history, or are refused.
#[test]
fn overlapping_logs() {
    let build = |second: i64| {
        let storage = MemStorage::new();
        let mut life = Life::start(shared(&storage)).unwrap();
        life.batch(6).unwrap();
        drop(life);
        let mut model = Model::fresh();
        let payloads: Vec<_> = (1..=9).map(|it| payload(&mut model, Zxid(it))).collect();
        let mut log = TxnLog::open(
            shared(&storage),
            &dirs().log_dir,
            &config(),
            Zxid(second - 1),
        );
        for zxid in second..=9 {
            let mut payload = payloads[usize::try_from(zxid).unwrap() - 1].clone();
            // The time of the one that differs.
            payload[27] ^= u8::from(second == 4 && zxid == 5);
            log.append(Zxid(zxid), &payload).unwrap();
        }
        log.flush().unwrap();
        (recover(&storage), model)
    };
    let (same, model) = build(5);
    let (recovered, found) = same.unwrap();
    assert_eq!((recovered.last_zxid, recovered.txns), (Zxid(9), 9));
    assert_eq!(found.nodes, model.nodes);
    let error = build(4).0.unwrap_err().to_string();
    assert!(
        error.contains("log.4 at offset") && error.contains("another transaction"),
        "{error}"
    );
}
