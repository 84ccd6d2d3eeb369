//! Learners whose leader changes the members.

use crate::support::*;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::PacketType;
use zk_proto::{ServerId, Zxid};
use zk_zab::{Abdication, Action, Packet, Phase, Txn};

const UPTODATE: Packet = Packet::bare(PacketType::UPTODATE, Zxid::NONE);

fn activate(zxid: Zxid, leader: i64) -> Packet {
    let data = leader.to_be_bytes().to_vec();
    Packet::with_data(PacketType::COMMITANDACTIVATE, zxid, data)
}

fn proposal_of(new: &EnsembleConfig) -> Packet {
    with_txn(PacketType::PROPOSAL, &reconfig(new))
}

/// Server 2 of 1, 2, 3 that follows server 3, in broadcast of epoch 1.
fn following() -> Follower {
    let mut config = config(2, 3);
    config.leader = Some(ServerId(3));
    serving_as(config)
}

fn serving_as(config: zk_zab::ZabConfig) -> Follower {
    let mut follower = Follower::new(config, own(0, 0, vec![]));
    follower.take(&leader_info(1));
    follower.all_persisted();
    follower.take_all(&[
        bare(PacketType::DIFF, Zxid::ZERO),
        bare(PacketType::NEWLEADER, zxid(1, 0)),
    ]);
    follower.all_persisted();
    follower.take(&UPTODATE);
    follower
}

#[track_caller]
fn left_for(follower: &mut Follower, packet: &Packet, leader: Option<i64>) -> Vec<String> {
    let leader = leader.map(ServerId);
    follower.machine.handle_leader(NOW, packet);
    let mut actions: Vec<Action> = std::iter::from_fn(|| follower.machine.poll_action()).collect();
    let last = actions.pop();
    assert_eq!(
        last,
        Some(Action::Abdicate(Abdication::Reconfigured { leader }))
    );
    actions
        .iter()
        .map(|it| format!("{it:?}").split('(').next().unwrap().to_owned())
        .collect()
}

/// A follower tells of the proposal before it logs it, delivers it when it is
/// committed, and goes on if its leader does.
#[test]
fn a_follower_takes_part() {
    let mut follower = following();
    let new = members(&[2, 3, 4], &[], zxid(1, 1));
    let proposed = follower.take(&proposal_of(&new));
    assert_eq!(proposed, ["proposed 0x100000001", "append 0x100000001"]);
    assert_eq!(follower.all_persisted(), ["0<-ACK 0x100000001"]);
    let held = follower.take(&activate(zxid(1, 1), 3));
    assert_eq!(
        held,
        ["deliver 0x100000001", "holds 0x100000001, led by Some(3)"]
    );
    assert_eq!(follower.take(&proposal(1, 2)), ["append 0x100000002"]);
}

/// It leaves a leader that hands over, and for another role; and does not
/// take the word of one that it cannot understand.
#[test]
fn a_follower_leaves() {
    let new = members(&[1, 2, 4], &[], zxid(1, 1));
    let mut follower = following();
    follower.take(&proposal_of(&new));
    left_for(&mut follower, &activate(zxid(1, 1), 4), Some(4));
    let mut follower = following();
    let demoted = members(&[1, 3], &[2], zxid(1, 1));
    follower.take(&proposal_of(&demoted));
    left_for(&mut follower, &activate(zxid(1, 1), 3), Some(3));
    // One that does not know whom it follows leaves.
    let mut follower = Follower::serving();
    follower.take(&proposal_of(&new));
    left_for(&mut follower, &activate(zxid(1, 1), 3), Some(3));
    // Removed, it follows without a vote.
    let mut follower = following();
    follower.take(&proposal_of(&members(&[1, 3], &[], zxid(1, 1))));
    follower.take(&activate(zxid(1, 1), 3));
    assert_eq!(follower.machine.phase(), Some(Phase::Broadcast));

    let mut follower = following();
    follower.take(&proposal(1, 1));
    let refused = follower.take(&activate(zxid(1, 1), 3));
    assert!(
        refused
            .last()
            .unwrap()
            .contains("COMMITANDACTIVATE that cannot be read"),
        "{refused:?}"
    );
    let mut follower = following();
    let torn = Txn {
        zxid: zxid(1, 1),
        payload: reconfig(&new).payload.slice(..60),
    };
    let refused = follower.take(&with_txn(PacketType::PROPOSAL, &torn));
    assert!(
        refused
            .last()
            .unwrap()
            .contains("PROPOSAL that cannot be read"),
        "{refused:?}"
    );
    let mut follower = following();
    let refused = follower.take(&activate(zxid(1, 1), 3));
    assert!(
        refused.last().unwrap().contains("was committed"),
        "{refused:?}"
    );
}

/// An observer is informed, and leaves to come back as a voter.
#[test]
fn an_observer_takes_part() {
    let observer = || {
        let mut config = config_of(4, members(&[1, 2, 3], &[4], Zxid(1)));
        config.leader = Some(ServerId(3));
        config.observer = true;
        serving_as(config)
    };
    let informed = |new: &EnsembleConfig, leader: i64| {
        let mut data = leader.to_be_bytes().to_vec();
        data.extend_from_slice(&reconfig(new).payload);
        Packet::with_data(PacketType::INFORMANDACTIVATE, new.version, data)
    };
    let kept = members(&[1, 3], &[4], zxid(1, 1));
    let words = [
        "append 0x100000001",
        "deliver 0x100000001",
        "holds 0x100000001, led by Some(3)",
    ];
    assert_eq!(observer().take(&informed(&kept, 3)), words);
    left_for(&mut observer(), &informed(&kept, 1), Some(1));
    let voter = members(&[1, 3, 4], &[], zxid(1, 1));
    left_for(&mut observer(), &informed(&voter, 3), Some(3));
    let torn = Packet::with_data(PacketType::INFORMANDACTIVATE, zxid(1, 1), vec![0; 7]);
    assert!(observer().take(&torn)[0].contains("cannot be read"));
}

/// A follower in synchronization.
fn syncing() -> Follower {
    let mut config = config(2, 3);
    config.leader = Some(ServerId(3));
    let mut follower = Follower::new(config, own(0, 0, vec![]));
    follower.take(&leader_info(1));
    follower.all_persisted();
    follower.take(&bare(PacketType::DIFF, zxid(1, 1)));
    follower
}

fn newleader(config: &EnsembleConfig) -> Packet {
    let text = config.to_string().into_bytes();
    Packet::with_data(PacketType::NEWLEADER, zxid(1, 0), text)
}

/// What the history brings holds with UPTODATE, by what NEWLEADER says.
#[test]
fn a_learner_catches_up_with_a_reconfiguration() {
    let new = members(&[2, 3, 4], &[], zxid(1, 1));
    let mut follower = syncing();
    let brought = follower.take_all(&[proposal_of(&new), commit(1, 1), newleader(&new)]);
    assert_eq!(brought[0], "proposed 0x100000001");
    assert!(brought[2].starts_with("Ensemble"), "{brought:?}");
    follower.all_persisted();
    let served = follower.take(&UPTODATE);
    let words = [
        "holds 0x100000001, led by Some(3)",
        "0<-ACK 0x100000000",
        "deliver 0x100000001",
        "Broadcast",
    ];
    assert_eq!(served, words);
    // The leader, or the role, is another one since.
    for (voters, observers, leader) in [(&[1, 2, 4], &[][..], None), (&[1, 3, 4], &[2], Some(3))] {
        let new = members(voters, observers, zxid(1, 1));
        let mut follower = syncing();
        follower.take_all(&[proposal_of(&new), commit(1, 1), newleader(&new)]);
        follower.all_persisted();
        let told = left_for(&mut follower, &UPTODATE, leader);
        assert_eq!(told, ["Upcall"], "that it holds, and nothing else");
    }
}

/// A reconfiguration behind another one proves that the first is committed.
#[test]
fn one_proposal_proves_another() {
    let first = members(&[2, 3, 4], &[], zxid(1, 1));
    let second = members(&[2, 3, 4, 5], &[], zxid(1, 2));
    let mut follower = syncing();
    let brought = follower.take_all(&[proposal_of(&first), commit(1, 1), proposal_of(&second)]);
    let words = [
        "proposed 0x100000001",
        "append 0x100000001",
        "holds 0x100000001, led by None",
        "proposed 0x100000002",
    ];
    assert_eq!(brought, words);
}

/// What an Apache leader offers while it is proposed does not hold before it
/// is committed.
#[test]
fn an_offer_is_not_a_commit() {
    let new = members(&[1, 3], &[2], zxid(1, 1));
    let mut follower = syncing();
    let brought = follower.take_all(&[proposal_of(&new), newleader(&new)]);
    let words = [
        "proposed 0x100000001",
        "CurrentEpoch(Epoch(1))",
        "append 0x100000001",
    ];
    assert_eq!(brought, words, "no configuration of the epoch is told");
    follower.all_persisted();
    let served = follower.take(&UPTODATE);
    assert_eq!(served.last().unwrap(), "Broadcast");
    left_for(&mut follower, &activate(zxid(1, 1), 3), Some(3));
}

/// A commit that comes during synchronization is one; its transaction waits
/// with the others.
#[test]
fn a_commit_during_synchronization() {
    let new = members(&[2, 3, 4], &[], zxid(1, 1));
    let mut follower = syncing();
    let activated = follower.take_all(&[proposal_of(&new), activate(zxid(1, 1), 3)]);
    let words = [
        "proposed 0x100000001",
        "append 0x100000001",
        "holds 0x100000001, led by Some(3)",
    ];
    assert_eq!(activated, words);
    follower.take(&newleader(&members(&[1, 2, 3], &[], zxid(1, 0))));
    follower.all_persisted();
    let served = follower.take(&UPTODATE);
    assert_eq!(
        served,
        ["0<-ACK 0x100000000", "deliver 0x100000001", "Broadcast"]
    );

    let mut follower = syncing();
    follower.take_all(&[
        newleader(&members(&[1, 2, 3], &[], zxid(1, 0))),
        proposal_of(&new),
    ]);
    let activated = follower.take(&activate(zxid(1, 1), 3));
    assert_eq!(
        activated,
        ["holds 0x100000001, led by Some(3)"],
        "not delivered yet"
    );
    let mut follower = syncing();
    follower.take(&proposal_of(&new));
    left_for(&mut follower, &activate(zxid(1, 1), 4), Some(4));
}

/// Where reconfigurations are off, the members are those of the file.
#[test]
fn members_of_a_file_stay() {
    let mut config = config(2, 3);
    config.reconfig = false;
    let mut follower = Follower::new(config, own(0, 0, vec![]));
    follower.take(&leader_info(1));
    follower.all_persisted();
    let other = members(&[1, 3], &[2], zxid(1, 0));
    follower.take(&bare(PacketType::DIFF, Zxid::ZERO));
    assert_eq!(
        follower.take(&newleader(&other)),
        ["CurrentEpoch(Epoch(1))"]
    );
    follower.all_persisted();
    follower.take(&UPTODATE);
    let new = members(&[1], &[], zxid(1, 1));
    assert_eq!(follower.take(&proposal_of(&new)), ["append 0x100000001"]);
    assert_eq!(
        follower.take(&activate(zxid(1, 1), 1)),
        ["deliver 0x100000001"]
    );
}
