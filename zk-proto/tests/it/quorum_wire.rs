//! What Apache's servers said to one another: every message is read, means
//! what an independent reader saw in it, and is written again byte for byte.

use crate::fixtures::{files, read_text, unhex};
use serde_json::Value;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::jute::{self, Reader};
use zk_proto::quorum::{
    AckEpoch, ForwardedRequest, InitialMessage, LearnerInfo, Notification, PacketType,
    QuorumPacket, Revalidate, SessionTouch,
};
use zk_proto::snapshot::{self, AclEntry, SessionEntry};
use zk_proto::txn::LoggedTxn;

const MAX: usize = 1 << 20;

struct Message {
    label: String,
    kind: String,
    bytes: Vec<u8>,
    decoded: Value,
    zxid: Value,
}

fn messages() -> Vec<Message> {
    let mut all = Vec::new();
    for file in files("quorum-wire", ".jsonl") {
        let text = read_text(&format!("quorum-wire/{file}"));
        for (number, line) in text.lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            let Some(hex) = line.get("hex").and_then(Value::as_str) else {
                continue;
            };
            let kind = line["type"].as_str().unwrap_or_default();
            all.push(Message {
                label: format!("{file}:{} {kind}", number + 1),
                kind: kind.to_owned(),
                bytes: unhex(hex),
                decoded: line["decoded"].clone(),
                zxid: line["zxid"].clone(),
            });
        }
    }
    all
}

fn hex(number: i64) -> String {
    format!("0x{number:x}")
}

#[test]
fn every_packet_is_read_and_written_again() {
    let elsewhere = [
        "INITIAL",
        "NOTIFICATION",
        "SNAPDATA",
        "SNAPSIGNATURE",
        "INCOMPLETE",
    ];
    let mut count = 0;
    for message in messages() {
        let Message { label, bytes, .. } = &message;
        if elsewhere.contains(&&*message.kind) {
            continue;
        }
        let (packet, length) = QuorumPacket::split(bytes, MAX).unwrap().expect(label);
        assert_eq!(length, bytes.len(), "{label}");
        if let Some(name) = packet.kind.name() {
            assert_eq!(name, message.kind, "{label}");
        }
        assert_eq!(
            hex(packet.zxid.0),
            message.zxid.as_str().unwrap(),
            "{label}"
        );
        let mut again = Vec::new();
        packet.encode(&mut again).unwrap();
        assert_eq!(&again, bytes, "{label}");
        check_data(&packet, &message);
        count += 1;
    }
    assert!(count > 4500, "only {count} packets");
}

/// The data of each type, as far as it has some.
fn check_data(packet: &QuorumPacket<'_>, message: &Message) {
    let (label, data, seen) = (&message.label, packet.data(), &message.decoded);
    match packet.kind {
        PacketType::FOLLOWERINFO | PacketType::OBSERVERINFO => {
            let Ok(info) = LearnerInfo::decode(data) else {
                // One capture has a learner that says nothing of itself.
                assert!(data.is_empty(), "{label}");
                return;
            };
            if data.len() == 20 {
                assert_eq!(info.server.0, seen["serverid"], "{label}");
                assert_eq!(info.config_version.0, seen["configVersion"], "{label}");
                assert_eq!(info.encode(), data, "{label}");
            }
        }
        PacketType::ACKEPOCH => {
            assert_eq!(AckEpoch::decode(data).unwrap().encode(), data, "{label}");
        }
        PacketType::NEWLEADER if !data.is_empty() => {
            let text = std::str::from_utf8(data).unwrap();
            let config = EnsembleConfig::parse(text, true).unwrap();
            assert_eq!(config.to_string(), text, "{label}");
        }
        PacketType::PROPOSAL | PacketType::INFORM => {
            let txn = LoggedTxn::decode(data).unwrap();
            assert_eq!(txn.header.zxid, packet.zxid, "{label}");
        }
        PacketType::PING => {
            let touches = SessionTouch::decode_all(data).unwrap();
            assert_eq!(SessionTouch::encode_all(&touches), data, "{label}");
        }
        PacketType::REVALIDATE => check_revalidate(data, label),
        PacketType::REQUEST => {
            let request = ForwardedRequest::decode(data).unwrap();
            assert_eq!(request.encode(), data, "{label}");
            assert_eq!(request.xid.0, seen["cxid"], "{label}");
            assert_eq!(request.op.0, seen["type"], "{label}");
        }
        _ => {}
    }
}

fn check_revalidate(data: &[u8], label: &str) {
    let again = if data.len() == 9 {
        let (session, valid) = Revalidate::decode_answer(data).unwrap();
        Revalidate::encode_answer(session, valid)
    } else {
        Revalidate::encode_question(Revalidate::decode_question(data).unwrap())
    };
    assert_eq!(again, data, "{label}");
}

/// Behind SNAP: a snapshot without header, seals and digest, then a signature.
#[test]
fn every_snapshot_on_the_wire_is_read_and_written_again() {
    let mut count = 0;
    for message in messages() {
        let Message { label, bytes, .. } = &message;
        match &*message.kind {
            "SNAPDATA" => {
                assert_eq!(&rewritten(bytes), bytes, "{label}");
                count += 1;
            }
            "SNAPSIGNATURE" => {
                let signature: &str = jute::from_slice(bytes).unwrap();
                assert_eq!(signature, snapshot::WIRE_SIGNATURE, "{label}");
            }
            _ => {}
        }
    }
    assert_eq!(count, 22);
}

fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let mut reader = Reader::new(bytes);
    let sessions: Vec<SessionEntry> = reader.read().unwrap();
    let acls: Vec<AclEntry<'_>> = reader.read().unwrap();
    let mut out = jute::to_vec(&(sessions, acls)).unwrap();
    while let Some(node) = snapshot::read_node(&mut reader).unwrap() {
        jute::append(&mut out, &node).unwrap();
    }
    assert!(reader.remaining().is_empty());
    snapshot::append_end(&mut out).unwrap();
    out
}

#[test]
fn every_opener_is_known() {
    let mut count = 0;
    for message in messages().iter().filter(|it| it.kind == "INITIAL") {
        let Message { label, bytes, .. } = message;
        let Ok(Some((opener, length))) = InitialMessage::split(bytes) else {
            // The script of one capture sends versions that Apache refuses.
            assert!(label.starts_with("22-"), "{label}");
            continue;
        };
        assert_eq!(length, bytes.len(), "{label}");
        assert_eq!(opener.server.0, message.decoded["sid"], "{label}");
        if !opener.addresses.is_empty() {
            let many = message.decoded["protocolVersion"] == -65_535;
            assert_eq!(&opener.encode(many), bytes, "{label}");
        }
        count += 1;
    }
    assert!(count > 100, "only {count}");
}

#[test]
fn every_vote_is_read_and_written_again() {
    let mut count = 0;
    for message in messages().iter().filter(|it| it.kind == "NOTIFICATION") {
        let Message {
            label,
            bytes,
            decoded: seen,
            ..
        } = message;
        let read = Notification::split(bytes).map(|it| it.expect(label));
        let read = read.and_then(|(frame, length)| {
            assert_eq!(length, bytes.len(), "{label}");
            Ok((frame, Notification::decode(frame)?))
        });
        let Ok((frame, vote)) = read else {
            // The script of one capture sends what Apache skips.
            assert!(label.starts_with("22-"), "{label}");
            continue;
        };
        assert_eq!(vote.state.number(), seen["state"], "{label}");
        assert_eq!(vote.leader.0, seen["leader"], "{label}");
        assert_eq!(hex(vote.zxid.0), seen["zxid"].as_str().unwrap(), "{label}");
        assert_eq!(vote.round, seen["electionEpoch"], "{label}");
        if frame.len() >= 44 {
            assert_eq!(vote.peer_epoch, seen["peerEpoch"], "{label}");
            assert_eq!(&vote.encode(), bytes, "{label}");
        }
        count += 1;
    }
    assert!(count > 330, "only {count}");
}
