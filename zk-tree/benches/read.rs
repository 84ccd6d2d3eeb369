//! Reads of a tree of 100,000 znodes.

#![allow(missing_docs, reason = "criterion's macros make public items")]

mod common;

use common::{Scattered, path, tree};
use criterion::{Criterion, criterion_group, criterion_main};

const NODES: usize = 100_000;

fn read(c: &mut Criterion) {
    let tree = tree(NODES);
    let paths: Vec<String> = (0..NODES).map(path).collect();
    let mut at = Scattered::new(NODES);
    c.bench_function("data and stat", |b| {
        b.iter(|| {
            let node = tree.get(&paths[at.next()]).expect("it was created");
            (node.data(), node.stat())
        });
    });
    c.bench_function("no znode", |b| {
        b.iter(|| tree.get("/bench/d0001/none").is_none())
    });
    c.bench_function("names of 1000 children", |b| {
        b.iter(|| {
            let node = tree.get("/bench/d0042").expect("it was created");
            node.child_names().map(str::len).sum::<usize>()
        });
    });
}

criterion_group!(benches, read);
criterion_main!(benches);
