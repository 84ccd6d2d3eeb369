//! Elections that others got wrong.

use super::Script;
use super::stage::{Stage, TICK};
use crate::queue::{MS, SECOND};
use crate::setup::Setup;
use zk_proto::OpCode;

pub(super) const ALL: &[Script] = &[
    ("s18_the_highest_zxid_was_absent", highest_absent),
    ("s35_a_late_server_joins_a_busy_ensemble", late),
    ("s38_observers_count_for_nothing", observers_do_not_count),
    ("s16_a_lone_server_that_only_reads", only_reads),
    ("s40_a_leader_whose_disk_fails", failing_disk),
    ("s41_one_write_at_a_time", one_at_a_time),
    ("s49_a_deaf_leader_steps_down", deaf),
    ("s49_a_mute_leader_is_left", mute),
    ("a_leader_that_is_cut_off_is_left", cut_off),
    ("a_leader_that_stands_still_is_left", stands_still),
    ("who_promised_a_later_epoch_comes_back", promised_more),
    ("a_paused_leader_is_replaced", paused),
    ("a_minority_never_leads", minority),
    ("a_bridge_does_not_make_two_leaders", bridge),
    ("partial_cuts_leave_a_majority_serving", partial),
];

/// A logs something alone and is away; the others go on in a later epoch. Its
/// zxid lies within their history, and is none of it.
fn highest_absent() {
    let mut stage = Stage::running(Setup::of(3));
    let leader = stage.leader();
    stage.connect(0, leader);
    stage.write(0, "/k0");
    stage.isolate(leader);
    for _ in 0..4 {
        stage.send(0, OpCode::SET_DATA, "/k0");
    }
    stage.pass(100 * MS);
    let alone = stage.logged(leader);
    stage.power(leader);
    stage.heal();
    for _ in 0..2 {
        let next = stage.leader();
        stage.connect(1, next);
        for _ in 0..20 {
            stage.write(1, "/k1");
        }
        assert!(stage.applied(next) > alone, "it lies within the history");
        stage.kill(next);
        stage.pass(200 * MS);
        stage.start(next);
    }
    stage.start(leader);
    stage.end_well();
}

fn late() {
    let mut stage = Stage::new(Setup::of(5));
    for id in [1, 2, 3] {
        stage.start(id);
    }
    let leader = stage.leader();
    stage.connect(0, leader);
    stage.write(0, "/k0");
    stage.kill(leader);
    stage.start(4);
    stage.wait("a leader of three", |world| {
        world.leader().is_some_and(|now| now + 1 != leader)
    });
    for id in [leader, 5] {
        stage.start(id);
        let joined = stage.comes_true(5 * SECOND, |world| world.servers[id - 1].serves());
        assert!(joined, "server {id} does not find the ensemble");
    }
    stage.end_well();
}

fn observers_do_not_count() {
    let setup = Setup {
        observers: 3,
        ..Setup::of(3)
    };
    let mut stage = Stage::new(setup);
    for id in [1, 4, 5, 6] {
        stage.start(id);
    }
    stage.pass(10 * SECOND);
    assert!((1..=6).all(|id| !stage.serves(id)));
    stage.start(2);
    stage.leader();
    stage.end_well();
}

/// How long the others may be without a leader when theirs falls silent: the
/// sync limit, and what an election takes.
fn silent_leader(silence: fn(&mut Stage, usize, usize)) {
    for seed in 1..30 {
        let setup = Setup::of(3);
        let limit = TICK * setup.sync_limit + 300 * MS;
        let mut stage = Stage::with_seed(setup, seed);
        stage.start_all();
        let leader = stage.leader();
        stage.pass(5 * SECOND + seed * 17 * MS);
        for other in (1..=3).filter(|id| *id != leader) {
            silence(&mut stage, leader, other);
        }
        let moved = stage.comes_true(limit, |world| {
            world.leader().is_some_and(|now| now + 1 != leader)
        });
        assert!(moved, "the others wait for a silent leader, seed {seed}");
        stage.end_well();
    }
}

/// It is heard and hears nobody: Apache's leader goes on for long.
fn deaf() {
    silent_leader(|stage, leader, other| stage.mute(other, leader));
}

fn mute() {
    silent_leader(|stage, leader, other| stage.mute(leader, other));
}

fn cut_off() {
    silent_leader(|stage, leader, other| {
        stage.mute(leader, other);
        stage.mute(other, leader);
    });
}

fn stands_still() {
    silent_leader(|stage, leader, _| stage.world.pause(leader - 1, 10 * SECOND));
}

/// It promised the epoch of a leader that came to nothing, and the others have
/// not heard of that epoch.
fn promised_more() {
    for observers in [0, 1] {
        let setup = Setup {
            observers,
            ..Setup::of(3)
        };
        let mut stage = Stage::running(setup);
        let follower = if observers > 0 { 4 } else { stage.follower() };
        stage.kill(follower);
        let path = std::path::Path::new("/data/version-2/acceptedEpoch");
        let files = stage.world.servers[follower - 1].disk.files();
        files.put(path, b"9");
        stage.start(follower);
        let joined = stage.comes_true(20 * SECOND, |world| {
            world.servers.iter().all(|server| server.serves())
        });
        assert!(joined, "it is left alone");
        stage.end_well();
    }
}

/// When it goes on it believes to lead, and must not answer as if it did.
fn paused() {
    let setup = Setup::of(3);
    let mut stage = Stage::running(setup);
    let leader = stage.leader();
    stage.connect(0, leader);
    let old = stage.write(0, "/k0").wrote;
    stage.world.pause(leader - 1, 20 * SECOND);
    stage.wait("another leads", |world| {
        world.leader().is_some_and(|now| now + 1 != leader)
    });
    let next = stage.leader();
    stage.connect(1, next);
    let new = stage.write(1, "/k0").wrote;
    stage.world.resume(leader - 1);
    if stage.world.clients[0].is_open() {
        stage.send(0, OpCode::SYNC, "/");
        let read = stage.try_ask(0, OpCode::GET_DATA, "/k0", SECOND);
        let read = read.and_then(|answer| answer.value);
        assert_ne!(read, Some(old), "a sync at a leader that was replaced");
    }
    stage.connect(2, next);
    assert_eq!(stage.sync_read(2, "/k0"), Some(new));
    stage.end_well();
}

fn minority() {
    let mut stage = Stage::running(Setup::of(5));
    let leader = stage.leader();
    let mate = if leader == 1 { 2 } else { 1 };
    for one in [leader, mate] {
        for other in (1..=5).filter(|id| *id != leader && *id != mate) {
            stage.mute(one, other);
            stage.mute(other, one);
        }
    }
    stage.wait("the majority has a leader", |world| {
        let now = world.leader().map_or(0, |now| now + 1);
        now != 0 && now != leader && now != mate
    });
    stage.pass(10 * SECOND);
    assert!(!stage.serves(leader) && !stage.serves(mate));
    stage.end_well();
}

/// 1 and 2 on one side, 4 and 5 on the other; 3 sees all.
fn bridge() {
    let mut stage = Stage::running(Setup::of(5));
    for (one, other) in [(1, 4), (1, 5), (2, 4), (2, 5)] {
        stage.mute(one, other);
        stage.mute(other, one);
    }
    stage.pass(20 * SECOND);
    let leaders = stage.world.servers.iter().filter(|it| it.leads());
    assert!(leaders.count() <= 1);
    let leader = stage.leader();
    stage.connect(0, leader);
    stage.write(0, "/k0");
    stage.end_well();
}

fn partial() {
    let mut stage = Stage::running(Setup::of(3));
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.mute(leader, follower);
    stage.mute(follower, leader);
    stage.pass(20 * SECOND);
    let leader = stage.leader();
    stage.connect(0, leader);
    stage.write(0, "/k0");
    stage.end_well();
}

/// Without a leader a server may serve reads, and writes nothing into its log.
fn only_reads() {
    let setup = Setup {
        groups: "readonlymode.enabled=true\n".to_owned(),
        ..Setup::of(3)
    };
    let mut stage = Stage::running(setup);
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, leader);
    stage.write(0, "/k0");
    stage.pass(SECOND);
    let before = stage.logged(follower);
    stage.isolate(follower);
    stage.wait("it serves reads", |world| {
        let view = world.servers[follower - 1].view();
        view.is_some_and(|view| view.role == "read-only")
    });
    stage.pass(60 * SECOND);
    assert_eq!(stage.logged(follower), before);
    stage.end_well();
}

/// A server whose log cannot be written ends, and the others go on.
fn failing_disk() {
    for after in 0..8 {
        let mut stage = Stage::running(Setup::of(3));
        let leader = stage.leader();
        stage.connect(0, leader);
        stage.write(0, "/k0");
        let control = stage.world.servers[leader - 1].disk.control();
        control.arm(crate::disk::Trip::Error, after);
        for _ in 0..4 {
            if stage.world.clients[0].is_open() {
                stage.send(0, OpCode::SET_DATA, "/k0");
                stage.pass(5 * MS);
            }
        }
        stage.pass(5 * SECOND);
        stage.world.servers[leader - 1].disk.control().disarm();
        assert!(stage.world.leader().is_some(), "nobody leads");
        let next = stage.leader();
        stage.connect(1, next);
        stage.write(1, "/k1");
        stage.end_well();
    }
}

/// Nobody wakes anybody by chance: each write is alone in the ensemble.
fn one_at_a_time() {
    for down in [false, true] {
        let mut stage = Stage::running(Setup::of(3));
        let (leader, follower) = (stage.leader(), stage.follower());
        stage.connect(0, leader);
        stage.connect(1, follower);
        stage.write(0, "/k0");
        if down {
            stage.kill(6 - leader - follower);
        }
        for number in 0..200 {
            let client = number % 2;
            let done = stage.try_ask(client, OpCode::SET_DATA, "/k0", SECOND);
            assert!(done.is_some(), "write {number} got lost");
            stage.pass((number as u64 % 7) * 100 * MS);
        }
        stage.end_well();
    }
}
