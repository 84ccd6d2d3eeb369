//! The sequences of commands that people read about ZooKeeper type first, as
//! they are written there, against a server of ours.

use crate::ours::Ours;
use crate::zk;

/// What a shell printed, line by line, without what differs from run to run.
fn shell(server: &Ours, lines: &str) -> (Vec<String>, Vec<String>) {
    let run = zk::run_with_input(&["-server", &server.address()], lines);
    let all = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let mut out = all(&run.stdout);
    let connected = out.iter().position(|line| line.starts_with("WatchedEvent"));
    out.drain(..=connected.unwrap_or_else(|| panic!("never connected: {out:?}")));
    (out, all(&run.stderr))
}

#[test]
fn znodes_of_all_kinds_are_made() {
    let server = Ours::start();
    let (_, errors) = shell(
        &server,
        "sync /\ncreate /servers xxx\ncreate -e /servers/host xxx\ncreate -e -s /servers/host xxx\n\
         create -c /container xxx\ncreate -t 10000 /ttl\ncreate -e -s /temp s_temp_tiger\n\
         create /lock\ncreate -s /lock/ v\ncreate -s /lock/ v\ncreate /lock/ val\n\
         create -t 10 -e /x\ncreate /servers again\n",
    );
    assert_eq!(
        errors,
        [
            "Created /servers",
            "Created /servers/host",
            "Created /servers/host0000000001",
            "Created /container",
            "Created /ttl",
            "Created /temp0000000003",
            "Created /lock",
            "Created /lock/0000000000",
            "Created /lock/0000000001",
            "Path must not end with / character",
            "TTLs cannot be used with Ephemeral znodes",
            "Node already exists: /servers",
        ]
    );
    // A node without data has null, not nothing.
    assert_eq!(server.ok(&["get", "/ttl"]), "null\n");
}

#[test]
fn data_are_read_and_set() {
    let server = Ours::start();
    let (out, errors) = shell(
        &server,
        "sync /\ncreate /haha dog\nget /haha\nset /haha\nset haha tiger\nset /haha tiger\nget /haha\n\
         ls /\nls -R /haha\nstat /nosuch\ndelete /haha\nget /haha\ngetAcl /\nhelp\n",
    );
    assert_eq!(
        out[..7],
        [
            "Sync is OK",
            "dog",
            "tiger",
            "[haha, zookeeper]",
            "/haha",
            "'world,'anyone",
            ": cdrwa",
        ]
    );
    assert!(errors.contains(&"set path data [-s] [-v version] [-b]".to_owned()));
    assert!(errors.contains(&"Path must start with / character".to_owned()));
    assert!(errors.contains(&"Node does not exist: /nosuch".to_owned()));
    assert!(errors.contains(&"Node does not exist: /haha".to_owned()));
    let usage = "ZooKeeper -server host:port -client-configuration properties-file cmd args";
    assert!(errors.contains(&usage.to_owned()));
}

#[test]
fn a_counter_is_only_changed_by_who_read_it() {
    let server = Ours::start();
    server.ok(&["create", "/counter", "0"]);
    for version in 0..3 {
        let read = server.json(&["get", "/counter"]);
        assert_eq!(read["stat"]["version"], version);
        let next = (version + 1).to_string();
        let version = version.to_string();
        server.ok(&["set", "-v", &version, "/counter", &next]);
        // Another one that read the same was too late.
        let late = server.fails(5, &["set", "-v", &version, "/counter", "9"]);
        assert_eq!(late, "version No is not valid : /counter\n");
    }
    assert_eq!(server.ok(&["get", "/counter"]), "3\n");
}

#[test]
fn only_znodes_without_children_are_deleted() {
    let server = Ours::start();
    server.ok(&["create", "-p", "/x/y", "z"]);
    assert_eq!(server.fails(6, &["delete", "/x"]), "Node not empty: /x\n");
    server.fails(5, &["delete", "-v", "3", "/x/y"]);
    server.ok(&["delete", "-v", "0", "/x/y"]);
    server.ok(&["create", "-p", "/x/y/z"]);
    server.ok(&["deleteall", "/x"]);
    server.fails(3, &["get", "/x"]);
}

#[test]
fn watches_fire_once_and_persistent_ones_on() {
    let server = Ours::start();
    let (out, _) = shell(
        &server,
        "sync /\ncreate /haha dog\nget -w /haha\nset /haha cat\nset /haha cow\nls -w /haha\n\
         create /haha/x\naddWatch /haha\nset /haha a\ncreate /haha/y\ndelete /haha/y\n\
         removewatches /haha\n",
    );
    let events: Vec<&str> = out
        .iter()
        .filter_map(|line| line.strip_prefix("WatchedEvent state:SyncConnected type:"))
        .filter_map(|event| event.split_once(" zxid: "))
        .map(|(event, _)| event)
        .collect();
    assert_eq!(
        events,
        [
            "NodeDataChanged path:/haha",
            "NodeChildrenChanged path:/haha",
            "NodeDataChanged path:/haha",
            "NodeCreated path:/haha/y",
            "NodeDeleted path:/haha/y",
            "PersistentWatchRemoved path:/haha",
        ]
    );
}

#[test]
fn quotas_and_lists_are_set() {
    let server = Ours::start();
    server.ok(&["create", "/q", "12345"]);
    server.ok(&["setquota", "-n", "2", "/q"]);
    server.ok(&["setquota", "-b", "100", "/q"]);
    assert_eq!(
        server.ok(&["listquota", "/q"]),
        "Output quota for /q count=2,bytes=100=;byteHardLimit=-1;countHardLimit=-1\n\
         Output stat for /q count=1,bytes=5\n"
    );
    // Three are one too many, which a soft limit only warns of.
    server.ok(&["create", "/q/a"]);
    server.ok(&["create", "/q/b"]);
    server.ok(&["delquota", "/q"]);
    server.ok(&["setAcl", "-R", "/q", "world:anyone:r"]);
    assert_eq!(server.ok(&["getAcl", "/q/a"]), "'world,'anyone\n: r\n");
    server.fails(7, &["create", "/q/c"]);
}

/// Quit ends the session, and with it at once what belonged to it.
#[test]
fn quit_takes_ephemerals_along() {
    let server = Ours::start();
    let run = zk::run_with_input(
        &["-timeout", "30000", "-server", &server.address()],
        "create -e /master m1\nls /\nquit\n",
    );
    assert!(run.stdout.contains("[master, zookeeper]\n"), "{run:?}");
    assert_eq!(server.ok(&["ls", "/"]), "[zookeeper]\n");
    server.ok(&["create", "-e", "/master", "m2"]);
}
