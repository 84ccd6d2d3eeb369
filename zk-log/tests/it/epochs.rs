//! The epoch files: order, damage, crashes between two writes.

use crate::support::{dirs, shared};
use std::io::ErrorKind;
use std::sync::Arc;
use zk_log::{Epochs, Fault, FaultStorage, LogError, MemStorage, Storage};
use zk_proto::{Epoch, Zxid};

fn disk(files: &[(&str, &str)]) -> MemStorage {
    let storage = MemStorage::new();
    storage.create_dirs(&dirs().snap_dir).unwrap();
    for (name, text) in files {
        storage.put(&dirs().snap_dir.join(name), text.as_bytes());
    }
    storage
}

fn open(storage: &MemStorage, last: Zxid) -> Result<(u32, u32), LogError> {
    let epochs = Epochs::open(shared(storage), &dirs().snap_dir, last)?;
    Ok((epochs.accepted().0, epochs.current().0))
}

fn at(epoch: u32) -> Zxid {
    Zxid::new(Epoch(epoch), 7)
}

#[test]
fn missing_files_are_made_from_the_history() {
    for last in [Zxid::ZERO, Zxid::NONE] {
        assert_eq!(open(&disk(&[]), last).unwrap(), (0, 0));
    }
    let storage = disk(&[]);
    assert_eq!(open(&storage, at(5)).unwrap(), (5, 5));
    let path = dirs().snap_dir.join("currentEpoch");
    assert_eq!(*storage.bytes(&path).unwrap(), b"5");
}

#[test]
fn epochs_are_written_as_apache_writes_them_and_never_go_back() {
    let storage = disk(&[("acceptedEpoch", "2"), ("currentEpoch", "2\n")]);
    let mut epochs = Epochs::open(shared(&storage), &dirs().snap_dir, at(2)).unwrap();
    epochs.set_accepted(Epoch(12)).unwrap();
    assert!(matches!(
        epochs.set_current(Epoch(13)),
        Err(LogError::EpochOrder { .. })
    ));
    epochs.set_current(Epoch(12)).unwrap();
    assert!(matches!(
        epochs.set_accepted(Epoch(11)),
        Err(LogError::EpochOrder { .. })
    ));
    assert!(matches!(
        epochs.set_current(Epoch(11)),
        Err(LogError::EpochOrder { .. })
    ));
    let left = storage.crash(&mut |_| 0);
    let path = dirs().snap_dir.join("acceptedEpoch");
    assert_eq!(*left.bytes(&path).unwrap(), b"12");
    assert_eq!(open(&left, at(2)).unwrap(), (12, 12));
}

/// ZOOKEEPER-1653, 2307: the history of an epoch was taken over, and the
/// process ended before currentEpoch was written.
#[test]
fn a_crash_before_current_epoch_was_written_recovers() {
    let storage = disk(&[("acceptedEpoch", "5"), ("currentEpoch", "4")]);
    assert_eq!(open(&storage, at(5)).unwrap(), (5, 5));
    // As Apache: what was not renamed any more counts.
    let storage = disk(&[
        ("acceptedEpoch", "6"),
        ("currentEpoch", "4"),
        ("currentEpoch.tmp", "6"),
    ]);
    assert_eq!(open(&storage, at(5)).unwrap(), (6, 6));
    let names = storage.list(&dirs().snap_dir).unwrap();
    assert!(names.iter().all(|name| !name.ends_with(".tmp")));
    // An unfinished one does not.
    let storage = disk(&[
        ("acceptedEpoch", "5"),
        ("currentEpoch", "4"),
        ("currentEpoch.tmp", ""),
    ]);
    assert_eq!(open(&storage, at(5)).unwrap(), (5, 5));
}

#[test]
fn contradictions_are_refused_and_named() {
    let refused = |files: &[(&str, &str)], last, name: &str| {
        let error = open(&disk(files), last).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    };
    refused(
        &[("acceptedEpoch", "4"), ("currentEpoch", "4")],
        at(5),
        "currentEpoch",
    );
    refused(
        &[("acceptedEpoch", "3"), ("currentEpoch", "4")],
        at(4),
        "acceptedEpoch",
    );
    refused(&[("currentEpoch", "4")], at(3), "acceptedEpoch");
    let huge = "9".repeat(40);
    let beyond = "9".repeat(20);
    for text in [
        "",
        "x",
        "4x",
        "-1",
        " 4",
        "\n",
        huge.as_str(),
        beyond.as_str(),
        "4294967296",
    ] {
        refused(&[("acceptedEpoch", text)], at(4), "acceptedEpoch");
        refused(
            &[("acceptedEpoch", "9"), ("currentEpoch", text)],
            at(4),
            "currentEpoch",
        );
    }
}

/// Whatever call fails or whenever the power does: the files hold the old or
/// the new number, and open.
#[test]
fn every_crash_point_opens() {
    for at_call in 0.. {
        let storage = disk(&[("acceptedEpoch", "2"), ("currentEpoch", "2")]);
        let fault = Fault {
            at: at_call,
            forever: true,
            kind: ErrorKind::Other,
        };
        let faulty = Arc::new(FaultStorage::new(shared(&storage), Some(fault)));
        let (mut accepted, mut current) = (2, 2);
        let result = Epochs::open(faulty, &dirs().snap_dir, at(2)).and_then(|mut epochs| {
            for epoch in [3, 10] {
                epochs.set_accepted(Epoch(epoch))?;
                accepted = epoch;
                epochs.set_current(Epoch(epoch))?;
                current = epoch;
            }
            Ok(())
        });
        for mask in 0..8_usize {
            let mut bit = 0;
            let image = storage.crash(&mut |choices| {
                bit += 1;
                (mask >> (bit % 3) & 1) * (choices - 1)
            });
            let (found_accepted, found_current) = open(&image, at(2)).unwrap();
            assert!(
                found_accepted >= accepted && found_current >= current,
                "call {at_call}"
            );
        }
        if result.is_ok() {
            assert!(at_call > 20);
            return;
        }
    }
}

#[test]
fn after_a_failure_nothing_is_promised() {
    let storage = disk(&[("acceptedEpoch", "2"), ("currentEpoch", "2")]);
    let counted = FaultStorage::new(shared(&storage), None);
    Epochs::open(Arc::new(counted.clone()), &dirs().snap_dir, at(2)).unwrap();
    let fault = Fault {
        at: counted.calls(),
        forever: false,
        kind: ErrorKind::StorageFull,
    };
    let storage = disk(&[("acceptedEpoch", "2"), ("currentEpoch", "2")]);
    let faulty = Arc::new(FaultStorage::new(shared(&storage), Some(fault)));
    let mut epochs = Epochs::open(faulty, &dirs().snap_dir, at(2)).unwrap();
    assert!(matches!(
        epochs.set_accepted(Epoch(3)),
        Err(LogError::Io { .. })
    ));
    assert!(matches!(
        epochs.set_accepted(Epoch(3)),
        Err(LogError::Failed(_))
    ));
    assert_eq!(epochs.accepted(), Epoch(2));
}
