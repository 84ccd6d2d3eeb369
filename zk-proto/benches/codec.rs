//! What it costs to read requests, to write answers, to carry transactions
//! and to check paths: the work that every operation of a server pays.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use zk_proto::txn::{CreateTxn, LoggedTxn, SetDataTxn, Txn, TxnDigest, TxnHeader};
use zk_proto::{
    Acl, Buffer, CreateRequest, ErrorCode, OpCode, ReadRequest, ReplyHeader, Request,
    RequestHeader, Response, SessionId, SetDataRequest, Stat, Ustr, Xid, Zxid, frame, jute, path,
};

const PATH: &str = "/app/config/region-1/node-0042";
const DATA: [u8; 100] = [7; 100];

fn create() -> Request<'static> {
    Request::Create(
        OpCode::CREATE,
        CreateRequest {
            path: Some(PATH.into()),
            data: Some(Buffer(&DATA)),
            acl: Some(vec![Acl::open()]),
            flags: 0,
        },
    )
}

fn get_data() -> Request<'static> {
    Request::GetData(ReadRequest {
        path: Some(PATH.into()),
        watch: false,
    })
}

fn set_data() -> Request<'static> {
    Request::SetData(SetDataRequest {
        path: Some(PATH.into()),
        data: Some(Buffer(&DATA)),
        version: -1,
    })
}

fn payload(request: &Request<'_>) -> Vec<u8> {
    let header = RequestHeader {
        xid: Xid(1),
        op: request.op(),
    };
    let mut out = jute::to_vec(&header).unwrap();
    request.encode(&mut out).unwrap();
    out
}

fn requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("request");
    for request in [create(), get_data(), set_data()] {
        let bytes = payload(&request);
        let op = request.op();
        group.bench_function(format!("decode {op}"), |b| {
            b.iter(|| {
                let (header, body) = RequestHeader::split(black_box(&bytes)).unwrap();
                black_box(Request::decode(header.op, body).unwrap());
            });
        });
        let mut out = Vec::with_capacity(4096);
        group.bench_function(format!("encode {op}"), |b| {
            b.iter(|| {
                out.clear();
                black_box(&request).encode(&mut out).unwrap();
            });
        });
    }
}

fn replies(c: &mut Criterion) {
    let mut group = c.benchmark_group("reply");
    let stat = Stat::default();
    let names: Vec<Ustr<'_>> = (0..100).map(|n| format!("node-{n:010}").into()).collect();
    for (name, response) in [
        ("create", Response::Path(Some(PATH.into()))),
        ("setData", Response::Stat(stat)),
        ("getData", Response::Data(Some(Buffer(&DATA)), stat)),
        ("getChildren of 100", Response::Names(Some(names))),
    ] {
        let header = ReplyHeader {
            xid: Xid(1),
            zxid: Zxid(7),
            err: ErrorCode::OK,
        };
        let mut out = Vec::with_capacity(4096);
        group.bench_function(format!("encode {name}"), |b| {
            b.iter(|| {
                out.clear();
                let start = frame::start(&mut out);
                jute::append(&mut out, black_box(&header)).unwrap();
                black_box(&response).encode(&mut out).unwrap();
                frame::finish(&mut out, start);
            });
        });
    }
}

fn txns(c: &mut Criterion) {
    let mut group = c.benchmark_group("txn");
    let create = Txn::Create(CreateTxn {
        path: PATH.into(),
        data: Some(Buffer(&DATA)),
        acl: Some(vec![Acl::open()]),
        ephemeral: false,
        parent_cversion: 7,
    });
    let set_data = Txn::SetData(SetDataTxn {
        path: PATH.into(),
        data: Some(Buffer(&DATA)),
        version: 3,
    });
    for txn in [create, set_data] {
        let logged = logged(txn);
        let kind = logged.header.kind;
        let mut bytes = Vec::with_capacity(4096);
        logged.encode(&mut bytes).unwrap();
        group.bench_function(format!("decode {kind}"), |b| {
            b.iter(|| black_box(LoggedTxn::decode(black_box(&bytes)).unwrap()));
        });
        group.bench_function(format!("encode {kind}"), |b| {
            b.iter(|| {
                bytes.clear();
                black_box(&logged).encode(&mut bytes).unwrap();
            });
        });
    }
}

fn logged(txn: Txn<'_>) -> LoggedTxn<'_> {
    LoggedTxn {
        header: TxnHeader {
            client_id: SessionId(1 << 56),
            cxid: 5,
            zxid: Zxid(1 << 32),
            time: 1_795_251_296_740,
            kind: txn.kind(),
        },
        txn,
        digest: Some(TxnDigest {
            version: 2,
            tree: 1_371_985_504,
        }),
    }
}

fn paths(c: &mut Criterion) {
    let mut group = c.benchmark_group("path");
    for (name, text) in [
        ("30 bytes", PATH),
        ("a dotted name", "/app/config/.hidden/node-00042"),
        ("beyond ASCII", "/app/konfiguration/zähler-0042"),
    ] {
        group.bench_function(format!("validate {name}"), |b| {
            b.iter(|| path::validate(black_box(text)).unwrap());
        });
    }
}

criterion_group!(benches, requests, replies, txns, paths);
criterion_main!(benches);
