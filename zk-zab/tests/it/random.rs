//! Random histories of small ensembles, each from a seed.
//! `ZK_ZAB_SEED=7` runs one seed again; `ZK_ZAB_SEEDS=10000` runs more.

use crate::world::World;
use zk_proto::quorum::PacketType;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64) -> World {
    let voters = [3, 5, 3, 1][(seed % 4) as usize];
    let mut world = World::new(seed, voters, seed.is_multiple_of(3).into());
    (0..3000).for_each(|_| world.step(true));
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
    for seed in 0..number("ZK_ZAB_SEEDS").unwrap_or(60) {
        let world = std::panic::catch_unwind(|| run(seed));
        let world = world.unwrap_or_else(|_| panic!("to replay: ZK_ZAB_SEED={seed}"));
        committed += world.committed();
        elections += world.elections;
        plans.extend(world.plans.into_iter().filter(|it| it.1 > 0).map(|it| it.0));
    }
    // A run that did too little proves nothing.
    assert!(
        committed > 60 * 50 && elections > 60,
        "{committed} {elections}"
    );
    for plan in [PacketType::DIFF, PacketType::TRUNC, PacketType::SNAP] {
        let times = plans.iter().filter(|it| **it == plan).count();
        assert!(times > 5, "{plan:?} came {times} times");
    }
}
