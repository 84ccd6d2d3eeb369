//! A capture of Apache ZooKeeper 3.9.5 in which the members change: server 5
//! is added, observer 4 becomes a voter, follower 3 is removed, and then the
//! leader 2, which hands over to 4.

use crate::support::NOW;
use crate::wire::{Lead, Message, connection, find, follow, messages, own, serving, zab_config};
use zk_proto::ServerId;
use zk_proto::Zxid;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::PacketType;
use zk_zab::{Abdication, LearnerId, Packet, Persist, Txn};

const CAPTURE: &str = include_str!("../fixtures/17-reconfig.jsonl");
/// To leader 2, in the order in which they came.
const FIRST: [&str; 5] = ["L-10", "L-15", "L-20", "L-27", "L-28"];
/// To leader 4.
const SECOND: [&str; 4] = ["L-33", "L-34", "L-35", "L-36"];

fn number(conn: &str) -> u64 {
    conn[2..].parse().unwrap()
}

const fn handed_to(leader: i64) -> Option<Abdication> {
    let leader = Some(ServerId(leader));
    Some(Abdication::Reconfigured { leader })
}

/// Ours says what Apache's learners said, and leaves when they left.
#[test]
fn our_learners_follow_apache_through_it() {
    let left = FIRST.map(|conn| follow(CAPTURE, conn).1);
    let [voter, removed, observer, added, promoted] = left;
    assert_eq!(
        [voter, removed, added, promoted],
        [const { handed_to(4) }; 4]
    );
    assert_eq!(observer, handed_to(2), "to come back as a voter");
    for conn in SECOND {
        let (disk, left) = follow(CAPTURE, conn);
        assert_eq!((disk.len(), left), (2, None), "two epochs");
        assert!(!disk.iter().any(|it| matches!(it, Persist::Append(_))));
    }
}

/// Proposes what Apache's leader did, in its time.
fn propose(lead: &mut Lead, packet: &Packet) {
    if lead.machine.next_zxid() != Some(packet.zxid) {
        return;
    }
    let (zxid, payload) = (packet.zxid, packet.data.clone().unwrap());
    let txn = Txn { zxid, payload };
    match txn.reconfiguration().unwrap() {
        Some(new) => {
            assert!(lead.machine.is_quorum_synced(&new));
            lead.machine.propose_reconfig(NOW, txn, new).unwrap();
        }
        None => lead.machine.propose(NOW, txn).unwrap(),
    }
    lead.drain();
    lead.persisted();
}

/// Feeds what Apache's learners said; the leader's side is compared.
fn replay(lead: &mut Lead, conns: &[&str]) {
    let learners: Vec<i64> = conns
        .iter()
        .map(|it| connection(CAPTURE, it)[0].from)
        .collect();
    for message in messages(CAPTURE) {
        let at = conns.iter().position(|it| *it == message.conn);
        let (Some(at), Some(packet)) = (at, message.packet) else {
            continue;
        };
        if message.from == learners[at] {
            lead.take(number(conns[at]), &packet);
            lead.persisted();
        } else if packet.kind == PacketType::PROPOSAL {
            propose(lead, &packet);
        }
    }
    for conn in conns {
        lead.check(number(conn), &connection(CAPTURE, conn));
    }
}

fn first_history(all: &[Message]) -> bytes::Bytes {
    let version = find(all, PacketType::NEWLEADER).zxid;
    assert_eq!(version, Zxid(0x1_0000_0000));
    bytes::Bytes::new()
}

/// Our leader sends Apache's learners what Apache's leader did, names the
/// same successor, and leaves when they have left.
#[test]
fn our_leader_leads_apache_through_it() {
    let all = connection(CAPTURE, FIRST[0]);
    let mut lead = serving(&all, 2, 3, vec![first_history(&all)]);
    replay(&mut lead, &FIRST);
    assert_eq!(lead.left, None);
    for conn in FIRST {
        lead.machine.handle_learner_lost(LearnerId(number(conn)));
    }
    lead.drain();
    assert_eq!(lead.left, handed_to(4));
}

/// The designated leader needs no election.
#[test]
fn our_designated_leader_takes_over() {
    let all = connection(CAPTURE, SECOND[0]);
    let version = Zxid(0x1_0000_0008);
    let payload = bytes::Bytes::new();
    let last = Txn {
        zxid: version,
        payload,
    };
    let mut lead = Lead::new(zab_config(&all, 4, version), own(1, vec![last]));
    replay(&mut lead, &SECOND);
    let text = find(&all, PacketType::NEWLEADER).data().to_vec();
    let now = EnsembleConfig::parse(&String::from_utf8(text).unwrap(), false).unwrap();
    assert_eq!(lead.machine.ensemble(), &now);
    assert_eq!(now.version, version);
}
