//! A leader that changes the members.

use super::{NOTHING, has, sent};
use crate::support::*;
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::PacketType;
use zk_zab::{Abdication, Action, LearnerId, Packet, Phase, ProposeError, Txn};

/// Adds a follower that has the whole history, on a connection of its id.
fn join(lead: &mut Lead, server: i64) {
    let id = server as u64;
    lead.take(id, &hello(server, 1));
    let last = lead.machine.committed();
    lead.take(id, &ack_epoch(None, last));
    lead.ack(id, zxid(1, 0));
}

/// Server 3 of voters 1, 2, 3 in broadcast, with followers 1, 2, and 4 and 5
/// that have no vote.
fn five() -> Lead {
    let mut lead = Lead::serving();
    join(&mut lead, 4);
    join(&mut lead, 5);
    lead
}

fn propose(lead: &mut Lead, new: &EnsembleConfig) -> Vec<String> {
    let txn = reconfig(new);
    let proposed = lead.machine.propose_reconfig(NOW, txn, new.clone());
    assert_eq!(proposed, Ok(()));
    lead.actions()
}

fn new_of(lead: &Lead, voters: &[i64]) -> EnsembleConfig {
    members(voters, &[], lead.machine.next_zxid().unwrap())
}

/// 3 to 5: a quorum of the old voters is none of the new ones.
#[test]
fn growing_takes_a_quorum_of_the_new_voters() {
    let mut lead = five();
    let new = new_of(&lead, &[1, 2, 3, 4, 5]);
    let proposed = propose(&mut lead, &new);
    assert_eq!(
        proposed[..2],
        ["proposed 0x100000001", "append 0x100000001"]
    );
    has(
        &proposed,
        &["1<-PROPOSAL 0x100000001", "5<-PROPOSAL 0x100000001"],
    );
    assert_eq!(lead.machine.next_ensemble(), Some(&new));
    assert_eq!(lead.ack(1, zxid(1, 1)), NOTHING);
    assert_eq!(
        lead.all_persisted(),
        NOTHING,
        "all but one of the old voters"
    );
    let committed = lead.ack(4, zxid(1, 1));
    let words = [
        "1<-COMMITANDACTIVATE 0x100000001",
        "2<-COMMITANDACTIVATE 0x100000001",
        "4<-COMMITANDACTIVATE 0x100000001",
        "5<-COMMITANDACTIVATE 0x100000001",
        "deliver 0x100000001",
        "holds 0x100000001, led by Some(3)",
    ];
    assert_eq!(committed, words);
    assert_eq!(
        (lead.machine.ensemble(), lead.machine.next_ensemble()),
        (&new, None)
    );
    lead.propose();
    lead.ack(1, zxid(1, 2));
    assert_eq!(lead.all_persisted(), NOTHING, "2 of 5 from now on");
    has(&lead.ack(4, zxid(1, 2)), &["deliver 0x100000002"]);
}

/// 5 to 3 and to others: a quorum of the new voters is none of the old ones.
#[test]
fn replacing_takes_a_quorum_of_the_old_voters() {
    let mut lead = five();
    let new = new_of(&lead, &[3, 4, 5]);
    propose(&mut lead, &new);
    lead.ack(4, zxid(1, 1));
    lead.ack(5, zxid(1, 1));
    assert_eq!(lead.all_persisted(), NOTHING, "all of the new voters");
    has(
        &lead.ack(2, zxid(1, 1)),
        &["holds 0x100000001, led by Some(3)"],
    );
    lead.propose();
    lead.ack(1, zxid(1, 1));
    lead.ack(1, zxid(1, 2));
    lead.ack(2, zxid(1, 2));
    assert_eq!(lead.all_persisted(), NOTHING, "they vote no longer");
    has(
        &lead.ack(4, zxid(1, 2)),
        &["1<-COMMIT 0x100000002", "4<-COMMIT 0x100000002"],
    );
}

/// What was proposed before it needs the old voters alone; what is proposed
/// behind it waits for it, and is committed in order.
#[test]
fn the_rule_begins_with_the_reconfiguration() {
    let mut lead = five();
    lead.propose();
    let new = new_of(&lead, &[3, 4, 5]);
    propose(&mut lead, &new);
    lead.propose();
    lead.all_persisted();
    has(&lead.ack(1, zxid(1, 1)), &["deliver 0x100000001"]);
    lead.ack(1, zxid(1, 2));
    assert_eq!(lead.ack(1, zxid(1, 3)), NOTHING, "the old voters have all");
    lead.ack(4, zxid(1, 1));
    has(
        &lead.ack(4, zxid(1, 2)),
        &["holds 0x100000002, led by Some(3)"],
    );
    assert_eq!(lead.machine.outstanding(), 1);
    has(&lead.ack(4, zxid(1, 3)), &["deliver 0x100000003"]);
}

/// One at a time, with its own zxid as its version, and by its own command.
#[test]
fn what_is_no_reconfiguration_is_refused() {
    let mut lead = five();
    let new = new_of(&lead, &[3, 4, 5]);
    let txn = reconfig(&new);
    assert_eq!(
        lead.machine.propose(NOW, txn.clone()),
        Err(ProposeError::IsReconfig)
    );
    let other = new_of(&lead, &[1, 4, 5]);
    let refused = lead.machine.propose_reconfig(NOW, txn, other);
    assert_eq!(refused, Err(ProposeError::NotItsConfig));
    let later = members(&[3, 4, 5], &[], zxid(1, 2));
    let refused = lead.machine.propose_reconfig(
        NOW,
        Txn {
            zxid: zxid(1, 1),
            ..reconfig(&later)
        },
        later,
    );
    assert_eq!(refused, Err(ProposeError::NotItsConfig));
    propose(&mut lead, &new);
    let second = new_of(&lead, &[1, 2, 3]);
    let refused = lead
        .machine
        .propose_reconfig(NOW, reconfig(&second), second.clone());
    assert_eq!(refused, Err(ProposeError::ReconfigInProgress));
    let fresh = Lead::new(config(3, 3), own(0, 0, vec![]));
    assert!(
        !fresh.machine.is_quorum_synced(&second),
        "it does not serve"
    );
    let mut off = config(3, 3);
    off.reconfig = false;
    let mut off = Lead::serving_with(off);
    let first = members(&[1], &[], zxid(1, 1));
    let refused = off.machine.propose_reconfig(NOW, reconfig(&first), first);
    assert_eq!(refused, Err(ProposeError::ReconfigDisabled));
}

/// Enough of the new voters have to follow, and as followers.
#[test]
fn a_quorum_of_the_new_voters_is_synced() {
    let lead = five();
    let synced = |voters: &[i64]| lead.machine.is_quorum_synced(&new_of(&lead, voters));
    assert!(synced(&[3, 4, 5]) && synced(&[1, 4, 7]) && synced(&[3]));
    assert!(!synced(&[3, 7, 8]) && !synced(&[6]) && !synced(&[]));
    let mut lead = five();
    let observer = Packet {
        kind: PacketType::OBSERVERINFO,
        ..hello(6, 1)
    };
    lead.take(6, &observer);
    lead.take(6, &ack_epoch(None, zxid(1, 0)));
    lead.ack(6, zxid(1, 0));
    assert!(!lead.machine.is_quorum_synced(&new_of(&lead, &[6])));
    // Nor who is an observer now, and has not come as one yet.
    assert!(lead.machine.is_quorum_synced(&new_of(&lead, &[4])));
    let demoted = members(&[1, 2, 3], &[4], zxid(1, 1));
    propose(&mut lead, &demoted);
    lead.all_persisted();
    has(&lead.ack(1, zxid(1, 1)), &["deliver 0x100000001"]);
    assert!(!lead.machine.is_quorum_synced(&new_of(&lead, &[4])));
}

/// Observers are told, too, with the transaction behind the leader's id.
#[test]
fn observers_are_informed() {
    let mut lead = five();
    let observer = Packet {
        kind: PacketType::OBSERVERINFO,
        ..hello(6, 1)
    };
    lead.take(6, &observer);
    lead.take(6, &ack_epoch(None, zxid(1, 0)));
    lead.ack(6, zxid(1, 0));
    let new = new_of(&lead, &[1, 2, 3, 6]);
    propose(&mut lead, &new);
    lead.ack(1, zxid(1, 1));
    lead.all_persisted();
    lead.machine
        .handle_learner(NOW, LearnerId(2), &bare(PacketType::ACK, zxid(1, 1)));
    let mut packets = sent(&mut lead).into_iter();
    let informed = packets.find(|it| it.kind == PacketType::INFORMANDACTIVATE);
    let mut data = 3i64.to_be_bytes().to_vec();
    data.extend_from_slice(&reconfig(&new).payload);
    let packet = Packet::with_data(PacketType::INFORMANDACTIVATE, zxid(1, 1), data);
    assert_eq!(informed, Some(packet));
}

/// A leader that is removed, demoted or moved names the new voter that has
/// most, commits nothing more, and leaves when the others have.
#[test]
fn a_leader_that_may_not_lead_hands_over() {
    let mut moved = members(&[1, 2, 3], &[], zxid(1, 1));
    moved.members.get_mut(&ServerId(3)).unwrap().addresses[0].host = "elsewhere".to_owned();
    let removed = members(&[1, 2, 4], &[], zxid(1, 1));
    let demoted = members(&[1, 2], &[3], zxid(1, 1));
    for (new, leader) in [(removed, 1), (demoted, 1), (moved, 2)] {
        let mut lead = five();
        propose(&mut lead, &new);
        lead.propose();
        lead.all_persisted();
        let mut committed = lead.ack(2, zxid(1, 1));
        committed.extend(lead.ack(1, zxid(1, 1)));
        let holds = format!("holds 0x100000001, led by Some({leader})");
        assert_eq!(committed.last(), Some(&holds));
        assert_eq!(lead.machine.phase(), Some(Phase::Broadcast));
        assert_eq!(lead.machine.next_zxid(), None);
        let late = lead.machine.propose(NOW, txn_of(1, 3));
        assert_eq!(late, Err(ProposeError::NotServing));
        assert_eq!(lead.ack(1, zxid(1, 2)), NOTHING);
        assert_eq!(lead.ack(2, zxid(1, 2)), NOTHING, "it commits nothing more");
        for id in [1, 2, 4] {
            lead.machine.handle_learner_lost(LearnerId(id));
            assert_eq!(lead.actions(), NOTHING);
        }
        lead.machine.handle_learner_lost(LearnerId(5));
        assert_eq!(
            lead.actions(),
            ["abdicate: a reconfiguration gives this server another role or leader"]
        );
        assert_eq!(lead.machine.poll_timeout(), None);
    }
}

/// The new voter that has acknowledged most, then the one with the lowest id,
/// is the designated leader; and nobody waits for one that does not leave.
#[test]
fn the_most_advanced_new_voter_is_designated() {
    let new = members(&[1, 4, 5], &[], zxid(1, 1));
    let mut lead = five();
    propose(&mut lead, &new);
    lead.propose();
    lead.ack(5, zxid(1, 1));
    lead.ack(5, zxid(1, 2));
    lead.ack(4, zxid(1, 1));
    let committed = lead.ack(2, zxid(1, 1));
    assert_eq!(committed, NOTHING, "one of the old");
    let committed = lead.all_persisted();
    assert_eq!(
        committed.last().unwrap(),
        "holds 0x100000001, led by Some(5)"
    );
    let deadline = lead.machine.poll_timeout().unwrap();
    assert_eq!(deadline, TICK);
    lead.machine.handle_timeout(deadline);
    let leader = Some(ServerId(5));
    let last = std::iter::from_fn(|| lead.machine.poll_action()).last();
    assert_eq!(
        last,
        Some(Action::Abdicate(Abdication::Reconfigured { leader }))
    );

    let mut lead = five();
    propose(&mut lead, &new);
    lead.ack(5, zxid(1, 1));
    lead.ack(4, zxid(1, 1));
    lead.ack(1, zxid(1, 1));
    let committed = lead.all_persisted();
    assert_eq!(
        committed.last().unwrap(),
        "holds 0x100000001, led by Some(1)"
    );
}

/// A voter without weight is not designated.
#[test]
fn who_has_no_weight_is_not_designated() {
    let mut lead = five();
    let mut new = new_of(&lead, &[1, 4, 5]);
    new.groups = [1, 4, 5].map(|id| (ServerId(id), 1)).into();
    new.weights = [(ServerId(1), 0), (ServerId(4), 1), (ServerId(5), 1)].into();
    propose(&mut lead, &new);
    lead.ack(1, zxid(1, 1));
    lead.ack(5, zxid(1, 1));
    lead.ack(4, zxid(1, 1));
    let committed = lead.all_persisted();
    assert_eq!(
        committed.last().unwrap(),
        "holds 0x100000001, led by Some(4)"
    );
}

/// Who joins while one is proposed is offered what holds, and then told of
/// the proposal: it must not take for committed what may not be.
#[test]
fn joining_while_one_is_proposed() {
    let mut lead = five();
    lead.machine.handle_learner_lost(LearnerId(4));
    let new = new_of(&lead, &[3, 4, 5]);
    propose(&mut lead, &new);
    lead.take(9, &hello(4, 1));
    let joins = ack_epoch(None, zxid(1, 0));
    lead.machine.handle_learner(NOW, LearnerId(9), &joins);
    let mut packets = sent(&mut lead);
    let offer = packets[1].data.take().unwrap();
    assert_eq!(offer, lead.machine.ensemble().to_string());
    let kinds: Vec<PacketType> = packets.iter().map(|it| it.kind).collect();
    let order = [
        PacketType::DIFF,
        PacketType::NEWLEADER,
        PacketType::PROPOSAL,
    ];
    assert_eq!(kinds, order);
    lead.ack(1, zxid(1, 1));
    lead.all_persisted();
    assert_eq!(lead.ack(9, zxid(1, 1)), NOTHING, "its epoch is not written");
    let served = lead.ack(9, zxid(1, 0));
    has(
        &served,
        &[
            "9<-UPTODATE 0xffffffffffffffff",
            "9<-COMMITANDACTIVATE 0x100000001",
        ],
    );
}

/// While one is proposed a quorum of each configuration has to be heard, and
/// answers for linearizable reads.
#[test]
fn both_quorums_have_to_be_heard() {
    let mut lead = five();
    let new = new_of(&lead, &[3, 7, 8]);
    propose(&mut lead, &new);
    lead.machine.sync(zk_zab::SyncTicket::Own(1));
    lead.actions();
    let ping = bare(PacketType::PING, zxid(1, 0));
    for id in [1, 2, 4, 5] {
        assert_eq!(lead.take(id, &ping), NOTHING, "7 and 8 are not there");
    }
    let mut now = NOW;
    while lead.machine.phase().is_some() {
        now = lead.machine.poll_timeout().unwrap();
        for id in [1, 2, 4, 5] {
            lead.machine.handle_learner(now, LearnerId(id), &ping);
        }
        lead.machine.handle_timeout(now);
    }
    assert_eq!(now, TICK, "at the first look");
}
