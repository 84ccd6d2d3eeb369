//! TRUNC: the history is cut exactly behind the target, snapshots included,
//! whatever happens on the way.

use crate::history::Life;
use crate::support::{dirs, disk, files, recover, shared};
use std::io::ErrorKind;
use std::sync::Arc;
use zk_log::{Fault, FaultStorage, LogError, MemStorage, Storage, truncate_after};
use zk_proto::Zxid;

fn lived() -> (MemStorage, Life) {
    let storage = MemStorage::new();
    let mut life = Life::start(shared(&storage)).unwrap();
    for _ in 0..4 {
        life.batch(5).unwrap();
        life.log.roll().unwrap();
        life.batch(2).unwrap();
        life.snapshot().unwrap();
    }
    (storage, life)
}

#[test]
fn every_target_leaves_exactly_its_state() {
    let (storage, life) = lived();
    for target in 0..=28 {
        let copy = storage.crash(&mut |_| 0);
        let cut = truncate_after(&copy, &dirs(), Zxid(target)).unwrap();
        let copy = copy.crash(&mut |_| 0);
        let (recovered, model) = recover(&copy).unwrap();
        assert_eq!(recovered.last_zxid, Zxid(target));
        assert_eq!(
            model.nodes,
            life.states[&Zxid(target)].nodes,
            "cut at {target}"
        );
        assert_eq!(cut.snapshots.is_empty(), target == 28);
        assert!(recovered.torn.is_none());
    }
}

/// ZOOKEEPER-3701: a disk that fails on the way is an error, and what is left
/// is a history that recovers and can be cut again.
#[test]
fn a_crash_on_the_way_leaves_a_history() {
    let (storage, life) = lived();
    let target = Zxid(11);
    for at in 0.. {
        let copy = storage.crash(&mut |_| 0);
        let fault = Fault {
            at,
            forever: true,
            kind: ErrorKind::StorageFull,
        };
        let faulty = FaultStorage::new(shared(&copy), Some(fault));
        let result = truncate_after(&faulty, &dirs(), target);
        for keep in [0, 1] {
            let image = copy.crash(&mut |choices| keep * (choices - 1));
            let (recovered, model) = recover(&image).unwrap();
            let last = recovered.last_zxid;
            assert!(last >= target, "call {at}");
            assert_eq!(model.nodes, life.states[&last].nodes);
            truncate_after(&image, &dirs(), target).unwrap();
            assert_eq!(recover(&image).unwrap().0.last_zxid, target);
        }
        if result.is_ok() {
            assert!(at > 20);
            return;
        }
        assert!(matches!(result, Err(LogError::Io { .. })));
    }
}

/// A fuzzy snapshot from before the target may hold transactions behind it.
#[test]
fn fuzzy_snapshots_that_may_hold_more_go() {
    let storage = disk(&files("fuzzy/version-2"));
    // snapshot.424 may hold changes up to 0x460.
    let cut = truncate_after(&storage, &dirs(), Zxid(0x450)).unwrap();
    assert!(
        cut.snapshots
            .contains(&dirs().snap_dir.join("snapshot.424"))
    );
    let (recovered, _) = recover(&storage).unwrap();
    assert_eq!(recovered.snapshot.unwrap().zxid, Zxid(0));
    assert_eq!(recovered.last_zxid, Zxid(0x450));
}

#[test]
fn what_cannot_be_cut_is_refused_before_anything_changes() {
    let (storage, _) = lived();
    let target = Zxid(29);
    let error = truncate_after(&storage, &dirs(), target).unwrap_err();
    assert!(matches!(error, LogError::Truncate { .. }), "{error}");
    for name in ["snapshot.0", "snapshot.7"] {
        storage.remove(&dirs().snap_dir.join(name)).unwrap();
    }
    let error = truncate_after(&storage, &dirs(), Zxid(9)).unwrap_err();
    assert!(matches!(error, LogError::Truncate { .. }), "{error}");
    let storage: Arc<dyn Storage> = Arc::new(storage);
    assert_eq!(recover(&*storage).unwrap().0.last_zxid, Zxid(28));
}
