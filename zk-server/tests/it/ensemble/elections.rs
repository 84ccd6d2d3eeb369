//! Who leads, and when nobody does.

use crate::support::ensemble::Ensemble;
use crate::support::requests::{data_of, exists, get, set, synced_data};
use crate::support::wire::{Wire, create};
use zk_server::ServerRole;

/// With histories that are equal the highest id of the first quorum leads,
/// and who comes later follows (`FastLeaderElection`).
#[test]
fn of_five_that_start_in_order_the_third_leads() {
    let mut ensemble = Ensemble::new(5);
    for id in 1..=3 {
        assert_eq!(ensemble.leaders(), [], "{id} is not here yet");
        ensemble.start(id);
    }
    ensemble.becomes(3, ServerRole::Leader);
    for id in 4..=5 {
        ensemble.start(id);
        ensemble.becomes(id, ServerRole::Follower);
    }
    assert_eq!(ensemble.leader(), 3);
    assert_eq!(ensemble.followers(), [1, 2, 4, 5]);
}

/// Who has more leads, whatever its id.
#[test]
fn the_longest_history_leads() {
    let mut ensemble = Ensemble::new(3);
    ensemble.start(1);
    ensemble.start(2);
    let (mut wire, _) = ensemble.open(ensemble.leader());
    wire.ok(&create("/a", b"", 0));
    // Both have it, for two of three are a quorum.
    ensemble.stop_all();
    ensemble.start(3);
    ensemble.start(1);
    assert_eq!(ensemble.leader(), 1);
    let (mut wire, _) = ensemble.open(3);
    wire.ok(&exists("/a"));
}

#[test]
fn the_rest_goes_on_when_the_leader_stops() {
    let mut ensemble = Ensemble::serving(3);
    let first = ensemble.leader();
    let follower = ensemble.follower();
    let (mut there, _) = ensemble.open(first);
    let (mut here, _) = ensemble.open(follower);
    here.ok(&create("/n", b"1", 0));
    ensemble.stop(first);
    assert!(there.next().is_none(), "its clients are let go");
    assert!(here.next().is_none(), "a server without a leader has none");
    let second = ensemble.leader();
    assert_ne!(second, first);
    let (mut wire, _) = ensemble.open(follower);
    assert_eq!(data_of(&wire.ok(&get("/n"))), b"1");
    wire.ok(&set("/n", b"2"));
    // The one that comes back follows, and has what it missed.
    ensemble.start(first);
    ensemble.becomes(first, ServerRole::Follower);
    assert_eq!(ensemble.leader(), second);
    let (mut wire, _) = ensemble.open(first);
    assert_eq!(data_of(&wire.ok(&get("/n"))), b"2");
}

#[test]
fn the_rest_goes_on_when_a_follower_stops() {
    let mut ensemble = Ensemble::serving(3);
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    let (mut wire, _) = ensemble.open(leader);
    ensemble.stop(follower);
    wire.ok(&create("/n", b"", 0));
    assert_eq!(ensemble.leader(), leader, "nobody was elected");
}

#[test]
fn all_come_back_from_their_disks() {
    let mut ensemble = Ensemble::serving(3);
    let mut epochs = Vec::new();
    for round in 0..3u8 {
        let (mut wire, _) = ensemble.open(ensemble.follower());
        let path = format!("/{round}");
        let written = wire.ok(&create(&path, &[round], 0)).header.zxid;
        epochs.push(written.epoch().0);
        ensemble.stop_all();
        ensemble.start_all();
        for id in 1..=3 {
            let (mut wire, _) = ensemble.open(id);
            for earlier in 0..=round {
                let path = format!("/{earlier}");
                assert_eq!(synced_data(&mut wire, &path), [earlier]);
            }
        }
    }
    assert_eq!(epochs, [1, 2, 3], "each reign is an epoch");
}

/// Four need three: with two gone nobody serves, and nothing that was
/// written is lost when they come back.
#[test]
fn without_a_quorum_nobody_serves() {
    let mut ensemble = Ensemble::serving(4);
    let leader = ensemble.leader();
    let (mut wire, ticket) = ensemble.open(leader);
    wire.ok(&create("/n", b"1", 0));
    let gone: Vec<i64> = ensemble.followers().into_iter().take(2).collect();
    ensemble.stop(gone[0]);
    wire.ok(&set("/n", b"2"));
    ensemble.stop(gone[1]);
    assert!(wire.next().is_none(), "the leader gives up");
    ensemble.none_serves();
    let mut refused = Wire::bare(ensemble.address(leader));
    refused.send_handshake();
    assert_eq!(refused.rest(), b"", "no session without a leader");
    ensemble.start(gone[0]);
    ensemble.all_serve();
    let mut wire = ensemble.resume(leader, &ticket).expect("the session lives");
    assert_eq!(data_of(&wire.ok(&get("/n"))), b"2");
}

/// One that is alone in the list is an ensemble of one, if it is not to
/// stand alone.
#[test]
fn one_server_may_be_an_ensemble() {
    let mut ensemble = Ensemble::with(1, 0, "standaloneEnabled=false");
    for round in 1..=2 {
        ensemble.start_all();
        assert_eq!(ensemble.leader(), 1);
        let (mut wire, _) = ensemble.open(1);
        let path = format!("/{round}");
        let written = wire.ok(&create(&path, b"", 0)).header.zxid;
        assert_eq!(written.epoch().0, round);
        ensemble.stop_all();
    }
}

#[test]
fn a_server_that_knows_old_members_takes_the_new_ones_from_a_vote() {
    let mut ensemble = Ensemble::with(3, 0, "reconfigEnabled=true");
    ensemble.start(1);
    ensemble.start(2);
    ensemble.all_serve();
    ensemble.start_knowing(3, &[2, 3]);
    ensemble.becomes(3, ServerRole::Follower);
    let (mut early, _) = ensemble.open(1);
    let (mut late, _) = ensemble.open(3);
    let members = data_of(&early.ok(&get("/zookeeper/config")));
    assert!(members.ends_with(b"version=100000000"));
    assert_eq!(data_of(&late.ok(&get("/zookeeper/config"))), members);
}
