//! Apache's own tools read what we write. Needs `ZK_APACHE_395` (a directory
//! of Apache's jars) and `ZK_JAVA` (a java program); without them the tests
//! say that they were skipped.

use crate::history::Life;
use crate::support::{config, dirs, files, shared};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use zk_log::{
    Compression, FileStorage, LogConfig, LogDirs, LogNext, LogReader, MemStorage, SnapshotWriter,
    Storage, TxnLog,
};
use zk_proto::Zxid;

/// How to call Apache's tools.
struct Tools {
    java: String,
    class_path: String,
}

impl Tools {
    fn find(test: &str) -> Option<Self> {
        match (env::var("ZK_JAVA"), env::var("ZK_APACHE_395")) {
            (Ok(java), Ok(jars)) => Some(Self {
                java,
                class_path: format!("{jars}/*:{jars}"),
            }),
            _ => {
                println!("{test}: skipped, ZK_JAVA and ZK_APACHE_395 are not both set");
                None
            }
        }
    }

    /// What a tool prints; it must end well.
    fn run(&self, class: &str, args: &[&Path]) -> String {
        let output = Command::new(&self.java)
            .args([
                "-cp",
                &self.class_path,
                &format!("org.apache.zookeeper.server.{class}"),
            ])
            .args(args)
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.java));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{class} {args:?}: {text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }
}

#[test]
fn txn_log_toolkit_reads_our_logs() {
    let Some(tools) = Tools::find("txn_log_toolkit_reads_our_logs") else {
        return;
    };
    let temp = tempfile::tempdir().unwrap();
    let memory = MemStorage::new();
    let mut life = Life::start(shared(&memory)).unwrap();
    life.work(3).unwrap();
    drop(life);
    let source = dirs().log_dir;
    for prealloc_bytes in [0, 4096, 64 << 20] {
        let config = LogConfig {
            prealloc_bytes,
            ..config()
        };
        // A log that is still open, with its padding, and a closed one.
        for close in [false, true] {
            let dir = temp.path().join(format!("{prealloc_bytes}-{close}"));
            fs::create_dir(&dir).unwrap();
            let mut log = TxnLog::open(Arc::new(FileStorage), &dir, &config, Zxid::ZERO);
            let mut count = 0;
            zk_log::read_txns(&memory, &source, Zxid::ZERO, &mut |txn| {
                let mut payload = Vec::new();
                txn.encode(&mut payload).unwrap();
                count += 1;
                log.append(txn.header.zxid, &payload)
            })
            .unwrap();
            log.flush().unwrap();
            if close {
                log.close().unwrap();
            } else {
                drop(log);
            }
            let text = tools.run(
                "persistence.TxnLogToolkit",
                &[Path::new("-d"), &dir.join("log.1")],
            );
            assert!(
                text.contains(&format!("EOF reached after {count} txns.")),
                "{text}"
            );
            assert!(!text.contains("CRC ERROR"), "{text}");
        }
    }
}

#[test]
fn snapshot_tools_read_our_snapshots() {
    let Some(tools) = Tools::find("snapshot_tools_read_our_snapshots") else {
        return;
    };
    let temp = tempfile::tempdir().unwrap();
    let all = files("standalone/version-2");
    let (name, apache) = all.iter().find(|(name, _)| name == "snapshot.109").unwrap();
    let original = temp.path().join(name);
    fs::write(&original, apache).unwrap();
    let storage = crate::support::disk(&all);
    let reader = zk_log::SnapshotReader::open(&storage, &dirs().snap_dir.join(name)).unwrap();
    let end = reader.check().unwrap();
    let content = &apache[16..apache.len() - 13 - 33 - 21];
    for compression in Compression::ALL {
        let config = LogConfig {
            compression,
            ..config()
        };
        let data = temp.path().join(format!("ours{}", compression.ending()));
        let to = LogDirs::new(&data, &data);
        FileStorage.create_dirs(&to.snap_dir).unwrap();
        let mut writer =
            SnapshotWriter::create(Arc::new(FileStorage), &to, &config, Zxid(0x109)).unwrap();
        writer.write(content).unwrap();
        let file = writer.finish(end.digest, end.last_zxid).unwrap();
        let text = tools.run("SnapshotFormatter", &[&file.path]);
        assert!(text.contains("Last zxid: 0x109"), "{text}");
        let flags = ["-l", "-r", "-b", "-n"].map(Path::new);
        let zero = Path::new("0");
        let text = tools.run(
            "SnapshotComparer",
            &[
                flags[0], &original, flags[1], &file.path, flags[2], zero, flags[3], zero,
            ],
        );
        assert!(text.contains("All layers compared."), "{text}");
        assert!(
            !text.contains("found only") && !text.contains("Delta"),
            "{text}"
        );
    }
}

/// The toolkit agrees with us on where an interrupted write begins.
#[test]
fn txn_log_toolkit_ends_where_we_cut() {
    let Some(tools) = Tools::find("txn_log_toolkit_ends_where_we_cut") else {
        return;
    };
    let temp = tempfile::tempdir().unwrap();
    for variant in ["torn-tail-payload", "torn-tail-then-zeros", "bad-eor-last"] {
        let mut all = files("corrupt/intact");
        for (name, bytes) in files(&format!("corrupt/{variant}")) {
            all.retain(|(other, _)| *other != name);
            all.push((name, bytes));
        }
        let storage = crate::support::disk(&all);
        crate::support::recover(&storage).unwrap();
        let path = dirs().log_dir.join("log.3c");
        let mut reader = LogReader::open(&storage, &path).unwrap();
        reader.start().unwrap();
        let mut count = 0;
        while let LogNext::Record(_) = reader.next().unwrap() {
            count += 1;
        }
        let cut = temp.path().join("log.3c");
        fs::write(&cut, &storage.bytes(&path).unwrap()[..]).unwrap();
        let text = tools.run("persistence.TxnLogToolkit", &[Path::new("-d"), &cut]);
        assert!(
            text.contains(&format!("EOF reached after {count} txns.")),
            "{variant}: {text}"
        );
    }
}
