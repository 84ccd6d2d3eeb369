//! Power failures under load: the disk in memory is copied, with only some of
//! what was not flushed, at moments when it is known what was acknowledged.
//!
//! `ZK_POWER_IMAGES` says how many, `ZK_POWER_SEED` replays the choices.

use crate::support::memory::{Memory, recover};
use crate::support::rng::{Rng, number};
use crate::support::writer::{Progress, Writer};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zk_log::MemStorage;

const WRITERS: usize = 3;
/// Images of one server's life.
const LIFE: usize = 30;

#[test]
fn nothing_acknowledged_is_lost_by_a_power_failure() {
    let images = number("ZK_POWER_IMAGES", 300);
    let (mut rng, seed) = Rng::from_env("ZK_POWER_SEED");
    // A few lives, because this disk remembers every file that ever was.
    let answers: u64 = (0..images.div_ceil(LIFE))
        .map(|life| one_life(&mut rng, seed, life))
        .sum();
    println!("{images} images, {answers} writes acknowledged");
    assert!(
        answers > images as u64,
        "only {answers} writes were acknowledged"
    );
}

fn one_life(rng: &mut Rng, seed: u64, life: usize) -> u64 {
    let disk = MemStorage::new();
    let config = "snapCount=60\nautopurge.purgeInterval=1";
    let server = Memory::start(Arc::new(disk.clone()), config).expect("it starts");
    let address = server.address();
    let writers: Vec<_> = (0..WRITERS)
        .map(|at| Writer::new(address, at, seed ^ life as u64))
        .collect();
    let progresses: Vec<_> = writers
        .iter()
        .map(|writer| writer.progress.clone())
        .collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for mut writer in writers {
            let stop = &stop;
            scope.spawn(move || {
                let mut client = writer.resume(address).expect("it serves");
                while !stop.load(Ordering::Relaxed) {
                    writer.batch(&mut client, 16).expect("it serves");
                }
            });
        }
        // Also when a check fails, so that the scope can end.
        let _stop = StopAtEnd(&stop);
        for image in 0..LIFE {
            wait_for_writes(&progresses);
            fail(
                rng,
                &disk,
                &progresses,
                &format!("ZK_POWER_SEED={seed} life {life} image {image}"),
            );
        }
    });
    server.stop().expect("a clean stop");
    progresses.iter().map(|it| it.lock().answers).sum()
}

/// Lets each writer be answered something, so that no two images are alike.
fn wait_for_writes(progresses: &[Arc<Mutex<Progress>>]) {
    for progress in progresses {
        let before = progress.lock().answers;
        while progress.lock().answers < before + 3 {
            std::thread::yield_now();
        }
    }
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One power failure.
fn fail(rng: &mut Rng, disk: &MemStorage, progresses: &[Arc<Mutex<Progress>>], context: &str) {
    let luck = rng.below(4);
    let (image, known) = {
        // While these are held nothing is sent and no answer is taken up, so
        // what is known is from before the failure.
        let held: Vec<_> = progresses.iter().map(|it| it.lock()).collect();
        let image = disk.crash(&mut |choices| match luck {
            0 => 0,
            1 => choices - 1,
            _ => rng.below(choices),
        });
        let known: Vec<Progress> = held.iter().map(|it| (**it).clone()).collect();
        (image, known)
    };
    let (recovered, tree) =
        recover(&image).unwrap_or_else(|error| panic!("{context}: no restart: {error}"));
    assert_eq!(tree.digest_mismatches(), 0, "{context}");
    for progress in &known {
        progress.check(&recovered, &tree, context);
    }
}
