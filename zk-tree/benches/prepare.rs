//! Requests prepared in batches of 512 over a tree of 100,000 znodes. The
//! figures are for one batch; its transactions are never applied.

#![allow(missing_docs, reason = "criterion's macros make public items")]

mod common;

use common::{DATA, Scattered, logged, path, tree};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use zk_proto::txn::Txn;
use zk_proto::{
    Acl, Buffer, CreateRequest, DeleteRequest, OpCode, Request, SessionId, SetDataRequest, Zxid,
};
use zk_tree::{Caller, DataTree, Pending, PrepareConfig, Stamp};

const NODES: usize = 100_000;
const BATCH: usize = 512;

fn prepare(c: &mut Criterion) {
    let mut tree = tree(NODES);
    let zxid = tree.last_zxid().0 + 1;
    tree.apply(&logged(zxid, Txn::CreateSession(30_000)), &mut |_| {});
    let old: Vec<String> = (0..NODES).map(path).collect();
    let new: Vec<String> = (NODES..2 * NODES).map(path).collect();
    let mut group = c.benchmark_group("prepare 512");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, paths, request) in [
        ("create", &new, create as fn(&str) -> Request<'_>),
        ("set data", &old, set_data),
        ("delete", &old, delete),
    ] {
        let mut at = Scattered::new(NODES);
        let (mut pending, mut out) = (Pending::new(1), Vec::with_capacity(1 << 20));
        group.bench_function(name, |b| {
            b.iter_batched(
                || (0..BATCH).map(|_| request(&paths[at.next()])).collect(),
                |requests: Vec<_>| batch(&tree, &mut pending, &requests, &mut out),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn batch(tree: &DataTree, pending: &mut Pending, requests: &[Request<'_>], out: &mut Vec<u8>) {
    let config = PrepareConfig::default();
    let caller = Caller {
        session: SessionId(1),
        cxid: 1,
        identities: &[],
    };
    out.clear();
    let first = tree.last_zxid().0 + 1;
    for (zxid, request) in (first..).zip(requests) {
        let stamp = Stamp {
            zxid: Zxid(zxid),
            time_ms: 1_795_251_296_971,
        };
        let prepared = zk_tree::prepare(tree, pending, &config, &caller, stamp, request, out);
        assert!(prepared.error.is_ok(), "{:?}", prepared.error);
    }
    pending.clear();
}

fn create(path: &str) -> Request<'_> {
    let record = CreateRequest {
        path: Some(path.into()),
        data: Some(Buffer(&DATA)),
        acl: Some(vec![Acl::open()]),
        flags: 0,
    };
    Request::Create(OpCode::CREATE, record)
}

fn set_data(path: &str) -> Request<'_> {
    Request::SetData(SetDataRequest {
        path: Some(path.into()),
        data: Some(Buffer(&DATA)),
        version: -1,
    })
}

fn delete(path: &str) -> Request<'_> {
    Request::Delete(DeleteRequest {
        path: Some(path.into()),
        version: -1,
    })
}

criterion_group!(benches, prepare);
criterion_main!(benches);
