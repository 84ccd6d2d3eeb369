//! A disk that fails at one call, for every call that a server makes: after a
//! failed write or flush nobody is answered any more, and what was answered
//! before is there after a restart. A snapshot that fails stops nothing.

use crate::support::client::{Client, create};
use crate::support::memory::{Memory, recover};
use crate::support::process::{Process, assert_sound, write_config};
use crate::support::rng::Rng;
use crate::support::writer::{SESSION_MS, Writer};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use zk_log::{Fault, FaultStorage, MemStorage};

/// The first one only looks on in the end.
const WRITERS: usize = 3;
const BATCHES: usize = 8;
const CONFIG: &str = "snapCount=30\nautopurge.purgeInterval=1";
/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A disk as an earlier life left it, and who wrote it.
struct Before {
    disk: MemStorage,
    writers: Vec<Writer>,
}

#[test]
fn a_failing_disk_under_an_old_database() {
    let (mut rng, seed) = Rng::from_env("ZK_FAULT_SEED");
    let disk = MemStorage::new();
    let server = Memory::start(Arc::new(disk.clone()), CONFIG).expect("it starts");
    let address = server.address();
    let mut writers: Vec<_> = (0..WRITERS)
        .map(|at| Writer::new(address, at, seed))
        .collect();
    for writer in &mut writers {
        let mut client = writer.resume(address).expect("it serves");
        for _ in 0..BATCHES {
            writer.batch(&mut client, 16).expect("it serves");
        }
    }
    server.abandon();
    let before = Before { disk, writers };
    let mut outcomes = Outcomes::default();
    let mut clean = 0;
    for at in 0.. {
        for fault in faults(at) {
            let life = Life::new(&before, fault);
            let context = format!("ZK_FAULT_SEED={seed} {fault:?}");
            // The last ones, which nothing reached, prove that none is left.
            clean = if life.run(&mut outcomes, &mut rng, &context) {
                0
            } else {
                clean + 1
            };
        }
        if clean > 20 {
            break;
        }
    }
    println!("{outcomes:?}");
    assert!(outcomes.refused_starts > 5, "{outcomes:?}");
    assert!(outcomes.failed_servers > 20, "{outcomes:?}");
    assert!(outcomes.failed_snapshots > 10, "{outcomes:?}");
}

/// The very first files fail.
#[test]
fn a_failing_disk_under_a_new_database() {
    let mut unreached = 0;
    for at in 0.. {
        for fault in faults(at) {
            let disk = MemStorage::new();
            let storage = Arc::new(FaultStorage::new(Arc::new(disk.clone()), Some(fault)));
            let context = format!("{fault:?}");
            let acknowledged = first_write(storage.clone());
            for keep in [false, true] {
                let image = disk.crash(&mut |choices| if keep { choices - 1 } else { 0 });
                let (_, tree) = recover(&image)
                    .unwrap_or_else(|error| panic!("{context} {:?}: {error}", storage.failed()));
                assert!(
                    !acknowledged || tree.get("/a").is_some(),
                    "{context}: /a is lost"
                );
            }
            if storage.failed().is_none() {
                assert!(acknowledged, "{context}");
                unreached += 1;
            }
        }
        if unreached > 6 {
            assert!(at > 10);
            return;
        }
    }
}

/// The process: it says which file failed, ends, and comes back whole.
#[test]
fn the_process_ends_when_its_log_fails() {
    let dir = tempfile::tempdir().expect("a directory");
    let data_dir = dir.path().join("data");
    std::fs::create_dir(&data_dir).expect("a directory");
    let config = write_config(&data_dir, 0, "preAllocSize=64\nsnapCount=20");
    let server = Process::start(&config);
    let mut writer = Writer::new(server.address(), 0, 1);
    let mut client = writer.resume(server.address()).expect("it serves");
    writer.batch(&mut client, 16).expect("it serves");
    // Files that are open can be written on, but no new one can be made.
    let (files, away) = (data_dir.join("version-2"), data_dir.join("away"));
    std::fs::rename(&files, &away).expect("it can be moved");
    writer.run(&mut client);
    let (status, said) = server.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    let error = said.lines().rfind(|line| line.contains("ERROR"));
    let error = error.unwrap_or_else(|| panic!("no error in\n{said}"));
    assert!(error.contains("version-2/log."), "{error}");
    std::fs::rename(&away, &files).expect("it can be moved");
    let server = Process::start(&config);
    let mut client = writer.resume(server.address()).expect("it serves");
    let found = writer.found_by(&mut client);
    writer.progress.lock().settle(found, "after the log failed");
    assert_sound(&server.terminate());
}

/// Whether a new server takes a write.
fn first_write(storage: Arc<FaultStorage>) -> bool {
    let Ok(mut server) = Memory::start(storage, CONFIG) else {
        return false;
    };
    let address = server.address();
    let client = std::thread::spawn(move || {
        let mut client = Client::open(address, SESSION_MS)?;
        client.call(&create("/a", b"", 0))
    });
    while !client.is_finished() && server.failed(Duration::from_millis(2)).is_none() {}
    server.abandon();
    let answer = client.join().expect("the client lives");
    answer.is_ok_and(|answer| answer.header.err.is_ok())
}

/// What is tried at each call: one error that goes away, and a disk that is
/// full and stays full.
fn faults(at: u64) -> [Fault; 2] {
    let once = Fault {
        at,
        forever: false,
        kind: ErrorKind::Other,
    };
    let full = Fault {
        at,
        forever: true,
        kind: ErrorKind::StorageFull,
    };
    [once, full]
}

#[derive(Debug, Default)]
struct Outcomes {
    refused_starts: u64,
    failed_servers: u64,
    failed_snapshots: u64,
    others: u64,
}

/// One server on a copy of the disk.
struct Life {
    disk: MemStorage,
    storage: Arc<FaultStorage>,
    writers: Vec<Writer>,
    /// Whether the log fails too after a snapshot has failed.
    lasting: bool,
}

impl Life {
    fn new(before: &Before, fault: Fault) -> Self {
        let disk = before.disk.crash(&mut |choices| choices - 1);
        let storage = Arc::new(FaultStorage::new(Arc::new(disk.clone()), Some(fault)));
        let writers = before.writers.iter().map(Writer::fork).collect();
        Self {
            disk,
            storage,
            writers,
            lasting: fault.forever,
        }
    }

    /// Whether the fault was met.
    fn run(mut self, outcomes: &mut Outcomes, rng: &mut Rng, context: &str) -> bool {
        match Memory::start(self.storage.clone(), CONFIG) {
            Ok(server) => self.serve(server, outcomes, context),
            Err(error) => {
                outcomes.refused_starts += 1;
                let text = error.to_string();
                assert!(text.contains("/data"), "{context}: {text} names no file");
            }
        }
        self.check(rng, context);
        self.storage.failed().is_some()
    }

    fn serve(&mut self, mut server: Memory, outcomes: &mut Outcomes, context: &str) {
        let address = server.address();
        // Its session is of the life before, so it needs no write to come.
        let mut witness = self.writers[0].resume(address).ok();
        let workers: Vec<_> = self.writers[1..]
            .iter_mut()
            .map(Writer::fork_shared)
            .map(|mut writer| {
                std::thread::spawn(move || {
                    let mut client = writer.resume(address)?;
                    (0..BATCHES).try_for_each(|_| writer.batch(&mut client, 16))
                })
            })
            .collect();
        let mut failure = None;
        while failure.is_none() && !workers.iter().all(|worker| worker.is_finished()) {
            failure = server.failed(Duration::from_millis(5));
        }
        let failed = self.storage.failed();
        match &failure {
            Some(error) => {
                outcomes.failed_servers += 1;
                let (call, path) = failed.expect("a server fails because its disk does");
                let text = error.to_string();
                assert!(
                    text.contains("/data/version-2"),
                    "{context}: {text} names no file"
                );
                assert!(
                    !is_snapshot(path) || self.lasting,
                    "{context}: {call} of {} stopped the server: {text}",
                    path.display()
                );
                if let Some(client) = &mut witness {
                    // Perhaps it is not even read any more.
                    let _ = client.send(&[create("/too-late", b"", 0)]);
                }
                server.abandon();
            }
            None => {
                match failed {
                    Some((_, path)) if is_snapshot(path) => outcomes.failed_snapshots += 1,
                    _ => outcomes.others += 1,
                }
                // The log is closed, which may be what fails.
                let stopped = server.stop();
                assert!(
                    stopped.is_ok() || self.storage.failed().is_some(),
                    "{context}: {stopped:?}"
                );
            }
        }
        for worker in workers {
            let done = worker.join().expect("the writer lives");
            assert!(done.is_ok() || failure.is_some(), "{context}: {done:?}");
        }
        if let (Some(mut client), Some(_)) = (witness, failure) {
            let answer = client.next_within(PATIENCE);
            assert!(
                answer.is_err(),
                "{context}: answered after a failure: {answer:?}"
            );
        }
    }

    /// A restart, with what is durable only, with everything, and with
    /// anything between.
    fn check(&self, rng: &mut Rng, context: &str) {
        for keep in 0..3 {
            let image = self.disk.crash(&mut |choices| match keep {
                0 => 0,
                1 => choices - 1,
                _ => rng.below(choices),
            });
            let (recovered, tree) = recover(&image).unwrap_or_else(|error| {
                panic!("{context} {:?}: no restart: {error}", self.storage.failed())
            });
            assert_eq!(tree.digest_mismatches(), 0, "{context}");
            for writer in &self.writers {
                writer.progress.lock().check(&recovered, &tree, context);
            }
        }
    }
}

fn is_snapshot(path: &std::path::Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("snapshot.")
}
