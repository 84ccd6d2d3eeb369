//! Learners that join: what they get, and what becomes of it.

use super::Script;
use super::stage::Stage;
use crate::queue::{MS, SECOND};
use crate::setup::Setup;
use zk_proto::OpCode;

pub(super) const ALL: &[Script] = &[
    ("s1_a_diff_is_durable_before_it_counts", diff_is_durable),
    ("s6_s7_a_learner_joins_amid_writes", amid_writes),
    ("s9_s14_a_leader_that_began_with_a_snapshot", after_snapshot),
    ("s15_an_empty_server_gets_everything", empty),
    ("s17_a_lone_leader_forgets_what_it_logged", forgets),
    ("s19_truncation_goes_no_further", no_further),
    ("s20_a_snapshot_over_a_stale_tail", stale_tail),
    (
        "s21_s22_snapshots_of_what_was_not_committed",
        dirty_snapshots,
    ),
    ("s23_an_ephemeral_that_nobody_committed", lost_ephemeral),
    (
        "s25_s26_s27_s28_a_snapshot_while_much_happens",
        busy_snapshot,
    ),
    (
        "s24_s5_reads_at_a_learner_that_just_joined",
        reads_after_join,
    ),
    ("what_is_logged_is_not_yet_committed", logged_not_committed),
];

/// Everything that clients were shown survives, whoever is lost then.
fn diff_is_durable() {
    let mut stage = Stage::new(Setup::of(3));
    stage.start(1);
    stage.start(2);
    let leader = stage.leader();
    stage.connect(0, leader);
    for _ in 0..10 {
        stage.write(0, "/k0");
    }
    stage.start(3);
    stage.wait("it serves", |world| world.servers[2].serves());
    stage.connect(1, 3);
    let shown = stage.sync_read(1, "/k0");
    stage.power_all();
    for id in [3, 3 - leader] {
        stage.start(id);
    }
    let next = stage.leader();
    stage.connect(2, next);
    assert_eq!(stage.sync_read(2, "/k0"), shown);
    stage.end_well();
}

/// Proposals before, within and behind the synchronization.
fn amid_writes() {
    for pause in 0..40 {
        let mut stage = Stage::running(Setup::of(3));
        let (leader, follower) = (stage.leader(), stage.follower());
        stage.connect(0, leader);
        stage.write(0, "/k0");
        stage.kill(follower);
        for _ in 0..5 {
            stage.send(0, OpCode::SET_DATA, "/k0");
        }
        stage.start(follower);
        for _ in 0..40 {
            stage.send(0, OpCode::SET_DATA, "/k0");
            stage.pass(MS * pause / 4 + 100);
        }
        let joined = stage.comes_true(10 * SECOND, |world| world.servers[follower - 1].serves());
        assert!(joined, "it does not get in");
        stage.end_well();
    }
}

/// B was wiped and has a snapshot and the end of the log; it leads, and C is
/// far behind.
fn after_snapshot() {
    let mut stage = Stage::running(Setup::of(3));
    let (leader, far) = (stage.leader(), stage.follower());
    let other = 6 - leader - far;
    stage.connect(0, leader);
    for _ in 0..30 {
        stage.write(0, "/k0");
    }
    stage.kill(far);
    for _ in 0..30 {
        stage.write(0, "/k1");
    }
    stage.pass(SECOND);
    stage.world.wipe(other - 1);
    stage.start(other);
    stage.wait("it serves", |world| world.servers[other - 1].serves());
    let leader = stage.leader();
    stage.connect(0, leader);
    for _ in 0..5 {
        stage.write(0, "/k2");
    }
    stage.pass(SECOND);
    assert_ne!(leader, other, "an empty server leads");
    stage.kill(leader);
    stage.start(far);
    stage.wait("it leads", |world| world.leader() == Some(other - 1));
    stage.wait("it serves", |world| world.servers[far - 1].serves());
    stage.world.compare_all();
    stage.end_well();
}

fn empty() {
    let mut stage = Stage::new(Setup::of(3));
    stage.start(1);
    stage.start(2);
    let leader = stage.leader();
    stage.connect(0, leader);
    let mut wrote = 0;
    for _ in 0..20 {
        wrote = stage.write(0, "/k0").wrote;
    }
    stage.kill(1);
    stage.kill(2);
    stage.start(1);
    stage.start(2);
    stage.leader();
    stage.start(3);
    stage.wait("it serves", |world| world.servers[2].serves());
    stage.connect(1, 3);
    assert_eq!(stage.sync_read(1, "/k0"), Some(wrote));
    stage.end_well();
}

/// The same process leads alone, logs, and follows another.
fn forgets() {
    let mut stage = Stage::running(Setup::of(3));
    let leader = stage.leader();
    stage.connect(0, leader);
    let before = stage.write(0, "/k0").wrote;
    stage.isolate(leader);
    for _ in 0..3 {
        stage.send(0, OpCode::SET_DATA, "/k0");
    }
    stage.wait("another leads", |world| {
        world.leader().is_some_and(|now| now + 1 != leader)
    });
    stage.heal();
    stage.wait("it follows", |world| world.servers[leader - 1].serves());
    stage.connect(1, leader);
    assert_eq!(stage.sync_read(1, "/k0"), Some(before));
    stage.world.compare_all();
    stage.end_well();
}

/// Exactly what nobody committed is cut, over several log files.
fn no_further() {
    let setup = Setup {
        snap_count: 8,
        ..Setup::of(3)
    };
    let mut stage = Stage::running(setup);
    let leader = stage.leader();
    stage.connect(0, leader);
    let mut wrote = 0;
    for _ in 0..25 {
        wrote = stage.write(0, "/k0").wrote;
    }
    stage.isolate(leader);
    for _ in 0..30 {
        stage.send(0, OpCode::SET_DATA, "/k0");
        stage.pass(MS);
    }
    stage.power(leader);
    stage.heal();
    stage.leader();
    stage.start(leader);
    stage.wait("all have the same", crate::world::World::is_converged);
    stage.connect(1, leader);
    assert_eq!(stage.sync_read(1, "/k0"), Some(wrote));
    stage.end_well();
}

/// A tail that nobody committed lies below the snapshot that its server gets.
fn stale_tail() {
    let mut stage = Stage::running(Setup::of(3));
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
    for _ in 0..700 {
        stage.write(1, "/k1");
    }
    stage.start(leader);
    stage.wait("all have the same", crate::world::World::is_converged);
    for id in 1..=3 {
        stage.power(id);
        stage.start(id);
        stage.wait("it serves again", |world| world.servers[id - 1].serves());
    }
    stage.world.compare_all();
    stage.end_well();
}

/// Snapshots at every turn, also while a leader is alone.
fn dirty_snapshots() {
    for logged in 1..12 {
        let setup = Setup {
            snap_count: 4,
            ..Setup::of(3)
        };
        let mut stage = Stage::running(setup);
        let leader = stage.leader();
        stage.connect(0, leader);
        stage.write(0, "/k0");
        stage.isolate(leader);
        for _ in 0..logged {
            stage.send(0, OpCode::CREATE, "/q/n-");
            stage.send(0, OpCode::SET_DATA, "/k0");
            stage.pass(2 * MS);
        }
        stage.wait("it gave up", |world| !world.servers[leader - 1].serves());
        stage.pass(SECOND);
        stage.kill(leader);
        stage.start(leader);
        stage.pass(SECOND);
        stage.end_well();
    }
}

fn reads_after_join() {
    for seed in 1..20 {
        let mut stage = Stage::with_seed(Setup::of(3), seed);
        stage.start(1);
        stage.start(2);
        let leader = stage.leader();
        stage.connect(0, leader);
        stage.write(0, "/k0");
        stage.start(3);
        stage.world.hold_client(1, 2);
        for _ in 0..30 {
            stage.send(0, OpCode::SET_DATA, "/k0");
            stage.pass(2 * MS);
        }
        stage.connect(1, 3);
        stage.sync_read(1, "/k0");
        stage.end_well();
    }
}

/// A leader that was just started has nothing in memory, and reads its log for
/// a learner; the end of the log is not committed.
fn logged_not_committed() {
    let setup = Setup {
        observers: 1,
        ..Setup::of(3)
    };
    let mut stage = Stage::running(setup);
    let first = stage.leader();
    stage.connect(0, first);
    for _ in 0..5 {
        stage.write(0, "/k0");
    }
    stage.kill(4);
    for _ in 0..5 {
        stage.write(0, "/k0");
    }
    stage.pass(SECOND);
    for id in [1, 2, 3] {
        stage.kill(id);
    }
    stage.start(1);
    stage.start(2);
    let leader = stage.leader();
    let other = 3 - leader;
    stage.connect(1, leader);
    let before = stage.applied(leader);
    stage.mute(other, leader);
    stage.send(1, OpCode::SET_DATA, "/k0");
    stage.pass(50 * MS);
    assert!(stage.logged(leader) > before, "it is logged");
    stage.start(4);
    stage.pass(SECOND);
    assert!(
        stage.applied(4) <= before,
        "the observer has what nobody committed"
    );
    stage.end_well();
}

/// An ephemeral and its session are of a leader that was alone: nobody has
/// them later, the former leader neither.
fn lost_ephemeral() {
    for restarts in [true, false] {
        let mut stage = Stage::running(Setup::of(3));
        let leader = stage.leader();
        stage.connect(0, leader);
        stage.ask(0, OpCode::CREATE, "/e");
        stage.isolate(leader);
        stage.send(0, OpCode::CREATE, "/e/mine");
        stage.pass(100 * MS);
        if restarts {
            stage.power(leader);
        }
        stage.wait("another leads", |world| {
            world.leader().is_some_and(|now| now + 1 != leader)
        });
        stage.hang_up(0);
        let next = stage.leader();
        stage.connect(1, next);
        stage.write(1, "/k1");
        stage.heal();
        stage.start(leader);
        stage.wait("all have the same", crate::world::World::is_converged);
        for id in 1..=3 {
            let process = stage.world.servers[id - 1].process.as_ref();
            let process = process.expect("it runs");
            let is_there = process.host.with_tree(|tree| tree.get("/e/mine").is_some());
            assert!(!is_there, "server {id} has it");
        }
        stage.end_well();
    }
}

/// Sessions begin and end, multis, sequential znodes and deletes go on while
/// a server gets a snapshot, on links of any speed.
fn busy_snapshot() {
    for seed in 1..40 {
        let mut stage = Stage::with_seed(Setup::of(3), seed);
        stage.start_all();
        let (leader, follower) = (stage.leader(), stage.follower());
        stage.connect(0, leader);
        for path in ["/p", "/pb", "/q", "/e"] {
            stage.write(0, path);
        }
        stage.pass(SECOND);
        stage.world.wipe(follower - 1);
        stage.start(follower);
        stage.pass(seed * 150);
        for number in 0..12 {
            let guest = 1 + number % 3;
            stage.world.hold_client(guest, leader - 1);
            stage.send(0, OpCode::CREATE, "/q/n-");
            stage.send(0, OpCode::MULTI, "/p");
            stage.send(0, OpCode::CREATE, &format!("/e/{number}"));
            stage.pass(2 * MS);
            stage.send(0, OpCode::DELETE, &format!("/e/{number}"));
            if stage.world.clients[guest].is_open() {
                let close = stage.bare(guest, OpCode::CLOSE_SESSION);
                stage.send_op(guest, close);
                stage.hang_up(guest);
            }
        }
        stage.wait("it serves", |world| world.servers[follower - 1].serves());
        stage.end_well();
        stage.power(follower);
        stage.start(follower);
        stage.end_well();
    }
}
