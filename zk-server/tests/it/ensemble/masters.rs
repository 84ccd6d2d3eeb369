//! Observers that learn from followers (`observerMasterPort`).

use crate::support::ensemble::{Ensemble, MASTERS};
use crate::support::requests::{
    EPHEMERAL, data_of, exists, exists_and_watch, get, get_and_watch, set, sync, synced_data,
};
use crate::support::wire::{Wire, create};
use zk_proto::Request;
use zk_server::ServerRole;

const DELETED: i32 = 2;
const DATA_CHANGED: i32 = 3;
const OBSERVER: i64 = 4;

/// Three voters, and observers behind them.
fn three_and(observers: i64) -> Ensemble {
    let mut ensemble = Ensemble::with_masters(3, observers);
    ensemble.start_all();
    ensemble
}

impl Ensemble {
    /// Who hosts an observer.
    fn master(&self, observer: i64) -> i64 {
        self.metric(observer, "zk_observer_master_id")
    }
}

#[test]
fn followers_host_observers() {
    let ensemble = three_and(2);
    let leader = ensemble.leader();
    ensemble.metric_becomes(leader, "zk_synced_observers", 0);
    let followers = ensemble.followers();
    for observer in [4, 5] {
        assert_eq!(ensemble.role(observer), ServerRole::Observer);
        let master = ensemble.master(observer);
        assert!(followers.contains(&master), "{master} hosts {observer}");
    }
    let hosted = followers
        .iter()
        .map(|id| ensemble.metric(*id, "zk_synced_observers"));
    assert_eq!(hosted.sum::<i64>(), 2);
    assert_eq!(ensemble.metric(leader, "zk_learners"), 2);
    assert!(!ensemble.ask(4, "mntr").contains("zk_synced_observers"));
}

#[test]
fn a_hosted_observer_reads_writes_and_syncs() {
    let ensemble = three_and(1);
    let (mut wire, _) = ensemble.open(OBSERVER);
    wire.ok(&create("/a", b"1", 0));
    assert_eq!(data_of(&wire.ok(&get("/a"))), b"1");
    wire.ok(&get_and_watch("/a"));
    let (mut other, _) = ensemble.open(ensemble.leader());
    other.ok(&set("/a", b"2"));
    let event = wire.next().expect("an event");
    assert_eq!(event.event(), Some((DATA_CHANGED, "/a".into())));
    // What was written elsewhere is there behind a sync, every time.
    for number in 0..200 {
        let data = format!("{number}");
        other.ok(&set("/a", data.as_bytes()));
        assert_eq!(synced_data(&mut wire, "/a"), data.as_bytes());
    }
    wire.ok(&set("/a", b"last"));
    assert_eq!(synced_data(&mut other, "/a"), b"last");
}

#[test]
fn sessions_move_between_an_observer_and_its_master() {
    let ensemble = three_and(2);
    let (mut here, ticket) = ensemble.open(OBSERVER);
    here.ok(&create("/e", b"", EPHEMERAL));
    let leader = ensemble.leader();
    for to in [ensemble.master(OBSERVER), 5, leader, OBSERVER, 5, OBSERVER] {
        let mut there = ensemble.resume(to, &ticket).expect("it moves");
        there.ok(&set("/e", b""));
    }
    let mut here = ensemble.resume(OBSERVER, &ticket).expect("it moves back");
    let (mut other, _) = ensemble.open(leader);
    other.ok(&sync("/"));
    other.ok(&exists_and_watch("/e"));
    here.ok(&Request::CloseSession);
    let event = other.next().expect("an event");
    assert_eq!(event.event(), Some((DELETED, "/e".into())));
    assert!(ensemble.resume(OBSERVER, &ticket).is_none(), "it ended");
}

/// The leader hears of the observer's clients through its master alone.
#[test]
fn pings_keep_sessions_alive() {
    let ensemble = three_and(1);
    let [mut lives, mut dies] = [(); 2].map(|()| {
        let mut wire = Wire::bare(ensemble.address(OBSERVER));
        wire.handshake(None, 2000).expect("a session");
        wire
    });
    lives.ok(&create("/lives", b"", EPHEMERAL));
    dies.ok(&create("/dies", b"", EPHEMERAL));
    let (mut other, _) = ensemble.open(ensemble.leader());
    other.ok(&exists_and_watch("/dies"));
    // One is heard until the other has expired, which takes as long as a
    // whole timeout.
    while lives.call(&exists("/dies")).header.err.is_ok() {
        lives.ok(&exists("/lives"));
        std::thread::yield_now();
    }
    let event = other.next().expect("an event");
    assert_eq!(event.event(), Some((DELETED, "/dies".into())));
    other.ok(&exists("/lives"));
}

#[test]
fn an_observer_survives_its_master() {
    let mut ensemble = three_and(1);
    let (mut wire, ticket) = ensemble.open(OBSERVER);
    wire.ok(&create("/e", b"", EPHEMERAL));
    let (leader, first) = (ensemble.leader(), ensemble.master(OBSERVER));
    ensemble.stop(first);
    assert!(wire.next().is_none(), "its role ended");
    ensemble.becomes(OBSERVER, ServerRole::Observer);
    let second = ensemble.master(OBSERVER);
    assert!(second != first && second != leader, "{second}");
    let mut wire = ensemble.resume(OBSERVER, &ticket).expect("it lives");
    wire.ok(&set("/e", b"still"));
    assert_eq!(ensemble.metric(second, "zk_synced_observers"), 1);
}

#[test]
fn an_observer_survives_the_leader() {
    let mut ensemble = three_and(1);
    let (mut wire, ticket) = ensemble.open(OBSERVER);
    wire.ok(&create("/e", b"", EPHEMERAL));
    let leader = ensemble.leader();
    ensemble.stop(leader);
    assert!(wire.next().is_none(), "its role ended");
    ensemble.leader();
    ensemble.becomes(OBSERVER, ServerRole::Observer);
    let mut wire = ensemble.resume(OBSERVER, &ticket).expect("it lives");
    wire.ok(&set("/e", b"still"));
    ensemble.start(leader);
    ensemble.all_serve();
    let (mut other, _) = ensemble.open(leader);
    assert_eq!(synced_data(&mut other, "/e"), b"still");
}

/// One that was away comes back to what the others have, from a follower's
/// memory, log or tree.
#[test]
fn an_observer_catches_up() {
    let mut ensemble = three_and(1);
    for (round, count) in [(0, 10), (1, 700)] {
        ensemble.stop(OBSERVER);
        let (mut wire, _) = ensemble.open(ensemble.follower());
        for number in 0..count {
            wire.ok(&create(&format!("/{round}-{number}"), b"", 0));
        }
        ensemble.start(OBSERVER);
        ensemble.all_serve();
        same_tree(&ensemble);
    }
    ensemble.stop(OBSERVER);
    ensemble.wipe(OBSERVER);
    ensemble.start(OBSERVER);
    ensemble.all_serve();
    same_tree(&ensemble);
}

fn same_tree(ensemble: &Ensemble) {
    let leader = ensemble.leader();
    let count = |id| {
        let (mut wire, _) = ensemble.open(id);
        wire.ok(&sync("/"));
        ensemble.metric(id, "zk_znode_count")
    };
    assert_eq!(count(OBSERVER), count(leader));
    assert_ne!(ensemble.master(OBSERVER), leader);
}

/// With no follower that hosts it the leader serves it itself.
#[test]
fn without_a_master_the_leader_is_asked() {
    let mut ensemble = Ensemble::with(3, 1, "");
    ensemble.say(OBSERVER, MASTERS);
    ensemble.start_all();
    assert_eq!(ensemble.master(OBSERVER), ensemble.leader());
    let (mut wire, _) = ensemble.open(OBSERVER);
    wire.ok(&create("/a", b"", 0));
}
