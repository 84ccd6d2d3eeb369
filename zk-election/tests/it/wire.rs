//! Apache's own elections again: a server of ours is given what one of
//! Apache's 3.9.5 received, at the same times, and must decide the same, and
//! say the same in the same order. `tests/fixtures` has the election messages
//! of four captures: t in seconds, who opened a link, and the frames on it.

use std::collections::BTreeMap;
use std::time::Duration;
use zk_election::{Election, ElectionAction, ElectionConfig, OwnHistory, Round, Vote};
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::{Notification, PeerState};
use zk_proto::{Epoch, ServerId, Zxid};

const COLD_START: &str = include_str!("../fixtures/01-cold-start-3.jsonl");
const OBSERVER_JOINS: &str = include_str!("../fixtures/14-observer-joins.jsonl");
const LEADER_KILLED_AGAIN: &str = include_str!("../fixtures/16-observer-leader-killed.jsonl");
const LEADER_KILLED: &str = include_str!("../fixtures/02-leader-killed.jsonl");

/// A notification of a capture.
struct Sent {
    at: Duration,
    from: i64,
    to: i64,
    frame: Vec<u8>,
}

fn capture(text: &str) -> Vec<Sent> {
    let lines = text.lines().map(|line| -> serde_json::Value {
        serde_json::from_str(line).expect("each line is JSON")
    });
    let sent = lines.map(|line| Sent {
        at: Duration::from_secs_f64(line["t"].as_f64().expect("t")),
        from: line["from"].as_i64().expect("from"),
        to: line["to"].as_i64().expect("to"),
        frame: unhex(line["hex"].as_str().expect("hex")),
    });
    sent.collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| std::str::from_utf8(pair).expect("hex is ASCII"));
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("hex"))
        .collect()
}

fn ensemble(capture: &[Sent]) -> EnsembleConfig {
    let first = Notification::decode(&capture[0].frame[4..]).expect("Apache sends notifications");
    let text = first.config.expect("they have configurations");
    EnsembleConfig::parse(&text, false).expect("Apache's text is read")
}

/// One server of ours in the place of Apache's.
struct Replay<'a> {
    capture: &'a [Sent],
    me: i64,
    election: Election,
    /// To each server, whatever differs from what was said to it just before.
    said: BTreeMap<i64, Vec<Vec<u8>>>,
    decision: Option<(PeerState, Vote, Round)>,
    adopted: Option<Zxid>,
}

impl<'a> Replay<'a> {
    fn new(capture: &'a [Sent], me: i64) -> Self {
        let config = ElectionConfig::new(ServerId(me), ensemble(capture));
        Self {
            capture,
            me,
            election: Election::new(config),
            said: BTreeMap::new(),
            decision: None,
            adopted: None,
        }
    }

    /// Starts it at that time, and plays what it received up to the end.
    fn run(&mut self, start: Duration, own: OwnHistory) {
        let (capture, me) = (self.capture, self.me);
        let to_me = capture.iter().filter(|sent| sent.to == me);
        let mut started = false;
        for sent in to_me {
            if !started && sent.at >= start {
                started = true;
                self.wait_until(start);
                self.election.start(start, own);
                self.drain();
            }
            self.wait_until(sent.at);
            let heard = Notification::decode(&sent.frame[4..]).expect("Apache sends notifications");
            self.election
                .handle_notification(sent.at, ServerId(sent.from), heard);
            self.drain();
        }
        self.wait_until(Duration::from_secs(10));
    }

    fn wait_until(&mut self, end: Duration) {
        while let Some(at) = self.election.poll_timeout().filter(|at| *at < end) {
            self.election.handle_timeout(at);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(action) = self.election.poll_action() {
            match action {
                ElectionAction::Send { to, notification } => {
                    let said = self.said.entry(to.0).or_default();
                    said.push(notification.encode());
                    said.dedup();
                }
                ElectionAction::Decide { state, vote, round } => {
                    assert_eq!(self.decision, None, "it decides once");
                    self.decision = Some((state, vote, round));
                }
                ElectionAction::Connect => {}
                ElectionAction::AdoptConfig(config) => self.adopted = Some(config.version),
            }
        }
    }

    /// What Apache's server said to another, without repetitions. Before there
    /// was a link Apache kept only its newest word, so that ours may have said
    /// more at first; nothing else may differ.
    #[track_caller]
    fn check_said(&self, to: i64) {
        let words = self.capture.iter();
        let words = words.filter(|sent| sent.from == self.me && sent.to == to);
        let mut theirs: Vec<&Vec<u8>> = words.map(|sent| &sent.frame).collect();
        theirs.dedup();
        let ours: Vec<&Vec<u8>> = self.said[&to].iter().collect();
        let read = |words: &[&Vec<u8>]| -> Vec<Notification> {
            let frames = words.iter().map(|frame| Notification::decode(&frame[4..]));
            frames.map(|it| it.expect("notifications")).collect()
        };
        assert!(!theirs.is_empty() && ours.len() <= theirs.len() + 1);
        assert!(
            ours.ends_with(&theirs),
            "{} to {to}: ours {:#?}\ntheirs {:#?}",
            self.me,
            read(&ours),
            read(&theirs)
        );
    }
}

fn vote(leader: i64, peer_epoch: i64) -> Vote {
    Vote {
        peer_epoch,
        zxid: Zxid(0),
        leader: ServerId(leader),
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn a_cold_start_elects_as_apache_does() {
    let capture = capture(COLD_START);
    let cases = [
        (1, 5.32, PeerState::Following, [2, 3]),
        (2, 2.53, PeerState::Following, [1, 3]),
        (3, 4.97, PeerState::Leading, [1, 2]),
    ];
    for (me, start, state, others) in cases {
        let mut replay = Replay::new(&capture, me);
        replay.run(seconds(start), OwnHistory::default());
        assert_eq!(
            replay.decision,
            Some((state, vote(3, 0), Round(1))),
            "server {me}"
        );
        for to in others {
            replay.check_said(to);
        }
    }
}

#[test]
fn the_followers_of_a_killed_leader_elect_as_apache_does() {
    let capture = capture(LEADER_KILLED);
    let own = OwnHistory {
        zxid: Zxid(0),
        current_epoch: Epoch(1),
    };
    let cases = [
        (1, 2, 0.0460, PeerState::Following),
        (2, 1, 0.0485, PeerState::Leading),
    ];
    for (me, other, start, state) in cases {
        let mut replay = Replay::new(&capture, me);
        replay.election.start(Duration::ZERO, own);
        while replay.election.poll_action().is_some() {}
        replay.election.settle(PeerState::Following, vote(3, 1));
        replay.run(seconds(start), own);
        assert_eq!(
            replay.decision,
            Some((state, vote(2, 1), Round(2))),
            "server {me}"
        );
        replay.check_said(other);
    }
}

/// It has a configuration of version 0 and finds one of 0x100000000 with the
/// same members.
#[test]
fn an_observer_finds_the_ensemble_as_apache_does() {
    let capture = capture(OBSERVER_JOINS);
    let mut replay = Replay::new(&capture, 4);
    replay.run(seconds(3.58), OwnHistory::default());
    let decision = (PeerState::Observing, vote(3, 1), Round(1));
    assert_eq!(replay.decision, Some(decision));
    assert_eq!(replay.adopted, Some(Zxid(0x1_0000_0000)));
    for to in 1..=3 {
        replay.check_said(to);
    }
}

/// Here Apache's server 2 did not tell its vote again to 1, who began to look
/// 15 ms later, and both waited for a repetition after 200 ms. Ours remembers
/// or tells, and decides the same.
#[test]
fn an_early_looker_is_heard_where_apache_waits() {
    let capture = capture(LEADER_KILLED_AGAIN);
    let own = OwnHistory {
        zxid: Zxid(0x1_0000_0010),
        current_epoch: Epoch(1),
    };
    let cases = [
        (1, 0.0400, PeerState::Following),
        (2, 0.0280, PeerState::Leading),
    ];
    for (me, start, state) in cases {
        let mut replay = Replay::new(&capture, me);
        replay.election.start(Duration::ZERO, own);
        while replay.election.poll_action().is_some() {}
        replay.election.settle(PeerState::Following, vote(3, 1));
        replay.run(seconds(start), own);
        let elected = Vote {
            zxid: own.zxid,
            ..vote(2, 1)
        };
        assert_eq!(
            replay.decision,
            Some((state, elected, Round(2))),
            "server {me}"
        );
        let words = replay.said[&(3 - me)].iter();
        let words = words.map(|frame| Notification::decode(&frame[4..]).expect("notifications"));
        let votes = words.filter(|word| word.state == PeerState::Looking);
        let votes: Vec<ServerId> = votes.map(|word| word.leader).collect();
        assert_eq!(votes, [ServerId(2)], "server {me} never votes for another");
    }
}
