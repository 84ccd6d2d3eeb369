//! The stories by which ensembles are explained.

use super::Script;
use super::stage::{Stage, TICK};
use crate::queue::{MS, SECOND};
use crate::setup::Setup;
use zk_proto::OpCode;

pub(super) const ALL: &[Script] = &[
    ("five_servers_in_order_elect_3", five_in_order),
    ("a_leader_dies_after_commit", dies_after_commit),
    ("a_leader_dies_after_propose", dies_after_propose),
    ("four_servers_stop_without_two", four_without_two),
    ("observers_serve_and_do_not_vote", observers),
    ("everything_survives_power_failures", power_failures),
    ("a_lone_leader_stops_in_time", lone_leader),
    ("a_wiped_follower_comes_back", wiped),
    ("one_group_of_three_is_no_quorum", groups),
];

/// Servers 1 and 2 are no majority of five; with 3 there is one, and it has
/// the highest id of the three. Those that come later find it leading.
fn five_in_order() {
    let mut stage = Stage::new(Setup::of(5));
    for id in [1, 2] {
        stage.start(id);
        stage.pass(2 * SECOND);
        assert_eq!(stage.world.leader(), None);
    }
    stage.start(3);
    assert_eq!(stage.leader(), 3);
    for id in [4, 5] {
        stage.start(id);
        stage.wait("it follows", |world| world.servers[id - 1].serves());
        assert_eq!(stage.leader(), 3);
    }
    stage.end_well();
}

/// What was acknowledged is there under every later leader.
fn dies_after_commit() {
    let mut stage = Stage::running(Setup::of(3));
    let leader = stage.leader();
    stage.connect(0, leader);
    let wrote = stage.write(0, "/k0").wrote;
    stage.kill(leader);
    stage.wait("another leads", |world| {
        world.leader().is_some_and(|now| now + 1 != leader)
    });
    let next = stage.leader();
    stage.connect(1, next);
    assert_eq!(stage.sync_read(1, "/k0"), Some(wrote));
    stage.end_well();
}

/// What only the leader had is gone, also from its own log.
fn dies_after_propose() {
    let mut stage = Stage::running(Setup::of(3));
    let leader = stage.leader();
    stage.connect(0, leader);
    let before = stage.write(0, "/k0").wrote;
    let committed = stage.applied(leader);
    stage.isolate(leader);
    stage.send(0, OpCode::SET_DATA, "/k0");
    stage.wait("it is logged", |world| {
        let view = world.servers[leader - 1].view();
        view.is_some_and(|view| view.logged > committed)
    });
    stage.power(leader);
    stage.heal();
    let next = stage.leader();
    assert_ne!(next, leader);
    stage.connect(1, next);
    assert_eq!(stage.sync_read(1, "/k0"), Some(before));
    stage.write(1, "/k1");
    stage.start(leader);
    stage.wait("all have the same", crate::world::World::is_converged);
    stage.connect(2, leader);
    assert_eq!(stage.sync_read(2, "/k0"), Some(before));
    stage.end_well();
}

/// Two of four are no majority.
fn four_without_two() {
    let mut stage = Stage::running(Setup::of(4));
    let leader = stage.leader();
    stage.connect(0, leader);
    stage.write(0, "/k0");
    let others: Vec<usize> = (1..=4).filter(|id| *id != leader).collect();
    stage.kill(others[0]);
    stage.write(0, "/k0");
    stage.kill(others[1]);
    stage.wait("nobody serves", |world| {
        world.servers.iter().all(|server| !server.serves())
    });
    stage.pass(10 * SECOND);
    assert!((1..=4).all(|id| !stage.serves(id)));
    stage.start(others[1]);
    stage.leader();
    stage.end_well();
}

/// An observer answers reads, takes writes, and counts for no quorum.
fn observers() {
    let setup = Setup {
        observers: 2,
        ..Setup::of(3)
    };
    let mut stage = Stage::running(setup);
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, 4);
    let wrote = stage.write(0, "/k0").wrote;
    stage.connect(1, 5);
    assert_eq!(stage.sync_read(1, "/k0"), Some(wrote));
    assert!(leader <= 3, "an observer leads");
    let third = 6 - leader - follower;
    stage.kill(follower);
    stage.write(0, "/k0");
    stage.kill(third);
    stage.wait("the quorum is gone", |world| {
        world.servers.iter().all(|server| !server.serves())
    });
    stage.pass(10 * SECOND);
    assert_eq!(stage.world.leader(), None, "observers were counted");
    stage.start(third);
    stage.leader();
    stage.wait("observers serve again", |world| {
        world.servers[3].serves() && world.servers[4].serves()
    });
    stage.end_well();
}

fn power_failures() {
    let mut stage = Stage::running(Setup::of(3));
    for _ in 0..5 {
        let leader = stage.leader();
        stage.connect(0, leader);
        let wrote = stage.write(0, "/k0").wrote;
        stage.power_all();
        stage.pass(SECOND);
        stage.start_all();
        let leader = stage.leader();
        stage.connect(1, leader);
        assert_eq!(stage.sync_read(1, "/k0"), Some(wrote));
    }
    stage.end_well();
}

/// A leader that hears nobody serves nobody, after syncLimit.
fn lone_leader() {
    let setup = Setup::of(3);
    let limit = TICK * setup.sync_limit;
    let mut stage = Stage::running(setup);
    let leader = stage.leader();
    stage.isolate(leader);
    let gave_up = stage.comes_true(limit + 2 * TICK, |world| {
        !world.servers[leader - 1].serves()
    });
    assert!(gave_up, "it serves without a quorum");
    let next = stage.comes_true(limit + 2 * TICK, |world| world.leader().is_some());
    assert!(next, "the others have no leader");
    stage.end_well();
}

fn wiped() {
    let mut stage = Stage::running(Setup::of(3));
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, leader);
    let wrote = stage.write(0, "/k0").wrote;
    stage.pass(SECOND);
    stage.world.wipe(follower - 1);
    stage.start(follower);
    stage.wait("it serves", |world| world.servers[follower - 1].serves());
    stage.connect(1, follower);
    assert_eq!(stage.sync_read(1, "/k0"), Some(wrote));
    stage.end_well();
}

/// With groups it takes a majority in a majority of them.
fn groups() {
    let setup = Setup {
        groups: "group.1=1:2:3\ngroup.2=4:5\ngroup.3=6\n".to_owned(),
        ..Setup::of(6)
    };
    let mut stage = Stage::new(setup);
    for id in [1, 2, 3] {
        stage.start(id);
    }
    stage.pass(5 * SECOND);
    assert_eq!(stage.world.leader(), None, "one group of three");
    stage.start(6);
    stage.leader();
    stage.kill(3);
    stage.pass(500 * MS);
    stage.leader();
    stage.end_well();
}
