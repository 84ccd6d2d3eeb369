//! Snapshots written and read again, in all three forms, and the rules by
//! which one is chosen.

use crate::history::Life;
use crate::model::Model;
use crate::support::{config, dirs, disk, files, recover, shared};
use std::sync::Arc;
use zk_log::{
    Compression, FileStorage, LogConfig, LogDirs, LogError, MemStorage, SnapshotEnd, SnapshotItem,
    SnapshotReader, SnapshotWriter, Storage,
};
use zk_proto::Zxid;
use zk_proto::snapshot::SnapshotDigest;

/// A tree whose snapshot is larger than a block of any compression.
fn tree() -> Model {
    let storage = MemStorage::new();
    let mut life = Life::start(shared(&storage)).unwrap();
    for _ in 0..12 {
        life.batch(20).unwrap();
    }
    let mut model = life.model.clone();
    let data = (0..100_000_u32)
        .map(|at| (at.wrapping_mul(at) >> 7) as u8)
        .collect();
    model.nodes.get_mut("/zookeeper").unwrap().data = Some(data);
    model
}

fn digest(model: &Model) -> SnapshotDigest {
    SnapshotDigest {
        zxid: model.last,
        version: 2,
        tree: model.digest(),
    }
}

#[test]
fn every_form_and_every_end_round_trips() {
    let model = tree();
    let content = model.content();
    assert!(content.len() > 70_000);
    for compression in Compression::ALL {
        for digest in [None, Some(digest(&model))] {
            for last_zxid in [None, Some(model.last)] {
                let storage = MemStorage::new();
                storage.create_dirs(&dirs().snap_dir).unwrap();
                let config = LogConfig {
                    compression,
                    ..config()
                };
                let mut writer =
                    SnapshotWriter::create(shared(&storage), &dirs(), &config, model.last).unwrap();
                for chunk in content.chunks(777) {
                    writer.write(chunk).unwrap();
                }
                let file = writer.finish(digest, last_zxid).unwrap();
                assert!(file.content as usize > content.len() && file.bytes > 0);
                let (recovered, again) = recover(&storage).unwrap();
                assert_eq!(again, model);
                let end = SnapshotEnd { digest, last_zxid };
                let loaded = recovered.snapshot.unwrap();
                assert_eq!((loaded.end, loaded.path), (end, file.path));
            }
        }
    }
}

/// Apache's own snapshots, through our reader and writer, are the same bytes.
#[test]
fn apaches_snapshots_come_out_as_they_went_in() {
    for name in ["standalone", "nodigest", "digest-nolastzxid", "fuzzy"] {
        let all = files(&format!("{name}/version-2"));
        let storage = disk(&all);
        for (file, bytes) in all.iter().filter(|(file, _)| file.starts_with("snapshot.")) {
            let path = dirs().snap_dir.join(file);
            let reader = SnapshotReader::open(&storage, &path).unwrap();
            let zxid = reader.zxid();
            let end = reader.check().unwrap();
            // The content stands between the header and the first seal.
            let tail = 13 + end.digest.map_or(0, |_| 20 + 13) + end.last_zxid.map_or(0, |_| 8 + 13);
            let content = &bytes[16..bytes.len() - tail];
            let copy = MemStorage::new();
            copy.create_dirs(&dirs().snap_dir).unwrap();
            let mut writer =
                SnapshotWriter::create(shared(&copy), &dirs(), &config(), zxid).unwrap();
            writer.write(content).unwrap();
            writer.finish(end.digest, end.last_zxid).unwrap();
            assert_eq!(*copy.bytes(&path).unwrap(), *bytes, "{name} {file}");
        }
    }
}

/// An item that is larger than the reader's window.
#[test]
fn large_data_is_read() {
    let mut model = Model::fresh();
    let node = model.nodes.get_mut("/zookeeper").unwrap();
    node.data = Some(vec![0x5a; 3 << 20]);
    for compression in Compression::ALL {
        let storage = MemStorage::new();
        storage.create_dirs(&dirs().snap_dir).unwrap();
        let config = LogConfig {
            compression,
            ..config()
        };
        let mut writer =
            SnapshotWriter::create(shared(&storage), &dirs(), &config, Zxid(5)).unwrap();
        writer.write(&model.content()).unwrap();
        writer.finish(None, None).unwrap();
        assert_eq!(recover(&storage).unwrap().1.nodes, model.nodes);
    }
}

#[test]
fn a_length_that_lies_allocates_nothing() {
    let mut model = Model::fresh();
    model.sessions.insert(1, 4000);
    let content = model.content();
    // The first path's length follows one session and no list.
    let at = 4 + 12 + 4;
    assert_eq!(content[at..at + 4], [0; 4]);
    for lie in [i32::MAX, 200 << 20, -2, i32::MIN] {
        let mut content = content.clone();
        content[at..at + 4].copy_from_slice(&lie.to_be_bytes());
        let storage = MemStorage::new();
        storage.create_dirs(&dirs().snap_dir).unwrap();
        let mut writer =
            SnapshotWriter::create(shared(&storage), &dirs(), &config(), Zxid(5)).unwrap();
        writer.write(&content).unwrap();
        let file = writer.finish(None, None).unwrap();
        let error = SnapshotReader::open(&storage, &file.path)
            .unwrap()
            .check()
            .unwrap_err();
        assert!(
            matches!(error, LogError::BadSnapshot { offset: 36, .. }),
            "{error}"
        );
    }
}

/// A snapshot of zeros that is small as a file.
#[test]
fn compressed_garbage_is_refused() {
    let storage = MemStorage::new();
    storage.create_dirs(&dirs().snap_dir).unwrap();
    let zeros = vec![0; 1 << 20];
    let config = LogConfig {
        compression: Compression::Gz,
        ..config()
    };
    let mut writer = SnapshotWriter::create(shared(&storage), &dirs(), &config, Zxid(5)).unwrap();
    writer.write(&zeros).unwrap();
    let file = writer.finish(None, None).unwrap();
    assert!(file.bytes < 10_000);
    assert!(
        SnapshotReader::open(&storage, &file.path)
            .unwrap()
            .check()
            .is_err()
    );
    // A chunk of four bytes that claims to hold 512 MiB.
    let path = dirs().snap_dir.join("snapshot.6.snappy");
    let mut bytes = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    bytes.extend(5_i32.to_be_bytes());
    bytes.extend([0x80, 0x80, 0x80, 0x80, 0x02]);
    storage.put(&path, &bytes);
    let error = SnapshotReader::open(&storage, &path)
        .unwrap()
        .check()
        .unwrap_err();
    assert!(error.to_string().contains("unreasonable"), "{error}");
}

#[test]
fn logs_without_a_snapshot_are_refused_unless_trusted() {
    let storage = MemStorage::new();
    let mut life = Life::start(shared(&storage)).unwrap();
    life.batch(9).unwrap();
    let model = life.model.clone();
    drop(life);
    storage.remove(&dirs().snap_dir.join("snapshot.0")).unwrap();
    assert!(matches!(
        recover(&storage),
        Err(LogError::NoSnapshot { .. })
    ));
    let config = LogConfig {
        trust_empty_snapshot: true,
        ..config()
    };
    let mut again = Model::fresh();
    let recovered = zk_log::recover(&storage, &dirs(), &config, &mut again).unwrap();
    assert_eq!((recovered.last_zxid, recovered.empty), (Zxid(9), false));
    assert_eq!(again.nodes, model.nodes);
}

#[test]
fn an_empty_database_counts_if_it_is_meant() {
    let config = LogConfig {
        db_autocreate: false,
        ..config()
    };
    let start = |storage: &MemStorage| {
        let recovered = zk_log::recover(storage, &dirs(), &config, &mut Model::default()).unwrap();
        assert!(recovered.empty);
        recovered.last_zxid
    };
    let storage = MemStorage::new();
    assert_eq!(start(&storage), Zxid::NONE);
    let initialize = dirs().initialize_file();
    storage.create_dirs(initialize.parent().unwrap()).unwrap();
    storage.put(&initialize, b"");
    assert_eq!(start(&storage), Zxid::ZERO);
    // A crash before the first snapshot does not use it up.
    assert_eq!(start(&storage), Zxid::ZERO);
    assert!(zk_log::consume_initialize(&storage, &dirs()).unwrap());
    assert!(!zk_log::consume_initialize(&storage, &dirs()).unwrap());
    assert_eq!(start(&storage), Zxid::NONE);
}

#[test]
fn directories_are_made_or_refused() {
    let temp = tempfile::tempdir().unwrap();
    let dirs = LogDirs::new(&temp.path().join("a/data"), &temp.path().join("b/logs"));
    let start = |config: &LogConfig| {
        zk_log::recover(&FileStorage, &dirs, config, &mut Model::default()).map(|it| it.empty)
    };
    let config = config();
    let never = LogConfig {
        datadir_autocreate: false,
        ..config
    };
    assert!(matches!(start(&never), Err(LogError::Directory { .. })));
    assert!(start(&config).unwrap() && start(&never).unwrap());
    std::fs::write(dirs.snap_dir.join("log.1"), "").unwrap();
    let error = start(&config).unwrap_err().to_string();
    assert!(error.contains("holds logs"), "{error}");
    std::fs::remove_file(dirs.snap_dir.join("log.1")).unwrap();
    std::fs::create_dir(dirs.log_dir.join("log.1")).unwrap();
    assert!(
        start(&config).is_err(),
        "a directory with the name of a log"
    );
}

/// A snapshot may hold the half of what was applied while it was written.
/// Without the logs of that time the tree would be a mixture.
#[test]
fn a_fuzzy_snapshot_needs_its_logs() {
    let mut all = files("fuzzy/version-2");
    // snapshot.db2 may hold changes up to 0xe32, which is in log.de7.
    let log = all.iter_mut().find(|(name, _)| name == "log.de7").unwrap();
    log.1.truncate(3000);
    let storage = disk(&all);
    let error = recover(&storage).unwrap_err();
    assert!(matches!(error, LogError::SnapshotAhead { .. }), "{error}");
    let config = LogConfig {
        require_snapshot_covered: false,
        ..config()
    };
    let recovered = zk_log::recover(&storage, &dirs(), &config, &mut Model::default()).unwrap();
    assert!(recovered.last_zxid < Zxid(0xe32));
}

/// The receiver's word counts like a wrong checksum: an older one is tried.
#[test]
fn a_snapshot_that_the_tree_refuses_is_passed_over() {
    let storage: Arc<dyn Storage> = Arc::new(MemStorage::new());
    let mut life = Life::start(storage.clone()).unwrap();
    life.batch(9).unwrap();
    // A child without its parent, sealed as it should be.
    let mut broken = life.model.clone();
    let orphan = broken.nodes["/zookeeper"].clone();
    broken.nodes.insert("/not/there".to_owned(), orphan);
    let mut writer = SnapshotWriter::create(storage.clone(), &dirs(), &config(), Zxid(9)).unwrap();
    writer.write(&broken.content()).unwrap();
    writer.finish(None, None).unwrap();
    let (recovered, model) = recover(&*storage).unwrap();
    assert_eq!(model.nodes, life.model.nodes);
    assert_eq!(recovered.bad_snapshots.len(), 1);
    assert!(
        recovered.bad_snapshots[0]
            .to_string()
            .contains("comes before its parent")
    );
}

#[test]
fn items_come_in_order_and_the_end_again() {
    let storage = disk(&files("standalone/version-2"));
    let path = dirs().snap_dir.join("snapshot.109");
    let mut reader = SnapshotReader::open(&storage, &path).unwrap();
    let mut kinds = String::new();
    while !kinds.ends_with("..") {
        kinds.push(match reader.next().unwrap() {
            SnapshotItem::Session(_) => 's',
            SnapshotItem::Acl(_) => 'a',
            SnapshotItem::Node(_) => 'n',
            SnapshotItem::End(_) => '.',
        });
    }
    let rest = kinds
        .trim_start_matches('s')
        .trim_start_matches('a')
        .trim_start_matches('n');
    assert!(kinds.starts_with("ssssa") && rest == "..", "{kinds}");
}
