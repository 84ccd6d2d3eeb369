//! Settled servers: what they answer, and how late ones find them. One test a
//! rule.

use crate::server::{Server, config, ensemble, own, says, vote};
use zk_election::Round;
use zk_proto::quorum::Notification;
use zk_proto::quorum::PeerState::{Following, Leading, Looking, Observing};

const NOTHING: [&str; 0] = [];

/// Server 1 of so many, looking in round 1 with epoch 1 and zxid 5.
fn one_of(voters: i64) -> Server {
    let mut server = Server::new(1, ensemble(voters));
    server.start(own(1, 5));
    server
}

/// Server 1 of three, following 3 since round 4.
fn settled() -> Server {
    let mut server = one_of(3);
    server.hears(2, says(Following, 3, 1, 5, 4));
    server.hears(3, says(Leading, 3, 1, 5, 4));
    server
}

#[test]
fn a_quorum_and_the_leaders_own_word_decide_in_another_round() {
    let mut server = one_of(3);
    assert_eq!(server.hears(2, says(Following, 3, 2, 9, 4)), NOTHING);
    let decided = server.hears(3, says(Leading, 3, 2, 9, 4));
    assert_eq!(decided, ["decide: Following 3 e2 z9 r4"]);
    assert_eq!(server.election.round(), Round(4), "it joins their round");
}

#[test]
fn an_older_round_is_joined_as_well() {
    let mut server = one_of(3);
    server.start(own(1, 5));
    server.hears(3, says(Leading, 3, 2, 9, 1));
    let decided = server.hears(2, says(Following, 3, 2, 9, 1));
    assert_eq!(decided, ["decide: Following 3 e2 z9 r1"]);
}

/// Or servers would elect a dead one over and over.
#[test]
fn without_the_leaders_own_word_nothing_is_decided() {
    for round in [1, 4] {
        let mut server = one_of(5);
        for from in [2, 3, 4] {
            assert_eq!(server.hears(from, says(Following, 5, 1, 5, round)), NOTHING);
        }
        server.hears(5, says(Following, 5, 1, 5, round));
        assert_eq!(server.hears(2, says(Following, 5, 1, 5, round)), NOTHING);
        assert!(!server.hears(5, says(Leading, 5, 1, 5, round)).is_empty());
    }
}

#[test]
fn a_leader_alone_is_none() {
    let mut server = one_of(5);
    assert_eq!(server.hears(5, says(Leading, 5, 1, 5, 4)), NOTHING);
    assert_eq!(
        server.hears(4, says(Following, 5, 1, 5, 4)),
        NOTHING,
        "two of five"
    );
}

#[test]
fn who_looks_again_no_longer_follows_or_leads() {
    let mut server = one_of(3);
    server.hears(3, says(Leading, 3, 1, 5, 4));
    server.hears(3, says(Looking, 3, 1, 5, 1));
    assert_eq!(server.hears(2, says(Following, 3, 1, 5, 4)), NOTHING);
}

#[test]
fn settled_votes_agree_by_leader_and_epoch() {
    let mut server = one_of(3);
    server.hears(2, says(Following, 3, 2, 7, 4));
    assert_eq!(
        server.hears(3, says(Leading, 3, 3, 9, 6)),
        NOTHING,
        "another epoch"
    );
    let decided = server.hears(3, says(Leading, 3, 2, 9, 6));
    assert_eq!(
        decided,
        ["decide: Following 3 e2 z9 r6"],
        "another zxid and round"
    );
}

#[test]
fn old_and_new_forms_agree_by_leader() {
    let old = |mut notification: Notification| {
        notification.version = 0;
        notification
    };
    let mut server = one_of(3);
    server.hears(2, old(says(Following, 3, 1, 7, 4)));
    let decided = server.hears(3, says(Leading, 3, 2, 9, 4));
    assert_eq!(decided, ["decide: Following 3 e2 z9 r4"]);

    let mut server = one_of(3);
    server.hears(2, old(says(Following, 3, 1, 7, 4)));
    assert_eq!(
        server.hears(3, old(says(Leading, 3, 2, 9, 4))),
        NOTHING,
        "two old ones"
    );
}

#[test]
fn old_forms_vote() {
    let mut server = one_of(3);
    let mut frame = says(Looking, 2, 1, 5, 1).encode();
    for end in [32, 44] {
        let notification = Notification::decode(&frame[4..end]).unwrap();
        assert_eq!(notification.version, 0);
        server.hears(3, notification);
    }
    frame.clear();
    assert_eq!(server.election.vote(), vote(2, 1, 5));
}

#[test]
fn settled_votes_of_the_round_count_with_its_votes() {
    let mut server = one_of(5);
    server.hears(3, says(Leading, 3, 1, 5, 1));
    server.hears(4, says(Looking, 3, 1, 5, 1));
    let decided = server.hears(2, says(Following, 3, 1, 5, 1));
    assert_eq!(decided, ["decide: Following 3 e1 z5 r1"]);
}

#[test]
fn whom_the_others_follow_in_this_round_leads() {
    let mut server = one_of(3);
    let decided = server.hears(2, says(Following, 1, 1, 5, 1));
    assert_eq!(decided, ["decide: Leading 1 e1 z5 r1"]);
    let mut server = one_of(5);
    for from in [2, 3, 4] {
        assert_eq!(
            server.hears(from, says(Following, 1, 1, 5, 7)),
            NOTHING,
            "in another round"
        );
    }
}

#[test]
fn an_observer_finds_the_ensemble() {
    let members = [
        "server.1=a:1:2",
        "server.2=b:1:2",
        "server.9=c:1:2:observer",
    ];
    let mut server = Server::new(9, config(&members));
    server.start(own(1, 5));
    server.hears(1, says(Following, 2, 2, 5, 4));
    let decided = server.hears(2, says(Leading, 2, 2, 5, 4));
    assert_eq!(decided, ["decide: Observing 2 e2 z5 r4"]);
}

#[test]
fn who_was_removed_follows_without_a_vote() {
    let mut server = Server::new(9, ensemble(3));
    assert_eq!(server.start(own(1, 5))[0], "to 1: Looking none r1");
    server.hears(1, says(Following, 2, 2, 5, 4));
    let decided = server.hears(2, says(Leading, 2, 2, 5, 4));
    assert_eq!(decided, ["decide: Following 2 e2 z5 r4"]);
}

#[test]
fn a_lost_history_does_not_keep_from_joining() {
    let mut server = Server::new(1, ensemble(3));
    server.start(own(0, -1));
    server.hears(2, says(Following, 3, 2, 9, 4));
    assert_eq!(server.hears(3, says(Leading, 3, 2, 9, 4)).len(), 1);
}

#[test]
fn lookers_are_told_the_settled_vote() {
    let mut server = settled();
    let said = server.hears(2, says(Looking, 2, 9, 9, 9));
    assert_eq!(said, ["to 2: Following 3 e1 z5 r4"]);
    let said = server.hears(77, says(Looking, 77, 9, 9, 9));
    assert_eq!(said, ["to 77: Following 3 e1 z5 r4"], "strangers as well");
}

/// Zxid and round stay those of the election (ZOOKEEPER-1732, 1805).
#[test]
fn once_synchronized_the_vote_has_the_new_epoch() {
    let mut server = settled();
    server.election.settle(Following, vote(3, 2, 5));
    assert_eq!(
        server.hears(2, says(Looking, 2, 1, 5, 5)),
        ["to 2: Following 3 e2 z5 r4"]
    );
    server.election.settle(Leading, vote(1, 3, 5));
    assert_eq!(
        server.hears(2, says(Looking, 2, 1, 5, 5)),
        ["to 2: Leading 1 e3 z5 r4"]
    );
}

#[test]
fn settled_servers_do_not_answer_one_another() {
    let mut server = settled();
    for from in [2, 77] {
        for state in [Following, Leading, Observing] {
            assert_eq!(server.hears(from, says(state, 2, 9, 9, 9)), NOTHING);
        }
    }
}

#[test]
fn a_configuration_is_adopted_only_while_looking() {
    let mut server = settled();
    let mut looker = says(Looking, 2, 1, 5, 5);
    looker.config = Some(config(&["server.1=a:1:2", "version=a"]).to_string());
    assert_eq!(server.hears(2, looker).len(), 1);
    assert_eq!(server.election.ensemble(), &ensemble(3));
}

/// The follower that notices first tells the other too early.
#[test]
fn what_lookers_said_just_before_is_not_forgotten() {
    let mut server = settled();
    server.hears(2, says(Looking, 2, 1, 6, 5));
    server.loses(3);
    server.pass(999);
    let said = server.start(own(1, 5));
    let expected = [
        "to 2: Looking 2 e1 z6 r5",
        "to 3: Looking 2 e1 z6 r5",
        "decide: Following 2 e1 z6 r5",
    ];
    assert_eq!(said, expected);
}

#[test]
fn what_lookers_said_long_before_is() {
    let mut server = settled();
    server.hears(2, says(Looking, 2, 1, 6, 5));
    server.pass(1000);
    assert_eq!(server.start(own(1, 5))[0], "to 2: Looking 1 e1 z5 r5");
}

#[test]
fn who_looked_and_is_gone_or_settled_is_forgotten() {
    let mut server = settled();
    server.hears(2, says(Looking, 2, 1, 6, 5));
    server.loses(2);
    assert_eq!(server.start(own(1, 5))[0], "to 2: Looking 1 e1 z5 r5");
    let mut server = settled();
    server.hears(2, says(Looking, 2, 1, 6, 5));
    server.hears(2, says(Following, 3, 1, 5, 4));
    assert_eq!(server.start(own(1, 5))[0], "to 2: Looking 1 e1 z5 r5");
}

#[test]
fn before_the_start_nothing_is_heard() {
    let mut server = Server::new(1, ensemble(3));
    assert_eq!(server.hears(2, says(Looking, 2, 1, 5, 1)), NOTHING);
    assert_eq!(server.election.poll_timeout(), None);
}
