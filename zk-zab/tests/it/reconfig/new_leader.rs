//! A new leader that finds a reconfiguration in its history.

use super::{NOTHING, has, sent};
use crate::support::*;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::PacketType;
use zk_zab::{LearnerId, Packet};

/// A leader whose history has a reconfiguration that may be committed asks
/// both quorums for everything, and completes it.
#[test]
fn a_new_leader_completes_what_it_finds() {
    let new = members(&[3, 4, 5], &[], zxid(4, 1));
    let history = || own(4, 4, vec![reconfig(&new)]);
    let mut config = config(3, 3);
    config.ensemble.version = zxid(1, 0);
    config.next = Some(new.clone());
    let mut lead = Lead::new(config, history());
    lead.actions();
    assert_eq!(lead.take(1, &hello(1, 4)), NOTHING, "a quorum of the old");
    assert_eq!(lead.take(5, &hello(5, 7)), ["AcceptedEpoch(Epoch(8))"]);
    lead.all_persisted();
    assert_eq!(lead.take(1, &ack_epoch(Some(4), zxid(4, 1))), NOTHING);
    let begun = lead.take(5, &ack_epoch(Some(4), zxid(4, 1)));
    has(
        &begun,
        &[
            "Synchronization",
            "1<-NEWLEADER 0x800000000",
            "5<-NEWLEADER 0x800000000",
        ],
    );
    lead.all_persisted();
    assert_eq!(lead.ack(1, zxid(8, 0)), NOTHING);
    let served = lead.ack(5, zxid(8, 0));
    has(&served, &["Broadcast", "1<-UPTODATE 0xffffffffffffffff"]);
    assert_eq!(served[0], "holds 0x400000001, led by Some(3)");
    assert_eq!(
        (lead.machine.ensemble(), lead.machine.next_ensemble()),
        (&new, None)
    );
    lead.propose();
    lead.ack(1, zxid(8, 1));
    assert_eq!(lead.all_persisted(), NOTHING, "the old voters alone");
    has(&lead.ack(5, zxid(8, 1)), &["deliver 0x800000001"]);
}

/// NEWLEADER offers it, and who knows already that it is committed is no
/// stranger.
#[test]
fn a_new_leader_offers_what_it_finds() {
    let new = members(&[3, 4, 5], &[], zxid(4, 1));
    let mut config = config(3, 3);
    config.next = Some(new.clone());
    let mut lead = Lead::new(config, own(4, 4, vec![reconfig(&new)]));
    lead.take(1, &hello(1, 4));
    let mut knows = zk_proto::quorum::LearnerInfo::decode(hello(5, 4).data()).unwrap();
    knows.config_version = zxid(4, 1);
    let info = Packet::with_data(PacketType::FOLLOWERINFO, zxid(4, 0), knows.encode());
    assert_eq!(lead.take(5, &info), ["AcceptedEpoch(Epoch(5))"]);
    knows.config_version = zxid(4, 2);
    let info = Packet::with_data(PacketType::FOLLOWERINFO, zxid(4, 0), knows.encode());
    assert!(lead.take(6, &info)[0].contains("is newer"));
    lead.all_persisted();
    lead.take(1, &ack_epoch(Some(4), zxid(4, 1)));
    lead.machine
        .handle_learner(NOW, LearnerId(5), &ack_epoch(Some(4), zxid(4, 1)));
    let mut packets = sent(&mut lead).into_iter();
    let offer = packets.find(|it| it.kind == PacketType::NEWLEADER);
    assert_eq!(offer.unwrap().data.unwrap(), new.to_string());
}

/// A leader that completes a reconfiguration without itself serves nobody.
#[test]
fn a_new_leader_without_a_vote_completes_and_leaves() {
    let new = members(&[1, 2], &[], zxid(4, 1));
    let mut config = config(3, 3);
    config.next = Some(new.clone());
    let mut lead = Lead::new(config, own(4, 4, vec![reconfig(&new)]));
    lead.take(1, &hello(1, 4));
    lead.take(2, &hello(2, 4));
    lead.all_persisted();
    for id in [1, 2] {
        lead.take(id, &ack_epoch(Some(4), zxid(4, 1)));
    }
    lead.all_persisted();
    lead.ack(1, zxid(5, 0));
    let words = [
        "holds 0x400000001, led by None",
        "1<-UPTODATE 0xffffffffffffffff",
        "2<-UPTODATE 0xffffffffffffffff",
    ];
    assert_eq!(lead.ack(2, zxid(5, 0)), words);
    assert_eq!(lead.machine.next_zxid(), None);
    lead.machine.handle_learner_lost(LearnerId(1));
    lead.machine.handle_learner_lost(LearnerId(2));
    assert_eq!(lead.machine.phase(), None);
}

/// The log knows better than the files beside it: what it has behind what
/// holds may be committed, what is behind its end is not.
#[test]
fn the_log_knows_better() {
    let first = members(&[1, 2, 3], &[], zxid(4, 1));
    let second = members(&[3, 4, 5], &[], zxid(4, 2));
    let history = || {
        own(
            4,
            4,
            vec![reconfig(&first), reconfig(&second), txn_of(4, 3)],
        )
    };
    let config = |next: Option<EnsembleConfig>| {
        let mut config = config_of(3, members(&[3], &[], zxid(1, 0)));
        config.next = next;
        config
    };
    let stale = members(&[7, 8, 9], &[], zxid(4, 4));
    for next in [None, Some(first.clone()), Some(stale.clone())] {
        let lead = Lead::new(config(next), history());
        let knows = (lead.machine.ensemble(), lead.machine.next_ensemble());
        assert_eq!(knows, (&first, Some(&second)));
    }
    // What is older than the transactions in memory may be in the log.
    let short = || own(4, 4, vec![txn_of(4, 3)]);
    let lead = Lead::new(config(Some(second.clone())), short());
    assert_eq!(lead.machine.next_ensemble(), Some(&second));
    let lead = Lead::new(config(Some(stale)), short());
    assert_eq!(lead.machine.next_ensemble(), None);
    let numbered = members(&[3], &[], zxid(5, 0));
    let lead = Lead::new(config(Some(numbered.clone())), short());
    assert_eq!(lead.machine.next_ensemble(), Some(&numbered));
}
