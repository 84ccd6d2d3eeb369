//! Snapshots taken while transactions go on, at every interleaving: loading
//! one and replaying the log gives the tree that was.
//!
//! The one exception is a closeSession that does not list its paths: replay
//! cannot know that an ephemeral which the snapshot lacks had a parent.

use crate::files::load_items;
use crate::model::CONFIG;
use crate::random::{Leader, Random, create, delete};
use crate::replay::set_acl;
use crate::twin::Twin;
use zk_proto::jute::Reader;
use zk_proto::snapshot::{AclEntry, NodeEntry, SessionEntry, SnapshotDigest};
use zk_proto::txn::{LoggedTxn, Txn, TxnHeader};
use zk_proto::{Acl, Buffer, Perms, SessionId, StatPersisted, Ustr, Zxid};
use zk_tree::{AclIndex, DataTree, SnapshotCursor, TreeLoader};

/// A server that takes a snapshot while it applies a log.
struct Run<'l> {
    log: &'l [Vec<u8>],
    applied: usize,
    tree: DataTree,
    cursor: SnapshotCursor,
    bytes: Vec<u8>,
    has_more: bool,
}

impl<'l> Run<'l> {
    /// Begins the snapshot after `start` transactions.
    fn new(log: &'l [Vec<u8>], start: usize) -> Self {
        let mut tree = DataTree::new(CONFIG);
        log[..start]
            .iter()
            .for_each(|payload| apply(&mut tree, payload));
        let cursor = tree.snapshot_cursor();
        let mut bytes = Vec::new();
        cursor.head(&mut bytes);
        Self {
            log,
            applied: start,
            tree,
            cursor,
            bytes,
            has_more: true,
        }
    }

    fn can_apply(&self) -> bool {
        self.applied < self.log.len()
    }

    fn apply(&mut self) {
        apply(&mut self.tree, &self.log[self.applied]);
        self.applied += 1;
    }

    fn chunk(&mut self, bytes: usize) {
        self.has_more = self.cursor.next_chunk(&self.tree, &mut self.bytes, bytes);
    }

    /// Ends the snapshot, then the log, and compares what comes of both.
    fn finish(mut self, what: &str) {
        while self.has_more {
            self.chunk(1000);
        }
        let zxid = self.cursor.zxid();
        let digest = self.cursor.end(&self.tree, &mut self.bytes);
        while self.applied < self.log.len() {
            apply(&mut self.tree, &self.log[self.applied]);
            self.applied += 1;
        }
        let mut again = load(&self.bytes, zxid, digest);
        for payload in &self.log[zxid.0 as usize..] {
            apply(&mut again, payload);
        }
        compare(&again, &self.tree, what);
    }
}

fn apply(tree: &mut DataTree, payload: &[u8]) {
    let txn = LoggedTxn::decode(payload).unwrap();
    tree.apply(&txn, &mut |_| {});
}

fn load(bytes: &[u8], zxid: Zxid, digest: SnapshotDigest) -> DataTree {
    let mut reader = Reader::new(bytes);
    let loader = load_items(&mut reader, CONFIG).unwrap();
    assert_eq!(
        reader.remaining(),
        b"",
        "nothing stands behind the end mark"
    );
    loader.finish(zxid, Some(digest)).unwrap()
}

fn compare(again: &DataTree, tree: &DataTree, what: &str) {
    let (left, right) = (Twin::of(again), Twin::of(tree));
    left.assert_is(&right, what);
    assert_eq!(again.digest(), tree.digest(), "{what}");
    assert_eq!(again.digest_mismatches(), 0, "{what}");
    assert_eq!(again.last_zxid(), tree.last_zxid(), "{what}");
    assert_eq!(again.ephemeral_count(), tree.ephemeral_count(), "{what}");
    assert_eq!(again.acl_count(), tree.acl_count(), "{what}");
    for (session, _) in tree.sessions() {
        assert_eq!(
            again.ephemerals(session),
            tree.ephemerals(session),
            "{what}"
        );
    }
    let expired = |tree: &DataTree| {
        let mut paths = tree.expired(i64::MAX, usize::MAX, 1);
        paths.sort();
        paths
    };
    assert_eq!(expired(again), expired(tree), "{what}");
}

fn log(seed: u64, length: usize) -> Vec<Vec<u8>> {
    let mut leader = Leader::new(seed);
    for _ in 0..length {
        leader.propose();
    }
    leader.log
}

/// All ways to write znodes one by one with the last transactions between
/// them. A way is a row of choices, tried in the order of binary numbers.
#[test]
fn every_interleaving_of_a_short_log() {
    let mut ways = 0;
    for seed in 0..30 {
        let log = log(seed, 30);
        let mut choices: Vec<bool> = Vec::new();
        loop {
            let what = format!("seed {seed}: {choices:?}");
            run(&log, log.len() - 4, &mut choices).finish(&what);
            ways += 1;
            // The next way: the last "write" becomes "apply".
            while choices.pop_if(|applies| *applies).is_some() {}
            match choices.last_mut() {
                Some(last) => *last = true,
                None => break,
            }
        }
    }
    assert!(ways > 10_000, "only {ways} ways");
}

/// Follows the choices as far as they go, then always writes.
fn run<'l>(log: &'l [Vec<u8>], start: usize, choices: &mut Vec<bool>) -> Run<'l> {
    let mut run = Run::new(log, start);
    let mut at = 0;
    while run.has_more && run.can_apply() {
        if at == choices.len() {
            choices.push(false);
        }
        match choices[at] {
            true => run.apply(),
            false => run.chunk(1),
        }
        at += 1;
    }
    choices.truncate(at);
    run
}

#[test]
fn random_interleavings_of_long_logs() {
    for seed in 1000..1200 {
        let log = log(seed, 300);
        let mut random = Random(seed);
        let mut run = Run::new(&log, random.below(200));
        let busy = 1 + random.below(8);
        while run.has_more {
            match run.can_apply() && random.below(busy) > 0 {
                true => run.apply(),
                false => {
                    let bytes = 1 + random.below(200);
                    run.chunk(bytes);
                }
            }
        }
        run.finish(&format!("seed {seed}"));
    }
}

#[test]
fn a_quiet_snapshot_is_the_tree() {
    let log = log(7, 500);
    let mut run = Run::new(&log, 500);
    while run.has_more {
        run.chunk(64);
    }
    run.finish("seed 7");
}

/// A snapshot as Apache takes it: it goes by paths, so it holds znodes that
/// are newer than its beginning, and lists that its table lacks.
struct ApacheWalk {
    loader: TreeLoader,
    lists: Vec<Vec<Acl<'static>>>,
    ahead: Vec<String>,
}

impl ApacheWalk {
    fn new(tree: &DataTree) -> Self {
        let mut loader = DataTree::loader(CONFIG);
        for (id, timeout_ms) in tree.sessions() {
            loader.session(SessionEntry { id, timeout_ms });
        }
        let mut lists: Vec<_> = Twin::of(tree)
            .nodes
            .into_values()
            .filter_map(|it| it.acl)
            .collect();
        lists.sort();
        lists.dedup();
        for (index, list) in (1..).zip(&lists) {
            let acl = Some(list.clone());
            loader.acl(&AclEntry { index, acl }).unwrap();
        }
        Self {
            loader,
            lists,
            ahead: vec![String::new()],
        }
    }

    /// Takes one path that is ahead, if there is still a znode.
    fn step(&mut self, tree: &DataTree) -> bool {
        let Some(path) = self.ahead.pop() else {
            return false;
        };
        let Some(node) = tree.get(&path) else {
            return true;
        };
        let list = node.acl();
        let acl = match self.lists.iter().position(|it| it == list.entries()) {
            _ if list.index() == AclIndex::OPEN => -1,
            Some(at) => at as i64 + 1,
            None => 999,
        };
        let entry = NodeEntry {
            path: Ustr::from(&*path),
            data: node.data().map(Buffer),
            acl,
            stat: node.stored(),
        };
        self.loader.node(&entry).unwrap();
        self.ahead
            .extend(node.child_names().map(|name| format!("{path}/{name}")));
        true
    }
}

#[test]
fn replay_over_snapshots_as_apache_takes_them() {
    for seed in 2000..2600 {
        let log = log(seed, 150);
        let mut random = Random(seed);
        let start = random.below(100);
        let mut tree = DataTree::new(CONFIG);
        log[..start]
            .iter()
            .for_each(|payload| apply(&mut tree, payload));
        let mut walk = ApacheWalk::new(&tree);
        let mut rest = log[start..].iter();
        let busy = 1 + random.below(8);
        while walk.step(&tree) {
            for payload in rest.by_ref().take(random.below(busy)) {
                apply(&mut tree, payload);
            }
        }
        let digest = tree.snapshot_digest();
        rest.for_each(|payload| apply(&mut tree, payload));
        let zxid = Zxid(start as i64);
        let mut again = walk.loader.finish(zxid, Some(digest)).unwrap();
        log[start..]
            .iter()
            .for_each(|payload| apply(&mut again, payload));
        compare(&again, &tree, &format!("seed {seed}"));
    }
}

/// A tree at zxid 10 that was loaded from a snapshot whose log is lost: it
/// has znodes up to zxid 100, so the zxid of a creation does not tell which
/// znodes are too new for the next snapshot.
fn tree_without_its_log(paths: &[&str]) -> DataTree {
    let mut loader = DataTree::loader(CONFIG);
    for path in std::iter::once(&"").chain(paths) {
        let entry = NodeEntry {
            path: Ustr::from(*path),
            data: None,
            acl: -1,
            stat: StatPersisted {
                czxid: Zxid(100),
                ..StatPersisted::default()
            },
        };
        loader.node(&entry).unwrap();
    }
    loader.finish(Zxid(10), None).unwrap()
}

fn apply_all(tree: &mut DataTree, txns: &[Txn<'_>]) {
    for txn in txns {
        let logged = LoggedTxn {
            header: TxnHeader {
                client_id: SessionId(1),
                cxid: 0,
                zxid: Zxid(tree.last_zxid().0 + 1),
                time: 0,
                kind: txn.kind(),
            },
            txn: txn.clone(),
            digest: None,
        };
        tree.apply(&logged, &mut |_| {});
    }
}

/// Writes `before` znodes, applies `txns`, writes the rest, and loads what
/// was written, without the log.
fn loaded_after(tree: &mut DataTree, before: usize, txns: &[Txn<'_>]) -> DataTree {
    let mut cursor = tree.snapshot_cursor();
    let mut bytes = Vec::new();
    cursor.head(&mut bytes);
    for _ in 0..before {
        assert!(cursor.next_chunk(tree, &mut bytes, 1));
    }
    apply_all(tree, txns);
    while cursor.next_chunk(tree, &mut bytes, 1) {}
    let zxid = cursor.zxid();
    let digest = cursor.end(tree, &mut bytes);
    load(&bytes, zxid, digest)
}

/// The walk stands within `/p` when it is deleted. `/q` gets its number and
/// `/q/x` that of `/p/y`, which is still to be visited.
#[test]
fn numbers_of_deleted_parents_are_not_followed() {
    let mut tree = tree_without_its_log(&["/p", "/p/x", "/p/y"]);
    let txns = [
        delete("/p/x"),
        delete("/p/y"),
        delete("/p"),
        create("/q", b"", 1),
        create("/q/x", b"", 1),
    ];
    let loaded = loaded_after(&mut tree, 3, &txns);
    assert!(loaded.get("/p/x").is_some() && loaded.get("/q").is_none());
    assert_eq!(loaded.get("/p").unwrap().num_children(), 1);
}

/// The same with a child: `/z/x` gets the number of `/p/y`.
#[test]
fn numbers_of_deleted_children_are_not_followed() {
    let mut tree = tree_without_its_log(&["/p", "/p/x", "/p/y", "/z"]);
    let txns = [delete("/p/y"), create("/z/x", b"", 1)];
    let loaded = loaded_after(&mut tree, 3, &txns);
    assert_eq!(loaded.get("/p").unwrap().num_children(), 1);
    assert!(loaded.get("/z/x").is_some());
}

/// The list of `/a` becomes secret and gets the number that an open list had
/// when the table was copied.
#[test]
fn a_new_list_is_not_read_as_an_old_one() {
    let mut tree = DataTree::new(CONFIG);
    apply_all(
        &mut tree,
        &[
            create("/a", b"", 1),
            set_acl("/a", Perms::WRITE),
            create("/b", b"", 2),
        ],
    );
    assert!(tree.get("/b").unwrap().acl().is_open());
    let open = tree.get("/b").unwrap().acl_index();
    let loaded = loaded_after(&mut tree, 1, &[delete("/b"), set_acl("/a", Perms::ADMIN)]);
    assert_eq!(tree.get("/a").unwrap().acl_index(), open);
    let acl = loaded.get("/a").unwrap().acl();
    assert_eq!(acl.entries()[0].perms, Perms(0), "open to nobody");
}

/// `/p/z` gets the number of `/p/y` and has the same parent, but it is newer
/// than the snapshot.
#[test]
fn znodes_newer_than_the_snapshot_are_left_to_the_log() {
    let mut tree = DataTree::new(CONFIG);
    let paths = ["/p", "/p/x", "/p/y"];
    apply_all(&mut tree, &paths.map(|path| create(path, b"", -1)));
    let txns = [delete("/p/y"), create("/p/z", b"", -1)];
    let loaded = loaded_after(&mut tree, 1, &txns);
    assert!(loaded.get("/p/x").is_some() && loaded.get("/p/z").is_none());
}
