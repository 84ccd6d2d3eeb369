//! A server that comes back gets what it lacks, as little as will do, and
//! loses what was never agreed upon.

use crate::support::ensemble::Ensemble;
use crate::support::requests::{exists, get, set, sync};
use crate::support::wire::{Wire, create};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zk_log::{FileStorage, LogConfig, TxnLog, read_around};
use zk_proto::txn::{CreateTxn, LoggedTxn, Txn, TxnHeader};
use zk_proto::{Acl, Buffer, ErrorCode, OpCode, Request, SessionId, Zxid};

/// How often the leader sent a snapshot, and how often something less.
fn syncs(ensemble: &Ensemble) -> (i64, i64) {
    let leader = ensemble.leader();
    let snapshots = ensemble.metric(leader, "zk_snap_count");
    (snapshots, ensemble.metric(leader, "zk_diff_count"))
}

fn snapshots(data_dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(data_dir.join("version-2")).expect("a directory");
    let names = files.map(|file| file.expect("a file").file_name().into_string());
    let names = names.map(|name| name.expect("text"));
    let mut names: Vec<String> = names.filter(|name| name.starts_with("snapshot.")).collect();
    names.sort();
    names
}

#[test]
fn a_follower_that_lost_everything_gets_a_snapshot() {
    let mut ensemble = Ensemble::serving(3);
    let follower = ensemble.follower();
    let (mut wire, _) = ensemble.open(ensemble.leader());
    wire.ok(&create("/kept", b"all of it", 0));
    ensemble.stop(follower);
    ensemble.wipe(follower);
    let (snapshots_before, diffs_before) = syncs(&ensemble);
    ensemble.start(follower);
    ensemble.all_serve();
    assert_eq!(syncs(&ensemble), (snapshots_before + 1, diffs_before));
    let (mut wire, ticket) = ensemble.open(follower);
    wire.ok(&get("/kept"));
    wire.ok(&create("/more", b"", 0));
    // It starts again from what it was sent.
    ensemble.stop(follower);
    ensemble.start(follower);
    ensemble.all_serve();
    assert_eq!(syncs(&ensemble), (snapshots_before + 1, diffs_before + 1));
    let mut wire = ensemble.resume(follower, &ticket).expect("the session");
    wire.ok(&get("/kept"));
    wire.ok(&get("/more"));
}

#[test]
fn a_follower_that_is_behind_gets_what_it_missed() {
    let mut ensemble = Ensemble::serving(3);
    let follower = ensemble.follower();
    let (mut wire, _) = ensemble.open(ensemble.leader());
    wire.ok(&create("/n", b"", 0));
    ensemble.stop(follower);
    let before = snapshots(&ensemble.data_dir(follower));
    for round in 0..30u8 {
        wire.ok(&set("/n", &[round]));
    }
    let (snapshots_before, diffs_before) = syncs(&ensemble);
    ensemble.start(follower);
    ensemble.all_serve();
    assert_eq!(syncs(&ensemble), (snapshots_before, diffs_before + 1));
    let (mut wire, _) = ensemble.open(follower);
    let answer = wire.ok(&get("/n"));
    let stat = match answer.record(OpCode::GET_DATA) {
        zk_proto::Response::Data(Some(_), stat) => stat,
        other => panic!("no data: {other:?}"),
    };
    assert_eq!(stat.version, 30);
    for name in before {
        let path = ensemble.data_dir(follower).join("version-2").join(&name);
        assert!(path.exists(), "{name} was its history's begin");
    }
}

/// Three servers that stopped after a follower logged what nobody else did.
/// That follower, its last transaction that is shared, and the stray one.
fn diverged() -> (Ensemble, i64, Zxid, Zxid) {
    let mut ensemble = Ensemble::serving(3);
    let follower = ensemble.follower();
    let (mut wire, _) = ensemble.open(ensemble.leader());
    wire.ok(&create("/shared", b"", 0));
    let (mut here, _) = ensemble.open(follower);
    here.ok(&sync("/"));
    // A session that expired later would be another transaction of the others.
    wire.ok(&Request::CloseSession);
    let last = here.ok(&Request::CloseSession).header.zxid;
    ensemble.stop_all();
    let stray = last.next().expect("another one");
    append_create(&log_dir(&ensemble, follower), last, stray, "/stray");
    // The others do not wait for it, and open another epoch.
    for id in (1..=3).filter(|id| *id != follower) {
        ensemble.start(id);
    }
    ensemble.all_serve();
    (ensemble, follower, last, stray)
}

fn log_dir(ensemble: &Ensemble, id: i64) -> PathBuf {
    ensemble.data_dir(id).join("version-2")
}

/// Now, and when it starts from its own files.
fn check_that_it_is_gone(ensemble: &mut Ensemble, at: i64, stray: Zxid) {
    for round in 0..2 {
        let (mut wire, _) = ensemble.open(at);
        assert_eq!(wire.err(&exists("/stray")), ErrorCode::NO_NODE);
        wire.ok(&exists("/shared"));
        let written = write_after(&mut wire, round);
        assert!(written.epoch() > stray.epoch());
        ensemble.stop(at);
        ensemble.start(at);
        ensemble.all_serve();
    }
}

fn write_after(wire: &mut Wire, round: i32) -> Zxid {
    let path = format!("/after-{round}");
    wire.ok(&create(&path, b"", 0)).header.zxid
}

/// What only one server logged, under a leader that is gone, is cut off.
#[test]
fn a_history_that_nobody_shares_is_cut_off() {
    let (mut ensemble, follower, last, stray) = diverged();
    let (snapshots_before, diffs_before) = syncs(&ensemble);
    ensemble.start(follower);
    ensemble.all_serve();
    assert_eq!(syncs(&ensemble), (snapshots_before, diffs_before + 1));
    let log = read_around(&FileStorage, &log_dir(&ensemble, follower), last, u64::MAX);
    let log: Vec<Zxid> = log.expect("a log").iter().map(|(zxid, _)| *zxid).collect();
    assert_eq!(log, [last]);
    check_that_it_is_gone(&mut ensemble, follower, stray);
}

/// As Apache's, a server whose history ends in an epoch that the others have
/// left gets everything anew: nothing says how much of it they share.
#[test]
fn a_history_that_others_have_left_is_replaced() {
    let (mut ensemble, follower, _, stray) = diverged();
    let (mut wire, _) = ensemble.open(ensemble.leader());
    wire.ok(&create("/later", b"", 0));
    let (snapshots_before, diffs_before) = syncs(&ensemble);
    ensemble.start(follower);
    ensemble.all_serve();
    assert_eq!(syncs(&ensemble), (snapshots_before + 1, diffs_before));
    let (mut here, _) = ensemble.open(follower);
    here.ok(&exists("/later"));
    check_that_it_is_gone(&mut ensemble, follower, stray);
}

/// Logs a create as a follower does that heard of it and of nothing after.
fn append_create(log_dir: &Path, last: Zxid, zxid: Zxid, path: &str) {
    let txn = LoggedTxn {
        header: TxnHeader {
            client_id: SessionId(1),
            cxid: 1,
            zxid,
            time: 1,
            kind: OpCode::CREATE,
        },
        txn: Txn::Create(CreateTxn {
            path: path.into(),
            data: Some(Buffer(b"")),
            acl: Some(vec![Acl::open()]),
            ephemeral: false,
            parent_cversion: -1,
        }),
        digest: None,
    };
    let mut payload = Vec::new();
    txn.encode(&mut payload).expect("it encodes");
    let config = LogConfig::default();
    let mut log = TxnLog::open(Arc::new(FileStorage), log_dir, &config, last);
    log.append(zxid, &payload).expect("it is appended");
    log.close().expect("it is durable");
}
