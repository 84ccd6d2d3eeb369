//! The phases of Zab 1.0 as its paper numbers them, each seen from both
//! sides.

use crate::support::*;
use zk_proto::quorum::PacketType;
use zk_proto::{Epoch, Zxid};
use zk_zab::{LearnerId, Phase};

/// Discovery: the leader asks with an epoch above all that a quorum has
/// accepted, once its own disk has it; a follower answers once its disk has
/// it, with its history's epoch and end.
#[test]
fn discovery() {
    let mut lead = Lead::new(config(3, 3), own(4, 4, vec![txn_of(4, 1)]));
    assert_eq!(lead.actions(), ["Discovery"]);
    assert_eq!(lead.take(1, &hello(1, 7)), ["AcceptedEpoch(Epoch(8))"]);
    assert_eq!(lead.machine.epoch(), Some(Epoch(8)));
    assert_eq!(lead.take(2, &hello(2, 8)), [""; 0], "the epoch is chosen");
    let asked = ["1<-LEADERINFO 0x800000000", "2<-LEADERINFO 0x800000000"];
    assert_eq!(lead.all_persisted(), asked);

    let mut follower = Follower::new(config(2, 3), own(4, 4, vec![txn_of(4, 1)]));
    assert_eq!(
        follower.actions(),
        ["Discovery", "0<-FOLLOWERINFO 0x400000000"]
    );
    assert_eq!(follower.take(&leader_info(8)), ["AcceptedEpoch(Epoch(8))"]);
    assert_eq!(follower.all_persisted(), ["0<-ACKEPOCH 0x400000001"]);
}

/// Synchronization: the history, the epoch, the acknowledgement; a quorum of
/// those, the leader's own included, and UPTODATE.
#[test]
fn synchronization() {
    let history = vec![txn_of(4, 1), txn_of(4, 2)];
    let mut lead = Lead::new(config(3, 3), own(4, 4, history.clone()));
    lead.actions();
    lead.take(1, &hello(1, 4));
    lead.all_persisted();
    let begun = [
        "Synchronization",
        "CurrentEpoch(Epoch(5))",
        "1<-DIFF 0x400000002",
        "1<-PROPOSAL 0x400000002",
        "1<-COMMIT 0x400000002",
        "1<-NEWLEADER 0x500000000",
    ];
    assert_eq!(lead.take(1, &ack_epoch(Some(4), zxid(4, 1))), begun);
    assert_eq!(lead.ack(1, zxid(5, 0)), [""; 0], "its own disk is not done");
    let done = lead.all_persisted();
    assert_eq!(done[0], "holds 0x500000000, led by Some(3)");
    assert!(done[1].starts_with("Ensemble"), "{done:?}");
    assert_eq!(done[2..], ["Broadcast", "1<-UPTODATE 0xffffffffffffffff"]);

    let mut follower = Follower::accepted(own(4, 4, history[..1].to_vec()), 5);
    let synced = follower.take_all(&[
        bare(PacketType::DIFF, zxid(4, 2)),
        proposal(4, 2),
        commit(4, 2),
        bare(PacketType::NEWLEADER, zxid(5, 0)),
    ]);
    let words = [
        "Synchronization",
        "append 0x400000002",
        "CurrentEpoch(Epoch(5))",
    ];
    assert_eq!(synced, words);
    assert_eq!(
        follower.one_persisted(),
        [""; 0],
        "the epoch is not written"
    );
    assert_eq!(follower.one_persisted(), ["0<-ACK 0x500000000"]);
    let words = ["0<-ACK 0x500000000", "deliver 0x400000002", "Broadcast"];
    assert_eq!(
        follower.take(&bare(PacketType::UPTODATE, Zxid::NONE)),
        words
    );
    assert_eq!(follower.machine.phase(), Some(Phase::Broadcast));
}

/// Broadcast: proposed to all, logged, acknowledged, committed in order.
#[test]
fn broadcast() {
    let mut lead = Lead::serving();
    let proposed = [
        "append 0x100000001",
        "1<-PROPOSAL 0x100000001",
        "2<-PROPOSAL 0x100000001",
    ];
    assert_eq!(lead.propose(), proposed);
    lead.propose();
    assert_eq!(lead.ack(1, zxid(1, 1)), [""; 0], "one of three");
    let committed = [
        "1<-COMMIT 0x100000001",
        "2<-COMMIT 0x100000001",
        "deliver 0x100000001",
    ];
    assert_eq!(
        lead.ack(2, zxid(1, 1)),
        committed,
        "without the leader's disk"
    );
    assert_eq!(lead.ack(2, zxid(1, 2)), [""; 0]);
    let committed = [
        "1<-COMMIT 0x100000002",
        "2<-COMMIT 0x100000002",
        "deliver 0x100000002",
    ];
    assert_eq!(
        lead.all_persisted(),
        committed,
        "the leader's own disk counts"
    );
    assert_eq!(lead.ack(1, zxid(1, 2)), [""; 0], "late");

    let mut follower = Follower::serving();
    assert_eq!(follower.take(&proposal(1, 1)), ["append 0x100000001"]);
    assert_eq!(follower.take(&proposal(1, 2)), ["append 0x100000002"]);
    assert_eq!(follower.take(&commit(1, 1)), ["deliver 0x100000001"]);
    assert_eq!(
        follower.all_persisted(),
        ["0<-ACK 0x100000001", "0<-ACK 0x100000002"]
    );
}

/// Observers get the history and what is committed, and are never counted.
#[test]
fn observers() {
    let mut lead = Lead::serving();
    let info = zk_zab::Packet {
        kind: PacketType::OBSERVERINFO,
        ..hello(9, 0)
    };
    assert_eq!(lead.take(9, &info), ["9<-LEADERINFO 0x100000000"]);
    let synced = lead.take(9, &ack_epoch(Some(0), zxid(1, 0)));
    assert_eq!(synced, ["9<-DIFF 0x100000000", "9<-NEWLEADER 0x100000000"]);
    assert_eq!(lead.ack(9, zxid(1, 0)), ["9<-UPTODATE 0xffffffffffffffff"]);
    assert_eq!(lead.propose().len(), 3, "not to the observer");
    lead.ack(1, zxid(1, 1));
    let committed = lead.ack(2, zxid(1, 1));
    assert!(
        committed.contains(&"9<-INFORM 0x100000001".to_owned()),
        "{committed:?}"
    );

    let mut config = config(2, 3);
    config.observer = true;
    let mut observer = Follower::new(config, own(0, 0, vec![]));
    assert_eq!(observer.actions()[1], "0<-OBSERVERINFO 0x0");
    observer.take(&leader_info(1));
    observer.all_persisted();
    observer.take_all(&[
        bare(PacketType::DIFF, Zxid::ZERO),
        bare(PacketType::NEWLEADER, zxid(1, 0)),
    ]);
    observer.all_persisted();
    observer.take(&bare(PacketType::UPTODATE, Zxid::NONE));
    let informed = observer.take(&with_txn(PacketType::INFORM, &txn_of(1, 1)));
    assert_eq!(informed, ["append 0x100000001", "deliver 0x100000001"]);
    assert_eq!(
        observer.all_persisted(),
        [""; 0],
        "observers acknowledge nothing"
    );
}

/// A follower that promised the epoch before is served and does not count.
#[test]
fn a_promise_counts_once() {
    let mut lead = Lead::new(config(3, 3), own(0, 0, vec![]));
    lead.take(1, &hello(1, 0));
    lead.all_persisted();
    assert_eq!(lead.take(1, &ack_epoch(None, Zxid::ZERO)), [""; 0]);
    lead.take(2, &hello(2, 0));
    let begun = lead.take(2, &ack_epoch(Some(0), Zxid::ZERO));
    assert!(
        begun.contains(&"1<-NEWLEADER 0x100000000".to_owned()),
        "{begun:?}"
    );

    let mut follower = Follower::new(config(2, 3), own(1, 0, vec![]));
    follower.actions();
    assert_eq!(follower.take(&leader_info(1)), ["0<-ACKEPOCH 0x0"]);
}

/// Requests, sessions and syncs pass through.
#[test]
fn small_talk() {
    use zk_proto::SessionId;
    use zk_proto::quorum::{Revalidate, SessionTouch};
    let session = SessionTouch {
        session: SessionId(5),
        timeout_ms: 4000,
    };
    let mut follower = Follower::serving();
    follower.machine.touch(session);
    follower.machine.revalidate(session);
    follower.machine.sync(7, b"a client's".to_vec(), None);
    let mut sent = Vec::new();
    follower
        .machine
        .handle_leader(NOW, &bare(PacketType::PING, zxid(1, 0)));
    follower
        .machine
        .handle_leader(NOW, &bare(PacketType::SYNC, Zxid::ZERO));
    let data = Revalidate::encode_answer(SessionId(5), true);
    let answer = zk_zab::Packet::with_data(PacketType::REVALIDATE, Zxid::NONE, data);
    follower.machine.handle_leader(NOW, &answer);
    while let Some(action) = follower.machine.poll_action() {
        match action {
            zk_zab::Action::Send { packet, .. } => sent.push(packet),
            zk_zab::Action::Upcall(upcall) => assert!(
                [
                    zk_zab::Upcall::Synced(7),
                    zk_zab::Upcall::Revalidated {
                        session: SessionId(5),
                        valid: true
                    }
                ]
                .contains(&upcall)
            ),
            other => panic!("{other:?}"),
        }
    }
    let kinds: Vec<PacketType> = sent.iter().map(|it| it.kind).collect();
    assert_eq!(
        kinds,
        [
            PacketType::REVALIDATE,
            PacketType::REQUEST,
            PacketType::PING
        ]
    );

    let mut lead = Lead::serving();
    for packet in &sent {
        lead.machine.handle_learner(NOW, LearnerId(1), packet);
    }
    let heard = lead.actions();
    assert!(heard[0].starts_with("Revalidate"), "{heard:?}");
    assert!(heard[1].starts_with("Request"), "{heard:?}");
    assert!(heard[2].starts_with("Touched"), "{heard:?}");
    lead.machine.revalidated(LearnerId(1), SessionId(5), true);
    assert_eq!(lead.actions(), ["1<-REVALIDATE 0xffffffffffffffff"]);
}
