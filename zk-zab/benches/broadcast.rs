//! From propose to commit with two followers, in memory: what the protocol
//! itself costs a transaction, on all three servers together.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::{Epoch, ServerId, Zxid};
use zk_zab::{Action, Leader, Learner, LearnerId, OwnHistory, Packet, Txn, ZabConfig};

const NOW: Duration = Duration::ZERO;
/// How many transactions are outstanding at once.
const BATCH: u64 = 100;

struct Three {
    leader: Leader,
    learners: [Learner; 2],
    to_learners: Vec<(LearnerId, Packet)>,
    to_leader: Vec<(LearnerId, Packet)>,
    delivered: u64,
}

impl Three {
    fn new() -> Self {
        let members = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2";
        let config = |server| {
            let ensemble = EnsembleConfig::parse(members, false).expect("it is well-formed");
            ZabConfig::new(ServerId(server), ensemble)
        };
        let own = OwnHistory {
            accepted_epoch: Epoch(0),
            current_epoch: Epoch(0),
            last_zxid: Zxid::ZERO,
            committed: Zxid::ZERO,
            recent: Vec::new(),
        };
        let mut three = Self {
            leader: Leader::new(NOW, config(3), own.clone()),
            learners: [1, 2].map(|id| Learner::new(NOW, config(id), own.clone())),
            to_learners: Vec::new(),
            to_leader: Vec::new(),
            delivered: 0,
        };
        three.run();
        three
    }

    fn commit_batch(&mut self, payload: &bytes::Bytes) {
        for _ in 0..BATCH {
            let zxid = self.leader.next_zxid().expect("it serves");
            let payload = payload.clone();
            let txn = Txn { zxid, payload };
            self.leader.propose(NOW, txn).expect("it is next");
        }
        self.run();
    }

    /// Until nothing moves.
    fn run(&mut self) {
        while self.drain() {
            for (to, packet) in self.to_learners.drain(..) {
                self.learners[to.0 as usize].handle_leader(NOW, &packet);
            }
            for (from, packet) in self.to_leader.drain(..) {
                self.leader.handle_learner(NOW, from, &packet);
            }
        }
    }

    /// Disks are fast.
    fn drain(&mut self) -> bool {
        while let Some(action) = self.leader.poll_action() {
            match action {
                Action::Send { to, packet } => self.to_learners.push((to, packet)),
                Action::Persist { token, .. } => self.leader.handle_persisted(NOW, token),
                Action::Deliver(_) => self.delivered += 1,
                _ => {}
            }
        }
        for (at, learner) in self.learners.iter_mut().enumerate() {
            while let Some(action) = learner.poll_action() {
                match action {
                    Action::Send { packet, .. } => {
                        self.to_leader.push((LearnerId(at as u64), packet));
                    }
                    Action::Persist { token, .. } => learner.handle_persisted(token),
                    _ => {}
                }
            }
        }
        !self.to_learners.is_empty() || !self.to_leader.is_empty()
    }
}

fn broadcast(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("broadcast");
    group.throughput(Throughput::Elements(BATCH));
    let payload = bytes::Bytes::from(vec![0; 200]);
    let mut three = Three::new();
    group.bench_function("propose to commit, 3 servers", |bencher| {
        bencher.iter(|| three.commit_batch(&payload));
    });
    group.finish();
    assert!(three.delivered > 0, "nothing was committed");
}

criterion_group!(benches, broadcast);
criterion_main!(benches);
