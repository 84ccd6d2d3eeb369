//! A directory that changes hands: Apache, this server, Apache, this server,
//! with writes at each stop. Each server has what the one before it had: every
//! znode with data, Stat and ACL, every session with its ephemerals, and the
//! digests in the files are those of the trees. In the end Apache's own tools
//! read the files.

use crate::support::apache::Apache;
use crate::support::client::{
    Client, Ticket, create, create_record, delete, monitored, of_path, read, set, word,
};
use crate::support::fixtures;
use crate::support::process::{Process, assert_sound, write_config};
use crate::support::rng::Rng;
use crate::support::tree::{self, Nodes};
use crate::support::writer::{SESSION_MS, Writer, ephemerals};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use zk_log::{FileStorage, LogConfig, LogDirs};
use zk_proto::{
    Acl, Buffer, CheckVersionRequest, CreateRequest, CreateTtlRequest, DeleteRequest, ErrorCode,
    Id, MultiOp, OpCode, Perms, Request, Response, SetAclRequest, SetDataRequest,
};

/// Reads everything on both.
const SUPER: &str = "DigestAuthenticationProvider.superDigest=super:aUNvlR1MTvkJltEXyKE6RkjAUlk=";
const CREDENTIALS: &str = "super:fixture";
/// A client's own identity.
const ALICE: &str = "alice:wonder";

#[test]
fn between_395_and_ours() {
    let Some(apache) = Apache::find("between_395_and_ours", "ZK_APACHE_395") else {
        return;
    };
    let mut game = Game::new(&apache, "snapCount=150\nextendedTypesEnabled=true");
    game.at_apache(60);
    game.at_ours(60);
    game.at_apache(60);
    game.at_ours(60);
    game.at_apache(0);
    game.have_the_tools_read();
}

#[test]
fn with_gz_on_one_side_and_snappy_on_the_other() {
    let test = "with_gz_on_one_side_and_snappy_on_the_other";
    let Some(apache) = Apache::find(test, "ZK_APACHE_395") else {
        return;
    };
    let mut game = Game::new(&apache, "snapCount=60\nextendedTypesEnabled=true");
    game.apaches = "snapshot.compression.method=gz".into();
    game.ours = "snapshot.compression.method=snappy".into();
    game.at_apache(30);
    game.at_ours(30);
    std::mem::swap(&mut game.apaches, &mut game.ours);
    game.at_apache(30);
    game.at_ours(30);
    game.have_the_formatter_read();
}

#[test]
fn without_digests() {
    let Some(apache) = Apache::find("without_digests", "ZK_APACHE_395") else {
        return;
    };
    let extra = "digest.enabled=false\nserializeLastProcessedZxid.enabled=false\n\
                 closeSessionTxn.enabled=false\nextendedTypesEnabled=true\nsnapCount=60";
    let mut game = Game::new(&apache, extra);
    game.digest = false;
    game.at_ours(30);
    game.at_apache(30);
    // A tree can have its digests switched on at any time.
    game.extra = "extendedTypesEnabled=true".into();
    game.digest = true;
    // Without them, the history had zeros.
    game.hashes.clear();
    game.at_ours(10);
    game.at_apache(0);
}

#[test]
fn between_380_and_ours() {
    let Some(apache) = Apache::find("between_380_and_ours", "ZK_APACHE_380") else {
        return;
    };
    // 3.8 does not know the last part of a 3.9 snapshot.
    let extra = "serializeLastProcessedZxid.enabled=false\nextendedTypesEnabled=true\nsnapCount=60";
    let mut game = Game::new(&apache, extra);
    // 3.8.0 refuses it, and what 3.9 and this server log of it is dropped by
    // its replay.
    game.create2_in_multi = OpCode::CREATE;
    game.at_apache(30);
    game.at_ours(30);
    game.at_apache(0);
}

/// In the middle of writes, large ones among them: the next server opens what
/// the killed one left, and nothing that was acknowledged is lost.
#[test]
fn killed_under_load() {
    let Some(apache) = Apache::find("killed_under_load", "ZK_APACHE_395") else {
        return;
    };
    let (_, seed) = Rng::from_env("ZK_PINGPONG_SEED");
    let extra = format!("{SUPER}\npreAllocSize=64\nsnapCount=1000");
    let dir = tempfile::tempdir().expect("a directory");
    let data_dir = dir.path().join("data");
    std::fs::create_dir(&data_dir).expect("a directory");
    let mut writers = Vec::new();
    for round in 0..6 {
        let context = format!("ZK_PINGPONG_SEED={seed} round {round}");
        if round % 2 == 0 {
            let server = Process::start(&write_config(&data_dir, 0, &extra));
            load(server.address(), &mut writers, seed, &context, || {
                server.signal(Signal::KILL);
            });
            assert_sound(&server.wait().1);
        } else {
            let mut server = apache.start(&data_dir, &extra);
            let address = server.address();
            load(address, &mut writers, seed, &context, || server.kill());
        }
    }
}

/// Compares with what was acknowledged, then writes until the server is gone.
fn load(
    address: SocketAddr,
    writers: &mut Vec<Writer>,
    seed: u64,
    context: &str,
    kill: impl FnOnce(),
) {
    if writers.is_empty() {
        writers.extend((0..4).map(|at| Writer::new(address, at, seed)));
    }
    for writer in writers.iter_mut() {
        writer.largest = 20_000;
        let mut client = writer.resume(address).expect("it serves");
        let found = writer.found_by(&mut client);
        writer.progress.lock().settle(found, context);
    }
    let mismatches = monitored(address, "zk_digest_mismatches_count");
    assert_eq!(mismatches, 0, "{context}");
    std::thread::scope(|scope| {
        for writer in writers.iter_mut() {
            scope.spawn(move || {
                let mut client = writer.resume(address).expect("it serves");
                writer.run(&mut client);
            });
        }
        std::thread::sleep(Duration::from_millis(200));
        kill();
    });
}

/// A directory, and what is known about it.
struct Game<'a> {
    apache: &'a Apache,
    _dir: TempDir,
    data_dir: PathBuf,
    extra: String,
    /// Lines for one of the two only.
    apaches: String,
    ours: String,
    digest: bool,
    /// The create2 of a multi, or what stands for it.
    create2_in_multi: OpCode,
    stop: usize,
    /// The tree that the last server showed before it was killed.
    left: Option<Nodes>,
    /// `hash` of that server.
    hashes: String,
    /// Sessions that were left open, with their ephemerals.
    sessions: Vec<(Ticket, Vec<String>)>,
}

impl<'a> Game<'a> {
    fn new(apache: &'a Apache, extra: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let data_dir = dir.path().join("data");
        std::fs::create_dir(&data_dir).expect("a directory");
        Self {
            apache,
            data_dir,
            _dir: dir,
            extra: extra.into(),
            apaches: String::new(),
            ours: String::new(),
            digest: true,
            create2_in_multi: OpCode::CREATE2,
            stop: 0,
            left: None,
            hashes: String::new(),
            sessions: Vec::new(),
        }
    }

    fn config(&self, more: &str) -> String {
        format!("{SUPER}\npreAllocSize=64\n{}\n{more}", self.extra)
    }

    fn at_apache(&mut self, churn: usize) {
        let config = self.config(&self.apaches);
        let mut server = self.apache.start(&self.data_dir, &config);
        self.visit(server.address(), churn, "Apache");
        server.kill();
        self.check_files();
    }

    fn at_ours(&mut self, churn: usize) {
        let config = write_config(&self.data_dir, 0, &self.config(&self.ours));
        let server = Process::start(&config);
        self.visit(server.address(), churn, "ours");
        // In turns, as both must leave good files.
        let said = if self.stop % 4 < 2 {
            server.kill()
        } else {
            server.terminate()
        };
        assert_sound(&said);
        self.check_files();
    }

    /// Compares with what was left, writes, and looks at everything.
    fn visit(&mut self, address: SocketAddr, churn: usize, who: &str) {
        self.stop += 1;
        let context = format!("stop {} at {who}", self.stop);
        let mut client = Client::open(address, SESSION_MS).expect("a session");
        client.authenticate(CREDENTIALS);
        if let Some(left) = &self.left {
            tree::assert_same(&context, left, &tree::walk(&mut client));
        }
        self.check_hashes(address, &context);
        self.check_sessions(address, &context);
        if churn > 0 {
            write_everything(
                address,
                self.stop,
                self.create2_in_multi,
                &mut self.sessions,
            );
            for round in 0..churn {
                churn_once(&mut client, self.stop, round);
            }
        }
        assert_eq!(
            monitored(address, "zk_digest_mismatches_count"),
            0,
            "{context}"
        );
        self.left = Some(tree::walk(&mut client));
        self.hashes = word(address, "hash").expect("an answer");
        // Not only servers end: this session does too, at every second stop.
        if self.stop.is_multiple_of(2) {
            client.close();
        }
    }

    /// Digests that both remember are the same.
    fn check_hashes(&self, address: SocketAddr, context: &str) {
        let now = word(address, "hash").expect("an answer");
        let lines = |text: &str| -> Vec<(String, String)> {
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            lines
                .map(|(zxid, digest)| (zxid.into(), digest.into()))
                .collect()
        };
        let before = lines(&self.hashes);
        for (zxid, digest) in lines(&now) {
            let same = before.iter().find(|(other, _)| *other == zxid);
            assert!(
                same.is_none_or(|(_, other)| *other == digest),
                "{context}: {zxid}"
            );
        }
    }

    /// Every session resumes with its id and password, and has its
    /// ephemerals; with another password none does.
    fn check_sessions(&self, address: SocketAddr, context: &str) {
        for (ticket, paths) in &self.sessions {
            let forged = Ticket {
                password: vec![7; 16],
                ..ticket.clone()
            };
            let refused = Client::resume(address, &forged, zk_proto::Zxid::ZERO);
            assert!(refused.expect("it serves").is_none(), "{context}");
            let resumed = Client::resume(address, ticket, zk_proto::Zxid::ZERO);
            let mut client = resumed
                .expect("it serves")
                .unwrap_or_else(|| panic!("{context}: the session {} is gone", ticket.id));
            assert_eq!(client.ticket.password, ticket.password, "{context}");
            let mut owned = ephemerals(&mut client);
            owned.sort();
            assert_eq!(&owned, paths, "{context}");
        }
    }

    /// The files make the tree that was seen, from every snapshot, and their
    /// digests are its digests.
    fn check_files(&self) {
        let context = format!("the files after stop {}", self.stop);
        let files = fixtures::content(&self.data_dir);
        let snapshots = files
            .iter()
            .filter_map(|(name, _)| fixtures::zxid_of(name, "snapshot."));
        let mut digests = Vec::new();
        for newest in snapshots {
            let copy = tempfile::tempdir().expect("a directory");
            let kept = files.iter().filter(|(name, _)| {
                fixtures::zxid_of(name, "snapshot.").is_none_or(|zxid| zxid <= newest)
            });
            fixtures::put(copy.path(), &kept.cloned().collect::<Vec<_>>());
            let dirs = LogDirs::new(copy.path(), copy.path());
            let (_, tree) =
                tree::recover_with(&FileStorage, &dirs, &LogConfig::default(), self.digest)
                    .unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!(tree.digest_mismatches(), 0, "{context} from {newest:x}");
            let left = self.left.as_ref().expect("a server was visited");
            let seen = tree::seen(&tree);
            tree::assert_same(&format!("{context} from {newest:x}"), left, &seen);
            digests.push((tree.digest(), tree::sessions(&tree)));
        }
        digests.dedup();
        assert_eq!(digests.len(), 1, "{context}: {digests:x?}");
    }

    /// Apache's tools, over all that both left.
    fn have_the_tools_read(&self) {
        for (name, _) in fixtures::content(&self.data_dir) {
            if name.starts_with("log.") {
                let path = self.path(&name);
                let text = self
                    .apache
                    .tool("persistence.TxnLogToolkit", &["-d", &path]);
                assert!(text.contains("EOF reached after"), "{name}: {text}");
                assert!(!text.contains("CRC ERROR"), "{name}: {text}");
            }
        }
        self.have_the_formatter_read();
    }

    fn have_the_formatter_read(&self) {
        let files = fixtures::content(&self.data_dir);
        let mut snapshots: Vec<_> = files
            .iter()
            .filter_map(|(name, _)| Some((fixtures::zxid_of(name, "snapshot.")?, name)))
            .collect();
        snapshots.sort_unstable();
        let newest: Vec<String> = snapshots
            .iter()
            .rev()
            .take(3)
            .map(|it| self.path(it.1))
            .collect();
        for (path, flag) in newest.iter().zip(["-d", "-json", ""]) {
            let args: Vec<&str> = [flag, path]
                .into_iter()
                .filter(|it| !it.is_empty())
                .collect();
            let text = self.apache.tool("SnapshotFormatter", &args);
            assert!(text.contains("everything"), "{path}: {text}");
        }
        if let [left, right, ..] = &*newest {
            let args = ["-l", left, "-r", right, "-b", "0", "-n", "0"];
            let text = self.apache.tool("SnapshotComparer", &args);
            assert!(text.contains("All layers compared."), "{text}");
        }
    }

    fn path(&self, name: &str) -> String {
        let path = self.data_dir.join("version-2").join(name);
        path.to_str().expect("a path of ASCII").to_owned()
    }
}

/// A bit of everything, under a znode of this stop; and changes to what the
/// stops before made.
fn write_everything(
    address: SocketAddr,
    stop: usize,
    create2_in_multi: OpCode,
    sessions: &mut Vec<(Ticket, Vec<String>)>,
) {
    let top = format!("/stop{stop}-everything");
    let mut client = Client::open(address, SESSION_MS).expect("a session");
    client.authenticate(ALICE);
    client.ok(&create(&top, b"everything", 0));
    write_kinds(&mut client, &top);
    write_acls(&mut client, &top);
    write_multis(&mut client, &top, create2_in_multi);
    write_quota(&mut client, &top);
    delete_some(&mut client, &top);
    if stop > 1 {
        change_what_others_made(&mut client, &format!("/stop{}-everything", stop - 1));
    }
    let mut owned = ephemerals(&mut client);
    owned.sort();
    assert!(owned.len() > 2);
    // Left open: the next server has to know it.
    sessions.push((client.ticket.clone(), owned));
    // And one that ends, with an ephemeral that goes with it.
    let mut other = Client::open(address, SESSION_MS).expect("a session");
    other.ok(&create(&format!("{top}/short-lived"), b"", 1));
    other.close();
}

fn write_kinds(client: &mut Client, top: &str) {
    for (name, flags) in [("p", 0), ("e", 1), ("s-", 2), ("es-", 3), ("ünïcødé", 0)] {
        client.ok(&create(&format!("{top}/{name}"), name.as_bytes(), flags));
        client.ok(&create(&format!("{top}/{name}-2"), b"", flags));
    }
    let path = format!("{top}/container");
    client.ok(&Request::Create(
        OpCode::CREATE_CONTAINER,
        create_record(&path, b"c", 4),
    ));
    let below = format!("{path}/child");
    client.ok(&create(&below, b"", 0));
    for (name, flags) in [("ttl", 5), ("ttl-s-", 6)] {
        let path = format!("{top}/{name}");
        client.ok(&Request::CreateTtl(CreateTtlRequest {
            path: Some(path.as_str().into()),
            data: Some(Buffer(b"ttl")),
            acl: Some(vec![Acl::open()]),
            flags,
            ttl: 3_600_000,
        }));
    }
    let path = format!("{top}/null");
    let mut record = create_record(&path, b"", 0);
    record.data = None;
    client.ok(&Request::Create(OpCode::CREATE2, record));
    for version in 0..3 {
        client.ok(&set(&format!("{top}/p"), &[b'd'; 300], version));
    }
    client.ok(&set("/", top.as_bytes(), -1));
}

fn write_acls(client: &mut Client, top: &str) {
    let alice = zk_server::generate_digest(ALICE);
    let lists = [
        vec![Acl::new(Perms::ALL, "digest", alice)],
        vec![
            Acl::new(Perms::ALL, "ip", "127.0.0.1/8"),
            Acl::new(Perms::READ, "ip", "10.0.0.1"),
        ],
        vec![Acl::new(Perms::READ, "world", "anyone")],
        vec![
            Acl {
                perms: Perms::ALL,
                id: Id::new("auth", ""),
            },
            Acl::open(),
        ],
    ];
    for (at, list) in lists.iter().enumerate() {
        let path = format!("{top}/acl{at}");
        client.ok(&Request::Create(
            OpCode::CREATE,
            CreateRequest {
                path: Some(path.as_str().into()),
                data: Some(Buffer(b"guarded")),
                acl: Some(list.clone()),
                flags: 0,
            },
        ));
        let changed = format!("{top}/changed{at}");
        client.ok(&create(&changed, b"", 0));
        client.ok(&set_acl(&changed, list.clone(), 0));
    }
    assert_eq!(
        client.err(&set(&format!("{top}/acl2"), b"", -1)),
        ErrorCode::NO_AUTH
    );
}

fn set_acl<'a>(path: &'a str, acl: Vec<Acl<'a>>, version: i32) -> Request<'a> {
    Request::SetAcl(SetAclRequest {
        path: Some(path.into()),
        acl: Some(acl),
        version,
    })
}

fn write_multis(client: &mut Client, top: &str, create2: OpCode) {
    let [a, b, p] = ["multi-a", "multi-b", "p"].map(|name| format!("{top}/{name}"));
    client.ok(&Request::Multi(vec![
        MultiOp::Create(OpCode::CREATE, create_record(&a, b"a", 0)),
        MultiOp::Create(create2, create_record(&b, b"b", 1)),
        MultiOp::SetData(SetDataRequest {
            path: Some("/".into()),
            data: Some(Buffer(b"by a multi")),
            version: -1,
        }),
        check(&p, 3),
    ]));
    // These fail, and are in the log all the same.
    client.ok(&Request::Multi(vec![
        MultiOp::Create(OpCode::CREATE, create_record(&a, b"again", 0)),
        MultiOp::Delete(delete_record(&p)),
    ]));
    client.ok(&Request::Multi(vec![check(&p, 3), check(&p, 77)]));
    client.ok(&Request::Multi(Vec::new()));
}

fn check(path: &str, version: i32) -> MultiOp<'_> {
    MultiOp::Check(CheckVersionRequest {
        path: Some(path.into()),
        version,
    })
}

fn delete_record(path: &str) -> DeleteRequest<'_> {
    DeleteRequest {
        path: Some(path.into()),
        version: -1,
    }
}

/// Limits on this stop's znode; what is used is counted by the server.
fn write_quota(client: &mut Client, top: &str) {
    let quota = format!("/zookeeper/quota{top}");
    client.ok(&create(&quota, b"", 0));
    for (name, data) in [
        (
            "zookeeper_limits",
            "count=10000,bytes=1000000=;byteHardLimit=-1;countHardLimit=-1",
        ),
        ("zookeeper_stats", "count=0,bytes=0"),
    ] {
        client.ok(&create(&format!("{quota}/{name}"), data.as_bytes(), 0));
    }
    client.ok(&create(&format!("{top}/counted"), b"12345", 0));
}

fn delete_some(client: &mut Client, top: &str) {
    for name in ["p-2", "e-2", "changed1"] {
        client.ok(&delete(&format!("{top}/{name}"), -1));
    }
    let there = client.err(&Request::Exists(read(&format!("{top}/p-2"))));
    assert_eq!(there, ErrorCode::NO_NODE);
    assert_eq!(client.err(&delete(top, -1)), ErrorCode::NOT_EMPTY);
    assert_eq!(client.err(&create(top, b"", 0)), ErrorCode::NODE_EXISTS);
    assert_eq!(client.err(&set("/nowhere", b"", -1)), ErrorCode::NO_NODE);
}

/// The other server's znodes, versions and counters go on where they were.
fn change_what_others_made(client: &mut Client, top: &str) {
    let p = format!("{top}/p");
    assert_eq!(client.err(&set(&p, b"", 2)), ErrorCode::BAD_VERSION);
    client.ok(&set(&p, b"changed by the next one", 3));
    let parent = client.ok(&Request::Exists(read(top)));
    let Response::Stat(stat) = parent.record(OpCode::EXISTS) else {
        panic!("no Stat");
    };
    let created = (stat.cversion + stat.num_children) / 2;
    let sequential = client.ok(&create(&format!("{top}/s-"), b"", 2));
    assert_eq!(sequential.path(), format!("{top}/s-{created:010}"));
    client.ok(&Request::GetData(read(&format!("{top}/acl0"))));
    client.ok(&set_acl(&format!("{top}/changed0"), vec![Acl::open()], 1));
    client.ok(&delete(&format!("{top}/container/child"), -1));
    client.ok(&create(&format!("{top}/container/second"), b"", 0));
    client.ok(&set(&format!("{top}/ttl"), b"again", 0));
    client.ok(&delete(&format!("{top}/null"), -1));
    client.ok(&Request::GetEphemerals(of_path("/")));
}

/// Many small writes, so that snapshots are written and logs roll.
fn churn_once(client: &mut Client, stop: usize, round: usize) {
    let path = format!("/churn{stop}-{round}");
    let data = vec![b'x'; 50 * (round % 40)];
    let requests = [
        create(&path, &data, 0),
        set(&path, b"second", 0),
        create("/churn-", b"", 2),
        set(&path, b"", 7),
        delete(&path, i32::from(round.is_multiple_of(3))),
    ];
    client.send(&requests).expect("it serves");
    for _ in &requests {
        client.next().expect("it serves");
    }
}
