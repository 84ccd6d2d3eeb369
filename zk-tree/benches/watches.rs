//! Watches: setting and firing one of a million, a change that nobody
//! watches, and one that a thousand watch.

#![allow(missing_docs, reason = "criterion's macros make public items")]

mod common;

use common::{Scattered, path};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use zk_proto::EventType;
use zk_tree::{WatchKind, WatcherId, Watches};

const ONE: WatcherId = WatcherId(1);
const MILLION: usize = 1_000_000;

fn fire(watches: &mut Watches, path: &str) -> usize {
    let mut told = 0;
    watches.fire(EventType::NodeDataChanged, black_box(path), &mut |_| {
        told += 1
    });
    told
}

fn watches(c: &mut Criterion) {
    let mut nobody = Watches::new(1);
    c.bench_function("fire, no watches", |b| {
        b.iter(|| fire(&mut nobody, "/a/b/c"))
    });

    let mut many = Watches::new(1);
    let paths: Vec<String> = (0..MILLION).map(path).collect();
    for path in &paths {
        many.add(ONE, Some(path), WatchKind::Data);
    }
    c.bench_function("fire, a million elsewhere", |b| {
        b.iter(|| fire(&mut many, "/elsewhere/b/c"));
    });
    let mut at = Scattered::new(MILLION);
    c.bench_function("fire and set one of a million", |b| {
        b.iter(|| {
            let path = &paths[at.next()];
            assert_eq!(fire(&mut many, path), 1);
            many.add(ONE, Some(path), WatchKind::Data);
        });
    });
    many.add(WatcherId(2), Some("/other"), WatchKind::Recursive);
    c.bench_function("fire, a million and a recursive one elsewhere", |b| {
        b.iter(|| fire(&mut many, "/elsewhere/b/c"));
    });

    let mut popular = Watches::new(1);
    c.bench_function("set and fire a thousand on one path", |b| {
        b.iter(|| {
            for id in 0..1000 {
                popular.add(WatcherId(id), Some("/a/b/c"), WatchKind::Data);
            }
            assert_eq!(fire(&mut popular, "/a/b/c"), 1000);
        });
    });
}

criterion_group!(benches, watches);
criterion_main!(benches);
