//! The same story again and again, with a crash one step later each time:
//! every operation of a disk, every moment of a synchronization.

use super::Script;
use super::stage::Stage;
use crate::disk::Trip;
use crate::queue::{MS, SECOND};
use crate::setup::Setup;
use zk_proto::OpCode;

pub(super) const ALL: &[Script] = &[
    ("s2_s3_s4_s34_a_learner_crashes_in_a_diff", in_a_diff),
    ("s8_s39_a_learner_crashes_in_a_truncation", in_a_truncation),
    ("s11_s13_a_learner_crashes_in_a_snapshot", in_a_snapshot),
    ("s12_the_leader_dies_in_a_snapshot", leader_in_a_snapshot),
    ("s10_an_error_of_any_operation", any_error),
    (
        "s34_a_crash_at_any_operation_of_an_election",
        in_an_election,
    ),
    ("s36_the_leader_dies_at_any_moment", any_moment),
    ("s39_a_full_disk_at_any_operation", full_disk),
];

/// How many operations a synchronization takes at most.
const OPERATIONS: u64 = 45;

/// A follower comes back behind the others, and its disk trips.
fn come_back(prepare: fn(&mut Stage) -> usize, trip: Trip) {
    for after in 0..OPERATIONS {
        let mut stage = Stage::with_seed(Setup::of(3), after + 1);
        stage.start_all();
        let follower = prepare(&mut stage);
        let control = stage.world.servers[follower - 1].disk.control();
        control.arm(trip, after);
        stage.start(follower);
        stage.pass(SECOND);
        let last = stage.world.checker.reference.last();
        let control = stage.world.servers[follower - 1].disk.control();
        control.disarm();
        // Whoever led is lost; the one that crashed has to do.
        let leader = stage.leader();
        stage.power(leader);
        stage.pass(SECOND);
        let next = stage.leader();
        assert!(stage.applied(next) >= last, "lost after {after} operations");
        stage.end_well();
    }
}

fn behind(stage: &mut Stage) -> usize {
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, leader);
    stage.write(0, "/k0");
    stage.kill(follower);
    for _ in 0..10 {
        stage.write(0, "/k0");
    }
    follower
}

fn ahead(stage: &mut Stage) -> usize {
    let leader = stage.leader();
    stage.connect(0, leader);
    stage.write(0, "/k0");
    stage.isolate(leader);
    for _ in 0..3 {
        stage.send(0, OpCode::SET_DATA, "/k0");
    }
    stage.pass(100 * MS);
    stage.kill(leader);
    stage.heal();
    let next = stage.leader();
    stage.connect(1, next);
    stage.write(1, "/k1");
    leader
}

fn empty(stage: &mut Stage) -> usize {
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, leader);
    for _ in 0..10 {
        stage.write(0, "/k0");
    }
    stage.pass(SECOND);
    stage.world.wipe(follower - 1);
    follower
}

fn in_a_diff() {
    come_back(behind, Trip::Crash);
}

fn in_a_truncation() {
    come_back(ahead, Trip::Crash);
}

fn in_a_snapshot() {
    come_back(empty, Trip::Crash);
}

fn any_error() {
    for prepare in [behind, ahead, empty] {
        come_back(prepare, Trip::Error);
    }
}

fn leader_in_a_snapshot() {
    for delay in 0..40 {
        let mut stage = Stage::running(Setup::of(3));
        let follower = empty(&mut stage);
        let leader = stage.leader();
        stage.start(follower);
        stage.pass(delay * 250);
        stage.kill(leader);
        stage.pass(SECOND);
        stage.kill(follower);
        stage.start(follower);
        stage.end_well();
    }
}

fn in_an_election() {
    for after in 0..OPERATIONS {
        for victim in 0..3 {
            let mut stage = Stage::with_seed(Setup::of(3), after + 1);
            stage.start_all();
            let leader = stage.leader();
            stage.connect(0, leader);
            stage.write(0, "/k0");
            stage.pass(SECOND);
            let control = stage.world.servers[victim].disk.control();
            control.arm(Trip::Crash, after);
            stage.kill(leader);
            stage.pass(2 * SECOND);
            stage.world.servers[victim].disk.control().disarm();
            stage.end_well();
        }
    }
}

/// The leader dies a little later each time, from its election on.
fn any_moment() {
    for delay in 0..60 {
        let mut stage = Stage::new(Setup::of(3));
        (1..=3).for_each(|id| stage.start(id));
        stage.pass(delay * 500);
        stage.kill(3);
        stage.pass(300 * MS);
        stage.end_well();
    }
}

fn full_disk() {
    for prepare in [behind, ahead, empty] {
        for delay in 0..20 {
            let mut stage = Stage::running(Setup::of(3));
            let follower = prepare(&mut stage);
            stage.start(follower);
            stage.pass(delay * 300);
            let control = stage.world.servers[follower - 1].disk.control().clone();
            control.set_full(true);
            stage.pass(2 * SECOND);
            stage.world.servers[follower - 1]
                .disk
                .control()
                .set_full(false);
            stage.pass(2 * SECOND);
            stage.end_well();
        }
    }
}
