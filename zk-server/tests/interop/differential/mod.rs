//! The same random requests to Apache's server and to ours, by several
//! sessions, and no difference in what comes back: headers, records, Stats,
//! events and their order, closed connections, and in the end the trees.
//!
//! One client acts at a time, so that what a server says is decided by what
//! it was asked and nothing else. Events for the others wait on their
//! connections until they act.

mod actions;
mod audit;
pub(crate) mod call;
mod calls;
pub(crate) mod canon;
mod connect;
mod draw;
mod expiry;
mod journal;
mod known;
mod multis;
mod mutate;
mod quotas;
mod tally;
mod vanish;
mod world;

use crate::support::environment;
use crate::support::twins::Twins;
use actions::MORTAL;
use std::time::{SystemTime, UNIX_EPOCH};
use world::World;

const OPERATIONS: u64 = 200_000;
/// Operations between two comparisons of everything.
const AUDIT_EVERY: u64 = 20_000;

/// Nothing happens by itself: no session ends, no container goes.
const CONFIG: &str = "tickTime=500\nminSessionTimeout=1000\nmaxSessionTimeout=36000000\n\
    maxClientCnxns=0\nforceSync=no\nznode.container.checkIntervalMs=36000000\n";

/// With znodes that have a time to live.
const EXTENDED: &str = "extendedTypesEnabled=true\n";

#[test]
fn servers_answer_alike() {
    let operations = environment::number("ZK_INTEROP_OPS").unwrap_or(OPERATIONS);
    run(EXTENDED, operations, |world| {
        world.quotas_from = operations / 2;
    });
}

#[test]
fn servers_with_other_options_answer_alike() {
    let operations = environment::number("ZK_INTEROP_OPS").unwrap_or(OPERATIONS) / 20;
    for options in [
        "reconfigEnabled=true\n",
        "skipACL=yes\ndigest.enabled=false\nextendedTypesEnabled=true\n",
        "closeSessionTxn.enabled=false\nextendedTypesEnabled=true\n",
    ] {
        run(options, operations, |_| {});
    }
}

/// One request at a time: here pending writes count, in Apache they do not.
#[test]
fn servers_enforce_quotas_alike() {
    let operations = environment::number("ZK_INTEROP_OPS").unwrap_or(OPERATIONS) / 20;
    let options = format!("{EXTENDED}enforceQuota=true\n");
    run(&options, operations, |world| world.burst_max = 1);
}

fn run(options: &str, operations: u64, set_up: impl FnOnce(&mut World)) {
    let Some(twins) = Twins::start(&format!("{CONFIG}{options}")) else {
        return;
    };
    let seed = environment::number("ZK_INTEROP_SEED").unwrap_or_else(new_seed);
    println!("ZK_INTEROP_SEED={seed} ZK_INTEROP_OPS={operations}");
    let mut world = World::new(twins, seed, MORTAL + 1);
    set_up(&mut world);
    world.begin();
    let mut next_audit = AUDIT_EVERY;
    while world.operations < operations {
        world.step();
        if world.operations >= next_audit {
            world.audit();
            world.expire((next_audit / AUDIT_EVERY).is_multiple_of(2));
            next_audit += AUDIT_EVERY;
        }
    }
    let znodes = world.audit();
    println!("{}", world.tally);
    println!(
        "{} operations, {} transactions, {znodes} znodes at the end: no difference",
        world.operations, world.zxid
    );
}

fn new_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::from(now.expect("after 1970").subsec_nanos())
}
