//! What counts when a key is set more than once.

use super::*;

#[test]
fn the_file_overwrites_flags() {
    let flags = flags("-Dzookeeper.snapCount=10 -Dzookeeper.maxCnxns=7 -Djute.maxbuffer=9");
    let config = parse_with(&with_basics("snapCount=20"), &flags).unwrap();
    assert_eq!(config.storage.snap_count, 20);
    assert_eq!(config.clients.max_cnxns, 7);
    assert_eq!(config.limits.max_buffer, 9);
    assert_eq!(config.start_report(), [""; 0]);
}

#[test]
fn a_value_that_cannot_be_read_overwrites_too() {
    let flags = flags("-Dzookeeper.snapCount=10");
    let config = parse_with(&with_basics("snapCount=many"), &flags).unwrap();
    assert_eq!(config.storage.snap_count, 100_000);
    let told = "/conf/zoo.cfg line 3: snapCount=many is not a whole number: the default is kept";
    assert_eq!(config.start_report(), [told]);
}

#[test]
fn the_last_flag_counts() {
    let mut flags = flags("-Dzookeeper.snapCount=10");
    flags.add("JVMFLAGS", "-Dzookeeper.snapCount=30");
    let config = parse_with(&with_basics(""), &flags).unwrap();
    assert_eq!(config.storage.snap_count, 30);
}

#[test]
fn the_last_of_two_equal_lines_counts() {
    let config = standalone("clientPort=x\nclientPort=2183");
    assert_eq!(address(&config), "0.0.0.0:2183");
    assert_eq!(
        config.start_report(),
        [
            "/conf/zoo.cfg line 2: clientPort has no effect: /conf/zoo.cfg line 3 sets clientPort again",
            "/conf/zoo.cfg line 3: clientPort has no effect: /conf/zoo.cfg line 4 sets clientPort again",
        ]
    );
}

#[test]
fn the_plain_name_is_stronger_than_others() {
    for lines in [
        "snapCount=20\nzookeeper.snapCount=10",
        "zookeeper.snapCount=10\nsnapCount=20",
    ] {
        let config = standalone(lines);
        assert_eq!(config.storage.snap_count, 20);
        let report = config.start_report();
        assert_eq!(report.len(), 1);
        assert!(
            report[0].contains("zookeeper.snapCount has no effect"),
            "{report:?}"
        );
    }
}

#[test]
fn keys_of_the_file_are_no_flags() {
    let flags = flags("-Dzookeeper.tickTime=1 -Dfile.encoding=UTF-8 -DsnapCount=5 -Xmx1g");
    let config = parse_with(&with_basics(""), &flags).unwrap();
    assert_eq!(config.sessions.tick_time, Duration::from_secs(3));
    assert_eq!(
        config.start_report(),
        [
            "JVMFLAGS: -Dzookeeper.tickTime has no effect: tickTime is read from the configuration file only",
            "JVMFLAGS: -Dfile.encoding has no effect: it is no property of ZooKeeper",
            "JVMFLAGS: -DsnapCount has no effect: it is no property of ZooKeeper",
            "JVMFLAGS: options other than -D have no effect: there is no JVM",
        ]
    );
}

#[test]
fn a_property_without_prefix_acts_in_the_file_too() {
    let config = standalone("jute.maxbuffer=4194304");
    assert_eq!(config.limits.max_buffer, 4_194_304);
    let note = "jute.maxbuffer acts here; Apache ZooKeeper reads it only from -Djute.maxbuffer";
    assert!(config.start_report()[0].contains(note));
}
