//! Transactions applied to a tree of 100,000 znodes.

#![allow(missing_docs, reason = "criterion's macros make public items")]

mod common;

use common::{Scattered, create, delete, logged, path, set_data, tree};
use criterion::{Criterion, criterion_group, criterion_main};

const NODES: usize = 100_000;

fn apply(c: &mut Criterion) {
    let mut tree = tree(NODES);
    let paths: Vec<String> = (0..NODES).map(path).collect();
    let new: Vec<String> = (NODES..2 * NODES).map(path).collect();
    let mut at = Scattered::new(NODES);
    let mut zxid = tree.last_zxid().0;
    let mut next = || {
        zxid += 1;
        zxid
    };
    c.bench_function("create and delete", |b| {
        b.iter(|| {
            let path = &new[at.next()];
            tree.apply(&logged(next(), create(path)), &mut |_| {});
            tree.apply(&logged(next(), delete(path)), &mut |_| {})
        });
    });
    c.bench_function("set data", |b| {
        b.iter(|| {
            let path = &paths[at.next()];
            tree.apply(&logged(next(), set_data(path)), &mut |_| {})
        });
    });
}

criterion_group!(benches, apply);
criterion_main!(benches);
