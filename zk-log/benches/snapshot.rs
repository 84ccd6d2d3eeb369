//! Writing and reading a snapshot of many small znodes.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zk_log::{
    Compression, FileStorage, LogConfig, LogDirs, SnapshotItem, SnapshotReader, SnapshotWriter,
    Storage,
};
use zk_proto::snapshot::{NodeEntry, OPEN_ACL_INDEX, append_end};
use zk_proto::{Buffer, StatPersisted, Zxid, jute};

const NODES: u64 = 100_000;

fn content() -> Vec<u8> {
    // No sessions and no lists.
    let mut out = vec![0; 8];
    for at in 0..NODES {
        let path = format!("/bench/dir-{:03}/node-{at:07}", at % 1000);
        let node = NodeEntry {
            path: path.into(),
            data: Some(Buffer(&[7; 100])),
            acl: OPEN_ACL_INDEX,
            stat: StatPersisted::default(),
        };
        jute::append(&mut out, &node).expect("a znode is encodable");
    }
    append_end(&mut out).expect("the end is encodable");
    out
}

fn write(dirs: &LogDirs, config: &LogConfig, content: &[u8]) -> PathBuf {
    let mut writer = SnapshotWriter::create(Arc::new(FileStorage), dirs, config, Zxid(1))
        .expect("the disk works");
    for chunk in content.chunks(64 << 10) {
        writer.write(chunk).expect("the disk works");
    }
    writer.finish(None, None).expect("the disk works").path
}

fn read(path: &Path) -> u64 {
    let mut reader = SnapshotReader::open(&FileStorage, path).expect("the file is there");
    let mut nodes = 0;
    loop {
        match reader.next().expect("the snapshot is good") {
            SnapshotItem::End(_) => return nodes,
            item => {
                black_box(item);
                nodes += 1;
            }
        }
    }
}

fn bench(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let dirs = LogDirs::new(dir.path(), dir.path());
    FileStorage
        .create_dirs(&dirs.snap_dir)
        .expect("the disk works");
    let content = content();
    let mut group = c.benchmark_group("snapshot");
    group
        .throughput(Throughput::Elements(NODES))
        .sample_size(10);
    for compression in Compression::ALL {
        let config = LogConfig {
            compression,
            ..LogConfig::default()
        };
        group.bench_function(format!("write {compression:?}"), |b| {
            b.iter(|| write(&dirs, &config, &content));
        });
        let path = write(&dirs, &config, &content);
        group.bench_function(format!("read {compression:?}"), |b| {
            b.iter(|| assert_eq!(read(&path), NODES));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
