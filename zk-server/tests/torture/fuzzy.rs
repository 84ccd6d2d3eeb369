//! Snapshots that were taken while many clients wrote: from each of them, with
//! the logs, comes the same tree. (Invariants I22 and I23 of recovery.)

use crate::support::client::{Client, create, delete, set};
use crate::support::memory::{dirs, recover};
use crate::support::process::{Process, assert_sound, write_config};
use crate::support::rng::Rng;
use crate::support::writer::{SESSION_MS, Writer};
use crate::support::{fixtures, tree};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::time::Duration;
use zk_log::{LogConfig, MemStorage, Storage as _};
use zk_proto::{Acl, CreateTtlRequest, OpCode, Perms, Request, SetAclRequest};

const WRITERS: usize = 5;
/// Enough that thousands of writes happen while a snapshot is written.
const BALLAST: usize = 30_000;
const LOAD: Duration = Duration::from_millis(1500);
/// Snapshots to start from, newest first.
const SNAPSHOTS: usize = 16;

#[test]
fn every_snapshot_leads_to_the_same_tree() {
    let (_, seed) = Rng::from_env("ZK_FUZZY_SEED");
    let dir = tempfile::tempdir().expect("a directory");
    let data_dir = dir.path().join("data");
    std::fs::create_dir(&data_dir).expect("a directory");
    let config = write_config(&data_dir, 0, "preAllocSize=64\nsnapCount=1500");
    let writers = load(&config, seed);
    let files = fixtures::content(&data_dir);
    let mut snapshots: Vec<i64> = files
        .iter()
        .filter_map(|(name, _)| fixtures::zxid_of(name, "snapshot."))
        .collect();
    snapshots.sort_unstable_by_key(|zxid| -zxid);
    snapshots.truncate(SNAPSHOTS);
    let reference = recover(&disk(&files, snapshots[0])).expect("the newest").1;
    let expected = tree::nodes(&reference);
    let mut fuzzy = 0;
    for &newest in &snapshots {
        let context = format!("ZK_FUZZY_SEED={seed} from snapshot.{newest:x}");
        let (recovered, tree) =
            recover(&disk(&files, newest)).unwrap_or_else(|error| panic!("{context}: {error}"));
        let used = recovered.snapshot.as_ref().expect("a snapshot is used");
        // The very newest may have been interrupted.
        assert!(
            used.zxid.0 == newest || newest == snapshots[0],
            "{context}: not used"
        );
        fuzzy += usize::from(used.end.may_hold_up_to(used.zxid) > used.zxid);
        assert_eq!(tree.digest_mismatches(), 0, "{context}");
        assert_eq!(tree.digest(), reference.digest(), "{context}");
        assert_eq!(tree.last_zxid(), reference.last_zxid(), "{context}");
        assert_eq!(
            tree::sessions(&tree),
            tree::sessions(&reference),
            "{context}"
        );
        let found = tree::nodes(&tree);
        for (path, node) in &expected {
            assert_eq!(found.get(path), Some(node), "{context}: {path}");
        }
        assert_eq!(found.len(), expected.len(), "{context}");
        for writer in &writers {
            writer.progress.lock().check(&recovered, &tree, &context);
        }
    }
    println!("{} snapshots, {fuzzy} of them fuzzy", snapshots.len());
    assert!(fuzzy > 0, "no snapshot was fuzzy");
    serve_from_the_oldest(
        &files,
        snapshots[snapshots.len() - 1],
        &tree::seen(&reference),
    );
}

/// A disk with the snapshots up to `newest` and all logs.
fn disk(files: &[(String, Vec<u8>)], newest: i64) -> MemStorage {
    let disk = MemStorage::new();
    disk.create_dirs(&dirs().snap_dir).expect("a directory");
    for (name, bytes) in kept(files, newest) {
        disk.put(&dirs().snap_dir.join(name), bytes);
    }
    disk
}

fn kept(files: &[(String, Vec<u8>)], newest: i64) -> impl Iterator<Item = &(String, Vec<u8>)> {
    files.iter().filter(move |(name, _)| {
        fixtures::zxid_of(name, "snapshot.").is_none_or(|zxid| zxid <= newest)
    })
}

/// All clients until the server is killed.
fn load(config: &std::path::Path, seed: u64) -> Vec<Writer> {
    let server = Process::start(config);
    let address = server.address();
    load_ballast(address);
    let mut writers: Vec<_> = (0..WRITERS)
        .map(|at| Writer::new(address, at, seed))
        .collect();
    std::thread::scope(|scope| {
        for writer in &mut writers {
            scope.spawn(move || {
                let mut client = writer.resume(address).expect("it serves");
                writer.run(&mut client);
            });
        }
        scope.spawn(move || mix(address, Rng::new(seed)));
        std::thread::sleep(LOAD);
        server.signal(Signal::KILL);
    });
    assert_sound(&server.wait().1);
    writers
}

fn load_ballast(address: SocketAddr) {
    let mut client = Client::open(address, SESSION_MS).expect("a session");
    client.ok(&create("/ballast", b"", 0));
    client.ok(&create("/zookeeper/quota/ballast", b"", 0));
    let limits = b"count=-1,bytes=-1";
    client.ok(&create(
        "/zookeeper/quota/ballast/zookeeper_limits",
        limits,
        0,
    ));
    client.ok(&create(
        "/zookeeper/quota/ballast/zookeeper_stats",
        limits,
        0,
    ));
    for chunk in (0..BALLAST).collect::<Vec<_>>().chunks(500) {
        let paths: Vec<_> = chunk.iter().map(|at| format!("/ballast/{at}")).collect();
        let requests: Vec<_> = paths
            .iter()
            .map(|path| create(path, &[b'b'; 100], 0))
            .collect();
        client.send(&requests).expect("it serves");
        for _ in &requests {
            assert!(client.next().expect("it serves").header.err.is_ok());
        }
    }
}

/// What the writers do not do, all over the ballast, so that a snapshot meets
/// it before, behind and under its cursor.
fn mix(address: SocketAddr, mut rng: Rng) {
    while mix_once(address, &mut rng).is_ok() {}
}

fn mix_once(address: SocketAddr, rng: &mut Rng) -> std::io::Result<()> {
    let mut client = Client::open(address, SESSION_MS)?;
    let paths: Vec<_> = (0..60)
        .map(|_| format!("/ballast/{}", rng.below(BALLAST)))
        .collect();
    let below: Vec<_> = paths.iter().map(|path| format!("{path}/x")).collect();
    let mut requests = Vec::new();
    for (path, below) in paths.iter().zip(&below) {
        requests.push(match rng.below(9) {
            0 => set(path, b"new", -1),
            1 => delete(path, -1),
            2 => create(path, b"again", 0),
            3 => create(below, b"", 1),
            4 => create(below, b"", 2),
            5 => set_acl(path, rng),
            6 => Request::CreateTtl(CreateTtlRequest {
                path: Some(below.as_str().into()),
                data: None,
                acl: Some(vec![Acl::open()]),
                flags: 5,
                ttl: 1 << 30,
            }),
            7 => container(below),
            _ => delete(below, -1),
        });
    }
    // Most sessions end, with their ephemerals.
    if rng.below(3) != 0 {
        requests.push(Request::CloseSession);
    }
    client.send(&requests)?;
    requests.iter().try_for_each(|_| client.next().map(drop))
}

fn set_acl<'a>(path: &'a str, rng: &mut Rng) -> Request<'a> {
    let other = Acl::new(Perms::READ, "ip", format!("10.0.0.{}", rng.below(250)));
    Request::SetAcl(SetAclRequest {
        path: Some(path.into()),
        acl: Some(vec![Acl::open(), other]),
        version: -1,
    })
}

fn container(path: &str) -> Request<'_> {
    Request::Create(
        OpCode::CREATE_CONTAINER,
        crate::support::client::create_record(path, b"", 4),
    )
}

/// The real server, from the oldest of them, shows that tree.
fn serve_from_the_oldest(files: &[(String, Vec<u8>)], newest: i64, expected: &tree::Nodes) {
    let dir = tempfile::tempdir().expect("a directory");
    let data_dir = dir.path().join("data");
    let kept: Vec<_> = kept(files, newest).cloned().collect();
    fixtures::put(&data_dir, &kept);
    let server = Process::start(&write_config(&data_dir, 0, ""));
    let mut client = Client::open(server.address(), SESSION_MS).expect("a session");
    let found = tree::walk(&mut client);
    tree::assert_same("served from the oldest snapshot", expected, &found);
    assert_sound(&server.kill());
    let storage = zk_log::FileStorage;
    let dirs = zk_log::LogDirs::new(&data_dir, &data_dir);
    let again = tree::recover(&storage, &dirs, &LogConfig::default()).expect("it was killed");
    assert_eq!(again.1.digest_mismatches(), 0);
}
