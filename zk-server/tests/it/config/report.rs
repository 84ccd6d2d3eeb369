//! What is told once at start.

use super::*;

#[test]
fn an_unknown_key_is_told_with_its_neighbour() {
    let config =
        standalone("tickTme=5\nsyncLimt=2\nzookeeper.snapcount=9\nmy.own.key=1\nserver1=a");
    assert_eq!(
        config.start_report(),
        [
            "/conf/zoo.cfg line 3: unknown key tickTme has no effect, did you mean tickTime?",
            "/conf/zoo.cfg line 4: unknown key syncLimt has no effect, did you mean syncLimit?",
            "/conf/zoo.cfg line 5: unknown key zookeeper.snapcount has no effect, did you mean snapCount?",
            "/conf/zoo.cfg line 6: unknown key my.own.key has no effect",
            "/conf/zoo.cfg line 7: unknown key server1 has no effect, did you mean server.N?",
        ]
    );
}

#[test]
fn keys_with_one_reason_share_a_line() {
    let config = standalone(
        "nio.numWorkerThreads=4\nnio.numSelectorThreads=2\nssl.protocol=TLSv1.2\nsecureClientPort=2281",
    );
    assert_eq!(
        config.start_report(),
        [
            "no effect here: nio.numSelectorThreads, nio.numWorkerThreads: there are no selector and worker thread pools to size",
            "no effect yet: secureClientPort, ssl.protocol: TLS is not served by this version",
        ]
    );
}

#[test]
fn values_out_of_bounds_are_told() {
    let config = standalone(
        "snapCount=1\nautopurge.snapRetainCount=1\nlargeRequestThreshold=0\nlargeRequestMaxBytes=0\n\
         commitLogCount=5\nsnapshot.compression.method=zstd",
    );
    assert_eq!(config.storage.snap_count, 2);
    assert_eq!(config.storage.autopurge.snap_retain_count, 3);
    assert_eq!(config.limits.large_request_threshold, None);
    assert_eq!(config.limits.large_request_max_bytes, 100 * 1024 * 1024);
    assert_eq!(config.ensemble.commit_log_count, 500);
    assert_eq!(
        config.storage.snapshot_compression,
        SnapshotCompression::None
    );
    // One line each, and one for commitLogCount as an ensemble's key.
    assert_eq!(config.start_report().len(), 7);
}

#[test]
fn relative_paths_and_raw_latin1_are_told() {
    let text = "dataDir=data/\u{e9}\nclientPort=2181\ndataLogDir=./log";
    let config = ServerConfig::parse(Path::new("zoo.cfg"), text.as_bytes(), &JvmFlags::default());
    let config = config.unwrap();
    assert_eq!(config.storage.data_dir, Path::new("data/\u{c3}\u{a9}"));
    let report = config.start_report();
    assert_eq!(report.len(), 3);
    assert!(
        report[0].starts_with("the configuration file zoo.cfg is relative"),
        "{report:?}"
    );
    assert!(report[1].contains("ISO-8859-1"), "{report:?}");
    assert!(
        report[2].starts_with("zoo.cfg line 1: dataDir data/"),
        "{report:?}"
    );
}
