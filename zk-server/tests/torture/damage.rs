//! Damaged files, with the tree on top: whatever happened to them, what is
//! recovered is a tree that there was, to the last Stat, or nothing is.
//!
//! zk-log's own tests damage more and know more of the files.
//! `ZK_TREE_DAMAGE_ROUNDS` says how many images, a failure prints its seed.

use crate::support::memory::{Memory, dirs, recover};
use crate::support::rng::{Rng, number};
use crate::support::writer::Writer;
use crate::support::{fixtures, tree};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use zk_log::{MemStorage, Storage as _};
use zk_proto::Zxid;
use zk_tree::{DataTree, TreeConfig};

type Files = BTreeMap<String, Vec<u8>>;

/// An undamaged directory, and every tree that there was.
struct Base {
    files: Files,
    trees: BTreeMap<Zxid, u64>,
}

impl Base {
    fn new() -> Self {
        let disk = MemStorage::new();
        let server = Memory::start(Arc::new(disk.clone()), "snapCount=70").expect("it starts");
        let address = server.address();
        let mut writers: Vec<_> = (0..2).map(|at| Writer::new(address, at, 1)).collect();
        let dir = dirs().snap_dir;
        // Snapshots are rarer than due when writes are this fast.
        for round in 0..1000 {
            for writer in &mut writers {
                let mut client = writer.resume(address).expect("it serves");
                writer.batch(&mut client, 16).expect("it serves");
            }
            let names = disk.list(&dir).expect("a directory");
            if round >= 12 && names.len() > 8 {
                break;
            }
        }
        server.stop().expect("a clean stop");
        let names = disk.list(&dir).expect("a directory");
        let files = names.into_iter().map(|name| {
            let bytes = disk.bytes(&dir.join(&name)).expect("a file");
            (name, bytes.to_vec())
        });
        Self {
            files: files.collect(),
            trees: trees(&disk),
        }
    }
}

/// A mark of the tree after every transaction.
fn trees(disk: &MemStorage) -> BTreeMap<Zxid, u64> {
    let mut tree = DataTree::new(TreeConfig {
        hash_seed: 9,
        extended_types: true,
        digest: true,
    });
    let mut trees = BTreeMap::from([(Zxid::ZERO, mark(&tree))]);
    zk_log::read_txns(disk, &dirs().log_dir, Zxid::ZERO, &mut |txn| {
        tree.apply(txn, &mut |_| {});
        trees.insert(txn.header.zxid, mark(&tree));
        Ok(())
    })
    .expect("an undamaged directory");
    assert_eq!(tree.digest_mismatches(), 0);
    trees
}

/// Of everything: data, Stats, ACLs, sessions, ephemerals, digest.
fn mark(tree: &DataTree) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (path, (seen, stored)) in tree::nodes(tree) {
        (path, seen, stored).hash(&mut hasher);
    }
    (tree::sessions(tree), tree.digest()).hash(&mut hasher);
    hasher.finish()
}

#[test]
fn damaged_files_give_a_tree_that_was_or_none() {
    let rounds = number("ZK_TREE_DAMAGE_ROUNDS", 6000) as u64;
    let base = Base::new();
    let snapshots = base
        .files
        .keys()
        .filter(|name| name.starts_with("snapshot."));
    assert!(
        snapshots.count() > 2 && base.files.len() > 5,
        "{:?}",
        base.files.keys()
    );
    let started = (0..rounds).filter(|&seed| survives(&base, seed)).count() as u64;
    println!("{started} of {rounds} started");
    assert!(
        started > rounds / 10 && started < rounds * 9 / 10,
        "{started} of {rounds} started"
    );
}

/// Whether a damaged directory opens.
fn survives(base: &Base, seed: u64) -> bool {
    let mut rng = Rng::new(seed);
    let mut files = base.files.clone();
    let mut touched = Vec::new();
    for _ in 0..1 + rng.below(8) / 6 {
        touched.push(damage(&mut rng, &mut files));
    }
    let disk = MemStorage::new();
    disk.create_dirs(&dirs().snap_dir).expect("a directory");
    for (name, bytes) in &files {
        disk.put(&dirs().snap_dir.join(name), bytes);
    }
    let context = format!("seed {seed}, {touched:?}");
    match recover(&disk) {
        Ok((recovered, tree)) => {
            let last = recovered.last_zxid;
            assert_eq!(tree.last_zxid(), last, "{context}");
            let expected = base.trees.get(&last);
            let expected = expected.unwrap_or_else(|| panic!("{context}: {last} never was"));
            assert!(
                *expected == mark(&tree),
                "{context}: a wrong tree at {last}"
            );
            true
        }
        Err(error) => {
            let text = error.to_string();
            let named = ["/log.", "/snapshot.", "no snapshot"];
            assert!(
                named.iter().any(|it| text.contains(it)),
                "{context}: {text}"
            );
            false
        }
    }
}

/// Damages a file; tells which and how.
fn damage(rng: &mut Rng, files: &mut Files) -> (String, usize, usize) {
    let names: Vec<String> = files.keys().cloned().collect();
    // Mostly what is read: the newest log and the newest snapshot.
    let newest = |prefix: &str| {
        let named = names.iter().filter(|name| name.starts_with(prefix));
        named.max_by_key(|name| fixtures::zxid_of(name, prefix))
    };
    let name = match rng.below(4) {
        0 => newest("snapshot."),
        1 => newest("log."),
        _ => None,
    };
    let name = name.unwrap_or(&names[rng.below(names.len())]).clone();
    let mut bytes = files.remove(&name).expect("it was listed");
    // Mostly where something is, not in the padding.
    let full = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |at| at + 1);
    let at = rng.below(full);
    let kind = rng.below(11);
    if bytes.is_empty() || kind == 0 {
        return (name, 0, at);
    }
    match kind {
        1..=3 => bytes[at] ^= 1 << rng.below(8),
        4 => bytes[at] = rng.pick(&[0, 0xff, 0x42]),
        5 => bytes.truncate(at),
        6 => bytes[at..].fill(0),
        7 => bytes
            .splice(full.., (0..40).map(|_| 1 + rng.below(255) as u8))
            .for_each(drop),
        8 => {
            let to = (at + rng.below(300)).min(bytes.len());
            bytes.drain(at..to);
        }
        9 => {
            let to = (at + rng.below(300)).min(bytes.len());
            let copy = bytes[at..to].to_vec();
            bytes.splice(to..to, copy);
        }
        _ => {
            let sector = at / 512 * 512;
            let end = bytes.len().min(sector + 512);
            bytes[sector..end].fill(0);
        }
    }
    files.insert(name.clone(), bytes);
    (name, kind, at)
}
