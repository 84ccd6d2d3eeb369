//! Sessions belong to the ensemble: they move between its servers, live as
//! long as any of them hears the client, and end everywhere.

use crate::support::ensemble::Ensemble;
use crate::support::requests::{
    EPHEMERAL, delete_record, exists, exists_and_watch, get, set, sync,
};
use crate::support::wire::{Ticket, Wire, create};
use zk_proto::{ErrorCode, MultiOp, Request, SessionId, SetWatches, Xid, session_password};

const DELETED: i32 = 2;
const DATA_CHANGED: i32 = 3;

/// Waits until a server's tree has, or has not, a znode.
fn vanishes(wire: &mut Wire, path: &str) {
    wire.ok(&sync("/"));
    if wire.call(&exists_and_watch(path)).header.err.is_ok() {
        let event = wire.next().expect("an event");
        assert_eq!(event.event(), Some((DELETED, path.into())));
    }
}

fn delete_in_multi(path: &str) -> Request<'_> {
    Request::Multi(vec![MultiOp::Delete(delete_record(path))])
}

/// Each server in turn is the one that is left, and the one that is come to.
#[test]
fn a_session_moves_between_servers() {
    let ensemble = Ensemble::serving(3);
    for (from, to) in [(1, 2), (2, 3), (3, 1)] {
        let (mut old, ticket) = ensemble.open(from);
        let path = format!("/e{from}");
        old.ok(&create(&path, b"", EPHEMERAL));
        let mut new = ensemble.resume(to, &ticket).expect("it moves");
        new.ok(&set(&path, b"moved"));
        old.send(&set(&path, b"late"));
        assert!(old.next().is_none(), "{from}: the old connection ends");
        new.ok(&sync("/"));
        new.ok(&get(&path));
        new.ok(&delete_in_multi(&path));
    }
}

/// ZOOKEEPER-2886: the new server owns the session whatever came first.
#[test]
fn a_moved_session_may_begin_with_a_multi() {
    let ensemble = Ensemble::serving(3);
    for (from, to) in [(1, 2), (2, 3), (3, 1)] {
        let (mut old, ticket) = ensemble.open(from);
        old.ok(&create("/m", b"", 0));
        drop(old);
        let mut new = ensemble.resume(to, &ticket).expect("it moves");
        new.ok(&delete_in_multi("/m"));
    }
}

#[test]
fn a_wrong_password_does_not_move_a_session() {
    let ensemble = Ensemble::serving(3);
    for (from, to) in [(1, 2), (2, 3), (3, 1)] {
        let (mut owner, ticket) = ensemble.open(from);
        let forged = Ticket {
            password: vec![7; 16],
            ..ticket
        };
        assert!(ensemble.resume(to, &forged).is_none());
        owner.ok(&create(&format!("/{from}"), b"", EPHEMERAL));
    }
}

#[test]
fn unknown_sessions_are_refused() {
    let ensemble = Ensemble::serving(3);
    let id = SessionId(0x0700_0000_0000_0001);
    let unknown = Ticket {
        id,
        timeout_ms: 10_000,
        password: session_password(id).to_vec(),
    };
    for at in 1..=3 {
        assert!(ensemble.resume(at, &unknown).is_none());
        let (mut wire, ticket) = ensemble.open(at);
        wire.ok(&Request::CloseSession);
        assert!(wire.next().is_none());
        for at in 1..=3 {
            assert!(ensemble.resume(at, &ticket).is_none(), "it is closed");
        }
    }
}

/// The ids that servers give out never meet.
#[test]
fn session_ids_name_their_server() {
    let ensemble = Ensemble::serving(3);
    for at in 1..=3 {
        let (_wire, ticket) = ensemble.open(at);
        assert_eq!(ticket.id.0 >> 56, at);
    }
}

#[test]
fn closing_a_session_ends_its_ephemerals_everywhere() {
    let ensemble = Ensemble::serving(3);
    for at in [ensemble.leader(), ensemble.follower()] {
        let path = format!("/e{at}");
        let (mut owner, ticket) = ensemble.open(at);
        owner.ok(&create(&path, b"", EPHEMERAL));
        let mut others: Vec<Wire> = (1..=3).map(|id| ensemble.open(id).0).collect();
        for other in &mut others {
            other.ok(&sync("/"));
            other.ok(&exists_and_watch(&path));
        }
        owner.ok(&Request::CloseSession);
        assert!(owner.next().is_none(), "the server closes behind it");
        for other in &mut others {
            let event = other.next().expect("an event");
            assert_eq!(event.event(), Some((DELETED, path.clone())));
        }
        assert!(ensemble.resume(at, &ticket).is_none());
    }
}

/// The leader counts the time of sessions whose clients it never meets.
#[test]
fn silent_sessions_expire_wherever_their_clients_are() {
    let ensemble = Ensemble::serving(3);
    for at in [ensemble.leader(), ensemble.follower()] {
        let path = format!("/e{at}");
        let mut silent = Wire::bare(ensemble.address(at));
        let ticket = silent.handshake(None, 1).expect("a session");
        assert_eq!(ticket.timeout_ms, 400);
        silent.ok(&create(&path, b"", EPHEMERAL));
        for id in 1..=3 {
            vanishes(&mut ensemble.open(id).0, &path);
        }
        assert!(silent.next().is_none(), "its connection is closed");
        assert!(ensemble.resume(at, &ticket).is_none());
    }
}

/// A follower tells the leader whom it has heard.
#[test]
fn sessions_live_while_their_clients_ping_a_follower() {
    const TIMEOUT_MS: i32 = 4000;
    let ensemble = Ensemble::serving(3);
    let at = ensemble.follower();
    let mut lively = Wire::bare(ensemble.address(at));
    lively.handshake(None, TIMEOUT_MS).expect("a session");
    lively.ok(&create("/lively", b"", EPHEMERAL));
    let mut silent = Wire::bare(ensemble.address(at));
    silent.handshake(None, TIMEOUT_MS).expect("a session");
    silent.ok(&create("/silent", b"", EPHEMERAL));
    let (mut watcher, _) = ensemble.open(ensemble.leader());
    watcher.ok(&sync("/"));
    watcher.ok(&exists_and_watch("/silent"));
    let event = std::thread::scope(|scope| {
        let pinging = scope.spawn(|| {
            // As long as the silent session is there to be compared with.
            while lively.call(&exists("/silent")).header.err.is_ok() {
                lively.send(&Request::Ping);
                assert_eq!(lively.next().expect("a pong").header.xid, Xid::PING);
                std::thread::yield_now();
            }
        });
        let event = watcher.next().expect("an event");
        pinging.join().expect("it lives");
        event
    });
    assert_eq!(event.event(), Some((DELETED, "/silent".into())));
    assert_eq!(watcher.err(&exists("/lively")), ErrorCode::OK);
}

/// A client need not wait for the answer to its handshake.
#[test]
fn requests_may_follow_the_handshake_at_once() {
    let ensemble = Ensemble::serving(3);
    for at in [ensemble.leader(), ensemble.follower()] {
        let path = format!("/{at}");
        let mut wire = Wire::bare(ensemble.address(at));
        wire.send_handshake();
        let created = wire.send(&create(&path, b"", EPHEMERAL));
        let read = wire.send(&get(&path));
        let ticket = wire.ticket().expect("a session");
        for xid in [created, read] {
            let answer = wire.next().expect("an answer");
            assert_eq!((answer.header.xid, answer.header.err), (xid, ErrorCode::OK));
        }
        for to in 1..=3 {
            let mut wire = Wire::bare(ensemble.address(to));
            wire.send_resume(&ticket);
            let expected = [
                wire.send(&sync("/")),
                wire.send(&set(&path, b"")),
                wire.send(&exists("/")),
                wire.send(&get(&path)),
            ];
            assert_eq!(wire.ticket().expect("it goes on").id, ticket.id);
            for xid in expected {
                let answer = wire.next().expect("an answer");
                assert_eq!((answer.header.xid, answer.header.err), (xid, ErrorCode::OK));
            }
        }
    }
}

/// A client that moves takes its watches along: what happened meanwhile it
/// hears at once.
#[test]
fn watches_move_with_their_client() {
    let ensemble = Ensemble::serving(3);
    let (mut writer, _) = ensemble.open(ensemble.leader());
    for at in 1..=3 {
        let (changed, same) = (format!("/changed-{at}"), format!("/same-{at}"));
        writer.ok(&create(&changed, b"", 0));
        let seen = writer.ok(&create(&same, b"", 0)).header.zxid;
        writer.ok(&set(&changed, b"1"));
        let (mut wire, _) = ensemble.open(at);
        wire.ok(&sync("/"));
        wire.send(&Request::SetWatches(SetWatches {
            relative_zxid: seen,
            data: Some(vec![changed.as_str().into(), same.as_str().into()]),
            exist: Some(vec!["/none".into()]),
            child: Some(Vec::new()),
        }));
        let event = wire.next().expect("an event");
        assert_eq!(event.event(), Some((DATA_CHANGED, changed)));
        assert_eq!(wire.next().expect("an answer").header.err, ErrorCode::OK);
        writer.ok(&set(&same, b""));
        let event = wire.next().expect("an event");
        assert_eq!(event.event(), Some((DATA_CHANGED, same)));
    }
}

/// A session outlives its leader, and all servers.
#[test]
fn sessions_survive_elections_and_restarts() {
    let mut ensemble = Ensemble::serving(3);
    let (mut wire, ticket) = ensemble.open(ensemble.follower());
    wire.ok(&create("/e", b"", EPHEMERAL));
    let leader = ensemble.leader();
    ensemble.stop(leader);
    ensemble.leader();
    let mut wire = ensemble
        .resume(ensemble.follower(), &ticket)
        .expect("it lives");
    wire.ok(&exists("/e"));
    wire.ok(&set("/e", b"still"));
    ensemble.stop_all();
    assert!(wire.next().is_none(), "its server ended");
    ensemble.start_all();
    let mut wire = ensemble
        .resume(ensemble.leader(), &ticket)
        .expect("it lives");
    wire.ok(&exists("/e"));
    wire.ok(&Request::CloseSession);
    vanishes(&mut ensemble.open(ensemble.follower()).0, "/e");
}
