//! Packets of every kind at every time, with numbers that nearly fit: no
//! machine may panic, and none says anything after it has abdicated.

use crate::support::*;
use crate::world::Random;
use zk_proto::Zxid;
use zk_proto::quorum::PacketType;
use zk_zab::{LearnerId, Packet};

fn packet(random: &mut Random) -> Packet {
    let zxids = [
        Zxid(0),
        Zxid(-1),
        Zxid(i64::MIN),
        Zxid(i64::MAX),
        zxid(1, 0),
        zxid(1, 1),
        zxid(1, 2),
        zxid(2, 0),
        zxid(2, 1),
        zxid(1, u32::MAX),
    ];
    let change = reconfig(&members(&[1, 2], &[3], zxid(1, 1)))
        .payload
        .to_vec();
    let activation = [&[0, 0, 0, 0, 0, 0, 0, 3], &*change].concat();
    let data = [
        change[..70].to_vec(),
        change,
        activation,
        vec![],
        vec![0],
        vec![0, 1, 0, 0],
        vec![255; 4],
        vec![0; 12],
        vec![255; 12],
        hello(1, 0).data().to_vec(),
        hello(2, 0).data().to_vec(),
        vec![255; 20],
        vec![0; 25],
    ];
    // What is refused at most times is rare, or nothing would go further.
    let kind = match random.below(4) {
        0 => random.below(21),
        kind => [0, 2, 4, 5][kind],
    };
    let kind = PacketType(kind as i32);
    let zxid = zxids[random.below(zxids.len())];
    match random.below(3) {
        0 => Packet::bare(kind, zxid),
        _ => Packet::with_data(kind, zxid, data[random.below(data.len())].clone()),
    }
}

#[test]
fn a_learner_survives_any_leader() {
    let (mut abdicated, mut taken) = (0, 0);
    for seed in 1..4000 {
        let mut random = Random(seed);
        let mut follower = match random.below(4) {
            0 => Follower::new(config(2, 3), own(1, 1, vec![txn_of(1, 1)])),
            1 => Follower::accepted(own(0, 0, vec![]), 1),
            2 => {
                let mut follower = Follower::accepted(own(0, 0, vec![]), 1);
                follower.take(&bare(PacketType::DIFF, Zxid::ZERO));
                follower
            }
            _ => Follower::serving(),
        };
        follower.actions();
        for _ in 0..8 {
            let over = follower.machine.phase().is_none();
            let mut actions = follower.take(&packet(&mut random));
            actions.extend(follower.all_persisted());
            follower.machine.handle_installed(NOW);
            actions.extend(follower.actions());
            assert!(!over || actions.is_empty(), "{actions:?}");
            taken += usize::from(follower.machine.phase().is_some());
        }
        abdicated += usize::from(follower.machine.phase().is_none());
    }
    assert!(abdicated > 1000 && taken > 2000, "{abdicated} {taken}");
}

#[test]
fn a_leader_survives_any_learner() {
    for seed in 1..4000 {
        let mut random = Random(seed);
        let mut lead = match random.below(3) {
            0 => Lead::new(config(3, 3), own(0, 0, vec![])),
            1 => Lead::synchronizing(own(0, 0, vec![])),
            _ => reconfiguring(&mut random),
        };
        for _ in 0..20 {
            let from = 1 + random.below(3) as u64;
            lead.take(from, &packet(&mut random));
            lead.all_persisted();
            lead.machine
                .handle_history(NOW, LearnerId(from), &[txn_of(1, 2)]);
            if lead.machine.next_zxid().is_some() {
                lead.propose();
            }
        }
        // Nobody said anything sensible for longer than every limit.
        lead.at(TICK * 20);
        lead.at(TICK * 40);
        assert_eq!(lead.machine.phase(), None);
        assert_eq!(lead.take(1, &hello(1, 0)), [""; 0]);
        assert_eq!(lead.all_persisted(), [""; 0]);
    }
}

/// A leader with a reconfiguration on its way, perhaps one without itself.
fn reconfiguring(random: &mut Random) -> Lead {
    let mut lead = Lead::serving();
    let voters = [&[1, 2][..], &[1, 2, 3], &[3], &[2, 3, 4]][random.below(4)];
    let new = members(voters, &[], zxid(1, 1));
    lead.machine
        .propose_reconfig(NOW, reconfig(&new), new)
        .unwrap();
    lead.actions();
    lead
}
