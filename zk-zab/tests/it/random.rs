//! Random histories of small ensembles, each from a seed.
//! `ZK_ZAB_SEED=7` runs one seed again; `ZK_ZAB_SEEDS=10000` runs more.

use crate::support::members;
use crate::world::World;
use zk_proto::Zxid;
use zk_proto::quorum::PacketType;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Ensembles of 1 to 5 of up to 7 servers, some of them in groups.
fn run(seed: u64) -> World {
    let voters = [3, 5, 3, 1][(seed % 4) as usize];
    let observers = i64::from(seed.is_multiple_of(3));
    let ids: Vec<i64> = (1..=voters + observers).collect();
    let (voting, observing) = ids.split_at(voters as usize);
    let first = members(voting, observing, Zxid(1));
    let servers = ids.len() + (seed % 3) as usize;
    let mut world = World::new(seed, servers, first);
    if seed % 5 == 1 {
        world.begin_in_groups();
    }
    (0..5000).for_each(|_| world.step(true));
    world.settle();
    world
}

#[test]
fn the_invariants_hold() {
    if let Some(seed) = number("ZK_ZAB_SEED") {
        run(seed);
        return;
    }
    let (mut committed, mut elections, mut plans) = (0, 0, Vec::new());
    let (mut reconfigured, mut completed, mut handed_over) = (0, 0, 0);
    let (mut hosted, mut informed) = (0, 0);
    for seed in 0..number("ZK_ZAB_SEEDS").unwrap_or(60) {
        let world = std::panic::catch_unwind(|| run(seed));
        let world = world.unwrap_or_else(|_| panic!("to replay: ZK_ZAB_SEED={seed}"));
        committed += world.committed();
        elections += world.elections;
        reconfigured += world.reconfigured();
        completed += world.completed;
        handed_over += world.handed_over;
        hosted += world.hosted;
        informed += world.informed;
        plans.extend(world.plans.into_iter().filter(|it| it.1 > 0).map(|it| it.0));
    }
    // A run that did too little proves nothing.
    assert!(
        committed > 60 * 200 && elections > 300,
        "{committed} {elections}"
    );
    assert!(
        reconfigured > 300 && completed > 20 && handed_over > 8,
        "{reconfigured} {completed} {handed_over}"
    );
    assert!(hosted > 10 && informed > 300, "{hosted} {informed}");
    for plan in [PacketType::DIFF, PacketType::TRUNC, PacketType::SNAP] {
        let times = plans.iter().filter(|it| **it == plan).count();
        assert!(times > 5, "{plan:?} came {times} times");
    }
}
