//! The four-letter words of servers of an ensemble. What they print exactly
//! is compared with Apache's in the unit tests.

use crate::support::ensemble::Ensemble;
use crate::support::requests::{EPHEMERAL, set, sync};
use crate::support::wire::create;
use zk_server::ServerRole;

const NOT_SERVING: &str = "This ZooKeeper instance is not currently serving requests\n";
const OBSERVER: i64 = 4;

fn three_and_an_observer() -> Ensemble {
    let mut ensemble = Ensemble::with(3, 1, "");
    ensemble.start_all();
    ensemble
}

#[test]
fn without_a_leader_most_words_say_only_that() {
    let mut ensemble = Ensemble::new(3);
    ensemble.start(1);
    for word in [
        "conf", "cons", "crst", "dirs", "dump", "mntr", "srst", "srvr", "stat", "wchc", "wchp",
        "wchs",
    ] {
        assert_eq!(ensemble.ask(1, word), NOT_SERVING, "{word}");
    }
    assert_eq!(ensemble.ask(1, "hash"), NOT_SERVING.trim_end());
    assert_eq!(ensemble.ask(1, "isro"), "null");
    assert_eq!(ensemble.ask(1, "ruok"), "imok");
    assert_eq!(ensemble.ask(1, "gtmk"), "306");
    assert!(ensemble.ask(1, "envi").starts_with("Environment:\n"));
    ensemble.start(2);
    ensemble.all_serve();
    assert_eq!(ensemble.ask(1, "isro"), "rw");
    ensemble.stop(2);
    ensemble.none_serves();
    // With the role end all connections, which may be in the midst of a word.
    let mut answers = std::iter::repeat_with(|| ensemble.ask(1, "srvr"));
    let answer = answers.find(|answer| !answer.is_empty());
    assert_eq!(answer.as_deref(), Some(NOT_SERVING));
}

#[test]
fn each_says_what_it_is() {
    let ensemble = three_and_an_observer();
    let leader = ensemble.leader();
    for id in 1..=OBSERVER {
        let role = ensemble.role(id);
        let srvr = ensemble.ask(id, "srvr");
        let mode = format!("\nMode: {}\n", role.name());
        assert!(srvr.contains(&mode), "{srvr}");
        let has_proposals = srvr.contains("\nProposal sizes last/min/max: ");
        assert_eq!(has_proposals, id == leader, "{srvr}");
        let doing = match role {
            ServerRole::Leader => "leading",
            ServerRole::Observer => "observing",
            _ => "following",
        };
        let mntr = ensemble.ask(id, "mntr");
        let state = format!(
            "\nzk_server_state\t{}\nzk_peer_state\t{doing} - broadcast\n",
            role.name()
        );
        assert!(mntr.contains(&state), "{mntr}");
        assert_eq!(ensemble.metric(id, "zk_quorum_size"), 3);
    }
    assert_eq!(ensemble.metric(OBSERVER, "zk_observer_master_id"), leader);
}

/// The names of all metrics, as Apache's servers of the same roles show them.
#[test]
fn every_metric_has_its_line() {
    let ensemble = three_and_an_observer();
    let names = |text: &str| -> Vec<String> {
        let names = text.lines().filter_map(|line| line.split('\t').next());
        names
            .filter(|name| !name.ends_with("_per_namespace"))
            .filter(|name| !name.contains("_learner_handler_"))
            .map(str::to_owned)
            .collect()
    };
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    for (id, apache) in [
        (
            leader,
            include_str!("../../fixtures/four-letter-words/leader/mntr.txt"),
        ),
        (
            follower,
            include_str!("../../fixtures/four-letter-words/follower/mntr.txt"),
        ),
        (
            OBSERVER,
            include_str!("../../fixtures/four-letter-words/observer/mntr.txt"),
        ),
    ] {
        assert_eq!(names(&ensemble.ask(id, "mntr")), names(apache));
    }
}

#[test]
fn a_leader_counts_its_learners_and_proposals() {
    let mut ensemble = three_and_an_observer();
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    let (mut wire, _) = ensemble.open(follower);
    wire.ok(&create("/n", b"", 0));
    wire.ok(&set("/n", b"12345"));
    for (name, value) in [
        ("zk_learners", 3),
        ("zk_synced_followers", 2),
        ("zk_synced_non_voting_followers", 0),
        ("zk_synced_observers", 1),
        ("zk_pending_syncs", 0),
        // createSession, create and setData.
        ("zk_proposal_count", 3),
        ("zk_commit_count", 3),
        ("zk_cnt_quorum_ack_latency", 3),
        ("zk_looking_count", 1),
        ("zk_cnt_election_time", 1),
        ("zk_cnt_leader_unavailable_time", 1),
    ] {
        assert_eq!(ensemble.metric(leader, name), value, "{name}");
    }
    let sizes = ["last", "min", "max"].map(|which| {
        let name = format!("zk_{which}_proposal_size");
        ensemble.metric(leader, &name)
    });
    let [last, min, max] = sizes;
    let line = format!("\nProposal sizes last/min/max: {last}/{min}/{max}\n");
    assert!(ensemble.ask(leader, "srvr").contains(&line));
    assert!(0 < min && min <= last && last <= max, "{sizes:?}");
    for (name, value) in [
        ("zk_learner_proposal_received_count", 3),
        ("zk_learner_commit_received_count", 3),
        ("zk_cnt_commit_propagation_latency", 3),
        ("zk_cnt_follower_sync_time", 1),
    ] {
        assert_eq!(ensemble.metric(follower, name), value, "{name}");
    }
    let (mut reader, _) = ensemble.open(OBSERVER);
    reader.ok(&sync("/"));
    let name = "zk_learner_commit_received_count";
    assert_eq!(ensemble.metric(OBSERVER, name), 4);
    let name = "zk_learner_proposal_received_count";
    assert_eq!(ensemble.metric(OBSERVER, name), 0);
    ensemble.ask(leader, "srst");
    let srvr = ensemble.ask(leader, "srvr");
    assert!(srvr.contains("\nProposal sizes last/min/max: -1/-1/-1\n"));
    // Who has gone is not counted any more.
    ensemble.stop(OBSERVER);
    wire.ok(&set("/n", b""));
    ensemble.metric_becomes(leader, "zk_learners", 2);
    assert_eq!(ensemble.metric(leader, "zk_synced_observers"), 0);
}

#[test]
fn sessions_and_ephemerals_are_told_everywhere() {
    let ensemble = three_and_an_observer();
    let (leader, follower) = (ensemble.leader(), ensemble.follower());
    let (mut wire, ticket) = ensemble.open(follower);
    wire.ok(&create("/e", b"", EPHEMERAL));
    let id = format!("0x{:x}", ticket.id.0);
    let ephemerals = format!("Sessions with Ephemerals (1):\n{id}:\n\t/e\n");
    for at in 1..=OBSERVER {
        let (mut other, other_ticket) = ensemble.open(at);
        other.ok(&sync("/"));
        let dump = ensemble.ask(at, "dump");
        assert!(dump.contains(&ephemerals), "{dump}");
        if at == leader {
            assert!(dump.contains("\nSession Sets ("), "{dump}");
            assert!(dump.contains(&format!("\t{id}\n")), "{dump}");
        } else {
            assert!(dump.contains("\nGlobal Sessions("), "{dump}");
            let line = format!("\n{id}\t{}ms\n", ticket.timeout_ms);
            assert!(dump.contains(&line), "{dump}");
        }
        let here = format!(" sessionId: 0x{:x}\n", other_ticket.id.0);
        assert!(dump.contains(&here), "{dump}");
        let sessions = ensemble.metric(at, "zk_global_sessions");
        assert_eq!(sessions, at + 1, "all that were opened so far");
    }
}

#[test]
fn the_configuration_names_the_members() {
    let ensemble = three_and_an_observer();
    for id in 1..=OBSERVER {
        let conf = ensemble.ask(id, "conf");
        let peer_type = i32::from(id == OBSERVER);
        let about = format!("\nserverId={id}\ninitLimit=100\nsyncLimit=100\nelectionAlg=3\n");
        assert!(conf.contains(&about), "{conf}");
        let peer_type = format!("\npeerType={peer_type}\nmembership: \nserver.1=127.");
        assert!(conf.contains(&peer_type), "{conf}");
        let own = format!(";{}\n", ensemble.address(id));
        assert!(conf.contains(&own), "{conf}");
        let (_, version) = conf.rsplit_once('\n').expect("lines");
        assert!(version.starts_with("version="), "{conf}");
    }
}

/// The digest of a tree is the same everywhere.
#[test]
fn trees_have_the_same_digests() {
    let ensemble = three_and_an_observer();
    let (mut wire, _) = ensemble.open(ensemble.follower());
    for number in 0..130 {
        wire.ok(&create(&format!("/{number}"), b"", 0));
    }
    let mut digests = (1..=OBSERVER).map(|id| {
        let (mut wire, _) = ensemble.open(id);
        wire.ok(&sync("/"));
        ensemble.ask(id, "hash")
    });
    let first = digests.next().expect("one");
    assert_eq!(first.lines().count(), 1);
    assert!(digests.all(|digest| digest == first));
}
