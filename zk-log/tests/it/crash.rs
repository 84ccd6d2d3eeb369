//! Power failures: after every operation, with every choice of what the disk
//! kept of the unflushed rest.

use crate::history::{Life, check};
use crate::model::Model;
use crate::support::{Rng, shared};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use zk_log::{Fault, FaultStorage, LogConfig, LogError, MemStorage};
use zk_proto::Zxid;

/// What a life left behind when the power failed.
struct Left {
    storage: MemStorage,
    states: BTreeMap<Zxid, Model>,
    promised: Zxid,
}

/// Runs a life on `disk` until call `at` of the storage and everything after
/// it fails.
fn live_until(disk: &MemStorage, at: u64, rounds: usize) -> (Left, bool) {
    let fault = Fault {
        at,
        forever: true,
        kind: ErrorKind::Other,
    };
    let storage = Arc::new(FaultStorage::new(shared(disk), Some(fault)));
    let mut left = Left {
        storage: disk.clone(),
        states: BTreeMap::from([(Zxid::ZERO, Model::fresh())]),
        promised: Zxid::ZERO,
    };
    let result = Life::start(storage).and_then(|mut life| {
        let result = life.work(rounds);
        left.promised = life.promised;
        left.states = std::mem::take(&mut life.states);
        result
    });
    let done = !matches!(result, Err(LogError::Io { .. } | LogError::Failed(_)));
    if done {
        result.unwrap();
    }
    (left, done)
}

/// The disk keeps nothing, everything, and many mixtures of what was not
/// flushed; all mixtures where they are few.
fn crash_every_way(left: &Left, rng: &mut Rng, context: &str) {
    let undecided = left.storage.undecided();
    if undecided <= 6 {
        for mask in 0..1_usize << undecided {
            let mut bit = 0;
            let image = left.storage.crash(&mut |choices| {
                bit += 1;
                (mask >> (bit - 1) & 1) * (choices - 1)
            });
            check(
                &image,
                &left.states,
                left.promised,
                &format!("{context}, mask {mask:b}"),
            );
        }
        return;
    }
    let none = left.storage.crash(&mut |_| 0);
    check(
        &none,
        &left.states,
        left.promised,
        &format!("{context}, nothing kept"),
    );
    let all = left.storage.crash(&mut |choices| choices - 1);
    check(
        &all,
        &left.states,
        left.promised,
        &format!("{context}, all kept"),
    );
    // A prefix in the order of the sectors.
    for keep in 0..undecided {
        let mut seen = 0;
        let image = left.storage.crash(&mut |choices| {
            seen += 1;
            if seen <= keep { choices - 1 } else { 0 }
        });
        check(
            &image,
            &left.states,
            left.promised,
            &format!("{context}, {keep} kept"),
        );
    }
    for turn in 0..12 {
        let seed = rng.next();
        let mut choice = Rng(seed);
        let image = left.storage.crash(&mut |choices| choice.below(choices));
        check(
            &image,
            &left.states,
            left.promised,
            &format!("{context}, mixture {turn} of {seed:x}"),
        );
    }
}

#[test]
fn no_crash_loses_what_was_flushed() {
    let mut rng = Rng(1);
    for at in 0.. {
        let (left, done) = live_until(&MemStorage::new(), at, 17);
        crash_every_way(&left, &mut rng, &format!("crash at {at}"));
        if done {
            assert!(at > 150, "the life was too short: {at} calls");
            break;
        }
    }
}

/// The second crash comes during recovery from the first, or soon after.
#[test]
fn no_second_crash_does_either() {
    let mut rng = Rng(2);
    for first in (3..400).step_by(13) {
        let (left, _) = live_until(&MemStorage::new(), first, 17);
        let mut choice = Rng(rng.next());
        let image = left.storage.crash(&mut |choices| choice.below(choices));
        for second in 0..40 {
            let again = image.crash(&mut |_| 0);
            let (mut next, done) = live_until(&again, second, 2);
            // What the first life promised still holds.
            next.promised = next.promised.max(left.promised);
            for (zxid, state) in &left.states {
                next.states.entry(*zxid).or_insert_with(|| state.clone());
            }
            let context = format!("crash at {first}, then at {second}");
            crash_every_way(&next, &mut rng, &context);
            if done {
                break;
            }
        }
    }
}

/// Sectors of one batch that were lost between sectors that were kept.
#[test]
fn holes_in_the_last_batch_are_a_torn_tail() {
    let disk = MemStorage::new();
    let config = LogConfig {
        prealloc_bytes: 64 << 10,
        ..crate::support::config()
    };
    let mut life = Life::start_with(shared(&disk), config).unwrap();
    life.batch(9).unwrap();
    let promised = life.promised;
    for _ in 0..30 {
        let zxid = crate::history::next(life.log.last_zxid());
        let payload = crate::history::payload(&mut life.model, zxid);
        life.states.insert(zxid, life.model.clone());
        life.log.append(zxid, &payload).unwrap();
    }
    let states = std::mem::take(&mut life.states);
    drop(life);
    let sectors = disk.undecided();
    assert!(sectors > 10, "only {sectors} sectors");
    let mut holes = 0;
    for seed in 0..3000 {
        let mut choice = Rng(seed);
        let image = disk.crash(&mut |choices| choice.below(choices));
        let copy = image.crash(&mut |_| 0);
        let torn = crate::support::recover(&copy).unwrap().0.torn;
        holes += usize::from(torn.is_some_and(|torn| torn.holds_records));
        check(&image, &states, promised, &format!("seed {seed}"));
    }
    assert!(
        holes > 100,
        "only {holes} images had valid records behind a hole"
    );
}
