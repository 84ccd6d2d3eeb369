//! Bugs that other servers had, by the numbers of the list of scenarios, as
//! far as the two machines alone can show them. The plan of synchronization
//! has S9, S14, S15, S18 in its own tests.

use crate::support::*;
use zk_proto::quorum::{LearnerInfo, PacketType};
use zk_proto::{ServerId, Zxid};
use zk_zab::{LearnerId, Packet, Phase, ProposeError, SyncTicket};

const UPTODATE: Packet = Packet::bare(PacketType::UPTODATE, Zxid::NONE);

fn newleader(epoch: u32) -> Packet {
    bare(PacketType::NEWLEADER, zxid(epoch, 0))
}

#[track_caller]
fn abdicates(actions: &[String], why: &str) {
    let last = actions.last().map_or("", |it| it.as_str());
    assert!(
        last.starts_with("abdicate") && last.contains(why),
        "{actions:?}"
    );
}

/// S1, S2 (ZOOKEEPER-3911, 4646): NEWLEADER is not acknowledged before what
/// DIFF brought is durable. S3, S4 (4643, 4785): nor before the epoch is, and
/// that is written behind it.
#[test]
fn s01_to_s04_history_then_epoch_then_ack() {
    let mut follower = Follower::accepted(own(0, 0, vec![]), 2);
    let work = follower.take_all(&[
        bare(PacketType::DIFF, zxid(1, 2)),
        proposal(1, 1),
        commit(1, 1),
        proposal(1, 2),
        commit(1, 2),
        newleader(2),
    ]);
    let words = [
        "Synchronization",
        "append 0x100000001",
        "append 0x100000002",
        "CurrentEpoch(Epoch(2))",
    ];
    assert_eq!(work, words);
    assert_eq!(follower.one_persisted(), [""; 0]);
    assert_eq!(follower.one_persisted(), [""; 0]);
    assert_eq!(follower.one_persisted(), ["0<-ACK 0x200000000"]);
}

/// S5 (3023, 2678): whoever enters broadcast has delivered all that was
/// committed before.
#[test]
fn s05_all_is_delivered_before_broadcast() {
    let mut follower = Follower::accepted(own(0, 0, vec![]), 2);
    follower.take_all(&[
        bare(PacketType::DIFF, zxid(1, 1)),
        proposal(1, 1),
        commit(1, 1),
    ]);
    follower.take(&newleader(2));
    follower.all_persisted();
    follower.take_all(&[proposal(2, 1), commit(2, 1)]);
    let words = [
        "0<-ACK 0x200000000",
        "deliver 0x100000001",
        "deliver 0x200000001",
        "Broadcast",
    ];
    assert_eq!(follower.take(&UPTODATE), words);
}

/// S6 (4394): what is proposed before NEWLEADER and committed behind it stays
/// pending in between.
#[test]
fn s06_proposals_stay_pending_across_newleader() {
    let mut follower = Follower::accepted(own(0, 0, vec![]), 1);
    let work = follower.take_all(&[
        bare(PacketType::DIFF, zxid(1, 1)),
        proposal(1, 1),
        commit(1, 1),
        proposal(1, 2),
        newleader(1),
        commit(1, 2),
    ]);
    let words = [
        "Synchronization",
        "append 0x100000001",
        "CurrentEpoch(Epoch(1))",
        "append 0x100000002",
    ];
    assert_eq!(work, words);
    // S7 (4685): acks leave in the order of the log, NEWLEADER's first.
    assert_eq!(
        follower.all_persisted(),
        ["0<-ACK 0x100000000", "0<-ACK 0x100000002"]
    );
    let served = follower.take(&UPTODATE);
    assert_eq!(served[1..3], ["deliver 0x100000001", "deliver 0x100000002"]);
}

/// S7 (4685), the leader's side: an ack that overtakes that of NEWLEADER is
/// no crime, and counts from there on.
#[test]
fn s07_acks_may_come_early() {
    let mut lead = Lead::serving();
    lead.machine.handle_learner_lost(LearnerId(1));
    lead.propose();
    lead.all_persisted();
    lead.take(4, &hello(1, 1));
    let synced = lead.take(4, &ack_epoch(None, zxid(1, 0)));
    let words = [
        "4<-DIFF 0x100000000",
        "4<-PROPOSAL 0x100000001",
        "4<-NEWLEADER 0x100000000",
    ];
    assert_eq!(synced, words, "what is outstanding is not skipped");
    assert_eq!(
        lead.ack(4, zxid(1, 1)),
        [""; 0],
        "its epoch is not written yet"
    );
    let served = lead.ack(4, zxid(1, 0));
    assert!(
        served.contains(&"deliver 0x100000001".to_owned()),
        "{served:?}"
    );
}

/// The first of the three lessons: what is proposed between NEWLEADER and its
/// ack goes to that learner too.
#[test]
fn proposals_reach_who_has_yet_to_acknowledge_newleader() {
    let mut lead = Lead::serving();
    lead.take(4, &hello(1, 1));
    lead.take(4, &ack_epoch(None, zxid(1, 0)));
    assert!(
        lead.propose()
            .contains(&"4<-PROPOSAL 0x100000001".to_owned())
    );
    assert_eq!(lead.ack(2, zxid(1, 1)), [""; 0]);
    assert!(
        lead.all_persisted()
            .contains(&"4<-COMMIT 0x100000001".to_owned())
    );
}

/// S9 (4925), the learner's side: a hole in what it is sent is refused, in
/// synchronization and in broadcast.
#[test]
fn s09_holes_are_refused() {
    let mut follower = Follower::accepted(own(0, 0, vec![]), 2);
    follower.take_all(&[
        bare(PacketType::DIFF, zxid(1, 9)),
        proposal(1, 1),
        commit(1, 1),
    ]);
    abdicates(&follower.take(&proposal(1, 3)), "was proposed after");
    let mut follower = Follower::accepted(own(1, 1, vec![txn_of(1, 1)]), 2);
    follower.take(&bare(PacketType::DIFF, zxid(1, 9)));
    abdicates(&follower.take(&proposal(1, 3)), "was proposed after");
    let mut follower = Follower::serving();
    abdicates(&follower.take(&proposal(1, 2)), "was proposed after");
}

/// S10 (4882), the leader's side: who acknowledges the second proposal and
/// not the first has a hole in its log, and is dropped.
#[test]
fn s10_acks_have_no_gaps() {
    let mut lead = Lead::serving();
    lead.propose();
    lead.propose();
    let refused = lead.ack(1, zxid(1, 2));
    assert_eq!(
        refused,
        ["close 1: the learner acknowledged 0x100000002 and not 0x100000001 before it"]
    );
    assert_eq!(lead.machine.outstanding(), 2);
}

/// S11 (3104), S12 (3642), S20 (2832): a snapshot is written before anything
/// behind it, and all before NEWLEADER is acknowledged.
#[test]
fn s11_s12_s20_a_snapshot_is_written_first() {
    let mut follower = Follower::accepted(own(1, 1, vec![txn_of(1, 7)]), 3);
    let begun = follower.take(&bare(PacketType::SNAP, zxid(2, 5)));
    assert_eq!(begun, ["Synchronization", "install 0x200000005"]);
    follower.machine.handle_installed(NOW);
    let work = follower.take_all(&[proposal(2, 6), commit(2, 6), newleader(3)]);
    let words = [
        "Snapshot(0x200000005)",
        "append 0x200000006",
        "CurrentEpoch(Epoch(3))",
    ];
    assert_eq!(work, words);
    assert_eq!(follower.one_persisted(), [""; 0]);
    assert_eq!(follower.one_persisted(), [""; 0]);
    assert_eq!(follower.one_persisted(), ["0<-ACK 0x300000000"]);
    // The leader: the snapshot, then what is outstanding, then NEWLEADER.
    let mut lead = Lead::serving();
    lead.propose();
    lead.ack(1, zxid(1, 1));
    lead.all_persisted();
    lead.propose();
    lead.take(4, &hello(2, 0));
    let asked = lead.take(4, &ack_epoch(Some(0), Zxid::ZERO));
    assert_eq!(asked, ["read for 4 0x0"]);
    lead.machine.handle_history(NOW, LearnerId(4), &[]);
    let words = [
        "4<-SNAP 0x100000001",
        "4<-snapshot 0x100000001",
        "4<-PROPOSAL 0x100000002",
        "4<-NEWLEADER 0x100000000",
    ];
    assert_eq!(lead.actions(), words);
}

/// S19 (1156): TRUNC keeps what it names. What is known to be committed is
/// not given away, by TRUNC or by SNAP.
#[test]
fn s19_truncation_and_what_is_committed() {
    let history = || own(1, 1, vec![txn_of(1, 1), txn_of(1, 2), txn_of(1, 3)]);
    let mut follower = Follower::accepted(history(), 2);
    let cut = follower.take(&bare(PacketType::TRUNC, zxid(1, 2)));
    assert_eq!(cut, ["Synchronization", "TruncateAfter(0x100000002)"]);
    assert_eq!(
        follower.take_all(&[proposal(1, 3), commit(1, 3)]),
        ["append 0x100000003"]
    );
    for kind in [PacketType::TRUNC, PacketType::SNAP] {
        let mut own = history();
        own.committed = zxid(1, 3);
        let mut follower = Follower::accepted(own, 2);
        abdicates(
            &follower.take(&bare(kind, zxid(1, 2))),
            "before the committed",
        );
    }
}

/// S36: a leader that finds no quorum gives up after the init limit, in each
/// phase.
#[test]
fn s36_no_quorum_in_time() {
    let mut lead = Lead::new(config(3, 3), own(0, 0, vec![]));
    lead.actions();
    assert_eq!(lead.at(TICK * 9), [""; 0]);
    abdicates(
        &lead.at(TICK * 10),
        "no quorum within the init limit in Discovery",
    );
    let mut lead = Lead::synchronizing(own(0, 0, vec![]));
    lead.all_persisted();
    abdicates(&lead.at(TICK * 10), "Synchronization");
    assert_eq!(lead.machine.phase(), None);
    assert_eq!(lead.machine.poll_timeout(), None);
}

/// S38 (2959): acks and epochs of who has no vote are no votes, whether it is
/// an observer, a stranger, or a voter that came as an observer.
#[test]
fn s38_only_voters_count() {
    let observer = Packet {
        kind: PacketType::OBSERVERINFO,
        ..hello(1, 0)
    };
    let mut lead = Lead::new(config(3, 3), own(0, 0, vec![]));
    lead.actions();
    assert_eq!(lead.take(1, &observer), [""; 0]);
    assert_eq!(lead.take(7, &hello(7, 0)), [""; 0]);
    assert_eq!(lead.machine.epoch(), None);

    let mut lead = Lead::serving();
    lead.machine.handle_learner_lost(LearnerId(1));
    lead.machine.handle_learner_lost(LearnerId(2));
    for (id, packet) in [(4, &observer), (7, &hello(7, 1))] {
        lead.take(id, packet);
        lead.take(id, &ack_epoch(None, zxid(1, 0)));
        assert_eq!(lead.ack(id, zxid(1, 0)).len(), 1, "it is served");
    }
    assert!(
        lead.propose()
            .contains(&"7<-PROPOSAL 0x100000001".to_owned())
    );
    lead.all_persisted();
    assert_eq!(lead.ack(7, zxid(1, 1)), [""; 0]);
    assert_eq!(
        lead.machine.outstanding(),
        1,
        "one of three, and two strangers"
    );
}

/// S49: a leader that is deaf but audible steps down at the sync limit.
#[test]
fn s49_a_deaf_leader_steps_down() {
    let mut lead = Lead::serving();
    let heard = NOW + TICK / 8;
    for id in [1, 2] {
        let ping = bare(PacketType::PING, zxid(1, 0));
        lead.machine.handle_learner(heard, LearnerId(id), &ping);
    }
    lead.actions();
    let (mut now, mut abdicated) = (heard, Vec::new());
    while lead.machine.phase().is_some() && now < TICK * 20 {
        now = lead.machine.poll_timeout().unwrap();
        abdicated = lead.at(now);
    }
    assert_eq!(now, heard + TICK * 5, "not with the next look");
    abdicates(&abdicated, "no quorum of followers");
    // A leader with one follower of two goes on.
    let mut lead = Lead::serving();
    for half in 1..40 {
        let now = TICK / 2 * half;
        lead.machine
            .handle_learner(now, LearnerId(1), &bare(PacketType::PING, zxid(1, 0)));
        lead.at(now);
    }
    assert_eq!(lead.machine.phase(), Some(Phase::Broadcast));
    assert_eq!(
        lead.machine.server(LearnerId(2)),
        None,
        "the silent one is dropped"
    );
}

/// S50, and beyond: a sync waits for what was proposed before it, and for a
/// quorum that answers a ping sent after it came.
#[test]
fn s50_a_sync_proves_the_quorum() {
    let ping = bare(PacketType::PING, zxid(1, 0));
    let mut lead = Lead::serving();
    lead.machine.sync(SyncTicket::Own(5));
    assert_eq!(
        lead.actions(),
        ["1<-PING 0x100000000", "2<-PING 0x100000000"]
    );
    lead.machine.sync(SyncTicket::Of(LearnerId(2)));
    assert_eq!(lead.actions(), [""; 0], "one round at a time");
    let answered = lead.take(1, &ping);
    assert_eq!(
        answered,
        ["Synced(5)", "1<-PING 0x100000000", "2<-PING 0x100000000"]
    );
    assert_eq!(
        lead.take(2, &ping),
        [""; 0],
        "the answer to the first round"
    );
    assert_eq!(lead.take(2, &ping), ["2<-SYNC 0x0"]);

    lead.propose();
    lead.machine.sync(SyncTicket::Own(6));
    lead.actions();
    lead.take(1, &ping);
    assert_eq!(lead.take(1, &ping), [""; 0], "the proposal is outstanding");
    lead.all_persisted();
    assert_eq!(lead.ack(1, zxid(1, 1)).last().unwrap(), "Synced(6)");
}

/// A leader that is behind is left, whichever way it shows.
#[test]
fn a_stale_leader_is_left() {
    let mut follower = Follower::new(config(2, 3), own(5, 4, vec![]));
    follower.actions();
    abdicates(&follower.take(&leader_info(4)), "before the accepted");
    assert_eq!(follower.take(&leader_info(9)), [""; 0], "nothing follows");
    let mut follower = Follower::accepted(own(0, 0, vec![]), 3);
    follower.take(&bare(PacketType::DIFF, Zxid::ZERO));
    abdicates(&follower.take(&newleader(2)), "was proposed in epoch");
    let mut follower = Follower::accepted(own(0, 0, vec![]), 3);
    follower.take(&bare(PacketType::DIFF, Zxid::ZERO));
    abdicates(&follower.take(&proposal(4, 1)), "was proposed in epoch");
}

/// A follower leaves a leader that commits what it did not propose, says
/// UPTODATE too early, or talks out of turn; and skips what nobody knows.
#[test]
fn a_wrong_leader_is_left() {
    let mut follower = Follower::serving();
    follower.take_all(&[proposal(1, 1), proposal(1, 2)]);
    abdicates(
        &follower.take(&commit(1, 2)),
        "the oldest proposal is Some(0x100000001)",
    );
    abdicates(&Follower::serving().take(&commit(1, 1)), "None");
    let mut follower = Follower::accepted(own(0, 0, vec![]), 1);
    follower.take_all(&[bare(PacketType::DIFF, Zxid::ZERO), newleader(1)]);
    abdicates(&follower.take(&UPTODATE), "UPTODATE");
    abdicates(&Follower::serving().take(&leader_info(1)), "LEADERINFO");
    abdicates(
        &Follower::serving().take(&bare(PacketType::LEADERINFO, zxid(1, 0))),
        "LEADERINFO",
    );
    let reconfig = bare(PacketType::COMMITANDACTIVATE, zxid(1, 1));
    abdicates(&Follower::serving().take(&reconfig), "cannot be read");
    let mut follower = Follower::serving();
    assert_eq!(follower.take(&bare(PacketType(99), Zxid::NONE)), [""; 0]);
    let torn = Packet::with_data(PacketType::REVALIDATE, Zxid::NONE, vec![1]);
    abdicates(&follower.take(&torn), "cannot be read");
}

/// A proposal that is in the log already is acknowledged again, as Apache's
/// followers do (its leaders propose some errors under an old zxid).
#[test]
fn a_repeated_proposal_is_acknowledged_again() {
    let mut follower = Follower::serving();
    follower.take(&proposal(1, 1));
    follower.take(&proposal(1, 1));
    assert_eq!(
        follower.all_persisted(),
        ["0<-ACK 0x100000001", "0<-ACK 0x100000001"]
    );
    follower.take(&commit(1, 1));
    assert_eq!(follower.take(&proposal(1, 1)), ["0<-ACK 0x100000001"]);
}

/// A leader drops learners that lie, babble or are ahead, with a reason.
#[test]
fn a_lying_learner_is_dropped() {
    let refused = |packet: &Packet| Lead::serving().take(1, packet).remove(0);
    let never = "close 1: the learner acknowledged 0x100000001, which was never proposed";
    assert_eq!(refused(&bare(PacketType::ACK, zxid(1, 1))), never);
    let epoch = refused(&bare(PacketType::ACK, zxid(2, 0)));
    assert!(epoch.contains("never proposed"), "{epoch}");
    assert!(refused(&ack_epoch(Some(0), Zxid::ZERO)).contains("ACKEPOCH"));
    assert!(refused(&bare(PacketType::UPTODATE, Zxid::NONE)).contains("UPTODATE"));
    let torn = Packet::with_data(PacketType::PING, Zxid::ZERO, vec![0; 13]);
    assert!(refused(&torn).contains("cannot be read"));
    let mut lead = Lead::serving();
    assert_eq!(lead.take(1, &bare(PacketType(77), Zxid::NONE)), [""; 0]);
    assert!(lead.take(8, &bare(PacketType::ACK, zxid(1, 1)))[0].contains("close 8"));

    let mut lead = Lead::new(config(3, 3), own(3, 3, vec![txn_of(3, 1)]));
    lead.take(1, &hello(1, 3));
    lead.all_persisted();
    let ahead = lead.take(1, &ack_epoch(Some(3), zxid(3, 2)));
    assert!(
        ahead[0].contains("ahead, with epoch 0x3 and zxid 0x300000002"),
        "{ahead:?}"
    );
}

/// Who has promised a later epoch must not follow this leader, ever: the leader
/// promises it, too, and gives way. A stranger's word moves nobody.
#[test]
fn who_has_promised_more_is_taken_in_again() {
    let mut lead = Lead::serving();
    let stranger = lead.take(8, &hello(9, 5));
    assert!(!stranger.concat().contains("AcceptedEpoch"), "{stranger:?}");
    let told = lead.take(9, &hello(2, 5));
    assert_eq!(told[0], "AcceptedEpoch(Epoch(5))");
    assert!(told[1].contains("a member has promised epoch"), "{told:?}");
    assert_eq!(told.len(), 2);
    let mut lead = Lead::serving();
    let told = lead.take(9, &hello(2, 1)).concat();
    assert!(!told.contains("AcceptedEpoch"), "{told}");
}

/// Who says hello how: old forms are read, strangers and newer
/// configurations are told apart, a second connection replaces the first.
#[test]
fn hello_in_all_forms() {
    let info = LearnerInfo {
        server: ServerId(1),
        protocol: LearnerInfo::PROTOCOL,
        config_version: Zxid(1),
    };
    let hello_of = |data: &[u8]| {
        let data = data.to_vec();
        Packet::with_data(PacketType::FOLLOWERINFO, Zxid::ZERO, data)
    };
    let fresh = || {
        let mut lead = Lead::new(config(3, 3), own(0, 0, vec![]));
        lead.actions();
        lead
    };
    let newer = fresh().take(1, &hello_of(&info.encode()));
    assert_eq!(newer, ["close 1: the learner's configuration 0x1 is newer"]);
    let twelve = fresh().take(1, &hello_of(&info.encode()[..12]));
    assert_eq!(twelve, ["AcceptedEpoch(Epoch(1))"]);
    let eight = fresh().take(1, &hello_of(&info.encode()[..8]));
    assert_eq!(
        eight,
        ["close 1: the learner speaks protocol 0x1, which is too old"]
    );
    assert!(fresh().take(1, &hello_of(&[]))[0].contains("cannot be read"));
    let mut lead = Lead::serving();
    let again = lead.take(5, &hello(2, 1));
    assert_eq!(
        again,
        [
            "close 2: the learner has a newer connection",
            "5<-LEADERINFO 0x100000000"
        ]
    );
}

/// Only the next zxid is proposed, only in broadcast; and behind the last
/// epoch comes none.
#[test]
fn zxids_are_given_in_order() {
    let mut lead = Lead::serving();
    assert_eq!(
        lead.machine.propose(NOW, txn_of(1, 5)),
        Err(ProposeError::NotNext {
            given: zxid(1, 5),
            next: zxid(1, 1)
        })
    );
    let fresh = Lead::new(config(3, 3), own(0, 0, vec![]))
        .machine
        .propose(NOW, txn_of(1, 1));
    assert_eq!(fresh, Err(ProposeError::NotServing));
    let mut lead = Lead::new(config(3, 3), own(u32::MAX, 0, vec![]));
    lead.actions();
    abdicates(&lead.take(1, &hello(1, 0)), "the epochs are used up");
}

/// A follower that answers pings and leaves a proposal lying is dropped.
#[test]
fn a_stuck_follower_is_dropped() {
    let mut lead = Lead::serving();
    lead.propose();
    lead.ack(2, zxid(1, 1));
    for half in 1..=10 {
        let now = TICK / 2 * half;
        for id in [1, 2] {
            lead.machine
                .handle_learner(now, LearnerId(id), &bare(PacketType::PING, zxid(1, 1)));
        }
        let actions = lead.at(now);
        let closed = "close 1: the learner did not acknowledge 0x100000001 in time".to_owned();
        assert_eq!(actions.contains(&closed), half == 10, "{half} {actions:?}");
    }
}

/// A learner waits the init limit for its synchronization, then the sync
/// limit; and a lost connection ends it.
#[test]
fn a_silent_leader_is_left() {
    let mut follower = Follower::accepted(own(0, 0, vec![]), 1);
    assert_eq!(follower.machine.poll_timeout(), Some(TICK * 10));
    follower.machine.handle_progress(TICK);
    assert_eq!(follower.machine.poll_timeout(), Some(TICK * 11));
    let mut follower = Follower::serving();
    assert_eq!(follower.machine.poll_timeout(), Some(TICK * 5));
    follower.machine.handle_timeout(TICK * 4);
    assert_eq!(follower.actions(), [""; 0]);
    follower.machine.handle_timeout(TICK * 5);
    abdicates(&follower.actions(), "silent");
    let mut follower = Follower::serving();
    follower.machine.handle_leader_lost();
    abdicates(&follower.actions(), "gone");
}

/// What a follower acknowledged is forgotten with its connection: when it
/// comes back it is told to cut that, and a commit must not count on it.
#[test]
fn acks_end_with_their_connection() {
    let mut lead = Lead::serving();
    lead.propose();
    lead.ack(1, zxid(1, 1));
    lead.machine.handle_learner_lost(LearnerId(1));
    assert_eq!(lead.all_persisted(), [""; 0]);
    lead.take(4, &hello(1, 1));
    let synced = lead.take(4, &ack_epoch(None, zxid(1, 1)));
    let words = [
        "4<-TRUNC 0x100000000",
        "4<-PROPOSAL 0x100000001",
        "4<-NEWLEADER 0x100000000",
    ];
    assert_eq!(synced, words);
    assert_eq!(lead.ack(4, zxid(1, 0)), ["4<-UPTODATE 0xffffffffffffffff"]);
    assert!(
        lead.ack(4, zxid(1, 1))
            .contains(&"deliver 0x100000001".to_owned())
    );
}
