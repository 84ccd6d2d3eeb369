//! Purging keeps what recovery needs, and looking at files changes none.

use crate::history::{Life, check};
use crate::support::{config, dirs, recover, shared};
use zk_log::{LogError, MemStorage, Storage, purge, verify};

fn lived() -> (MemStorage, Life) {
    let storage = MemStorage::new();
    let mut life = Life::start(shared(&storage)).unwrap();
    for _ in 0..6 {
        life.batch(5).unwrap();
        life.log.roll().unwrap();
        life.snapshot().unwrap();
    }
    life.batch(3).unwrap();
    (storage, life)
}

fn names(storage: &dyn Storage, prefix: &str) -> Vec<String> {
    let mut names = storage.list(&dirs().snap_dir).unwrap();
    names.retain(|name| name.starts_with(prefix));
    names.sort_by_key(|name| (name.len(), name.clone()));
    names
}

#[test]
fn the_newest_snapshots_and_their_logs_stay() {
    let (storage, life) = lived();
    assert!(matches!(
        purge(&storage, &dirs(), 2),
        Err(LogError::PurgeKeep(2))
    ));
    let purged = purge(&storage, &dirs(), 3).unwrap();
    assert_eq!((purged.snapshots.len(), purged.logs.len()), (4, 3));
    assert_eq!(
        names(&storage, "snapshot."),
        ["snapshot.14", "snapshot.19", "snapshot.1e"]
    );
    // log.10 ends at 0x14; it is kept as Apache keeps it.
    assert_eq!(
        names(&storage, "log."),
        ["log.10", "log.15", "log.1a", "log.1f"]
    );
    // From each snapshot that is left the whole state comes back.
    for _ in 0..3 {
        check(&storage, &life.states, life.promised, "after the purge");
        let newest = names(&storage, "snapshot.").pop().unwrap();
        storage.remove(&dirs().snap_dir.join(newest)).unwrap();
    }
}

/// ZOOKEEPER-3231: bad snapshots do not count, so the good ones stay.
#[test]
fn bad_snapshots_do_not_crowd_out_good_ones() {
    let (storage, life) = lived();
    for name in ["snapshot.14", "snapshot.19", "snapshot.1e"] {
        let path = dirs().snap_dir.join(name);
        let mut bytes = storage.bytes(&path).unwrap().to_vec();
        bytes[50] ^= 1;
        storage.put(&path, &bytes);
    }
    let purged = purge(&storage, &dirs(), 3).unwrap();
    assert_eq!(purged.snapshots, [dirs().snap_dir.join("snapshot.0")]);
    check(&storage, &life.states, life.promised, "after the purge");
    // With fewer good ones than asked for nothing goes.
    let again = purge(&storage, &dirs(), 4).unwrap();
    assert!(again.snapshots.is_empty() && again.logs.is_empty());
}

#[test]
fn verify_tells_what_is_wrong_and_changes_nothing() {
    let (storage, life) = lived();
    let report = verify(&storage, &dirs(), &config()).unwrap();
    assert_eq!(report.start.unwrap(), life.promised);
    assert!(report.logs.iter().all(|log| log.fault.is_none()));
    assert!(
        report
            .snapshots
            .iter()
            .all(|it| it.end.is_ok() && it.nodes > 2)
    );
    drop(life);
    let torn = dirs().log_dir.join("log.1f");
    let mut bytes = storage.bytes(&torn).unwrap().to_vec();
    let end = usize::try_from(report.logs.last().unwrap().end).unwrap();
    bytes.truncate(end - 5);
    storage.put(&torn, &bytes);
    let flipped = dirs().snap_dir.join("snapshot.1e");
    let mut bytes = storage.bytes(&flipped).unwrap().to_vec();
    bytes[50] ^= 1;
    storage.put(&flipped, &bytes);
    let before = storage.undecided();
    let report = verify(&storage, &dirs(), &config()).unwrap();
    let log = report.logs.last().unwrap();
    assert_eq!(
        (log.records, log.fault.as_deref()),
        (2, Some("the file ends within the record"))
    );
    assert!(report.snapshots[0].end.is_err());
    let start = report.start.unwrap();
    assert_eq!(storage.undecided(), before);
    assert_eq!(recover(&storage).unwrap().0.last_zxid, start);
}
