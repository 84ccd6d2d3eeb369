//! The four-letter words of a running server. What they print exactly is
//! compared with Apache's in the unit tests; here they are asked.

use crate::support::local::Local;
use crate::support::wire::{Ticket, Wire, create};
use std::collections::BTreeMap;
use zk_proto::{ReadRequest, Request};

const ALL: &str = "4lw.commands.whitelist=*";

fn ask(server: &Local, word: &[u8]) -> String {
    let mut wire = Wire::bare(server.address());
    wire.send_raw(word);
    String::from_utf8(wire.rest()).expect("text")
}

fn get(path: &str) -> Request<'_> {
    Request::GetData(ReadRequest {
        path: Some(path.into()),
        watch: true,
    })
}

/// A session with an ephemeral and two data watches.
fn visit(server: &Local) -> (Wire, Ticket) {
    let (mut wire, ticket) = Wire::open(server.address());
    wire.ok(&create("/a", b"12345", 0));
    wire.ok(&create("/a/e", b"", 1));
    wire.ok(&get("/a/e"));
    wire.ok(&get("/a"));
    (wire, ticket)
}

fn metrics(server: &Local) -> BTreeMap<String, String> {
    let text = ask(server, b"mntr");
    let pair = |line: &str| {
        let (name, value) = line.split_once('\t').expect("a tab");
        (name.to_owned(), value.to_owned())
    };
    text.lines().map(pair).collect()
}

#[test]
fn only_srvr_is_answered_by_default() {
    let server = Local::start("");
    assert!(ask(&server, b"srvr").starts_with("Zookeeper version: 3.9.5-"));
    for word in ["conf", "mntr", "ruok", "stmk", "wchp"] {
        let refusal = format!("{word} is not executed because it is not in the whitelist.");
        assert_eq!(ask(&server, word.as_bytes()), refusal);
    }
    let goodbye = "telnet close is not executed because it is not in the whitelist.";
    assert_eq!(ask(&server, b"\xff\xf4\xff\xfd\x06"), goodbye);
}

#[test]
fn listed_words_are_answered_and_no_others() {
    let server = Local::start("4lw.commands.whitelist=ruok, isro");
    assert_eq!(ask(&server, b"ruok"), "imok");
    assert_eq!(ask(&server, b"isro"), "rw");
    assert!(ask(&server, b"stat").ends_with("not in the whitelist."));
}

#[test]
fn unknown_words_end_the_connection() {
    let server = Local::start(ALL);
    for word in [b"kill", b"lead", b"xxxx", b"RUOK"] {
        assert_eq!(ask(&server, word), "");
    }
}

#[test]
fn bytes_behind_a_word_do_not_matter() {
    let server = Local::start(ALL);
    assert_eq!(ask(&server, b"ruok\r\n"), "imok");
}

#[test]
fn a_word_may_come_in_pieces() {
    let server = Local::start(ALL);
    let mut wire = Wire::bare(server.address());
    for piece in [&b"st"[..], b"mk\0\0\0", b"\0\0\0\x01", b"\x72"] {
        wire.send_raw(piece);
    }
    assert_eq!(wire.rest(), b"370");
    assert_eq!(ask(&server, b"gtmk"), "370");
}

#[test]
fn the_trace_mask_is_apaches_at_first() {
    let server = Local::start(ALL);
    assert_eq!(ask(&server, b"gtmk"), "306");
}

#[test]
fn server_and_connections() {
    let server = Local::start(ALL);
    let (wire, ticket) = visit(&server);
    let stat = ask(&server, b"stat");
    let lines: Vec<&str> = stat.lines().collect();
    assert_eq!(lines[1], "Clients:");
    assert!(
        lines[2].ends_with("[1](queued=0,recved=5,sent=5)"),
        "{stat}"
    );
    assert!(
        lines[3].ends_with("[0](queued=0,recved=1,sent=0)"),
        "{stat}"
    );
    assert!(lines[5].starts_with("Latency min/avg/max: 0/"), "{stat}");
    let state = ["Received: 6", "Sent: 5", "Connections: 2", "Outstanding: 0"];
    assert_eq!(lines[6..10], state);
    assert_eq!(
        lines[10..],
        ["Zxid: 0x3", "Mode: standalone", "Node count: 7"]
    );
    let cons = ask(&server, b"cons");
    let session = format!(",sid=0x{:x},lop=GETD,", ticket.id.0);
    assert!(cons.contains(&session), "{cons}");
    assert!(cons.contains(",to=4000,lcxid=0x4,lzxid=0x3,"), "{cons}");
    drop(wire);
}

#[test]
fn numbers_can_be_reset() {
    let server = Local::start(ALL);
    let (_wire, _) = visit(&server);
    assert_eq!(ask(&server, b"srst"), "Server stats reset.\n");
    assert!(ask(&server, b"srvr").contains("\nReceived: 1\nSent: 1\n"));
    assert_eq!(ask(&server, b"crst"), "Connection stats reset.\n");
    let cons = ask(&server, b"cons");
    assert!(cons.contains("(queued=0,recved=0,sent=0,sid=0x"), "{cons}");
    assert!(cons.contains(",lop=NA,"), "{cons}");
    assert!(
        cons.contains(",lzxid=0xffffffffffffffff,lresp=0,"),
        "{cons}"
    );
}

#[test]
fn sessions_ephemerals_and_watches() {
    let server = Local::start(ALL);
    let (_wire, ticket) = visit(&server);
    let id = format!("0x{:x}", ticket.id.0);
    let dump = ask(&server, b"dump");
    assert!(dump.starts_with("SessionTracker dump:\nSession Sets (1)/(1):\n1 expire at "));
    assert!(
        dump.contains(&format!(":\n\t{id}\nephemeral nodes dump:\n")),
        "{dump}"
    );
    let ephemerals = format!("Sessions with Ephemerals (1):\n{id}:\n\t/a/e\nConnections dump:\n");
    assert!(dump.contains(&ephemerals), "{dump}");
    assert!(dump.contains("\nConnections Sets ("), "{dump}");
    assert!(dump.contains(&format!(" sessionId: {id}\n")), "{dump}");
    assert!(dump.contains(" sessionId: 0x0\n"), "{dump}");
    let summary = "1 connections watching 2 paths\nTotal watches:2\n";
    assert_eq!(ask(&server, b"wchs"), summary);
    assert_eq!(ask(&server, b"wchc"), format!("{id}\n\t/a\n\t/a/e\n\n"));
    assert_eq!(
        ask(&server, b"wchp"),
        format!("/a\n\t{id}\n/a/e\n\t{id}\n\n")
    );
}

#[test]
fn configuration_and_environment() {
    let server = Local::start(ALL);
    let conf = ask(&server, b"conf");
    assert!(conf.starts_with(&format!("clientPort={}\n", server.address().port())));
    let dir = server.data_dir().join("version-2");
    assert!(conf.contains(&format!("\ndataDir={}\ndataDirSize=", dir.display())));
    assert!(conf.ends_with("\nclientPortListenBacklog=-1\nserverId=0\n"));
    let dirs = ask(&server, b"dirs");
    let size = dirs.strip_prefix("datadir_size: ").expect("a size");
    let size = size
        .lines()
        .next()
        .and_then(|size| size.parse::<u64>().ok());
    assert!(size.expect("a number") > 0);
    assert!(ask(&server, b"envi").starts_with("Environment:\nzookeeper.version=3.9.5-"));
    assert_eq!(ask(&server, b"hash"), "");
}

#[test]
fn digests_are_kept_by_zxid() {
    let server = Local::start(ALL);
    let (mut wire, _) = Wire::open(server.address());
    for number in 0..130 {
        wire.ok(&create(&format!("/{number}"), b"", 0));
    }
    let hash = ask(&server, b"hash");
    let (zxid, digest) = hash.trim_end().split_once(": ").expect("one line");
    assert_eq!(zxid, "80");
    assert!(digest.parse::<i64>().is_ok());
}

#[test]
fn every_metric_has_its_line_and_many_move() {
    let server = Local::start(ALL);
    let (_wire, _) = visit(&server);
    let apache = include_str!("../fixtures/four-letter-words/mntr.txt");
    let name = |line: &str| line.split('\t').next().expect("a name").to_owned();
    let in_apache = |text: &str| -> Vec<String> {
        let lines = text.lines().map(name);
        lines
            .filter(|name| !name.ends_with("_per_namespace"))
            .collect()
    };
    assert_eq!(in_apache(&ask(&server, b"mntr")), in_apache(apache));
    let metrics = metrics(&server);
    for (name, value) in [
        ("zk_server_state", "standalone"),
        ("zk_ephemerals_count", "1"),
        ("zk_num_alive_connections", "2"),
        ("zk_znode_count", "7"),
        ("zk_global_sessions", "1"),
        ("zk_watch_count", "2"),
        ("zk_packets_sent", "6"),
        ("zk_packets_received", "7"),
        ("zk_response_bytes", "227"),
        ("zk_min_client_response_size", "22"),
        ("zk_connection_request_count", "1"),
        ("zk_sync_processor_request_queued", "3"),
        ("zk_cnt_updatelatency", "3"),
        ("zk_cnt_readlatency", "2"),
        ("zk_max_client_response_size", "93"),
        ("zk_cnt_a_read_per_namespace", "2"),
        ("zk_sum_a_read_per_namespace", "147"),
        ("zk_cnt_a_write_per_namespace", "2"),
        ("zk_sum_a_write_per_namespace", "11"),
        ("zk_cnt_dbinittime", "1"),
        ("zk_cnt_snapshottime", "1"),
    ] {
        assert_eq!(metrics[name], value, "{name}");
    }
    for name in ["zk_open_file_descriptor_count", "zk_approximate_data_size"] {
        assert!(
            metrics[name].parse::<u64>().expect("a number") > 0,
            "{name}"
        );
    }
    let flushes = metrics["zk_cnt_fsynctime"].parse::<u64>();
    assert!((1..=3).contains(&flushes.expect("a number")));
}

#[test]
fn fired_watches_and_quotas_are_counted() {
    let server = Local::start("4lw.commands.whitelist=*\nenforceQuota=true");
    let (mut wire, _) = visit(&server);
    for (path, data) in [
        ("/zookeeper/quota/a", &b""[..]),
        ("/zookeeper/quota/a/zookeeper_stats", b"count=2,bytes=5"),
        (
            "/zookeeper/quota/a/zookeeper_limits",
            b"count=3,bytes=-1=;byteHardLimit=-1;countHardLimit=3",
        ),
    ] {
        wire.ok(&create(path, data, 0));
    }
    wire.ok(&create("/a/1", b"", 0));
    assert!(!wire.err(&create("/a/2", b"", 0)).is_ok());
    let deleted = Request::Delete(zk_proto::DeleteRequest {
        path: Some("/a/e".into()),
        version: -1,
    });
    wire.send(&deleted);
    assert!(wire.next().expect("the event").event().is_some());
    wire.next().expect("the answer");
    let metrics = metrics(&server);
    for (name, value) in [
        ("zk_cnt_node_deleted_watch_count", "1"),
        ("zk_max_node_deleted_watch_count", "1"),
        ("zk_watch_count", "1"),
        ("zk_a_quota_count_limit_per_namespace", "3"),
        ("zk_a_quota_bytes_limit_per_namespace", "-1"),
        ("zk_a_quota_exceeded_error_per_namespace", "1"),
    ] {
        assert_eq!(metrics[name], value, "{name}");
    }
    assert_ne!(metrics["zk_watch_bytes"], "0");
}
