//! Clients of different servers see one tree, each in its own order.

use crate::support::ensemble::Ensemble;
use crate::support::requests::{
    CONTAINER, SEQUENTIAL, WITH_TTL, authenticate, create_container, create_guarded, create_record,
    create_ttl, data_of, delete, delete_record, exists, exists_and_watch, get, get_and_watch, set,
    sync, synced_data,
};
use crate::support::wire::{Wire, create};
use zk_proto::{Acl, ErrorCode, MultiOp, OpCode, Perms, Request, Response, Zxid};

const DATA_CHANGED: i32 = 3;
const DELETED: i32 = 2;

#[test]
fn what_one_server_takes_all_serve() {
    let ensemble = Ensemble::serving(3);
    for from in 1..=3 {
        let path = format!("/from-{from}");
        let (mut writer, _) = ensemble.open(from);
        writer.ok(&create(&path, b"here", 0));
        assert_eq!(data_of(&writer.ok(&get(&path))), b"here", "its own write");
        for at in 1..=3 {
            let (mut reader, _) = ensemble.open(at);
            assert_eq!(synced_data(&mut reader, &path), b"here");
        }
    }
}

#[test]
fn watches_hear_of_writes_elsewhere() {
    let ensemble = Ensemble::serving(3);
    let (mut writer, _) = ensemble.open(ensemble.leader());
    writer.ok(&create("/a", b"old", 0));
    let mut watchers: Vec<Wire> = (1..=3).map(|id| ensemble.open(id).0).collect();
    for watcher in &mut watchers {
        watcher.ok(&sync("/a"));
        watcher.ok(&get_and_watch("/a"));
    }
    let written = writer.ok(&set("/a", b"new")).header.zxid;
    for watcher in &mut watchers {
        let event = watcher.next().expect("an event");
        assert_eq!(event.event(), Some((DATA_CHANGED, "/a".into())));
        assert_eq!(event.header.zxid, written);
        assert_eq!(data_of(&watcher.ok(&get("/a"))), b"new");
    }
}

/// A sync at a server that lags behind comes back when it has caught up.
#[test]
fn a_sync_sees_all_that_was_written_before() {
    let ensemble = Ensemble::serving(3);
    let (mut writer, _) = ensemble.open(ensemble.leader());
    let mut readers: Vec<Wire> = (1..=3).map(|id| ensemble.open(id).0).collect();
    writer.ok(&create("/n", b"", 0));
    for round in 0..20u8 {
        writer.ok(&set("/n", &[round]));
        for reader in &mut readers {
            assert_eq!(synced_data(reader, "/n"), [round]);
        }
    }
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let ensemble = Ensemble::serving(3);
    let ids = [ensemble.leader(), ensemble.follower()];
    let mut clients: Vec<(Wire, String, Vec<_>)> = ids
        .iter()
        .map(|&id| (ensemble.open(id).0, format!("/{id}"), Vec::new()))
        .collect();
    for (wire, path, _) in &mut clients {
        wire.ok(&create(path, b"", 0));
    }
    for round in 0..50u8 {
        for (wire, path, expected) in &mut clients {
            expected.push((wire.send(&set(path, &[round])), None));
            expected.push((wire.send(&get(path)), Some(round)));
            expected.push((wire.send(&exists("/none")), None));
            if round % 10 == 0 {
                expected.push((wire.send(&sync(path)), None));
            }
        }
    }
    for (mut wire, _, expected) in clients {
        for (xid, data) in expected {
            let answer = wire.next().expect("an answer");
            assert_eq!(answer.header.xid, xid);
            if let Some(round) = data {
                assert_eq!(data_of(&answer), [round], "a read saw another write");
            }
        }
    }
}

/// Errors of the leader find their way back to the follower's client, and
/// take their turn there.
#[test]
fn errors_come_back_to_a_followers_client() {
    let ensemble = Ensemble::serving(3);
    let (mut wire, _) = ensemble.open(ensemble.follower());
    let undecodable = [0xff, 0xff];
    let expected = [
        (wire.send(&create("/a", b"", 0)), ErrorCode::OK),
        (wire.send(&create("/a", b"", 0)), ErrorCode::NODE_EXISTS),
        (wire.send(&create("/b/c", b"", 0)), ErrorCode::NO_NODE),
        (wire.send(&delete("/b")), ErrorCode::NO_NODE),
        (
            wire.send_body(OpCode::CREATE, &undecodable),
            ErrorCode::MARSHALLING_ERROR,
        ),
        (
            wire.send_body(OpCode::MULTI, &undecodable),
            ErrorCode::MARSHALLING_ERROR,
        ),
        (wire.send(&get("/a")), ErrorCode::OK),
        (wire.send(&delete("/a")), ErrorCode::OK),
    ];
    for (xid, code) in expected {
        let answer = wire.next().expect("an answer");
        assert_eq!((answer.header.xid, answer.header.err), (xid, code));
    }
    wire.send_body(OpCode(999), b"");
    let answer = wire.next().expect("an answer");
    assert_eq!(answer.header.err, ErrorCode::UNIMPLEMENTED);
    assert!(wire.next().is_none(), "the connection ends");
}

#[test]
fn a_followers_multi_happens_whole_or_not_at_all() {
    let ensemble = Ensemble::serving(3);
    let (mut wire, _) = ensemble.open(ensemble.follower());
    let part = |path, flags| {
        let record = create_record(path, b"x", vec![Acl::open()], flags);
        MultiOp::Create(OpCode::CREATE, record)
    };
    let multi = Request::Multi(vec![
        part("/m", 0),
        part("/m/n-", SEQUENTIAL),
        MultiOp::Delete(delete_record("/m/n-0000000000")),
    ]);
    let answer = wire.ok(&multi);
    let Response::Multi(results) = answer.record(OpCode::MULTI) else {
        panic!("no results: {answer:?}");
    };
    assert_eq!(results.len(), 3);
    wire.ok(&exists("/m"));
    let stumbling = Request::Multi(vec![
        part("/m/left", 0),
        MultiOp::Delete(delete_record("/no")),
    ]);
    let answer = wire.call(&stumbling);
    let Response::Multi(results) = answer.record(OpCode::MULTI) else {
        panic!("no results: {answer:?}");
    };
    assert_eq!(results.len(), 2);
    let (mut other, _) = ensemble.open(ensemble.leader());
    other.ok(&sync("/"));
    assert_eq!(other.err(&exists("/m/left")), ErrorCode::NO_NODE);
}

/// Who the client is goes to the leader with each request: the connection is
/// the follower's.
#[test]
fn identities_go_with_forwarded_requests() {
    let ensemble = Ensemble::serving(3);
    let (mut owner, _) = ensemble.open(ensemble.follower());
    authenticate(&mut owner, "digest", b"user:secret");
    let acl = vec![Acl::new(Perms::ALL, "auth", "")];
    owner.ok(&create_guarded("/mine", b"1", acl));
    owner.ok(&set("/mine", b"2"));
    for id in 1..=3 {
        let (mut stranger, _) = ensemble.open(id);
        stranger.ok(&sync("/"));
        assert_eq!(stranger.err(&get("/mine")), ErrorCode::NO_AUTH);
        assert_eq!(stranger.err(&set("/mine", b"3")), ErrorCode::NO_AUTH);
        authenticate(&mut stranger, "digest", b"user:secret");
        assert_eq!(data_of(&stranger.ok(&get("/mine"))), b"2");
    }
}

#[test]
fn the_largest_requests_pass_between_servers() {
    let ensemble = Ensemble::serving(3);
    let large = vec![7; 0xf_ffff - 100];
    for from in [ensemble.leader(), ensemble.follower()] {
        let path = format!("/large-{from}");
        let (mut wire, _) = ensemble.open(from);
        wire.ok(&create(&path, &large, 0));
        for at in 1..=3 {
            let (mut reader, _) = ensemble.open(at);
            assert_eq!(synced_data(&mut reader, &path), large);
        }
    }
}

/// Each is deleted once, by the leader: another attempt would take a zxid.
#[test]
fn the_leader_removes_containers_and_znodes_whose_time_is_up() {
    let extra = "znode.container.checkIntervalMs=100\nextendedTypesEnabled=true";
    let mut ensemble = Ensemble::with(3, 0, extra);
    ensemble.start_all();
    let (mut wire, _) = ensemble.open(ensemble.follower());
    assert_eq!((CONTAINER, WITH_TTL), (4, 5));
    wire.ok(&create_container("/c"));
    wire.ok(&create("/c/child", b"", 0));
    wire.ok(&exists_and_watch("/c"));
    let Zxid(before) = wire.ok(&delete("/c/child")).header.zxid;
    let event = wire.next().expect("an event");
    assert_eq!(event.event(), Some((DELETED, "/c".into())));
    assert_eq!(event.header.zxid, Zxid(before + 1));
    let Zxid(before) = wire.ok(&create_ttl("/t", 1)).header.zxid;
    assert_eq!(before, event.header.zxid.0 + 1);
    if wire.call(&exists_and_watch("/t")).header.err.is_ok() {
        let event = wire.next().expect("an event");
        assert_eq!(event.event(), Some((DELETED, "/t".into())));
    }
    let after = wire.ok(&create("/behind", b"", 0)).header.zxid;
    assert_eq!(after, Zxid(before + 2));
}
