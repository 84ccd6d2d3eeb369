//! Files that somebody removed: what a server makes of the rest.

use super::Script;
use super::stage::Stage;
use crate::queue::SECOND;
use crate::setup::Setup;
use std::path::Path;
use zk_log::Storage;

pub(super) const ALL: &[Script] = &[
    ("s30_logs_without_a_snapshot", no_snapshot),
    ("s32_a_log_is_missing_in_the_middle", missing_log),
    ("s33_a_snapshot_without_logs_and_epochs", snapshot_alone),
];

const DIR: &str = "/data/version-2";

/// The files of a server whose names begin so, oldest first.
fn files(stage: &Stage, id: usize, prefix: &str) -> Vec<String> {
    let names = stage.world.servers[id - 1].disk.names();
    let mut names: Vec<String> = names
        .into_iter()
        .filter(|it| it.starts_with(prefix))
        .collect();
    let number = |name: &String| {
        let digits = name.rsplit('.').next().unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or(0)
    };
    names.sort_by_key(number);
    names
}

fn remove(stage: &mut Stage, id: usize, names: &[String]) {
    let disk = stage.world.servers[id - 1].disk.files().clone();
    for name in names {
        disk.remove(&Path::new(DIR).join(name))
            .expect("it is there");
    }
    disk.sync_dir(Path::new(DIR)).expect("it is there");
    stage.world.checker.wiped(id - 1);
}

/// A follower that was started again and again has a log of every life.
fn with_many_logs(stage: &mut Stage) -> usize {
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, leader);
    for _ in 0..4 {
        for _ in 0..5 {
            stage.write(0, "/k0");
        }
        stage.pass(SECOND);
        stage.kill(follower);
        stage.start(follower);
        stage.wait("it serves", |world| world.servers[follower - 1].serves());
    }
    stage.kill(follower);
    follower
}

/// What cannot be explained is refused; with nothing at all the server gets
/// everything from the others.
fn is_refused(stage: &mut Stage, id: usize, about: &str) {
    let refused = stage.world.try_to_start(id - 1);
    let told = refused.expect_err("it starts without a part of its history");
    assert!(told.contains(about), "{told}");
    stage.world.wipe(id - 1);
    stage.start(id);
    stage.wait("it serves", |world| world.servers[id - 1].serves());
    stage.end_well();
}

fn no_snapshot() {
    let mut stage = Stage::running(Setup::of(3));
    let follower = with_many_logs(&mut stage);
    let snapshots = files(&stage, follower, "snapshot.");
    assert!(!snapshots.is_empty());
    remove(&mut stage, follower, &snapshots);
    is_refused(&mut stage, follower, "snapshot");
}

fn missing_log() {
    let mut stage = Stage::running(Setup::of(3));
    let follower = with_many_logs(&mut stage);
    let logs = files(&stage, follower, "log.");
    assert!(logs.len() > 2, "{logs:?}");
    // Later snapshots would do without it.
    let later = files(&stage, follower, "snapshot.").split_off(1);
    remove(&mut stage, follower, &later);
    remove(&mut stage, follower, &logs[1..2]);
    is_refused(&mut stage, follower, "missing");
}

/// Its epoch is that of the snapshot, and never one of before.
fn snapshot_alone() {
    let setup = Setup {
        snap_count: 8,
        ..Setup::of(3)
    };
    let mut stage = Stage::running(setup);
    let follower = with_many_logs(&mut stage);
    let newest = files(&stage, follower, "snapshot.").pop();
    let newest = newest.expect("there are snapshots");
    let mut gone = files(&stage, follower, "");
    gone.retain(|name| *name != newest);
    remove(&mut stage, follower, &gone);
    stage.start(follower);
    let view = stage.world.servers[follower - 1].view().copied();
    let view = view.expect("it runs");
    assert!(view.logged.counter() > 0);
    assert!(view.accepted_epoch >= view.logged.epoch(), "{view:?}");
    stage.wait("it serves", |world| world.servers[follower - 1].serves());
    stage.end_well();
}
