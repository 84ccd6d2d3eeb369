//! What a configuration may ask of an ensemble beside the usual: sessions of
//! one server, servers that only read, a leader that only leads.

use crate::support::ensemble::Ensemble;
use crate::support::requests::{EPHEMERAL, exists, get, set, sync};
use crate::support::wire::{Wire, create};
use zk_proto::{ErrorCode, Request};
use zk_server::ServerRole;

/// `localSessionsEnabled`: the others need not know, and do not.
#[test]
fn local_sessions_make_no_transactions() {
    let mut ensemble = Ensemble::with(3, 0, "localSessionsEnabled=true");
    ensemble.start_all();
    for at in [ensemble.follower(), ensemble.leader()] {
        let sessions_before = ensemble.metric(at, "zk_global_sessions");
        let (mut wire, ticket) = ensemble.open(at);
        let path = format!("/{at}");
        let first = wire.ok(&create(&path, b"", 0)).header.zxid;
        let (mut other, _) = ensemble.open(at);
        let second = other.ok(&set(&path, b"")).header.zxid;
        assert_eq!(first.next(), Some(second), "no session came between");
        assert_eq!(
            ensemble.metric(at, "zk_global_sessions"),
            sessions_before,
            "all are local"
        );
        assert_eq!(ensemble.metric(at, "zk_local_sessions"), 2);
        let dump = ensemble.ask(at, "dump");
        assert!(dump.contains("\nLocal Session Sets ("), "{dump}");
        assert!(dump.contains("\nGlobal Session"), "{dump}");
        assert_eq!(
            wire.err(&create("/e", b"", EPHEMERAL)),
            ErrorCode::EPHEMERAL_ON_LOCAL_SESSION
        );
        let elsewhere = (1..=3).find(|id| *id != at).expect("another one");
        assert!(ensemble.resume(elsewhere, &ticket).is_none());
        let mut wire = ensemble.resume(at, &ticket).expect("it is known here");
        wire.ok(&exists(&path));
        wire.ok(&Request::CloseSession);
        assert!(wire.next().is_none());
        assert!(ensemble.resume(at, &ticket).is_none());
    }
}

/// `localSessionsUpgradingEnabled`: with its first ephemeral a session is
/// everybody's.
#[test]
fn local_sessions_become_global_when_they_must() {
    let extra = "localSessionsEnabled=true\nlocalSessionsUpgradingEnabled=true";
    let mut ensemble = Ensemble::with(3, 0, extra);
    ensemble.start_all();
    for at in [ensemble.follower(), ensemble.leader()] {
        let (mut wire, ticket) = ensemble.open(at);
        let path = format!("/e{at}");
        wire.ok(&create(&path, b"", EPHEMERAL));
        let elsewhere = (1..=3).find(|id| *id != at).expect("another one");
        let mut wire = ensemble.resume(elsewhere, &ticket).expect("it moves");
        wire.ok(&set(&path, b""));
        wire.ok(&Request::CloseSession);
        let (mut other, _) = ensemble.open(at);
        other.ok(&sync("/"));
        assert_eq!(other.err(&exists(&path)), ErrorCode::NO_NODE);
    }
}

/// `readonlymode.enabled`: a server without a leader serves who only reads.
#[test]
fn without_a_leader_one_may_read() {
    let mut ensemble = Ensemble::with(3, 0, "readonlymode.enabled=true");
    ensemble.start(1);
    ensemble.start(2);
    let (mut wire, ticket) = ensemble.open(ensemble.leader());
    wire.ok(&create("/n", b"", 0));
    wire.ok(&create("/e", b"", EPHEMERAL));
    ensemble.stop(2);
    ensemble.becomes(1, ServerRole::ReadOnly);
    let mut known = Wire::bare(ensemble.address(1));
    known.send_resume_to_read(&ticket);
    assert_eq!(known.rest(), b"", "nobody can say that it is over");
    let mut writer = Wire::bare(ensemble.address(1));
    writer.send_handshake();
    assert_eq!(writer.rest(), b"", "who wants to write is refused");
    let mut reader = Wire::bare(ensemble.address(1));
    assert_eq!(reader.handshake_to_read(), Some(true));
    reader.ok(&get("/n"));
    assert_eq!(reader.err(&set("/n", b"")), ErrorCode::NOT_READ_ONLY);
    reader.ok(&get("/n"));
    assert_eq!(ensemble.ask(1, "isro"), "ro");
    let srvr = ensemble.ask(1, "srvr");
    let warning = "\nREAD-ONLY mode; serving only read-only clients\n";
    assert!(srvr.contains(warning), "{srvr}");
    assert!(srvr.contains("\nMode: read-only\n"), "{srvr}");
    assert!(!ensemble.ask(1, "conf").contains("membership"));
    assert!(
        ensemble
            .ask(1, "mntr")
            .contains("\nzk_server_state\tread-only\n")
    );
    ensemble.start(3);
    ensemble.becomes(1, ServerRole::Leader);
    let mut known = ensemble.resume(1, &ticket).expect("it lives");
    known.ok(&exists("/e"));
    assert!(
        reader.next().is_none(),
        "its session was this server's alone"
    );
    let mut reader = Wire::bare(ensemble.address(1));
    assert_eq!(reader.handshake_to_read(), Some(false));
    reader.ok(&set("/n", b""));
}

/// `leaderServes=no`: clients and words find only the followers.
#[test]
fn a_leader_may_be_left_to_lead() {
    let mut ensemble = Ensemble::with(3, 0, "leaderServes=no");
    ensemble.start_all();
    let mut refused = Wire::bare(ensemble.address(ensemble.leader()));
    refused.send_handshake();
    assert_eq!(refused.rest(), b"");
    let answer = ensemble.ask(ensemble.leader(), "srvr");
    assert!(
        answer.ends_with("not currently serving requests\n"),
        "{answer}"
    );
    let (mut wire, _) = ensemble.open(ensemble.follower());
    wire.ok(&create("/n", b"", 0));
}
