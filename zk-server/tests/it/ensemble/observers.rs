//! Servers that follow without a vote.

use crate::support::ensemble::Ensemble;
use crate::support::requests::{
    EPHEMERAL, data_of, exists_and_watch, get, get_and_watch, set, sync, synced_data,
};
use crate::support::wire::create;
use zk_proto::Request;
use zk_server::ServerRole;

const DELETED: i32 = 2;
const DATA_CHANGED: i32 = 3;
const OBSERVER: i64 = 4;

fn three_and_an_observer() -> Ensemble {
    let mut ensemble = Ensemble::with(3, 1, "");
    ensemble.start_all();
    ensemble
}

#[test]
fn an_observer_serves_reads_and_forwards_writes() {
    let ensemble = three_and_an_observer();
    assert_eq!(ensemble.role(OBSERVER), ServerRole::Observer);
    let (mut wire, _) = ensemble.open(OBSERVER);
    wire.ok(&create("/a", b"1", 0));
    assert_eq!(data_of(&wire.ok(&get("/a"))), b"1");
    wire.ok(&get_and_watch("/a"));
    let (mut other, _) = ensemble.open(ensemble.follower());
    assert_eq!(synced_data(&mut other, "/a"), b"1");
    other.ok(&set("/a", b"2"));
    let event = wire.next().expect("an event");
    assert_eq!(event.event(), Some((DATA_CHANGED, "/a".into())));
    assert_eq!(data_of(&wire.ok(&get("/a"))), b"2");
}

#[test]
fn an_observers_sessions_are_like_any_others() {
    let ensemble = three_and_an_observer();
    let (mut here, ticket) = ensemble.open(OBSERVER);
    here.ok(&create("/e", b"", EPHEMERAL));
    let mut there = ensemble
        .resume(ensemble.follower(), &ticket)
        .expect("it moves");
    there.ok(&set("/e", b""));
    let mut here = ensemble.resume(OBSERVER, &ticket).expect("it moves back");
    here.ok(&sync("/"));
    let (mut other, _) = ensemble.open(ensemble.leader());
    other.ok(&sync("/"));
    other.ok(&exists_and_watch("/e"));
    here.ok(&Request::CloseSession);
    let event = other.next().expect("an event");
    assert_eq!(event.event(), Some((DELETED, "/e".into())));
}

/// It neither makes a quorum nor keeps one from being made.
#[test]
fn an_observer_has_no_vote() {
    let mut ensemble = Ensemble::with(2, 1, "");
    ensemble.start(1);
    ensemble.start(3);
    assert_eq!(ensemble.role(1), ServerRole::Looking);
    ensemble.start(2);
    ensemble.all_serve();
    assert_eq!(ensemble.role(3), ServerRole::Observer);
    ensemble.stop(2);
    ensemble.none_serves();
    ensemble.start(2);
    ensemble.all_serve();
    ensemble.stop(3);
    let (mut wire, _) = ensemble.open(1);
    wire.ok(&create("/without-it", b"", 0));
    ensemble.start(3);
    ensemble.all_serve();
    let (mut wire, _) = ensemble.open(3);
    wire.ok(&get("/without-it"));
}
