//! What a looking server does with what lookers say: one test a rule.

use crate::server::{Server, config, ensemble, own, says};
use std::time::Duration;
use zk_election::{ElectionConfig, Round};
use zk_proto::ServerId;
use zk_proto::quorum::PeerState::{Following, Looking, Observing};

const NOTHING: [&str; 0] = [];

/// Server 1 of so many, looking in round 1 with epoch 1 and zxid 5.
fn one_of(voters: i64) -> Server {
    let mut server = Server::new(1, ensemble(voters));
    server.start(own(1, 5));
    server
}

#[test]
fn the_first_vote_is_for_oneself_and_goes_to_all_voters() {
    let members = [
        "server.1=a:1:2",
        "server.2=b:1:2",
        "server.3=c:1:2",
        "server.4=d:1:2:observer",
    ];
    let mut server = Server::new(1, config(&members));
    let said = server.start(own(1, 5));
    assert_eq!(
        said,
        ["to 2: Looking 1 e1 z5 r1", "to 3: Looking 1 e1 z5 r1"]
    );
}

#[test]
fn every_start_is_a_new_round() {
    let mut server = one_of(3);
    assert_eq!(server.election.round(), Round(1));
    server.start(own(1, 6));
    assert_eq!(server.election.round(), Round(2));
}

#[test]
fn voters_of_the_next_configuration_are_asked_too() {
    let mut settings = ElectionConfig::new(ServerId(1), ensemble(2));
    settings.next = Some(config(&["server.1=a:1:2", "server.5=b:1:2", "version=7"]));
    let mut server = Server::of(settings);
    let said = server.start(own(1, 5));
    assert_eq!(
        said,
        ["to 2: Looking 1 e1 z5 r1", "to 5: Looking 1 e1 z5 r1"]
    );
}

#[test]
fn a_next_configuration_takes_a_quorum_of_its_own() {
    let mut settings = ElectionConfig::new(ServerId(1), ensemble(2));
    settings.next = Some(config(&["server.1=a:1:2", "server.5=b:1:2", "version=7"]));
    let mut server = Server::of(settings);
    server.start(own(1, 9));
    assert_eq!(server.hears(2, says(Looking, 1, 1, 9, 1)), NOTHING);
    let (wait, said) = server.times_out();
    assert_eq!((wait, said.len()), (200, 3), "a repetition, no decision");
    let decided = server.hears(5, says(Looking, 1, 1, 9, 1));
    assert_eq!(decided, ["decide: Leading 1 e1 z9 r1"], "all of both agree");
}

#[test]
fn a_next_configuration_that_is_not_newer_is_none() {
    let mut settings = ElectionConfig::new(ServerId(1), ensemble(3));
    settings.next = Some(ensemble(7));
    let mut server = Server::of(settings);
    assert_eq!(server.start(own(1, 5)).len(), 2);
}

#[test]
fn a_better_vote_of_the_round_is_adopted_and_told() {
    let mut server = one_of(5);
    let said = server.hears(2, says(Looking, 2, 1, 5, 1));
    let told: Vec<String> = (2..=5)
        .map(|to| format!("to {to}: Looking 2 e1 z5 r1"))
        .collect();
    assert_eq!(said, told, "by id");
    let said = server.hears(3, says(Looking, 4, 1, 6, 1));
    assert_eq!(said[0], "to 2: Looking 4 e1 z6 r1", "by history");
    let said = server.hears(3, says(Looking, 2, 2, 0, 1));
    assert_eq!(said[0], "to 2: Looking 2 e2 z0 r1", "by epoch");
}

#[test]
fn a_worse_vote_of_the_round_is_answered_once() {
    let mut server = one_of(5);
    let worse = || says(Looking, 2, 1, 4, 1);
    assert_eq!(server.hears(2, worse()), ["to 2: Looking 1 e1 z5 r1"]);
    assert_eq!(server.hears(2, worse()), NOTHING);
}

#[test]
fn a_greater_round_is_adopted_with_the_better_of_both_votes() {
    let mut server = one_of(3);
    let said = server.hears(2, says(Looking, 2, 1, 4, 8));
    assert_eq!(
        said,
        ["to 2: Looking 1 e1 z5 r8", "to 3: Looking 1 e1 z5 r8"]
    );
    let said = server.hears(2, says(Looking, 2, 1, 6, 9));
    assert_eq!(
        said,
        ["to 2: Looking 2 e1 z6 r9", "to 3: Looking 2 e1 z6 r9"]
    );
}

/// What it voted for in an earlier round does not count, only its own history.
#[test]
fn a_greater_round_begins_with_the_own_history() {
    let mut server = one_of(5);
    server.hears(3, says(Looking, 3, 1, 9, 1));
    let said = server.hears(2, says(Looking, 2, 1, 4, 2));
    assert_eq!(said[0], "to 2: Looking 1 e1 z5 r2");
}

#[test]
fn a_greater_round_drops_the_votes_of_the_old_one() {
    let mut server = one_of(5);
    server.hears(2, says(Looking, 1, 1, 5, 1));
    server.hears(3, says(Looking, 4, 0, 5, 2));
    assert_eq!(server.hears(4, says(Looking, 1, 1, 5, 2)), NOTHING);
    let (wait, said) = server.times_out();
    assert_eq!((wait, said.len()), (200, 5), "two of five are no quorum");
}

#[test]
fn a_smaller_round_is_told_of_ours_and_does_not_count() {
    let mut server = one_of(3);
    server.start(own(1, 5));
    let said = server.hears(3, says(Looking, 3, 9, 9, 1));
    assert_eq!(said, ["to 3: Looking 1 e1 z5 r2"]);
    assert_eq!(server.election.vote().leader, ServerId(1));
}

#[test]
fn a_quorum_waits_for_a_better_vote_and_then_decides() {
    let mut server = one_of(3);
    assert_eq!(server.hears(2, says(Looking, 1, 1, 5, 1)), NOTHING);
    assert_eq!(
        server.times_out(),
        (200, vec!["decide: Leading 1 e1 z5 r1".to_owned()])
    );
    assert_eq!(server.election.poll_timeout(), None);
}

#[test]
fn a_better_vote_in_the_wait_changes_the_decision() {
    let mut server = one_of(5);
    server.hears(2, says(Looking, 1, 1, 5, 1));
    server.hears(3, says(Looking, 1, 1, 5, 1));
    server.pass(150);
    assert_eq!(server.hears(4, says(Looking, 4, 1, 7, 1)).len(), 4);
    server.hears(2, says(Looking, 4, 1, 7, 1));
    let (wait, said) = server.times_out();
    assert_eq!(
        (wait, said),
        (200, vec!["decide: Following 4 e1 z7 r1".to_owned()])
    );
}

#[test]
fn a_quorum_for_the_better_vote_waits_anew() {
    let mut server = one_of(3);
    server.hears(2, says(Looking, 1, 1, 5, 1));
    server.pass(150);
    server.hears(3, says(Looking, 3, 1, 5, 1));
    let decided = vec!["decide: Following 3 e1 z5 r1".to_owned()];
    assert_eq!(server.times_out(), (200, decided));
}

/// Apache begins its wait anew after each message, and forgets it.
#[test]
fn the_wait_has_one_deadline_and_notes_what_comes() {
    let mut settings = ElectionConfig::new(ServerId(1), ensemble(5));
    settings.finalize_wait = Duration::from_millis(100);
    let mut server = Server::of(settings);
    server.start(own(1, 5));
    server.hears(2, says(Looking, 1, 1, 5, 1));
    server.hears(3, says(Looking, 1, 1, 5, 1));
    server.pass(50);
    assert_eq!(server.hears(4, says(Looking, 1, 1, 5, 1)), NOTHING);
    let deadline = server.election.poll_timeout();
    assert_eq!(deadline, Some(Duration::from_millis(100)));
    let decided = server.hears(5, says(Looking, 1, 1, 5, 1));
    assert_eq!(
        decided,
        ["decide: Leading 1 e1 z5 r1"],
        "the fourth voter was noted"
    );
}

#[test]
fn a_quorum_that_is_lost_in_the_wait_decides_nothing() {
    let mut server = one_of(3);
    server.hears(2, says(Looking, 1, 1, 5, 1));
    server.hears(2, says(Following, 3, 1, 9, 1));
    let (_, said) = server.times_out();
    assert_eq!(said.last().map(String::as_str), Some("connect"));
}

#[test]
fn nobody_waits_when_every_voter_agrees() {
    let mut server = one_of(3);
    server.hears(2, says(Looking, 1, 1, 5, 1));
    let decided = server.hears(3, says(Looking, 1, 1, 5, 1));
    assert_eq!(decided, ["decide: Leading 1 e1 z5 r1"]);
}

#[test]
fn the_others_are_told_before_it_is_decided() {
    let mut server = one_of(2);
    let said = server.hears(2, says(Looking, 2, 1, 5, 1));
    assert_eq!(
        said,
        ["to 2: Looking 2 e1 z5 r1", "decide: Following 2 e1 z5 r1"]
    );
}

#[test]
fn one_server_elects_itself() {
    let mut server = Server::new(1, ensemble(1));
    assert_eq!(server.start(own(0, 0)), ["decide: Leading 1 e0 z0 r1"]);
}

#[test]
fn nobody_waits_for_who_is_away() {
    let mut server = one_of(3);
    server.loses(3);
    let decided = server.hears(2, says(Looking, 1, 1, 5, 1));
    assert_eq!(decided, ["decide: Leading 1 e1 z5 r1"]);

    let mut server = one_of(3);
    server.hears(2, says(Looking, 1, 1, 5, 1));
    assert_eq!(
        server.loses(3),
        ["decide: Leading 1 e1 z5 r1"],
        "also in the wait"
    );
}

#[test]
fn who_came_back_is_waited_for() {
    let mut server = one_of(3);
    server.loses(3);
    assert_eq!(server.links(3), ["to 3: Looking 1 e1 z5 r1"]);
    assert_eq!(server.hears(2, says(Looking, 1, 1, 5, 1)), NOTHING);
}

#[test]
fn a_candidate_that_is_away_may_come_back_in_the_wait() {
    let mut server = one_of(3);
    server.hears(3, says(Looking, 3, 1, 5, 1));
    let mut waits = one_of(3);
    waits.hears(2, says(Looking, 3, 1, 5, 1));
    assert_eq!(waits.loses(3), NOTHING);
    assert_eq!(waits.times_out().1, ["decide: Following 3 e1 z5 r1"]);
}

#[test]
fn a_voter_that_changes_its_mind_takes_its_vote_with_it() {
    let mut server = one_of(3);
    server.hears(2, says(Looking, 1, 1, 5, 1));
    server.hears(2, says(Looking, 2, 1, 4, 1));
    let (_, said) = server.times_out();
    assert_eq!(
        said.last().map(String::as_str),
        Some("connect"),
        "nothing is decided"
    );
}

#[test]
fn votes_are_repeated_ever_more_slowly() {
    let mut server = one_of(3);
    let repeated = [
        "to 2: Looking 1 e1 z5 r1",
        "to 3: Looking 1 e1 z5 r1",
        "connect",
    ];
    let mut waits = Vec::new();
    for _ in 0..11 {
        let (wait, said) = server.times_out();
        assert_eq!(said, repeated);
        waits.push(wait);
    }
    let expected = [
        200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000,
    ];
    assert_eq!(waits, expected);
}

#[test]
fn what_is_new_is_repeated_soon() {
    let mut server = one_of(3);
    for _ in 0..5 {
        server.times_out();
    }
    server.hears(2, says(Looking, 2, 1, 4, 9));
    assert_eq!(server.times_out().0, 200);
}

#[test]
fn an_early_deadline_does_nothing() {
    let mut server = one_of(3);
    server.election.handle_timeout(Duration::from_millis(199));
    assert_eq!(server.drain(), NOTHING);
}

#[test]
fn without_weight_nobody_wins() {
    let lines = [
        "server.1=a:1:2",
        "server.2=b:1:2",
        "server.3=c:1:2",
        "group.1=1:2:3",
        "weight.3=0",
    ];
    let mut server = Server::new(1, config(&lines));
    server.start(own(1, 5));
    server.hears(3, says(Looking, 3, 9, 9, 1));
    assert_eq!(server.election.vote().leader, ServerId(1));
    let mut light = Server::new(3, config(&lines));
    light.start(own(9, 9));
    let said = light.hears(1, says(Looking, 1, 1, 5, 1));
    assert_eq!(
        said[0], "to 1: Looking 1 e1 z5 r1",
        "it supports who can win"
    );
}

#[test]
fn groups_count_by_weight() {
    let members: Vec<String> = (1..=6).map(|id| format!("server.{id}=h{id}:1:2")).collect();
    let mut lines: Vec<&str> = members.iter().map(String::as_str).collect();
    lines.extend([
        "group.1=1:2",
        "group.2=3:4",
        "group.3=5:6",
        "weight.2=3",
        "weight.4=3",
    ]);
    let mut server = Server::new(1, config(&lines));
    server.start(own(1, 5));
    for from in [3, 5, 6] {
        server.hears(from, says(Looking, 1, 1, 5, 1));
    }
    let (_, said) = server.times_out();
    assert_eq!(said.len(), 6, "one group of three: a repetition");
    assert_eq!(server.hears(2, says(Looking, 1, 1, 5, 1)), NOTHING);
    assert_eq!(server.times_out().1, ["decide: Leading 1 e1 z5 r1"]);
}

#[test]
fn votes_for_and_from_strangers_do_not_count() {
    let mut server = one_of(3);
    assert_eq!(server.hears(2, says(Looking, 7, 9, 9, 1)), NOTHING);
    let said = server.hears(7, says(Looking, 3, 9, 9, 1));
    assert_eq!(
        said,
        ["to 7: Looking 1 e1 z5 r1"],
        "a stranger is told our vote"
    );
    assert_eq!(server.hears(7, says(Following, 3, 9, 9, 1)), NOTHING);
    assert_eq!(server.election.vote().leader, ServerId(1));
}

#[test]
fn observing_is_nobodys_vote() {
    let mut server = one_of(3);
    for from in [2, 3] {
        assert_eq!(server.hears(from, says(Observing, 3, 9, 9, 1)), NOTHING);
    }
}

#[test]
fn who_claims_to_be_us_is_ignored() {
    let mut server = one_of(3);
    assert_eq!(server.hears(1, says(Looking, 3, 9, 9, 9)), NOTHING);
}

#[test]
fn an_observer_votes_for_nobody_and_observes() {
    let members = [
        "server.1=a:1:2",
        "server.2=b:1:2",
        "server.9=c:1:2:observer",
    ];
    let mut server = Server::new(9, config(&members));
    let said = server.start(own(1, 5));
    assert_eq!(said, ["to 1: Looking none r1", "to 2: Looking none r1"]);
    server.hears(1, says(Looking, 2, 1, 5, 1));
    let said = server.hears(2, says(Looking, 2, 1, 5, 1));
    assert_eq!(said, ["decide: Observing 2 e1 z5 r1"]);
    assert_eq!(
        server.hears(1, says(Looking, 1, 1, 5, 2)),
        NOTHING,
        "it has no answers"
    );
}

/// Apache's lookers tell observers of the leader that just died.
#[test]
fn an_observer_does_not_decide_for_who_is_away() {
    let members: Vec<String> = (1..=3).map(|id| format!("server.{id}=h{id}:1:2")).collect();
    let mut lines: Vec<&str> = members.iter().map(String::as_str).collect();
    lines.push("server.9=c:1:2:observer");
    let mut server = Server::new(9, config(&lines));
    server.start(own(1, 5));
    server.loses(3);
    server.hears(1, says(Looking, 3, 1, 0, 1));
    server.hears(2, says(Looking, 3, 1, 0, 1));
    let (_, said) = server.times_out();
    assert_eq!(said.last().map(String::as_str), Some("connect"));
    server.links(3);
    let (wait, said) = server.times_out();
    assert_eq!(
        (wait, said),
        (200, vec!["decide: Observing 3 e1 z0 r1".to_owned()])
    );
}

#[test]
fn an_observer_does_not_make_a_quorum() {
    let members = [
        "server.1=a:1:2",
        "server.2=b:1:2",
        "server.9=c:1:2:observer",
    ];
    let mut server = Server::new(9, config(&members));
    server.start(own(1, 5));
    server.hears(1, says(Looking, 1, 1, 5, 1));
    assert_eq!(server.times_out().1.len(), 3);
}

#[test]
fn without_a_known_history_there_is_no_voting() {
    let mut server = Server::new(1, ensemble(1));
    assert_eq!(server.start(own(0, -1)), NOTHING);
    let mut server = one_of(3);
    assert_eq!(server.hears(2, says(Looking, 2, 9, -1, 1)), NOTHING);
    assert_eq!(server.hears(3, says(Looking, 1, 1, 5, 1)), NOTHING);
    assert_eq!(server.times_out().0, 200, "server 2 did not vote");
}

#[test]
fn a_newer_configuration_is_adopted_and_begins_a_round() {
    let mut server = one_of(3);
    let newer = config(&["server.1=a:1:2", "server.2=b:1:2", "version=a"]);
    let mut vote = says(Looking, 2, 1, 5, 2);
    vote.config = Some(newer.to_string());
    let said = server.hears(2, vote);
    let expected = [
        "adopt 0xa",
        "to 2: Looking 1 e1 z5 r2",
        "to 2: Looking 2 e1 z5 r2",
        "decide: Following 2 e1 z5 r2",
    ];
    assert_eq!(said, expected, "and the vote that brought it counts");
    assert_eq!(server.election.ensemble(), &newer);
}

/// As after each start out of a static file, which has version 0.
#[test]
fn a_newer_configuration_of_the_same_voters_begins_no_round() {
    let mut server = one_of(2);
    let newer = [
        "server.1=a:3:4",
        "server.2=b:1:2",
        "server.9=c:1:2:observer",
        "version=a",
    ];
    let mut vote = says(Looking, 1, 1, 5, 1);
    vote.config = Some(config(&newer).to_string());
    let said = server.hears(2, vote);
    assert_eq!(said, ["adopt 0xa", "decide: Leading 1 e1 z5 r1"]);
}

#[test]
fn other_configurations_are_ignored_and_the_votes_count() {
    let older = ensemble(7).to_string();
    let nobody = "server.1=a:1:2:observer\nversion=7".to_owned();
    for text in [older, nobody, "version=z".to_owned(), "\u{1}".to_owned()] {
        let mut server = one_of(3);
        let mut better = says(Looking, 2, 1, 5, 1);
        better.config = Some(text);
        let said = server.hears(2, better);
        assert_eq!(
            said,
            ["to 2: Looking 2 e1 z5 r1", "to 3: Looking 2 e1 z5 r1"]
        );
    }
}

#[test]
fn configurations_are_adopted_only_if_that_is_wanted() {
    let mut settings = ElectionConfig::new(ServerId(1), ensemble(3));
    settings.adopts_configs = false;
    let mut server = Server::of(settings);
    server.start(own(1, 5));
    let mut vote = says(Looking, 2, 1, 5, 1);
    vote.config = Some(config(&["server.1=a:1:2", "version=a"]).to_string());
    assert_eq!(server.hears(2, vote).len(), 2);
}

#[test]
fn other_members_begin_a_new_round() {
    let mut server = one_of(3);
    server.election.reconfigure(server.now, ensemble(2), None);
    assert_eq!(server.drain(), ["to 2: Looking 1 e1 z5 r2"]);
}

/// Whatever a peer says, a server goes on.
#[test]
fn hostile_numbers_do_no_harm() {
    let extremes = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    let states = [
        Looking,
        Following,
        zk_proto::quorum::PeerState::Leading,
        Observing,
    ];
    for me in [1, 9] {
        let mut server = Server::new(me, ensemble(3));
        server.start(own(u32::MAX, i64::MAX));
        for round in extremes {
            for number in extremes {
                for state in states {
                    for leader in [1, 2, i64::MIN, i64::MAX] {
                        server.hears(2, says(state, leader, number, round, round));
                        server.hears(i64::MAX, says(state, leader, round, number, number));
                    }
                }
                server.pass(1000);
                server.election.handle_timeout(server.now);
                server.drain();
            }
            server.start(own(u32::MAX, i64::MIN));
        }
    }
}

#[test]
fn after_the_last_round_there_is_another() {
    let mut server = one_of(3);
    server.hears(2, says(Looking, 2, 1, 4, i64::MAX));
    assert_eq!(server.election.round(), Round(i64::MAX));
    server.start(own(1, 5));
    assert_eq!(server.election.round(), Round(i64::MIN));
    server.hears(2, says(Looking, 2, 1, 4, 1));
    assert_eq!(server.election.round(), Round(1));
}
