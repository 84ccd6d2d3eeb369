//! An election of seven servers, and one server's share of it.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Duration;
use zk_election::{Election, ElectionAction, ElectionConfig, OwnHistory};
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::{Notification, PeerState};
use zk_proto::{Epoch, ServerId, Zxid};

const SERVERS: i64 = 7;

fn ensemble() -> EnsembleConfig {
    let lines = (1..=SERVERS).map(|id| format!("server.{id}=10.0.0.{id}:2888:3888\n"));
    let text: String = lines.collect();
    EnsembleConfig::parse(&text, false).expect("the text is a configuration")
}

fn servers() -> Vec<Election> {
    let ids = (1..=SERVERS).map(ServerId);
    ids.map(|id| Election::new(ElectionConfig::new(id, ensemble())))
        .collect()
}

fn own() -> OwnHistory {
    OwnHistory {
        zxid: Zxid(0x1_0000_0001),
        current_epoch: Epoch(1),
    }
}

type Network = VecDeque<(ServerId, ServerId, Notification)>;

fn drain(me: ServerId, election: &mut Election, network: &mut Network) {
    while let Some(action) = election.poll_action() {
        if let ElectionAction::Send { to, notification } = action {
            network.push_back((me, to, notification));
        }
    }
}

/// Until nobody has anything to say.
fn elect(mut servers: Vec<Election>) -> Vec<Election> {
    let mut network = Network::new();
    for (id, election) in (1..).zip(&mut servers) {
        election.start(Duration::ZERO, own());
        drain(ServerId(id), election, &mut network);
    }
    while let Some((from, to, notification)) = network.pop_front() {
        let election = &mut servers[to.0 as usize - 1];
        election.handle_notification(Duration::ZERO, from, notification);
        drain(to, election, &mut network);
    }
    assert!(servers.iter().all(|it| it.state() != PeerState::Looking));
    servers
}

fn tally(c: &mut Criterion) {
    c.bench_function("election of seven", |b| {
        b.iter_batched(servers, elect, BatchSize::SmallInput);
    });
    let mut election = servers().swap_remove(0);
    election.start(Duration::ZERO, own());
    let mut network = Network::new();
    drain(ServerId(1), &mut election, &mut network);
    let vote = network.pop_front().expect("it tells the others").2;
    // A voter that says again what it said keeps the server counting.
    c.bench_function("one vote of seven", |b| {
        b.iter(|| {
            let vote = black_box(vote.clone());
            election.handle_notification(Duration::ZERO, ServerId(2), vote);
            election.poll_action()
        });
    });
}

criterion_group!(benches, tally);
criterion_main!(benches);
