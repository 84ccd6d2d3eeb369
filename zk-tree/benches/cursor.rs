//! A snapshot of 100,000 znodes: written, and loaded again.

#![allow(missing_docs, reason = "criterion's macros make public items")]

mod common;

use common::tree;
use criterion::{Criterion, criterion_group, criterion_main};
use zk_proto::jute::Reader;
use zk_proto::snapshot::{AclEntry, read_node};
use zk_tree::DataTree;

const NODES: usize = 100_000;
const CHUNK_BYTES: usize = 64 << 10;

fn write(tree: &DataTree) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32 << 20);
    let mut cursor = tree.snapshot_cursor();
    cursor.head(&mut bytes);
    while cursor.next_chunk(tree, &mut bytes, CHUNK_BYTES) {}
    let _digest = cursor.end(tree, &mut bytes);
    bytes
}

fn load(tree: &DataTree, bytes: &[u8]) -> Option<DataTree> {
    let mut reader = Reader::new(bytes);
    let mut loader = DataTree::loader(*tree.config());
    let _sessions: i32 = reader.read().ok()?;
    for _ in 0..reader.read::<i32>().ok()? {
        loader.acl(&reader.read::<AclEntry<'_>>().ok()?).ok()?;
    }
    while let Some(node) = read_node(&mut reader).ok()? {
        loader.node(&node).ok()?;
    }
    loader.finish(tree.last_zxid(), None).ok()
}

fn cursor(c: &mut Criterion) {
    let tree = tree(NODES);
    let bytes = write(&tree);
    let mut group = c.benchmark_group("snapshot of 100,000 znodes");
    group.sample_size(10);
    group.bench_function("write", |b| b.iter(|| write(&tree)));
    group.bench_function("load", |b| {
        b.iter(|| load(&tree, &bytes).expect("it was just written"));
    });
}

criterion_group!(benches, cursor);
criterion_main!(benches);
