//! Against captures of Apache ZooKeeper 3.9.5: our learner answers Apache's
//! leader with the very bytes that Apache's learner sent, and our leader
//! sends Apache's learners the very packets that Apache's leader did.

use crate::support::NOW;
use std::collections::VecDeque;
use std::time::Duration;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::{
    AckEpoch, ForwardedRequest, LearnerInfo, PacketType, QuorumPacket, SessionTouch,
};
use zk_proto::{Epoch, OpCode, ServerId, Zxid};
use zk_zab::{
    Action, Leader, Learner, LearnerId, OwnHistory, Packet, Persist, PersistToken, SyncTicket, Txn,
    Upcall, ZabConfig,
};

const COLD_START: &str = include_str!("../fixtures/01-cold-start-3.jsonl");
const DIFF_EMPTY: &str = include_str!("../fixtures/05-sync-diff-empty.jsonl");
const DIFF: &str = include_str!("../fixtures/06-sync-diff-committedlog.jsonl");
const TRUNC: &str = include_str!("../fixtures/10-sync-trunc.jsonl");
const OBSERVER: &str = include_str!("../fixtures/14-observer-joins.jsonl");

/// A message of a capture.
#[derive(Clone)]
struct Message {
    conn: String,
    from: i64,
    bytes: Vec<u8>,
    /// `None` for the bytes of a snapshot.
    packet: Option<Packet>,
}

fn messages(capture: &str) -> Vec<Message> {
    let message = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let bytes = unhex(json["hex"].as_str().unwrap());
        let kind = json["type"].as_str().unwrap();
        let packet = (!kind.starts_with("SNAP") || kind == "SNAP").then(|| {
            let (packet, length) = QuorumPacket::split(&bytes, 1 << 20).unwrap().unwrap();
            assert_eq!(length, bytes.len());
            Packet::from_wire(&packet)
        });
        Message {
            conn: json["conn"].as_str().unwrap().to_owned(),
            from: json["from"].as_i64().unwrap(),
            bytes,
            packet,
        }
    };
    capture.lines().map(message).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// One connection of a capture.
fn connection(capture: &str, conn: &str) -> Vec<Message> {
    let all = messages(capture).into_iter();
    all.filter(|it| it.conn == conn).collect()
}

fn find(messages: &[Message], kind: PacketType) -> &Packet {
    let mut packets = messages.iter().filter_map(|it| it.packet.as_ref());
    packets.find(|packet| packet.kind == kind).unwrap()
}

fn encoded(packet: &Packet) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).unwrap();
    bytes
}

/// The configuration that NEWLEADER of this connection brings, of another
/// version.
fn zab_config(messages: &[Message], server: i64, version: Zxid) -> ZabConfig {
    let text = find(messages, PacketType::NEWLEADER).data();
    let text = std::str::from_utf8(text).unwrap();
    let mut ensemble = EnsembleConfig::parse(text, false).unwrap();
    ensemble.version = version;
    ZabConfig {
        tick: Duration::from_secs(1),
        reconfig: true,
        ..ZabConfig::new(ServerId(server), ensemble)
    }
}

#[test]
fn every_packet_round_trips() {
    let mut count = 0;
    for capture in [COLD_START, DIFF_EMPTY, DIFF, TRUNC, OBSERVER] {
        for message in messages(capture) {
            if let Some(packet) = message.packet {
                assert_eq!(encoded(&packet), message.bytes, "{packet:?}");
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count}");
}

// Our learner, Apache's leader.

/// The learner that Apache's was.
fn learner_of(messages: &[Message]) -> Learner {
    let hello = messages[0].packet.clone().unwrap();
    let info = LearnerInfo::decode(hello.data()).unwrap();
    let ack = find(messages, PacketType::ACKEPOCH);
    let AckEpoch(current) = AckEpoch::decode(ack.data()).unwrap();
    let mut config = zab_config(messages, info.server.0, info.config_version);
    config.observer = hello.kind == PacketType::OBSERVERINFO;
    let accepted_epoch = hello.zxid.epoch();
    let own = OwnHistory {
        accepted_epoch,
        current_epoch: current.unwrap_or(accepted_epoch),
        last_zxid: ack.zxid,
        committed: Zxid::ZERO,
        recent: Vec::new(),
    };
    Learner::new(NOW, config, own)
}

/// Feeds the leader's side; every message of the learner's side has to be
/// the next that ours sends. Its disk is fast.
fn follow(capture: &str, conn: &str) -> Vec<Persist> {
    let all = connection(capture, conn);
    let mut learner = learner_of(&all);
    let server = all[0].from;
    let (mut sent, mut disk) = (VecDeque::new(), Vec::new());
    drain_learner(&mut learner, &mut sent, &mut disk);
    for (at, message) in all.iter().enumerate() {
        match &message.packet {
            None if message.bytes.ends_with(b"BenWasHere") => learner.handle_installed(NOW),
            None => {}
            Some(packet) if message.from != server => {
                if packet.kind == PacketType::PING {
                    touch(&mut learner, &all[at..], server);
                }
                learner.handle_leader(NOW, packet);
            }
            Some(packet) => {
                if packet.kind == PacketType::REQUEST {
                    learner.request(packet.data.clone().unwrap(), packet.auth.clone());
                    drain_learner(&mut learner, &mut sent, &mut disk);
                }
                let ours = sent.pop_front().unwrap_or_default();
                assert_eq!(ours, message.bytes, "{conn} {packet:?}");
            }
        }
        drain_learner(&mut learner, &mut sent, &mut disk);
    }
    assert!(sent.is_empty(), "{conn}: more than Apache says");
    disk
}

/// The sessions that the answer to this PING names.
fn touch(learner: &mut Learner, rest: &[Message], server: i64) {
    let mut answers = rest.iter().filter(|it| it.from == server);
    let answer = answers.find_map(|it| it.packet.as_ref().filter(|it| it.kind == PacketType::PING));
    let data = answer.map_or(&[][..], |it| it.data());
    for session in SessionTouch::decode_all(data).unwrap() {
        learner.touch(session);
    }
}

fn drain_learner(learner: &mut Learner, sent: &mut VecDeque<Vec<u8>>, disk: &mut Vec<Persist>) {
    while let Some(action) = learner.poll_action() {
        match action {
            Action::Send { packet, .. } => sent.push_back(encoded(&packet)),
            Action::Persist { token, what } => {
                disk.push(what);
                learner.handle_persisted(token);
            }
            Action::Abdicate(reason) => panic!("{reason}"),
            _ => {}
        }
    }
}

#[test]
fn our_follower_under_apaches_leader() {
    for conn in ["L-17", "L-18"] {
        let disk = follow(COLD_START, conn);
        let epochs = [
            Persist::AcceptedEpoch(Epoch(1)),
            Persist::CurrentEpoch(Epoch(1)),
        ];
        assert_eq!(disk, epochs);
    }
    assert_eq!(follow(DIFF_EMPTY, "L-5"), [Persist::CurrentEpoch(Epoch(1))]);
    assert_eq!(follow(DIFF, "L-5").len(), 5 + 1);
    follow(TRUNC, "L-10");
    let cut = Persist::TruncateAfter(Zxid(0x2_0000_021a));
    assert_eq!(follow(TRUNC, "L-14")[1], cut);
}

#[test]
fn our_observer_under_apaches_leader() {
    let disk = follow(OBSERVER, "L-5");
    assert!(disk.contains(&Persist::Snapshot(Zxid(0x1_0000_0005))));
    let appended = disk.iter().filter(|it| matches!(it, Persist::Append(_)));
    assert_eq!(appended.count(), 6);
}

// Our leader, Apache's learners.

struct Lead {
    machine: Leader,
    sent: Vec<(LearnerId, Packet)>,
    work: Vec<PersistToken>,
    requests: Vec<Packet>,
}

impl Lead {
    fn new(config: ZabConfig, own: OwnHistory) -> Self {
        Self {
            machine: Leader::new(NOW, config, own),
            sent: Vec::new(),
            work: Vec::new(),
            requests: Vec::new(),
        }
    }

    fn take(&mut self, from: u64, packet: &Packet) {
        self.machine.handle_learner(NOW, LearnerId(from), packet);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Send { to, packet } => self.sent.push((to, packet)),
                Action::Persist { token, .. } => self.work.push(token),
                Action::ReadHistory { to, .. } => self.machine.handle_history(NOW, to, &[]),
                Action::Upcall(Upcall::Request { packet, .. }) => self.requests.push(packet),
                Action::Close { reason, .. } => panic!("{reason}"),
                Action::Abdicate(reason) => panic!("{reason}"),
                _ => {}
            }
        }
    }

    fn persisted(&mut self) {
        if let Some(token) = self.work.drain(..).next_back() {
            self.machine.handle_persisted(NOW, token);
        }
        self.drain();
    }

    fn propose(&mut self, payload: impl Into<bytes::Bytes>) {
        let zxid = self.machine.next_zxid().unwrap();
        let payload = payload.into();
        self.machine.propose(NOW, Txn { zxid, payload }).unwrap();
        self.drain();
        self.persisted();
    }

    /// What went to a learner, pings left out: their time is not determined.
    #[track_caller]
    fn check(&self, to: u64, all: &[Message]) {
        let pings = |packet: &&Packet| packet.kind != PacketType::PING;
        let sent = self
            .sent
            .iter()
            .filter(|it| it.0 == LearnerId(to))
            .map(|it| &it.1);
        let ours: Vec<&Packet> = sent.filter(pings).collect();
        let theirs = all.iter().filter(|it| it.from != all[0].from);
        let theirs: Vec<&Packet> = theirs
            .filter_map(|it| it.packet.as_ref())
            .filter(pings)
            .collect();
        assert_eq!(ours, theirs);
    }

    /// What Apache's learner says, in order.
    fn take_all(&mut self, from: u64, all: &[Message]) {
        for message in all.iter().filter(|it| it.from == all[0].from) {
            self.take(from, message.packet.as_ref().unwrap());
        }
    }
}

/// The part of a learner's messages up to ACKEPOCH.
const DISCOVERY: usize = 3;

/// What the learner says behind that.
fn behind_discovery(all: &[Message]) -> Vec<Message> {
    let rest = all[DISCOVERY..].iter();
    rest.filter(|it| it.from == all[0].from).cloned().collect()
}

fn own(epoch: u32, recent: Vec<Txn>) -> OwnHistory {
    OwnHistory {
        accepted_epoch: Epoch(epoch),
        current_epoch: Epoch(epoch),
        last_zxid: recent.last().map_or(Zxid::ZERO, |txn| txn.zxid),
        committed: Zxid::ZERO,
        recent,
    }
}

#[test]
fn our_leader_in_a_cold_start() {
    let (first, second) = (
        connection(COLD_START, "L-17"),
        connection(COLD_START, "L-18"),
    );
    let mut lead = Lead::new(zab_config(&first, 3, Zxid::ZERO), own(0, vec![]));
    lead.drain();
    lead.take(17, first[0].packet.as_ref().unwrap());
    lead.persisted();
    // The leader's own disk is slower than the second learner.
    lead.take_all(17, &first[2..DISCOVERY]);
    lead.take_all(18, &second[..DISCOVERY]);
    lead.persisted();
    lead.take_all(17, &behind_discovery(&first));
    lead.take_all(18, &behind_discovery(&second));
    lead.check(17, &first);
    lead.check(18, &second);
}

/// A leader in broadcast of epoch 1 with one follower, and transactions with
/// these payloads.
fn serving(all: &[Message], leader: i64, follower: i64, payloads: Vec<bytes::Bytes>) -> Lead {
    let mut lead = Lead::new(zab_config(all, leader, Zxid::ZERO), own(0, vec![]));
    lead.take(0, &crate::support::hello(follower, 0));
    lead.persisted();
    lead.take(0, &crate::support::ack_epoch(Some(0), Zxid::ZERO));
    lead.persisted();
    lead.take(0, &Packet::bare(PacketType::ACK, Zxid::new(Epoch(1), 0)));
    for payload in payloads {
        lead.propose(payload);
        acknowledge(&mut lead);
    }
    lead
}

fn acknowledge(lead: &mut Lead) {
    let zxid = Zxid(lead.machine.next_zxid().unwrap().0 - 1);
    lead.take(0, &Packet::bare(PacketType::ACK, zxid));
}

/// Payloads 1 to `count`; those that the capture has are its own.
fn payloads(all: &[Message], count: u32) -> Vec<bytes::Bytes> {
    let payload = |counter| {
        let zxid = Zxid::new(Epoch(1), counter);
        let mut packets = all.iter().filter_map(|it| it.packet.as_ref());
        let proposal = packets.find(|it| it.kind == PacketType::PROPOSAL && it.zxid == zxid);
        proposal.and_then(|it| it.data.clone()).unwrap_or_default()
    };
    (1..=count).map(payload).collect()
}

#[test]
fn our_leader_sends_apaches_diff() {
    for (capture, count) in [(DIFF_EMPTY, 0xd), (DIFF, 0x12)] {
        let all = connection(capture, "L-5");
        let mut lead = serving(&all, 2, 3, payloads(&all, count));
        lead.take_all(5, &all);
        lead.check(5, &all);
    }
}

#[test]
fn our_leader_sends_apaches_trunc() {
    let (first, second) = (connection(TRUNC, "L-10"), connection(TRUNC, "L-14"));
    let last = Txn {
        zxid: Zxid(0x2_0000_021a),
        payload: bytes::Bytes::new(),
    };
    let mut lead = Lead::new(zab_config(&first, 3, Zxid::ZERO), own(2, vec![last]));
    lead.drain();
    lead.take(10, first[0].packet.as_ref().unwrap());
    lead.persisted();
    lead.take_all(10, &first[2..DISCOVERY]);
    lead.persisted();
    lead.take_all(10, &behind_discovery(&first));
    lead.check(10, &first);
    lead.take_all(14, &second);
    lead.check(14, &second);
}

#[test]
fn our_leader_serves_apaches_observer() {
    let all = connection(OBSERVER, "L-5");
    let mut lead = serving(&all, 3, 1, payloads(&all, 5));
    for message in &all {
        let Some(packet) = &message.packet else {
            continue;
        };
        if message.from == 4 {
            lead.take(5, packet);
            if packet.kind == PacketType::REQUEST {
                let request = ForwardedRequest::decode(packet.data()).unwrap();
                assert_eq!(lead.requests.last(), Some(packet));
                if request.op == OpCode::SYNC {
                    lead.machine.sync(SyncTicket::Of(LearnerId(5)));
                    lead.drain();
                    lead.take(0, &Packet::bare(PacketType::PING, packet.zxid));
                }
            }
        } else if packet.kind == PacketType::INFORM {
            lead.propose(packet.data.clone().unwrap());
            acknowledge(&mut lead);
        }
    }
    lead.check(5, &all);
}
