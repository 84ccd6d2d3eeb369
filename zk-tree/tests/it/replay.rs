//! Single transactions and what they tell: events, results, odd cases of
//! replay, and transactions that no leader would write.

use crate::model::CONFIG;
use crate::random::{Random, create, delete};
use std::fmt::Write;
use zk_proto::snapshot::{NodeEntry, SessionEntry};
use zk_proto::txn::{
    CreateContainerTxn, CreateTtlTxn, CreateTxn, LoggedTxn, SetAclTxn, SetDataTxn, SubTxn, Txn,
    TxnDigest, TxnHeader,
};
use zk_proto::{
    Acl, Buffer, EphemeralType, ErrorCode, MAX_TTL_MS, OpCode, Perms, SessionId, StatPersisted,
    Ustr, Zxid,
};
use zk_tree::{Applied, DataTree, Outcome, TreeConfig};

const SESSION: SessionId = SessionId(0x77);

/// A tree and the zxid of its next transaction.
struct Server {
    tree: DataTree,
    next: i64,
    events: String,
}

impl Server {
    fn new() -> Self {
        Self {
            tree: DataTree::new(CONFIG),
            next: 1,
            events: String::new(),
        }
    }

    fn apply(&mut self, txn: Txn<'_>) -> Outcome {
        let zxid = self.next;
        self.next += 1;
        self.apply_at(zxid, txn).outcome
    }

    fn apply_at(&mut self, zxid: i64, txn: Txn<'_>) -> Applied {
        let logged = LoggedTxn {
            header: TxnHeader {
                client_id: SESSION,
                cxid: 1,
                zxid: Zxid(zxid),
                time: 1000 * zxid,
                kind: txn.kind(),
            },
            txn,
            digest: None,
        };
        let events = &mut self.events;
        self.tree.apply(&logged, &mut |event| {
            assert_eq!(event.zxid, Zxid(zxid));
            let perms: Vec<i32> = event.acl.entries().iter().map(|it| it.perms.0).collect();
            writeln!(events, "{:?} {} {perms:?}", event.kind, event.path).unwrap();
        })
    }

    fn create(&mut self, path: &str) -> Outcome {
        let parent = zk_proto::path::split(path).map_or("", |(parent, _)| parent);
        let cversion = self
            .tree
            .get(parent)
            .map_or(0, |it| it.stored().cversion + 1);
        self.apply(create(path, b"data", cversion))
    }

    fn events(&mut self) -> String {
        std::mem::take(&mut self.events)
    }

    fn stored(&self, path: &str) -> StatPersisted {
        self.tree.get(path).unwrap().stored()
    }
}

fn ephemeral(path: &str) -> Txn<'_> {
    Txn::Create(CreateTxn {
        path: Ustr::from(path),
        data: None,
        acl: Some(vec![Acl::open()]),
        ephemeral: true,
        parent_cversion: -1,
    })
}

fn set_data<'t>(path: &'t str, data: &'t [u8]) -> Txn<'t> {
    Txn::SetData(SetDataTxn {
        path: Ustr::from(path),
        data: Some(Buffer(data)),
        version: 1,
    })
}

pub(crate) fn set_acl(path: &str, perms: Perms) -> Txn<'_> {
    Txn::SetAcl(SetAclTxn {
        path: Ustr::from(path),
        acl: Some(vec![Acl::new(perms, "world", "anyone")]),
        version: 1,
    })
}

#[test]
fn events_come_in_the_order_of_apache() {
    let mut server = Server::new();
    server.create("/a");
    assert_eq!(
        server.events(),
        "NodeCreated /a [31]\nNodeChildrenChanged / [31]\n"
    );
    server.apply(set_acl("/a", Perms::READ));
    assert_eq!(server.events(), "");
    server.create("/a/b");
    assert_eq!(
        server.events(),
        "NodeCreated /a/b [31]\nNodeChildrenChanged /a [1]\n"
    );
    server.apply(set_data("/a/b", b"x"));
    server.apply(set_data("/", b"x"));
    assert_eq!(
        server.events(),
        "NodeDataChanged /a/b [31]\nNodeDataChanged / [31]\n"
    );
    server.apply(set_acl("/a/b", Perms::WRITE));
    server.apply(delete("/a/b"));
    server.apply(delete("/a"));
    assert_eq!(
        server.events(),
        "NodeDeleted /a/b [2]\nNodeChildrenChanged /a [1]\n\
         NodeDeleted /a [1]\nNodeChildrenChanged / [31]\n"
    );
}

#[test]
fn a_closed_session_takes_its_ephemerals() {
    let mut server = Server::new();
    server.apply(Txn::CreateSession(9000));
    assert_eq!(server.tree.session_timeout(SESSION), Some(9000));
    for path in ["/c", "/a", "/b"] {
        server.apply(ephemeral(path));
    }
    server.events();
    assert_eq!(server.tree.ephemerals(SESSION), ["/a", "/b", "/c"]);
    let listed = vec![Ustr::from("/c"), Ustr::from("/gone")];
    let outcome = server.apply(Txn::CloseSession(Some(listed)));
    assert_eq!(outcome, Outcome::SessionClosed);
    let order: Vec<String> = server
        .events()
        .lines()
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(
        order,
        [
            "NodeDeleted /c [31]",
            "NodeDeleted /a [31]",
            "NodeDeleted /b [31]"
        ]
    );
    assert_eq!(server.tree.session_count(), 0);
    assert_eq!(server.tree.sessions_with_ephemerals().count(), 0);
}

/// The flags of the request are gone when a transaction is made, and a plain
/// create says only whether the znode is ephemeral.
#[test]
fn the_transaction_says_what_kind_a_znode_is() {
    let mut server = Server::new();
    server.create("/plain");
    assert_eq!(
        server.tree.get("/plain").unwrap().kind(),
        EphemeralType::Void
    );
    server.apply(Txn::CreateContainer(CreateContainerTxn {
        path: Ustr::from("/c"),
        data: None,
        acl: None,
        parent_cversion: -1,
    }));
    let container = server.tree.get("/c").unwrap();
    assert_eq!(container.kind(), EphemeralType::Container);
    assert_eq!(container.stat().ephemeral_owner, 0);
    assert_eq!(container.stored().ephemeral_owner, i64::MIN);
    assert_eq!(container.acl().entries(), [Acl::open()]);
    assert_eq!(server.stored("/").cversion, 2, "-1 counts one more");
}

fn ttl(ttl: i64) -> Txn<'static> {
    Txn::CreateTtl(CreateTtlTxn {
        path: Ustr::from("/t"),
        data: None,
        acl: None,
        parent_cversion: -1,
        ttl,
    })
}

#[test]
fn times_to_live_that_no_znode_can_have() {
    let mut server = Server::new();
    for bad in [0, -1, i64::MIN, MAX_TTL_MS + 1] {
        let outcome = server.apply(ttl(bad));
        assert_eq!(outcome, Outcome::Error(ErrorCode::BAD_ARGUMENTS));
    }
    server.apply(ttl(MAX_TTL_MS));
    let node = server.tree.get("/t").unwrap();
    assert_eq!(node.kind(), EphemeralType::Ttl(MAX_TTL_MS));
}

/// Where extended types are off, an owner that looks like a time to live is
/// a session.
#[test]
fn without_extended_types_there_are_no_times_to_live() {
    let mut server = Server::new();
    server.tree = DataTree::new(TreeConfig {
        extended_types: false,
        ..CONFIG
    });
    server.apply(ttl(5));
    let owner = EphemeralType::Ttl(5).owner();
    assert_eq!(server.tree.ephemerals(SessionId(owner)), ["/t"]);
    assert_eq!(server.tree.get("/t").unwrap().stat().ephemeral_owner, owner);
}

/// ZOOKEEPER-1046, -3145, -3249: a parent that was written before its child
/// went and came must still learn of both.
#[test]
fn a_create_that_meets_its_znode_sees_to_the_parent() {
    let mut server = Server::new();
    server.create("/a");
    let outcome = server.apply_at(9, create("/a", b"other", 7)).outcome;
    assert_eq!(outcome, Outcome::Error(ErrorCode::NODE_EXISTS));
    assert_eq!(
        (server.stored("/").cversion, server.stored("/").pzxid),
        (7, Zxid(9))
    );
    assert_eq!(server.tree.get("/a").unwrap().data(), Some(&b"data"[..]));
    server.apply_at(8, create("/b", b"", 6));
    assert_eq!(
        (server.stored("/").cversion, server.stored("/").pzxid),
        (7, Zxid(9))
    );
}

#[test]
fn a_delete_that_misses_its_znode_sees_to_the_parent() {
    let mut server = Server::new();
    let outcome = server.apply_at(9, delete("/gone")).outcome;
    assert_eq!(outcome, Outcome::Error(ErrorCode::NO_NODE));
    assert_eq!(server.stored("/").pzxid, Zxid(9));
    server.apply_at(5, delete("/gone"));
    assert_eq!(server.stored("/").pzxid, Zxid(9));
    assert_eq!(server.tree.last_zxid(), Zxid(9), "never back");
}

/// ZOOKEEPER-3306: a znode whose list came after the table of a snapshot gets
/// it from the log.
#[test]
fn a_create_that_meets_its_znode_sets_its_list() {
    let mut loader = DataTree::loader(CONFIG);
    loader.session(SessionEntry {
        id: SESSION,
        timeout_ms: 1,
    });
    for path in ["", "/a"] {
        loader
            .node(&NodeEntry {
                path: Ustr::from(path),
                data: None,
                acl: 77,
                stat: StatPersisted::default(),
            })
            .unwrap();
    }
    let mut server = Server::new();
    server.tree = loader.finish(Zxid(1), None).unwrap();
    assert_eq!(
        server.tree.get("/a").unwrap().acl().entries()[0].perms,
        Perms(0)
    );
    server.apply(create("/a", b"", 1));
    assert_eq!(
        server.tree.get("/a").unwrap().acl().entries(),
        [Acl::open()]
    );
}

/// Only a fuzzy snapshot can have children under a znode that the log
/// deletes. Apache leaves them behind without a parent; here they go, and
/// come again by the log.
#[test]
fn a_delete_takes_children_along() {
    let mut server = Server::new();
    let before = server.tree.digest();
    for path in ["/a", "/a/b", "/a/b/c"] {
        server.create(path);
    }
    server.apply(ephemeral("/a/b/e"));
    assert_eq!(server.apply(delete("/a")), Outcome::Deleted);
    assert_eq!((server.tree.node_count(), server.tree.data_size()), (5, 44));
    assert_eq!(server.tree.ephemeral_count(), 0);
    assert_ne!(server.tree.digest(), before, "the root has other numbers");
    server.create("/a");
    assert_eq!(server.tree.get("/a").unwrap().num_children(), 0);
}

fn part(kind: OpCode, record: &[u8]) -> SubTxn<'_> {
    SubTxn {
        kind,
        data: Buffer(record),
    }
}

fn record(txn: &Txn<'_>) -> Vec<u8> {
    let mut record = Vec::new();
    txn.encode(&mut record).unwrap();
    record
}

#[test]
fn a_failed_multi_changes_nothing() {
    let mut server = Server::new();
    let create = record(&create("/a", b"", 1));
    let error = |code| record(&Txn::Error(code));
    let (version, other) = (
        error(ErrorCode::BAD_VERSION),
        error(ErrorCode::RUNTIME_INCONSISTENCY),
    );
    let outcome = server.apply(Txn::Multi(vec![
        part(OpCode::CREATE, &create),
        part(OpCode::ERROR, &version),
        part(OpCode::CREATE, &create),
        part(OpCode::ERROR, &other),
    ]));
    let codes = [0, -103, -2, -2].map(|code| Outcome::Error(ErrorCode(code)));
    assert_eq!(outcome, Outcome::Multi(codes.to_vec()));
    assert_eq!(outcome.error_code(), ErrorCode::BAD_VERSION);
    assert!(server.tree.get("/a").is_none());
    assert_eq!(server.events(), "");
}

#[test]
fn a_multi_answers_with_the_stats_of_the_moment() {
    let mut server = Server::new();
    let records = [
        (OpCode::CREATE2, record(&create("/a", b"", 1))),
        (OpCode::SET_DATA, record(&set_data("/a", b"xyz"))),
        (OpCode::CHECK, record(&Txn::Check(Ustr::from("/a"), 1))),
        (OpCode::DELETE, record(&delete("/a"))),
    ];
    let parts = records.iter().map(|(kind, record)| part(*kind, record));
    let Outcome::Multi(outcomes) = server.apply(Txn::Multi(parts.collect())) else {
        panic!("a multi answers with its parts");
    };
    let [
        Outcome::Created(created),
        Outcome::DataSet(set),
        Outcome::Checked,
        Outcome::Deleted,
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}");
    };
    assert_eq!((created.version, created.data_length), (0, 0));
    assert_eq!((set.version, set.data_length, set.mzxid), (1, 3, Zxid(1)));
    assert_eq!(server.events().lines().count(), 5);
}

/// Servers before 3.9 logged a check that came outside of a multi.
#[test]
fn a_check_alone_does_nothing() {
    let mut server = Server::new();
    let digest = server.tree.digest();
    let outcome = server.apply(Txn::Check(Ustr::from("/gone"), 3));
    assert_eq!(outcome, Outcome::Checked);
    assert_eq!(
        (server.tree.digest(), server.tree.last_zxid()),
        (digest, Zxid(1))
    );
}

#[test]
fn odd_paths_are_results() {
    let mut server = Server::new();
    server.create("/a");
    let node_count = server.tree.node_count();
    for path in ["", "a", "/", "//", "//b", "/b/c", "/a//b", "/a/b/", "a/b"] {
        let error = |outcome: Outcome| !outcome.error_code().is_ok();
        assert!(error(server.create(path)), "create {path:?}");
        assert!(error(server.apply(delete(path))), "delete {path:?}");
        if !matches!(path, "" | "/") {
            assert!(error(server.apply(set_data(path, b""))), "setData {path:?}");
            assert!(
                error(server.apply(set_acl(path, Perms::ALL))),
                "setACL {path:?}"
            );
            assert!(server.tree.get(path).is_none(), "{path:?}");
            assert_eq!(server.tree.count_descendants(path), None, "{path:?}");
        }
    }
    assert_eq!(server.tree.node_count(), node_count);
    server.create("/a/");
    assert_eq!(
        server.tree.get("/a/").unwrap().path(),
        "/a/",
        "an empty name is a name"
    );
    assert_eq!(server.apply(delete("/a/")), Outcome::Deleted);
}

#[test]
fn random_bytes_in_a_multi_are_results() {
    let mut random = Random(5);
    let mut server = Server::new();
    server.create("/a");
    for _ in 0..5000 {
        let mut record = record(&create("/a/b", b"data", 1));
        for _ in 0..random.below(4) {
            let at = random.below(record.len());
            record[at] = random.next() as u8;
        }
        record.truncate(record.len() - random.below(3) * random.below(20));
        let kind = OpCode(random.below(24) as i32 - 2);
        server.apply(Txn::Multi(vec![part(kind, &record)]));
    }
}

#[test]
fn another_digest_is_told_and_counted() {
    let mut server = Server::new();
    let mut txn = LoggedTxn {
        header: TxnHeader {
            client_id: SESSION,
            cxid: 0,
            zxid: Zxid(128),
            time: 0,
            kind: OpCode::CREATE_SESSION,
        },
        txn: Txn::CreateSession(1),
        digest: Some(TxnDigest {
            version: 2,
            tree: 5,
        }),
    };
    let applied = server.tree.apply(&txn, &mut |_| {});
    let mismatch = applied.digest_mismatch.unwrap();
    assert_eq!((mismatch.expected, mismatch.actual), (5, 1_371_985_504));
    assert_eq!(server.tree.digest_mismatches(), 1);
    txn.digest = None;
    assert_eq!(server.tree.apply(&txn, &mut |_| {}).digest_mismatch, None);
    let history: Vec<_> = server.tree.digest_history().collect();
    assert_eq!(history, [(Zxid(128), 1_371_985_504); 2]);
}

#[test]
fn ten_thousand_levels_are_no_problem() {
    let mut server = Server::new();
    let mut path = String::new();
    for _ in 0..10_000 {
        path.push_str("/d");
        server.create(&path);
    }
    assert_eq!(server.tree.get(&path).unwrap().path(), path);
    assert_eq!(server.tree.count_descendants("/d"), Some(9999));
    let mut cursor = server.tree.snapshot_cursor();
    let mut bytes = Vec::new();
    cursor.head(&mut bytes);
    while cursor.next_chunk(&server.tree, &mut bytes, 1 << 20) {}
    assert_eq!(cursor.end(&server.tree, &mut bytes).zxid, Zxid(10_000));
    assert_eq!(server.apply(delete("/d")), Outcome::Deleted);
    assert_eq!(server.tree.node_count(), 5);
}

#[test]
fn many_children_come_and_go_in_any_order() {
    let mut server = Server::new();
    server.create("/p");
    let mut paths: Vec<String> = (0..100_000).map(|i| format!("/p/n{i}")).collect();
    for path in &paths {
        server.create(path);
    }
    assert_eq!(server.tree.get("/p").unwrap().child_names().len(), 100_000);
    let mut random = Random(1);
    while !paths.is_empty() {
        let path = paths.swap_remove(random.below(paths.len()));
        assert_eq!(server.apply(delete(&path)), Outcome::Deleted);
    }
    let stat = server.tree.get("/p").unwrap().stat();
    assert_eq!((stat.num_children, stat.cversion), (0, 200_000));
}

#[test]
fn znodes_are_found_from_each_other() {
    let mut server = Server::new();
    for path in ["/a", "/a/b", "/a/é"] {
        server.create(path);
    }
    let root = server.tree.get("").unwrap();
    assert_eq!((root.path().as_str(), root.name()), ("/", ""));
    assert!(root.parent().is_none());
    let child = root.child("a").unwrap().child("é").unwrap();
    assert_eq!((child.path().as_str(), child.name()), ("/a/é", "é"));
    assert_eq!(child.parent().unwrap().path(), "/a");
    assert!(root.child("b").is_none());
    let mut names: Vec<&str> = child.parent().unwrap().child_names().collect();
    names.sort_unstable();
    assert_eq!(names, ["b", "é"]);
}
