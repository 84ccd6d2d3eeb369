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
    Abdication, Action, Leader, Learner, LearnerId, OwnHistory, Packet, Persist, PersistToken,
    Refusal, SyncTicket, Txn, Upcall, ZabConfig,
};

const COLD_START: &str = include_str!("../fixtures/01-cold-start-3.jsonl");
const DIFF_EMPTY: &str = include_str!("../fixtures/05-sync-diff-empty.jsonl");
const DIFF: &str = include_str!("../fixtures/06-sync-diff-committedlog.jsonl");
const TRUNC: &str = include_str!("../fixtures/10-sync-trunc.jsonl");
const OBSERVER: &str = include_str!("../fixtures/14-observer-joins.jsonl");

/// A message of a capture.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) conn: String,
    pub(crate) from: i64,
    pub(crate) bytes: Vec<u8>,
    /// `None` for the bytes of a snapshot.
    pub(crate) packet: Option<Packet>,
}

pub(crate) fn messages(capture: &str) -> Vec<Message> {
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
pub(crate) fn connection(capture: &str, conn: &str) -> Vec<Message> {
    let all = messages(capture).into_iter();
    all.filter(|it| it.conn == conn).collect()
}

pub(crate) fn find(messages: &[Message], kind: PacketType) -> &Packet {
    let mut packets = messages.iter().filter_map(|it| it.packet.as_ref());
    packets.find(|packet| packet.kind == kind).unwrap()
}

pub(crate) fn encoded(packet: &Packet) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).unwrap();
    bytes
}

/// The configuration that NEWLEADER of this connection brings, of another
/// version.
pub(crate) fn zab_config(messages: &[Message], server: i64, version: Zxid) -> ZabConfig {
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
    let leader = messages.iter().find(|it| it.from != info.server.0);
    config.leader = leader.map(|it| ServerId(it.from));
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

/// A learner, and what it wants.
pub(crate) struct Learn {
    pub(crate) machine: Learner,
    pub(crate) sent: VecDeque<Vec<u8>>,
    pub(crate) disk: Vec<Persist>,
    work: VecDeque<PersistToken>,
    /// Why it left.
    pub(crate) left: Option<Abdication>,
}

impl Learn {
    pub(crate) fn new(messages: &[Message]) -> Self {
        let mut learn = Self {
            machine: learner_of(messages),
            sent: VecDeque::new(),
            disk: Vec::new(),
            work: VecDeque::new(),
            left: None,
        };
        learn.drain();
        learn
    }

    pub(crate) fn drain(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Send { packet, .. } => self.sent.push_back(encoded(&packet)),
                Action::Persist { token, what } => {
                    self.disk.push(what);
                    self.work.push_back(token);
                }
                Action::Abdicate(reason) => self.left = Some(reason),
                _ => {}
            }
        }
    }

    /// The disk finishes one piece of work, if there is any.
    pub(crate) fn persisted(&mut self) -> bool {
        let token = self.work.pop_front();
        if let Some(token) = token {
            self.machine.handle_persisted(token);
        }
        self.drain();
        token.is_some()
    }
}

/// Feeds the leader's side; every message of the learner's side has to be
/// the next that ours sends. Its disk is as fast as it has to be.
pub(crate) fn follow(capture: &str, conn: &str) -> (Vec<Persist>, Option<Abdication>) {
    let all = connection(capture, conn);
    let mut learn = Learn::new(&all);
    let server = all[0].from;
    for (at, message) in all.iter().enumerate() {
        match &message.packet {
            None if message.bytes.ends_with(b"BenWasHere") => learn.machine.handle_installed(NOW),
            None => {}
            Some(packet) if message.from != server => {
                if packet.kind == PacketType::PING {
                    touch(&mut learn.machine, &all[at..], server);
                }
                learn.machine.handle_leader(NOW, packet);
            }
            Some(packet) => {
                if packet.kind == PacketType::REQUEST {
                    let request = packet.data.clone().unwrap();
                    learn.machine.request(request, packet.auth.clone());
                    learn.drain();
                }
                while learn.sent.is_empty() && learn.persisted() {}
                let ours = learn.sent.pop_front().unwrap_or_default();
                let same = ours == message.bytes || is_same_ping(&ours, &message.bytes);
                assert!(same, "{conn} {packet:?}: {ours:?}");
            }
        }
        learn.drain();
    }
    assert!(learn.sent.is_empty(), "{conn}: more than Apache says");
    (learn.disk, learn.left)
}

/// As [`follow`], for a leader whom it does not leave.
fn write(capture: &str, conn: &str) -> Vec<Persist> {
    let (disk, left) = follow(capture, conn);
    assert_eq!(left, None);
    disk
}

/// Apache names sessions in the order of a hash table.
fn is_same_ping(ours: &[u8], theirs: &[u8]) -> bool {
    let read = |bytes| {
        let (packet, _) = QuorumPacket::split(bytes, 1 << 20).ok()??;
        let data = packet.data.as_ref().map_or(&[][..], |it| it.0);
        let mut sessions = SessionTouch::decode_all(data).ok()?;
        sessions.sort_by_key(|it| it.session);
        (packet.kind == PacketType::PING).then_some((packet.zxid, sessions))
    };
    read(ours).is_some_and(|it| Some(it) == read(theirs))
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

#[test]
fn our_follower_under_apaches_leader() {
    for conn in ["L-17", "L-18"] {
        let disk = write(COLD_START, conn);
        let epochs = [
            Persist::AcceptedEpoch(Epoch(1)),
            Persist::CurrentEpoch(Epoch(1)),
        ];
        assert_eq!(disk, epochs);
    }
    assert_eq!(write(DIFF_EMPTY, "L-5"), [Persist::CurrentEpoch(Epoch(1))]);
    assert_eq!(write(DIFF, "L-5").len(), 5 + 1);
    write(TRUNC, "L-10");
    let cut = Persist::TruncateAfter(Zxid(0x2_0000_021a));
    assert_eq!(write(TRUNC, "L-14")[1], cut);
}

#[test]
fn our_observer_under_apaches_leader() {
    let disk = write(OBSERVER, "L-5");
    assert!(disk.contains(&Persist::Snapshot(Zxid(0x1_0000_0005))));
    let appended = disk.iter().filter(|it| matches!(it, Persist::Append(_)));
    assert_eq!(appended.count(), 6);
}

// Our leader, Apache's learners.

pub(crate) struct Lead {
    pub(crate) machine: Leader,
    pub(crate) sent: Vec<(LearnerId, Packet)>,
    pub(crate) work: Vec<PersistToken>,
    requests: Vec<Packet>,
    /// Why it was over.
    pub(crate) left: Option<Abdication>,
}

impl Lead {
    pub(crate) fn new(config: ZabConfig, own: OwnHistory) -> Self {
        Self {
            machine: Leader::new(NOW, config, own),
            sent: Vec::new(),
            work: Vec::new(),
            requests: Vec::new(),
            left: None,
        }
    }

    pub(crate) fn take(&mut self, from: u64, packet: &Packet) {
        self.machine.handle_learner(NOW, LearnerId(from), packet);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Send { to, packet } => self.sent.push((to, packet)),
                Action::Persist { token, .. } => self.work.push(token),
                Action::ReadHistory { to, .. } => self.machine.handle_history(NOW, to, &[]),
                Action::Upcall(Upcall::Request { packet, .. }) => self.requests.push(packet),
                Action::Close { reason, .. } => assert_eq!(reason, Refusal::Replaced),
                Action::Abdicate(reason) => self.left = Some(reason),
                _ => {}
            }
        }
    }

    pub(crate) fn persisted(&mut self) {
        if let Some(token) = self.work.drain(..).next_back() {
            self.machine.handle_persisted(NOW, token);
        }
        self.drain();
    }

    pub(crate) fn propose(&mut self, payload: impl Into<bytes::Bytes>) {
        let zxid = self.machine.next_zxid().unwrap();
        let payload = payload.into();
        self.machine.propose(NOW, Txn { zxid, payload }).unwrap();
        self.drain();
        self.persisted();
    }

    /// What went to a learner, pings left out: their time is not determined.
    #[track_caller]
    pub(crate) fn check(&self, to: u64, all: &[Message]) {
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

pub(crate) fn own(epoch: u32, recent: Vec<Txn>) -> OwnHistory {
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

/// A leader in broadcast of the capture's epoch with one follower, and
/// transactions with these payloads.
pub(crate) fn serving(
    all: &[Message],
    leader: i64,
    follower: i64,
    payloads: Vec<bytes::Bytes>,
) -> Lead {
    let opened = find(all, PacketType::NEWLEADER).zxid;
    let before = opened.epoch().0 - 1;
    let config = zab_config(all, leader, Zxid::ZERO);
    let mut lead = Lead::new(config, own(before, vec![]));
    lead.take(0, &crate::support::hello(follower, before));
    lead.persisted();
    lead.take(0, &crate::support::ack_epoch(Some(before), Zxid::ZERO));
    lead.persisted();
    lead.take(0, &Packet::bare(PacketType::ACK, opened));
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
pub(crate) fn payloads(all: &[Message], count: u32) -> Vec<bytes::Bytes> {
    let epoch = find(all, PacketType::NEWLEADER).zxid.epoch();
    let payload = |counter| {
        let zxid = Zxid::new(epoch, counter);
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
