//! The words of a state built by hand, byte for byte those of Apache 3.9.5.

use super::configuration::{Configuration, Directories, EnsembleConfiguration};
use super::connections::{Client, Connection, Interest, cons};
use super::dump::{Dump, ExpiringConnection, Sessions};
use super::monitor::{Monitor, mntr};
use super::server_stats::{ProposalSizes, ServerState, srvr, stat};
use crate::metrics::{Families, Gauges, LeaderGauges, Metrics, QuotaGauges, SummaryValues};
use std::collections::BTreeMap;
use zk_proto::ensemble::{EnsembleConfig, Role};
use zk_proto::{OpCode, ServerId, SessionId, Zxid};

macro_rules! apache {
    ($word:literal) => {
        include_str!(concat!(
            "../../tests/fixtures/four-letter-words/",
            $word,
            ".txt"
        ))
    };
}

const VERSION: &str =
    "3.9.5-293c895a8d966a3ecb92872be4a1daf87d725da2, built on 2026-02-11 20:18 UTC";
const SESSION: SessionId = SessionId(0x0100_003e_12ce_0000);

fn asking(port: u16) -> Connection {
    Connection {
        remote: ([127, 0, 0, 1], port).into(),
        interest: Interest::Nothing,
        queued: 0,
        received: 1,
        sent: 0,
        client: None,
    }
}

fn connected() -> Connection {
    Connection {
        remote: ([127, 0, 0, 1], 48716).into(),
        interest: Interest::Read,
        queued: 0,
        received: 10,
        sent: 10,
        client: Some(Client {
            session: SESSION,
            timeout_ms: 30_000,
            established_ms: 1_795_254_106_847,
            last_op: Some(OpCode::PING),
            last_cxid: 7,
            last_zxid: Zxid(4),
            last_response_ms: 4_068_844,
            last_latency_ms: 1,
            min_latency_ms: 0,
            avg_latency_ms: 28,
            max_latency_ms: 227,
        }),
    }
}

fn state(received: u64, sent: u64) -> ServerState<'static> {
    ServerState {
        version: VERSION,
        latency: SummaryValues::default(),
        received,
        sent,
        connections: 2,
        outstanding: 0,
        zxid: Zxid(4),
        mode: "standalone",
        node_count: 8,
        read_only: false,
        proposals: None,
    }
}

/// As the words of an ensemble begin and end.
fn state_in_ensemble(received: u64, mode: &'static str) -> ServerState<'static> {
    ServerState {
        zxid: Zxid(0x1_0000_0006),
        mode,
        proposals: (mode == "leader").then_some(ProposalSizes {
            last: -1,
            min: -1,
            max: -1,
        }),
        ..state(received, received)
    }
}

#[test]
fn connections() {
    assert_eq!(cons(&[asking(48730), connected()]), apache!("cons"));
}

#[test]
fn a_connection_before_its_first_request() {
    let Connection { client, .. } = connected();
    let client = client.map(|client| Client {
        last_op: None,
        last_cxid: -1,
        last_zxid: Zxid::NONE,
        last_response_ms: 0,
        ..client
    });
    let line = Connection {
        client,
        ..connected()
    }
    .to_string();
    assert!(line.contains(",lop=NA,"), "{line}");
    assert!(
        line.contains(",to=30000,lzxid=0xffffffffffffffff,lresp=0,"),
        "{line}"
    );
}

#[test]
fn server_and_clients() {
    assert_eq!(srvr(&state(1, 1)), apache!("srvr"));
    let after_a_reset = Connection {
        received: 0,
        sent: 0,
        ..connected()
    };
    let connections = [asking(48836), after_a_reset];
    assert_eq!(stat(&state(2, 2), &connections), apache!("stat"));
}

#[test]
fn servers_of_an_ensemble() {
    assert_eq!(
        srvr(&state_in_ensemble(1, "leader")),
        apache!("leader/srvr")
    );
    let follower = state_in_ensemble(1, "follower");
    assert_eq!(srvr(&follower), apache!("follower/srvr"));
    let observer = state_in_ensemble(1, "observer");
    assert_eq!(srvr(&observer), apache!("observer/srvr"));
    let (asking, connected) = (asking(43288), connected());
    let connected = Connection {
        remote: ([127, 0, 0, 1], 48758).into(),
        received: 0,
        sent: 0,
        ..connected
    };
    let leader = state_in_ensemble(2, "leader");
    assert_eq!(stat(&leader, &[connected, asking]), apache!("leader/stat"));
}

#[test]
fn expiry() {
    let connection = |port, session| ExpiringConnection {
        remote: ([127, 0, 0, 1], port).into(),
        session,
    };
    let dump = Dump {
        local_sessions: None,
        sessions: Sessions::Expiring(BTreeMap::from([(1_795_254_138_000, vec![SESSION])])),
        ephemerals: vec![(SESSION, vec!["/a/e".into()])],
        connections: BTreeMap::from([
            (1_795_254_138_999, vec![connection(48716, SESSION)]),
            (1_795_254_118_000, vec![connection(48762, SessionId::NONE)]),
        ]),
    };
    assert_eq!(dump.to_string(), apache!("dump"));
}

/// A leader knows when sessions expire, a learner how long they last.
#[test]
fn sessions_of_an_ensemble() {
    let [one, two, four] = [
        SessionId(0x0100_003e_6057_0000),
        SessionId(0x0200_003e_60d1_0000),
        SessionId(0x0400_003e_6242_0000),
    ];
    let expiring = Sessions::Expiring(BTreeMap::from([
        (1_795_254_159_000, vec![two]),
        (1_795_254_160_000, vec![four, one]),
    ]));
    let lasting = Sessions::Lasting([one, two, four].map(|id| (id, 30_000)).into());
    for (sessions, apache) in [
        (expiring, apache!("leader/dump")),
        (lasting, apache!("follower/dump")),
    ] {
        let ephemerals = [(one, "/e1"), (four, "/e4"), (two, "/e2")];
        let dump = Dump {
            local_sessions: None,
            sessions,
            ephemerals: ephemerals.map(|(id, path)| (id, vec![path.into()])).into(),
            connections: BTreeMap::new(),
        };
        let connections = "Connections dump:\n";
        let cut = |text: &str| {
            let (before, _) = text.split_once(connections).unwrap();
            before.to_owned()
        };
        assert_eq!(cut(&dump.to_string()), cut(apache));
    }
}

/// With local sessions, by `LeaderSessionTracker` and `LearnerSessionTracker`.
#[test]
fn local_sessions_come_first() {
    let (local, global) = (SessionId(1), SessionId(2));
    let sets = |id| BTreeMap::from([(1_795_254_159_000, vec![id])]);
    let shown = |sessions| {
        let dump = Dump {
            local_sessions: Some(sets(local)),
            sessions,
            ephemerals: Vec::new(),
            connections: BTreeMap::new(),
        };
        let text = dump.to_string();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[1..6].join("\n")
    };
    let date = "Sat Nov 21 09:42:39 UTC 2026";
    let locals = format!("Local Session Sets (1)/(1):\n1 expire at {date}:\n\t0x1\n");
    let globals = format!("Global Session Sets (1)/(1):\n1 expire at {date}:");
    assert_eq!(
        shown(Sessions::Expiring(sets(global))),
        format!("{locals}{globals}")
    );
    let lasting = Sessions::Lasting(BTreeMap::from([(global, 4000)]));
    let globals = "Global Sessions(1):\n0x2\t4000ms";
    assert_eq!(shown(lasting), format!("{locals}{globals}"));
}

/// A server that has no leader says so at once.
#[test]
fn readers_are_warned() {
    let state = ServerState {
        read_only: true,
        mode: "read-only",
        ..state(1, 1)
    };
    let expected = apache!("srvr")
        .replace(
            "UTC\n",
            "UTC\nREAD-ONLY mode; serving only read-only clients\n",
        )
        .replace("standalone", "read-only");
    assert_eq!(srvr(&state), expected);
    let mut configuration = configuration_in_ensemble(2, 66_274);
    if let Some(ensemble) = &mut configuration.ensemble {
        ensemble.read_only = true;
    }
    let (without_members, _) = apache!("leader/conf").split_once("membership").unwrap();
    assert_eq!(configuration.to_string(), without_members);
}

fn configuration_in_ensemble(server: i64, bytes: u64) -> Configuration {
    let members = (1..=4).map(|id| {
        let role = if id == 4 { "observer" } else { "participant" };
        format!("server.{id}=127.0.0.1:2668{id}:2678{id}:{role};127.0.0.1:2658{id}\n")
    });
    let text = format!("{}version=100000000", members.collect::<String>());
    let dir = "/srv/zookeeper/data/version-2";
    Configuration {
        client_port: 26580 + i32::try_from(server).unwrap(),
        secure_client_port: -1,
        dirs: Directories {
            data_dir: dir.into(),
            data_bytes: bytes,
            log_dir: dir.into(),
            log_bytes: bytes,
        },
        tick_ms: 1000,
        max_client_cnxns: 0,
        min_session_timeout_ms: 2000,
        max_session_timeout_ms: 600_000,
        listen_backlog: -1,
        ensemble: Some(EnsembleConfiguration {
            server: ServerId(server),
            init_limit: 10,
            sync_limit: 5,
            members: EnsembleConfig::parse(&text, false).unwrap(),
            default_role: Role::Participant,
            read_only: false,
        }),
    }
}

#[test]
fn configuration_of_an_ensemble() {
    let leader = configuration_in_ensemble(2, 66_274);
    assert_eq!(leader.to_string(), apache!("leader/conf"));
    let observer = configuration_in_ensemble(4, 67_002);
    assert_eq!(observer.to_string(), apache!("observer/conf"));
}

#[test]
fn configuration() {
    let configuration = Configuration {
        client_port: 26430,
        secure_client_port: -1,
        dirs: Directories {
            data_dir: "/srv/zookeeper/data/version-2".into(),
            data_bytes: 66030,
            log_dir: "/srv/zookeeper/data/version-2".into(),
            log_bytes: 66030,
        },
        tick_ms: 2000,
        max_client_cnxns: 0,
        min_session_timeout_ms: 4000,
        max_session_timeout_ms: 40_000,
        listen_backlog: -1,
        ensemble: None,
    };
    assert_eq!(configuration.to_string(), apache!("conf"));
    assert_eq!(configuration.dirs.dirs(), apache!("dirs"));
}

/// Metrics that have the values of the capture, as far as they can move.
fn captured_metrics() -> Metrics {
    let metrics = Metrics::default();
    let traffic = metrics.traffic.local();
    traffic.received_bytes.add(386);
    traffic.response_bytes.add(290);
    metrics.connection_request_count.add(1);
    metrics.prep_queued.add(9);
    metrics.sync_queued.add(9);
    metrics.connection_token_deficit.add(0);
    metrics.prep_queue_size.add_many(0, 10);
    for ms in [0, 4, 5, 11] {
        metrics.fsynctime.add(ms);
    }
    metrics.snapshottime.add(47);
    metrics.dbinittime.add(94);
    metrics.startup_snap_load_time.add(1);
    metrics.prep_process_time.add_many(0, 6);
    for ms in [1, 2, 4] {
        metrics.prep_process_time.add(ms);
    }
    metrics.sync_batch_size.add_many(1, 4);
    metrics.sync_process_time.add_many(0, 3);
    metrics.sync_process_time.add(3);
    metrics.prep_queue_time.add_many(0, 7);
    metrics.prep_queue_time.add(1);
    metrics.prep_queue_time.add(2);
    for ms in [5, 11, 11, 227] {
        metrics.update_latency.add(ms);
    }
    traffic.instant_reads.add(1);
    metrics.waiting_read_latency.add_many(1, 3);
    metrics.waiting_read_latency.add(2);
    for ms in [1, 5, 6, 15] {
        metrics.sync_queue_and_flush_time.add(ms);
    }
    for ms in [2, 9, 9, 207] {
        metrics.propagation_latency.add(ms);
    }
    for ms in [0, 4, 5, 12] {
        metrics.sync_flush_time.add(ms);
    }
    metrics.reads.add("a", SummaryValues::of(71, 2));
    metrics.writes.add("c", SummaryValues::of(2, 1));
    metrics.writes.add("a", SummaryValues::of(3, 1));
    metrics.writes.add("a", SummaryValues::of(4, 1));
    metrics
}

fn captured_gauges() -> Gauges {
    Gauges {
        ephemerals_count: 1,
        num_alive_connections: 2,
        avg_latency: SummaryValues {
            count: 9,
            sum: 259,
            min: 0,
            max: 227,
        }
        .average(),
        outstanding_requests: 0,
        znode_count: 8,
        global_sessions: 1,
        last_response_size: 16,
        packets_sent: 20,
        packets_received: 22,
        max_response_size: 90,
        watch_count: 5,
        min_latency: 0,
        max_files: 20_000,
        approximate_data_size: 53,
        open_files: 77,
        uptime: 2607,
        max_latency: 227,
        min_response_size: 16,
        local_sessions: 0,
        quorum_size: None,
        leader: None,
        hosted_observers: None,
        quotas: QuotaGauges::default(),
    }
}

#[test]
fn every_metric() {
    let mut families = Families::of(&captured_metrics());
    // What Apache measured and nothing here can.
    for (name, value) in [
        ("response_packet_cache_misses", 1),
        ("outstanding_changes_queued", 6),
        ("outstanding_changes_removed", 6),
    ] {
        let place = families
            .counters
            .iter_mut()
            .find(|(known, _)| *known == name);
        place.unwrap().1 = value;
    }
    for (name, value) in [
        (
            "proposal_process_time",
            SummaryValues {
                count: 9,
                sum: 6,
                min: 0,
                max: 3,
            },
        ),
        ("sync_processor_queue_size", SummaryValues::of(0, 10)),
    ] {
        let place = families
            .summaries
            .iter_mut()
            .find(|(known, _)| *known == name);
        place.unwrap().1 = value;
    }
    for (name, points) in [
        ("request_throttle_queue_time_ms", [(0, 9), (0, 0)]),
        ("sync_processor_queue_time_ms", [(0, 7), (1, 2)]),
    ] {
        let place = families
            .distributions
            .iter_mut()
            .find(|(known, _)| *known == name);
        let distribution = &mut place.unwrap().1;
        for (value, times) in points {
            distribution.add_many(value, times);
        }
    }
    let monitor = Monitor {
        version: VERSION,
        server_state: "standalone",
        peer_state: None,
        observer_master: None,
        gauges: captured_gauges(),
        families,
    };
    let (ours, apaches) = (mntr(&monitor), apache!("mntr"));
    for (ours, apaches) in ours.lines().zip(apaches.lines()) {
        assert_eq!(ours, apaches);
    }
    assert_eq!(ours, apaches);
}

/// The lines up to the first counter, which are those that roles change.
fn gauge_lines(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .take_while(|line| !line.starts_with("zk_watch_bytes"))
        .collect()
}

#[test]
fn gauges_of_a_leader() {
    let leader = LeaderGauges {
        learners: 3,
        synced_followers: 2,
        synced_non_voting_followers: 0,
        synced_observers: 1,
        pending_syncs: 0,
        uptime: 4227,
        last_proposal_size: 88,
        min_proposal_size: 48,
        max_proposal_size: 88,
    };
    let text = mntr(&Monitor {
        version: VERSION,
        server_state: "leader",
        peer_state: Some("leading - broadcast"),
        observer_master: None,
        gauges: Gauges {
            ephemerals_count: 3,
            avg_latency: 130.0,
            global_sessions: 3,
            last_response_size: 89,
            packets_sent: 16,
            packets_received: 18,
            max_response_size: 89,
            watch_count: 1,
            min_latency: 19,
            approximate_data_size: 306,
            open_files: 85,
            uptime: 4801,
            max_latency: 308,
            min_response_size: 23,
            quorum_size: Some(3),
            leader: Some(leader),
            ..captured_gauges()
        },
        families: Families::of(&Metrics::default()),
    });
    assert_eq!(gauge_lines(&text), gauge_lines(apache!("leader/mntr")));
}

#[test]
fn gauges_of_learners() {
    let follower = Gauges {
        ephemerals_count: 3,
        avg_latency: 14.3333,
        global_sessions: 3,
        last_response_size: 89,
        packets_sent: 16,
        packets_received: 18,
        max_response_size: 89,
        watch_count: 1,
        min_latency: 3,
        approximate_data_size: 306,
        open_files: 82,
        uptime: 6476,
        max_latency: 32,
        min_response_size: 23,
        quorum_size: Some(3),
        ..captured_gauges()
    };
    let observer = Gauges {
        avg_latency: 15.6667,
        packets_sent: 14,
        packets_received: 16,
        min_latency: 10,
        uptime: 8596,
        max_latency: 21,
        ..follower.clone()
    };
    let shown = |server_state, peer_state, observer_master, gauges| {
        mntr(&Monitor {
            version: VERSION,
            server_state,
            peer_state: Some(peer_state),
            observer_master,
            gauges,
            families: Families::of(&Metrics::default()),
        })
    };
    let text = shown("follower", "following - broadcast", None, follower);
    assert_eq!(gauge_lines(&text), gauge_lines(apache!("follower/mntr")));
    let master = Some(ServerId(2));
    let text = shown("observer", "observing - broadcast", master, observer);
    assert_eq!(gauge_lines(&text), gauge_lines(apache!("observer/mntr")));
}

#[test]
fn quotas_have_their_places() {
    let namespaces = |app, beta| BTreeMap::from([("app".into(), app), ("beta".into(), beta)]);
    let metrics = Metrics::default();
    metrics.quota_exceeded.add("app", SummaryValues::of(1, 1));
    let quotas = QuotaGauges {
        bytes_limit: namespaces(-1, -1),
        count_usage: namespaces(3, 2),
        count_limit: namespaces(3, 3),
        bytes_usage: namespaces(0, 0),
    };
    let text = mntr(&Monitor {
        version: VERSION,
        server_state: "standalone",
        peer_state: None,
        observer_master: None,
        gauges: Gauges {
            quotas,
            ..captured_gauges()
        },
        families: Families::of(&metrics),
    });
    let lines: Vec<&str> = text.lines().collect();
    // As Apache 3.9.5 answered with these quotas.
    let expected = [
        "zk_app_quota_bytes_limit_per_namespace\t-1",
        "zk_beta_quota_bytes_limit_per_namespace\t-1",
        "zk_app_quota_count_usage_per_namespace\t3",
        "zk_beta_quota_count_usage_per_namespace\t2",
        "zk_app_quota_count_limit_per_namespace\t3",
        "zk_beta_quota_count_limit_per_namespace\t3",
        "zk_app_quota_bytes_usage_per_namespace\t0",
        "zk_beta_quota_bytes_usage_per_namespace\t0",
    ];
    assert_eq!(lines[26..34], expected);
    assert_eq!(lines[85], "zk_app_quota_exceeded_error_per_namespace\t1");
}
