//! Sessions and their ephemerals, over servers and leaders.

use super::Script;
use super::stage::{Stage, TICK};
use crate::client::Op;
use crate::queue::{MS, SECOND};
use crate::setup::Setup;
use crate::world::World;
use zk_proto::{ErrorCode, OpCode, SessionId};

pub(super) const ALL: &[Script] = &[
    ("s42_the_link_breaks_at_a_close", link_breaks_at_close),
    ("s43_a_create_behind_a_close", create_behind_close),
    ("s44_a_session_of_multis_moves", multis_move),
    ("s45_a_lone_check_harms_nobody", lone_check),
    ("s46_a_session_with_many_ephemerals", many_ephemerals),
    ("s47_a_local_session_becomes_a_global_one", upgraded),
    ("s48_an_unknown_session_is_over", unknown_session),
    ("s50_a_sync_at_the_leader", sync_at_leader),
    ("a_session_moves_with_its_ephemerals", moves),
    ("a_silent_session_ends_and_others_do_not", expires),
    ("sessions_outlive_their_leader", outlive),
    ("a_client_is_not_refused_after_an_election", not_refused),
];

/// Whether somebody's ephemeral is on a server.
fn has(world: &World, id: usize, path: &str) -> bool {
    let process = world.servers[id - 1].process.as_ref();
    process.is_some_and(|it| it.host.with_tree(|tree| tree.get(path).is_some()))
}

fn prepare(stage: &mut Stage, client: usize) {
    stage.ask(client, OpCode::CREATE, "/e");
    let answer = stage.ask(client, OpCode::CREATE, "/e/mine");
    assert_eq!(answer.err, ErrorCode::OK);
}

fn link_breaks_at_close() {
    for delay in 0..30 {
        let mut stage = Stage::running(Setup::of(3));
        let (leader, follower) = (stage.leader(), stage.follower());
        stage.connect(0, leader);
        prepare(&mut stage, 0);
        let close = stage.bare(0, OpCode::CLOSE_SESSION);
        stage.send_op(0, close);
        stage.pass(delay * 100);
        for conn in stage.world.net.of(follower - 1) {
            stage.world.reset(conn);
        }
        stage.hang_up(0);
        stage.wait("it is gone everywhere", |world| {
            (1..=3).all(|id| world.servers[id - 1].serves() && !has(world, id, "/e/mine"))
        });
        stage.end_well();
    }
}

/// What comes behind a close in one stream is refused, wherever it came in.
fn create_behind_close() {
    for at_leader in [true, false] {
        let mut stage = Stage::running(Setup::of(3));
        let (leader, follower) = (stage.leader(), stage.follower());
        let server = if at_leader { leader } else { follower };
        stage.connect(1, leader);
        stage.connect(0, server);
        prepare(&mut stage, 0);
        let close = stage.bare(0, OpCode::CLOSE_SESSION);
        stage.send_op(0, close);
        stage.send(0, OpCode::CREATE, "/e/late");
        stage.hang_up(0);
        stage.pass(5 * SECOND);
        stage.write(1, "/k0");
        for id in 1..=3 {
            assert!(!has(&stage.world, id, "/e/mine") && !has(&stage.world, id, "/e/late"));
        }
        stage.end_well();
    }
}

fn multis_move() {
    let mut stage = Stage::running(Setup::of(3));
    stage.connect(0, 1);
    for path in ["/p", "/pb"] {
        stage.write(0, path);
    }
    for id in [2, 3, 1, 2] {
        stage.connect(0, id);
        for _ in 0..3 {
            let answer = stage.ask(0, OpCode::MULTI, "/p");
            assert_eq!(answer.err, ErrorCode::OK, "at server {id}");
        }
    }
    stage.end_well();
}

fn lone_check() {
    let mut stage = Stage::running(Setup::of(3));
    let (leader, follower) = (stage.leader(), stage.follower());
    for server in [leader, follower] {
        stage.connect(0, server);
        stage.write(0, "/k0");
        let check = Op {
            path: "/k0".to_owned(),
            ..stage.bare(0, OpCode::CHECK)
        };
        stage.send_op(0, check);
        stage.pass(SECOND);
        stage.connect(1, leader);
        stage.write(1, "/k0");
    }
    stage.wait("all have the same", World::is_converged);
    stage.end_well();
}

fn many_ephemerals() {
    let mut stage = Stage::running(Setup::of(3));
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, follower);
    stage.connect(1, leader);
    stage.ask(0, OpCode::CREATE, "/e");
    // Their paths together are longer than any packet may be.
    for number in 0..3_000 {
        let name = format!("/e/{number}-{}", "long".repeat(200));
        stage.send(0, OpCode::CREATE, &name);
        if number % 50 == 0 {
            stage.pass(20 * MS);
        }
    }
    stage.pass(2 * SECOND);
    assert_eq!(stage.world.checker.reference.tree.ephemeral_count(), 3_000);
    let session = stage.session(0);
    let close = stage.bare(0, OpCode::CLOSE_SESSION);
    stage.send_op(0, close);
    stage.wait("it is over", |world| {
        world.checker.reference.closed_at(session).is_some()
    });
    stage.hang_up(0);
    stage.write(1, "/k0");
    assert_eq!(stage.world.checker.reference.tree.ephemeral_count(), 0);
    stage.end_well();
}

/// The answer is the end of the session, and never another one.
fn unknown_session() {
    let mut stage = Stage::running(Setup::of(3));
    for id in 1..=3 {
        stage.world.clients[0].claim(SessionId(0x7fff_ffff_0000_0001));
        stage.world.answers.clear();
        stage.world.hold_client(0, id - 1);
        stage.wait("it is told", |world| {
            world.answers.iter().any(
                |(_, told)| matches!(told, crate::client::Told::Expired(session) if session.0 > 0),
            )
        });
        stage.hang_up(0);
    }
    stage.end_well();
}

/// A client sees a write at a follower and tells another one, who syncs at
/// the leader and must see it, too.
fn sync_at_leader() {
    let mut stage = Stage::running(Setup::of(3));
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, follower);
    stage.connect(1, leader);
    stage.write(0, "/k0");
    for _ in 0..200 {
        let wrote = stage.write(0, "/k0").wrote;
        assert_eq!(stage.sync_read(1, "/k0"), Some(wrote));
    }
    stage.end_well();
}

fn moves() {
    let mut stage = Stage::running(Setup::of(3));
    let session = stage.connect(0, 1);
    prepare(&mut stage, 0);
    for id in [2, 3, 1, 3] {
        assert_eq!(stage.connect(0, id), session);
        assert!(stage.read(0, "/e/mine").is_some());
        stage.write(0, "/k0");
    }
    stage.end_well();
}

fn expires() {
    let mut stage = Stage::running(Setup::of(3));
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, follower);
    let kept = stage.connect(1, follower);
    prepare(&mut stage, 0);
    let gone = stage.session(0);
    let timeout = stage.world.clients[0].timeout();
    stage.hang_up(0);
    stage.pass(timeout - TICK);
    assert!(has(&stage.world, leader, "/e/mine"), "too early");
    stage.pass(4 * TICK);
    for id in 1..=3 {
        assert!(!has(&stage.world, id, "/e/mine"), "it lives on at {id}");
    }
    stage.pass(30 * SECOND);
    let reference = &stage.world.checker.reference;
    assert!(reference.closed_at(gone).is_some());
    assert_eq!(reference.closed_at(kept), None, "its client was heard");
    stage.end_well();
}

fn outlive() {
    let mut stage = Stage::running(Setup::of(3));
    let session = stage.connect(0, 1);
    prepare(&mut stage, 0);
    for _ in 0..4 {
        let leader = stage.leader();
        stage.kill(leader);
        stage.wait("another leads", |world| {
            world.leader().is_some_and(|now| now + 1 != leader)
        });
        let next = stage.leader();
        assert_eq!(stage.connect(0, next), session);
        assert!(stage.read(0, "/e/mine").is_some());
        stage.start(leader);
        stage.wait("all serve", |world| {
            world.servers.iter().all(|server| server.serves())
        });
    }
    stage.end_well();
}

/// Whatever zxid a server showed a client, the others take that client.
fn not_refused() {
    let mut stage = Stage::running(Setup::of(3));
    let (leader, follower) = (stage.leader(), stage.follower());
    stage.connect(0, leader);
    stage.write(0, "/k0");
    stage.pass(SECOND);
    stage.world.wipe(follower - 1);
    stage.kill(leader);
    stage.start(follower);
    let next = stage.leader();
    stage.start(leader);
    stage.wait("all serve", |world| {
        world.servers.iter().all(|server| server.serves())
    });
    for id in [follower, next, leader, follower] {
        stage.connect(0, id);
        stage.read(0, "/k0");
    }
    stage.end_well();
}

/// What it owns then goes with it, at all servers.
fn upgraded() {
    for delay in 0..10 {
        let setup = Setup {
            groups: "localSessionsEnabled=true\nlocalSessionsUpgradingEnabled=true\n".to_owned(),
            ..Setup::of(3)
        };
        let mut stage = Stage::running(setup);
        let (leader, follower) = (stage.leader(), stage.follower());
        stage.connect(1, leader);
        let session = stage.connect(0, follower);
        let knows = |world: &World, id: usize| {
            let process = world.servers[id - 1].process.as_ref();
            process.is_some_and(|it| it.host.session_timeout(session).is_some())
        };
        assert!((1..=3).all(|id| !knows(&stage.world, id)), "it is local");
        stage.ask(0, OpCode::CREATE, "/e");
        stage.send(0, OpCode::CREATE, "/e/mine");
        stage.pass(delay * 400);
        stage.hang_up(0);
        let timeout = stage.world.clients[0].timeout();
        stage.pass(timeout + 6 * TICK);
        stage.write(1, "/k0");
        for id in 1..=3 {
            assert!(!knows(&stage.world, id) && !has(&stage.world, id, "/e/mine"));
        }
        stage.end_well();
    }
}
