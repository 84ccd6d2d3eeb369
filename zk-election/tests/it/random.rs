//! Whole elections from seeds, in virtual time. A failure names its seed;
//! `ZK_ELECTION_SEED=N` runs that one alone and prints what happened;
//! `ZK_ELECTION_SEED=0..100000` is for a longer search.

use crate::server::config;
use crate::world::{Chance, World, ms};
use zk_election::Vote;
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;

const SEEDS: u64 = 2000;

/// What a run did.
#[derive(Default)]
struct Work {
    elections: u64,
    joins: u64,
    restarts: u64,
    events: u64,
}

/// Faults first: no decision may be wrong. Then none: all must agree.
fn faulty(seed: u64, traced: bool) -> (Result<Work, String>, Vec<String>) {
    let mut world = World::new(seed, any_ensemble(seed), 30, seed.is_multiple_of(2));
    world.trace = traced.then(Vec::new);
    let done = (|| {
        world.boot(200)?;
        world.misbehave_until(ms(2000))?;
        world.heal()?;
        world.run_until(ms(12_000), World::agrees)?;
        if !world.agrees() {
            return Err("ten seconds without a fault, and no agreement".to_owned());
        }
        Ok(Work {
            elections: world.ghost.elections,
            joins: world.ghost.joins,
            restarts: world.restarts,
            events: world.events,
        })
    })();
    (done, world.trace.unwrap_or_default())
}

/// Three to seven voters, by majority or by groups and weights, and sometimes
/// an observer.
fn any_ensemble(seed: u64) -> EnsembleConfig {
    let mut chance = Chance::new(!seed);
    let voters = chance.between(3, 7);
    let mut lines: Vec<String> = (1..=voters)
        .map(|id| format!("server.{id}=h{id}:1:2"))
        .collect();
    if chance.percent(30) {
        lines.push("server.9=h9:1:2:observer".to_owned());
    }
    if chance.percent(25) {
        let id = |first: u64| {
            let ids: Vec<String> = (first..=voters)
                .step_by(3)
                .map(|id| id.to_string())
                .collect();
            ids.join(":")
        };
        lines.extend((1..=3).map(|group| format!("group.{group}={}", id(group))));
        lines.push(format!(
            "weight.{}={}",
            chance.between(1, voters),
            chance.below(3)
        ));
    }
    config(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The one seed that is asked for, or `first..end`, or the usual ones.
fn seeds() -> std::ops::Range<u64> {
    let Ok(wanted) = std::env::var("ZK_ELECTION_SEED") else {
        return 0..SEEDS;
    };
    let number = |text: &str| text.parse::<u64>().expect("ZK_ELECTION_SEED is N or N..N");
    match wanted.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => number(&wanted)..number(&wanted) + 1,
    }
}

#[test]
fn faults_mislead_nobody_and_end_in_agreement() {
    let seeds = seeds();
    let count = seeds.end - seeds.start;
    let alone = count == 1;
    let mut total = Work::default();
    for seed in seeds {
        let (done, trace) = faulty(seed, alone);
        for line in trace {
            println!("{line}");
        }
        match done {
            Ok(work) => {
                total.elections += work.elections;
                total.joins += work.joins;
                total.restarts += work.restarts;
                total.events += work.events;
            }
            Err(why) => panic!(
                "seed {seed}: {why}\nto see it: ZK_ELECTION_SEED={seed} cargo test -p zk-election faults -- --nocapture"
            ),
        }
    }
    let Work {
        elections,
        joins,
        restarts,
        events,
    } = total;
    println!("{elections} elections, {joins} joins, {restarts} restarts, {events} events");
    if !alone {
        assert!(
            elections > 4 * count && joins > count && restarts > 4 * count,
            "too little work"
        );
    }
}

#[test]
fn a_seed_is_one_run() {
    for seed in 0..20 {
        let (first, trace) = faulty(seed, true);
        assert_eq!(first.is_ok(), faulty(seed, false).0.is_ok());
        assert!(trace.len() > 50);
        assert_eq!(faulty(seed, true).1, trace, "seed {seed}");
    }
}

/// With delays that the finalize wait covers, everybody elects the best, and
/// nobody has to think twice.
#[test]
fn calm_networks_elect_the_best_at_once() {
    for seed in 0..500 {
        let ensemble = any_ensemble(seed);
        let quorums = ensemble.quorum_system();
        let mut world = World::new(seed, ensemble, 30, true);
        let can_win = |id: ServerId| quorums.weight(id) > 0;
        let votes = world.nodes.iter().filter(|node| can_win(node.id));
        let best: Option<Vote> = votes.map(|node| node.own_vote()).max();
        world.boot(60).expect("no decision is wrong");
        let end = ms(1000);
        world
            .run_until(end, World::agrees)
            .expect("no decision is wrong");
        assert!(world.agrees(), "seed {seed}: it takes too long");
        for node in &world.nodes {
            assert_eq!(node.leader(), best.map(|vote| vote.leader), "seed {seed}");
            // Who has no vote is told votes once, and not when they change.
            let once = node.decisions == 1 || !quorums.is_voter(node.id);
            assert!(once, "seed {seed}, server {}", node.id);
        }
    }
}
