//! How fast a log is read back, without anybody to apply it.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use zk_log::{FileStorage, LogConfig, TxnLog, read_txns};
use zk_proto::txn::{CreateTxn, LoggedTxn, Txn, TxnDigest, TxnHeader};
use zk_proto::{Acl, Buffer, OpCode, SessionId, Zxid};

const TXNS: u64 = 100_000;

/// Creates of 100 bytes with the open ACL.
fn payload(zxid: Zxid) -> Vec<u8> {
    let path = format!("/bench/node-{:07}", zxid.0);
    let txn = LoggedTxn {
        header: TxnHeader {
            client_id: SessionId(1),
            cxid: 1,
            zxid,
            time: 1,
            kind: OpCode::CREATE,
        },
        txn: Txn::Create(CreateTxn {
            path: path.into(),
            data: Some(Buffer(&[7; 100])),
            acl: Some(vec![Acl::open()]),
            ephemeral: false,
            parent_cversion: 1,
        }),
        digest: Some(TxnDigest {
            version: 2,
            tree: 1,
        }),
    };
    let mut out = Vec::new();
    txn.encode(&mut out).expect("a txn is encodable");
    out
}

fn bench(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let config = LogConfig {
        force_sync: false,
        ..LogConfig::default()
    };
    let mut log = TxnLog::open(Arc::new(FileStorage), dir.path(), &config, Zxid::ZERO);
    for zxid in 1..=TXNS {
        let zxid = Zxid(zxid.cast_signed());
        log.append(zxid, &payload(zxid)).expect("the disk works");
    }
    log.close().expect("the disk works");
    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Elements(TXNS)).sample_size(20);
    group.bench_function("decode every transaction", |b| {
        b.iter(|| {
            let mut count = 0_u64;
            let read = read_txns(&FileStorage, dir.path(), Zxid::ZERO, &mut |txn| {
                black_box(txn);
                count += 1;
                Ok(())
            });
            assert_eq!(read.expect("the log is whole").txns, count);
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
