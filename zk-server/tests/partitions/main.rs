//! Ensembles of real processes, each in a network of its own, under
//! partitions of every shape, one-way cuts, pauses, kills and wipes: writes
//! are linearizable, so are reads behind a sync, sessions live, trees are
//! equal after every repair, and equal again after all servers were killed.
//!
//! | variable | is |
//! |---|---|
//! | `ZK_PARTITION_SEED` | what decides; printed by every run, and replays the schedule |
//! | `ZK_PARTITION_ROUNDS` | how many faults each ensemble suffers, instead of each shape once |
//! | `ZK_PARTITION_SHAPES` | names of shapes with commas between: no others |
//! | `ZK_PARTITION_TICK_MS` | tickTime, instead of 200 |
//!
//! It needs Linux, root and iproute2's `ip`. Where `ZK_IP` names that, as a
//! test stage does, their lack is a failure; else it is a skip.
#![cfg(target_os = "linux")]
#![allow(
    clippy::print_stdout,
    reason = "seeds and measurements are for who reads the test's output"
)]

mod board;
mod clients;
mod dump;
mod history;
mod linear;
mod netns;
mod order;
mod report;
mod rng;
mod run;
mod server;
mod shapes;
mod site;
mod wire;

use parking_lot::Mutex;
use rng::Rng;
use run::{Plan, Run};

/// One ensemble at a time: there are not many processors.
static MACHINE: Mutex<()> = Mutex::new(());

#[test]
fn three_servers_survive() {
    survive(3);
}

#[test]
fn five_servers_survive() {
    survive(5);
}

fn survive(size: i64) {
    let _machine = MACHINE.lock();
    if let Some(obstacle) = netns::obstacle() {
        let is_stage = std::env::var_os("ZK_IP").is_some();
        assert!(!is_stage, "no networks can be made: {obstacle}");
        println!("skipped: no networks can be made: {obstacle}");
        return;
    }
    let seed = rng::seed("ZK_PARTITION_SEED");
    println!("{size} servers, ZK_PARTITION_SEED={seed}");
    let rounds = rng::number("ZK_PARTITION_ROUNDS").map(|it| it as usize);
    let only = std::env::var("ZK_PARTITION_SHAPES").unwrap_or_default();
    let only: Vec<String> = only
        .split(',')
        .map(str::to_owned)
        .filter(|it| !it.is_empty())
        .collect();
    let number = usize::try_from(size).expect("a few servers");
    let plan = Plan {
        size,
        seed,
        tick_ms: rng::number("ZK_PARTITION_TICK_MS").unwrap_or(200),
        shapes: shapes::deck(number, rounds, &only, &mut Rng::new(seed)),
    };
    Run::start(plan).run();
}
