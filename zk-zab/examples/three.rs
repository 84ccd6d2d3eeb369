//! A leader and two followers commit a transaction in memory: packets are
//! handed over at once, and disks finish at once.

use std::collections::VecDeque;
use std::time::Duration;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::{Epoch, ServerId, Zxid};
use zk_zab::{Action, Leader, Learner, LearnerId, OwnHistory, Packet, Phase, Txn, ZabConfig};

const MEMBERS: &str = "server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888";
/// Nothing here takes time.
const NOW: Duration = Duration::ZERO;

fn config(server: i64) -> ZabConfig {
    let ensemble = EnsembleConfig::parse(MEMBERS, false).expect("it is well-formed");
    ZabConfig::new(ServerId(server), ensemble)
}

fn nothing() -> OwnHistory {
    OwnHistory {
        accepted_epoch: Epoch(0),
        current_epoch: Epoch(0),
        last_zxid: Zxid::ZERO,
        committed: Zxid::ZERO,
        recent: Vec::new(),
    }
}

/// Carries out what the leader wants; gives back what it sends.
fn drive_leader(leader: &mut Leader, applied: &mut Vec<Zxid>) -> Vec<(LearnerId, Packet)> {
    let mut sent = Vec::new();
    while let Some(action) = leader.poll_action() {
        match action {
            Action::Send { to, packet } => sent.push((to, packet)),
            Action::Persist { token, .. } => leader.handle_persisted(NOW, token),
            Action::Deliver(txn) => applied.push(txn.zxid),
            Action::Enter(Phase::Broadcast) => {
                let zxid = leader.next_zxid().expect("it serves");
                let payload = "header, record, digest".into();
                leader
                    .propose(NOW, Txn { zxid, payload })
                    .expect("it is next");
            }
            _ => {}
        }
    }
    sent
}

fn drive_learner(learner: &mut Learner, applied: &mut Vec<Zxid>) -> Vec<Packet> {
    let mut sent = Vec::new();
    while let Some(action) = learner.poll_action() {
        match action {
            Action::Send { packet, .. } => sent.push(packet),
            Action::Persist { token, .. } => learner.handle_persisted(token),
            Action::Deliver(txn) => applied.push(txn.zxid),
            _ => {}
        }
    }
    sent
}

fn main() {
    let mut leader = Leader::new(NOW, config(3), nothing());
    let mut learners = [1, 2].map(|id| Learner::new(NOW, config(id), nothing()));
    let mut applied = [const { Vec::new() }; 3];
    let mut to_learners = VecDeque::new();
    loop {
        let mut moved = false;
        for (at, learner) in learners.iter_mut().enumerate() {
            for packet in drive_learner(learner, &mut applied[at]) {
                leader.handle_learner(NOW, LearnerId(at as u64), &packet);
                moved = true;
            }
        }
        to_learners.extend(drive_leader(&mut leader, &mut applied[2]));
        while let Some((LearnerId(at), packet)) = to_learners.pop_front() {
            learners[at as usize].handle_leader(NOW, &packet);
            moved = true;
        }
        if !moved {
            break;
        }
    }
    let first = vec![Zxid::new(Epoch(1), 1)];
    assert_eq!(applied, [first.clone(), first.clone(), first]);
}
