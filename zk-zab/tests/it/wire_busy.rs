//! Captures of Apache ZooKeeper 3.9.5 in which learners join while clients
//! write, and one whose leader is a script.

use crate::support::NOW;
use crate::wire::{Lead, Learn, Message, connection, encoded, find, follow, payloads, serving};
use zk_proto::quorum::PacketType;
use zk_proto::{Epoch, Zxid};
use zk_zab::{Packet, Persist};

const DIFF: &str = include_str!("../fixtures/12-sync-diff-while-writing.jsonl");
const SNAP: &str = include_str!("../fixtures/13-sync-snap-while-writing.jsonl");
const SCRIPT: &str = include_str!("../fixtures/20-foreign-leader.jsonl");

fn packets(all: &[Message], from: i64) -> Vec<&Packet> {
    let mine = all.iter().filter(|it| it.from == from);
    let packets = mine.filter_map(|it| it.packet.as_ref());
    packets.filter(|it| it.kind != PacketType::PING).collect()
}

/// Ours says what Apache's follower said. It acknowledges a proposal that was
/// outstanding before it knows of UPTODATE, Apache's behind that.
#[test]
fn our_follower_joins_while_others_write() {
    for (capture, snapshot) in [(DIFF, None), (SNAP, Some(Zxid(0x1_0000_0000)))] {
        let all = connection(capture, "L-5");
        let mut learn = Learn::new(&all);
        while learn.persisted() {}
        for message in all.iter().filter(|it| it.from == 2) {
            match &message.packet {
                Some(packet) if packet.kind == PacketType::PING => {}
                Some(packet) => learn.machine.handle_leader(NOW, packet),
                None => learn.machine.handle_installed(NOW),
            }
            learn.drain();
            while learn.persisted() {}
        }
        assert_eq!(learn.left, None);
        let mut ours: Vec<Vec<u8>> = learn.sent.into();
        let mut theirs: Vec<Vec<u8>> = packets(&all, 1).into_iter().map(encoded).collect();
        assert_eq!(ours[..2], theirs[..2]);
        // The capture ends before the last acknowledgements.
        assert!(theirs.len() > 30 && ours.len() - theirs.len() < 3);
        ours.sort();
        theirs.sort();
        theirs.retain(|it| !ours.contains(it));
        assert_eq!(theirs, [[0; 0]; 0]);
        let snapshots = learn
            .disk
            .iter()
            .filter(|it| matches!(it, Persist::Snapshot(_)));
        assert_eq!(snapshots.count() > 0, snapshot.is_some());
    }
}

/// Our leader sends Apache's follower what Apache's leader did, when it hears
/// the same.
#[test]
fn our_leader_serves_who_joins_while_others_write() {
    for capture in [DIFF, SNAP] {
        let all = connection(capture, "L-5");
        let mut lead = before(&all);
        let mut synced = false;
        for message in &all {
            let Some(packet) = &message.packet else {
                continue;
            };
            match packet.kind {
                PacketType::PING => {}
                _ if message.from == 1 => lead.take(5, packet),
                PacketType::NEWLEADER => synced = true,
                PacketType::PROPOSAL if synced => lead.propose(packet.data.clone().unwrap()),
                PacketType::COMMIT if synced => {
                    lead.take(0, &Packet::bare(PacketType::ACK, packet.zxid));
                }
                _ => {}
            }
        }
        lead.check(5, &all);
    }
}

/// A leader as Apache's was when the follower came.
fn before(all: &[Message]) -> Lead {
    let to_follower = packets(all, 2);
    let history = to_follower
        .iter()
        .take_while(|it| it.kind != PacketType::NEWLEADER);
    let last = |kind| history.clone().filter(|it| it.kind == kind).last();
    let begun = last(PacketType::SNAP).or(last(PacketType::COMMIT)).unwrap();
    let mut lead = serving(all, 2, 3, payloads(all, begun.zxid.counter()));
    if let Some(outstanding) = last(PacketType::PROPOSAL) {
        assert_eq!(Some(outstanding.zxid), begun.zxid.next());
        lead.propose(outstanding.data.clone().unwrap());
    }
    lead
}

/// The script says everything that a leader says to a follower.
#[test]
fn our_follower_under_a_script() {
    let (disk, left) = follow(SCRIPT, "L-6");
    assert_eq!(left, None);
    let appended = disk.iter().filter(|it| matches!(it, Persist::Append(_)));
    assert_eq!(appended.count(), 3);
    let all = connection(SCRIPT, "L-6");
    assert_eq!(find(&all, PacketType::LEADERINFO).zxid.epoch(), Epoch(1));
    assert_eq!(find(&all, PacketType(77)).kind.name(), None);
}
