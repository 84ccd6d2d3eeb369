//! A disk that fails at the N-th call, for every N.

use crate::history::{Life, check, next, payload};
use crate::support::{dirs, recover, shared};
use std::io::ErrorKind;
use std::sync::Arc;
use zk_log::{Fault, FaultStorage, LogError, MemStorage, SnapshotWriter};
use zk_proto::Zxid;

fn failing(disk: &MemStorage, at: u64, kind: ErrorKind) -> Arc<FaultStorage> {
    let fault = Fault {
        at,
        forever: false,
        kind,
    };
    Arc::new(FaultStorage::new(shared(disk), Some(fault)))
}

/// After the first failure of the log nothing succeeds, though the disk would
/// do everything again; and nothing that was flushed before is lost.
#[test]
fn a_failed_log_stays_failed() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        for at in 0.. {
            let disk = MemStorage::new();
            let storage = failing(&disk, at, kind);
            let Ok(mut life) = Life::start(storage.clone()) else {
                recover(&disk).unwrap_or_else(|error| panic!("call {at}: {error}"));
                continue;
            };
            let mut failed = false;
            for _ in 0..20 {
                let result = life.batch(4).and_then(|()| life.log.roll());
                assert!(
                    result.is_err() || !failed,
                    "call {at}: success after a failure"
                );
                failed |= result.is_err();
            }
            if failed {
                let zxid = next(life.log.last_zxid());
                let payload = payload(&mut life.model, zxid);
                assert!(matches!(
                    life.log.append(zxid, &payload),
                    Err(LogError::Failed(_))
                ));
                assert!(matches!(life.log.flush(), Err(LogError::Failed(_))));
                assert!(matches!(life.log.roll(), Err(LogError::Failed(_))));
            }
            // The process ends; the disk keeps what is durable, or all.
            for keep in [false, true] {
                let image = disk.crash(&mut |choices| if keep { choices - 1 } else { 0 });
                check(&image, &life.states, life.promised, &format!("call {at}"));
            }
            if storage.calls() <= at {
                assert!(at > 60);
                break;
            }
        }
    }
}

/// A snapshot that cannot be written leaves the server running, nothing under
/// the final name, and the older ones usable.
#[test]
fn a_failed_snapshot_harms_nobody() {
    for compression in zk_log::Compression::ALL {
        for at in 0.. {
            let disk = MemStorage::new();
            let mut life = Life::start(shared(&disk)).unwrap();
            life.batch(5).unwrap();
            life.config.compression = compression;
            life.config.snapshot_sync_bytes = 500;
            let storage = failing(&disk, at, ErrorKind::StorageFull);
            life.storage = storage.clone();
            let result = life.snapshot();
            let names = shared(&disk).list(&dirs().snap_dir).unwrap();
            if result.is_err() {
                let renamed = names.iter().any(|name| name.starts_with("snapshot.5"));
                // Only the flush of the directory comes after the rename.
                assert!(!renamed || at >= 4, "call {at}: {names:?}");
            }
            assert!(
                names.iter().all(|name| !name.ends_with(".tmp")),
                "call {at}: {names:?}"
            );
            life.batch(5).unwrap();
            check(&disk, &life.states, life.promised, &format!("call {at}"));
            if storage.calls() <= at {
                result.unwrap();
                assert!(at > 3);
                break;
            }
        }
    }
}

/// A disk that cannot be read is an error, and not taken for damage: nothing
/// is cut, and no older snapshot is taken instead.
#[test]
fn a_read_error_is_not_mistaken_for_damage() {
    let disk = MemStorage::new();
    let mut life = Life::start(shared(&disk)).unwrap();
    life.work(6).unwrap();
    let intact = recover(&disk.crash(&mut |_| 0)).unwrap();
    for at in 0.. {
        let copy = disk.crash(&mut |choices| choices - 1);
        let storage = failing(&copy, at, ErrorKind::Other);
        match recover(&*storage) {
            Err(LogError::Io { .. }) => {}
            Err(error) => panic!("call {at}: {error}"),
            Ok((recovered, model)) => {
                assert_eq!(
                    (recovered.last_zxid, &model),
                    (intact.0.last_zxid, &intact.1)
                );
                assert!(storage.calls() <= at, "call {at}: the error was swallowed");
                assert!(at > 5);
                return;
            }
        }
        let (recovered, model) = recover(&copy).unwrap();
        assert_eq!(
            (recovered.last_zxid, model),
            (intact.0.last_zxid, intact.1.clone())
        );
    }
}

#[test]
fn a_dropped_snapshot_leaves_nothing() {
    let disk = MemStorage::new();
    let life = Life::start(shared(&disk)).unwrap();
    let mut writer = SnapshotWriter::create(shared(&disk), &dirs(), &life.config, Zxid(9)).unwrap();
    writer.write(b"half").unwrap();
    drop(writer);
    let mut names = shared(&disk).list(&dirs().snap_dir).unwrap();
    names.sort();
    assert_eq!(names, ["snapshot.0"]);
}
