//! What an append costs in CPU, and a flush in time on the disk of the
//! temporary directory.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use zk_log::{FileStorage, LogConfig, TxnLog};
use zk_proto::txn::{LoggedTxn, SetDataTxn, Txn, TxnHeader};
use zk_proto::{Buffer, OpCode, SessionId, Zxid};

/// A setData of 100 bytes.
fn payload(zxid: Zxid) -> Vec<u8> {
    let txn = LoggedTxn {
        header: TxnHeader {
            client_id: SessionId(1),
            cxid: 1,
            zxid,
            time: 1,
            kind: OpCode::SET_DATA,
        },
        txn: Txn::SetData(SetDataTxn {
            path: "/bench/node-000001".into(),
            data: Some(Buffer(&[7; 100])),
            version: 1,
        }),
        digest: None,
    };
    let mut out = Vec::new();
    txn.encode(&mut out).expect("a txn is encodable");
    out
}

fn log(dir: &Path, force_sync: bool) -> TxnLog {
    let config = LogConfig {
        force_sync,
        ..LogConfig::default()
    };
    for entry in std::fs::read_dir(dir).expect("the directory is there") {
        let _ = std::fs::remove_file(entry.expect("an entry").path());
    }
    TxnLog::open(Arc::new(FileStorage), dir, &config, Zxid::ZERO)
}

fn append(log: &mut TxnLog, payload: &mut [u8]) {
    let zxid = Zxid(log.last_zxid().0 + 1);
    payload[12..20].copy_from_slice(&zxid.0.to_be_bytes());
    log.append(zxid, payload).expect("the disk works");
}

fn bench(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let first = payload(Zxid(1));
    let mut payload = first.clone();
    let mut group = c.benchmark_group("append");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1000 without flush", |b| {
        b.iter_batched_ref(
            || {
                let mut log = log(dir.path(), false);
                append(&mut log, &mut first.clone());
                log
            },
            |log| (0..1000).for_each(|_| append(log, &mut payload)),
            BatchSize::PerIteration,
        );
    });
    for count in [1, 100] {
        let mut log = log(dir.path(), true);
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("{count} and a flush"), |b| {
            b.iter(|| {
                (0..count).for_each(|_| append(&mut log, &mut payload));
                black_box(log.flush().expect("the disk works"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
