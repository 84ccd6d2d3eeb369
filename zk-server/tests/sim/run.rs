//! One seed, from the start of a world to its verdict. It refuses to know
//! how many seeds there are.

use crate::nemesis::Nemesis;
use crate::profile::Profile;
use crate::queue::{MS, Micros, SECOND};
use crate::rng::Rng;
use crate::setup::Setup;
use crate::world::{Stats, World};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zk_proto::{OpCode, SessionId};

/// How long things break, in virtual time.
pub(crate) const FAULTY: Micros = 300 * SECOND;

/// Until everything is well again at the latest, when nothing breaks any
/// more: two rounds of the slowest repetition of a vote, and a while.
const RECOVERY: Micros = 150 * SECOND;

/// What a run has to do to count.
const WRITES_MIN: u64 = 200;

/// How a run ended.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) verdict: Verdict,
    pub(crate) hash: u64,
    pub(crate) stats: Stats,
    pub(crate) leaders: usize,
    pub(crate) txns: usize,
    /// Virtual time in all.
    pub(crate) time: Micros,
    /// How long it took until all was well, after the last fault.
    pub(crate) recovery: Micros,
    pub(crate) lines: Vec<String>,
    /// Sessions that ended before all servers were stopped.
    expired_before: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// Something happened that must not.
    Unsafe(String),
    /// Something did not happen that must.
    Stuck(String),
    /// Too little happened to say anything.
    Void(String),
}

/// Runs a seed.
pub(crate) fn run(seed: u64, profile: Profile, lines_max: usize) -> Outcome {
    let mut rng = Rng::new(seed);
    let setup = Setup::random(&mut rng);
    let mut world = World::new(setup, rng.next(), lines_max);
    let mut outcome = Outcome {
        seed,
        verdict: Verdict::Passed,
        hash: 0,
        stats: Stats::default(),
        leaders: 0,
        txns: 0,
        time: 0,
        recovery: 0,
        lines: Vec::new(),
        expired_before: 0,
    };
    let start = world.now;
    let played = catch_unwind(AssertUnwindSafe(|| {
        play(&mut world, profile, &mut rng, &mut outcome)
    }));
    outcome.verdict = match (played, world.checker.violation()) {
        (_, Some(violation)) => Verdict::Unsafe(violation.to_owned()),
        (Err(panic), None) => Verdict::Unsafe(format!("a panic: {}", text_of(&*panic))),
        (Ok(Err(stuck)), None) => Verdict::Stuck(stuck),
        (Ok(Ok(())), None) => judge_work(&world, profile, outcome.expired_before),
    };
    outcome.hash = world.trace.hash();
    outcome.stats = world.stats;
    outcome.leaders = world.checker.leaders();
    outcome.txns = world.checker.reference.len();
    outcome.time = world.now - start;
    outcome.lines = world.trace.take_lines();
    outcome
}

pub(crate) fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "without words".to_owned())
}

/// The faulty phase, then the quiet one.
fn play(
    world: &mut World,
    profile: Profile,
    rng: &mut Rng,
    outcome: &mut Outcome,
) -> Result<(), String> {
    for server in 0..world.servers.len() {
        let pause = rng.skewed(MS, SECOND);
        world.restart_in(server, pause);
    }
    let weights = profile.weights(rng);
    let has_faults = !weights.is_empty();
    let mut nemesis = Nemesis::new(weights, world.setup.tick_ms, rng.fork());
    if has_faults {
        nemesis.run(world, world.now + FAULTY);
        nemesis.make_peace(world);
    } else {
        world.run_for(FAULTY);
    }
    let since = world.now;
    outcome.expired_before = world.stats.expired;
    settle(world, "after the last fault")?;
    if world.checker.violation().is_some() {
        return Ok(());
    }
    outcome.recovery = world.now - since;
    for server in 0..world.servers.len() {
        world.lose_power(server);
    }
    for server in 0..world.servers.len() {
        world.start_again(server);
    }
    settle(world, "after all servers lost power")?;
    end_sessions(world);
    Ok(())
}

/// Without faults a leader serves, writes succeed everywhere, and all servers
/// have the same.
fn settle(world: &mut World, when: &str) -> Result<(), String> {
    let deadline = world.now + RECOVERY;
    let left = |world: &World| deadline.saturating_sub(world.now);
    let all_serve = |world: &World| world.servers.iter().all(|server| server.serves());
    let patience = left(world);
    if !world.run_until_true(patience, all_serve) {
        return stuck(world, "some servers do not serve", when);
    }
    for client in 0..world.clients.len() {
        world.hold_client(client, client % world.servers.len());
    }
    let patience = left(world);
    if !world.run_until_true(patience, |world| {
        world.clients.iter().all(|it| it.is_open())
    }) {
        return stuck(world, "some clients have no session", when);
    }
    if !write_everywhere(world, deadline) {
        return stuck(world, "some clients cannot write", when);
    }
    let patience = left(world);
    let is_answered = |world: &World| world.clients.iter().all(|it| it.pending() == 0);
    if !world.run_until_true(patience, |world| is_answered(world) && world.is_converged()) {
        return stuck(world, "writes are not answered, or servers differ", when);
    }
    world.compare_all();
    Ok(())
}

/// Every client writes something, and tries again when that is refused or
/// its connection ends; whether all succeeded in time.
fn write_everywhere(world: &mut World, deadline: Micros) -> bool {
    let writes = |world: &World| world.clients.iter().map(|it| it.writes).collect::<Vec<_>>();
    let before = writes(world);
    // Whether the znode is there nobody knows.
    let mut kinds = vec![(OpCode::SET_DATA, OpCode::CREATE); before.len()];
    while world.now < deadline && world.checker.violation().is_none() {
        let lack = writes(world).into_iter().zip(&before);
        let lack: Vec<bool> = lack.map(|(now, before)| now == *before).collect();
        if !lack.contains(&true) {
            return true;
        }
        for client in (0..lack.len()).filter(|client| lack[*client]) {
            if world.clients[client].is_open() && world.clients[client].pending() == 0 {
                let (kind, next) = kinds[client];
                world.ask_to_write(client, kind, "/k0");
                kinds[client] = (next, kind);
            }
        }
        world.run_for(20 * MS);
    }
    false
}

fn stuck(world: &World, what: &str, when: &str) -> Result<(), String> {
    if world.checker.violation().is_some() {
        return Ok(());
    }
    let shown = world.servers.iter().map(|server| match server.view() {
        Some(view) => format!("{}: {} {}", server.id, view.role, view.applied),
        None => format!("{}: down", server.id),
    });
    let shown: Vec<String> = shown.collect();
    Err(format!("I27: {what} {when}: {}", shown.join(", ")))
}

/// Sessions without a client end, in time; those with one do not.
fn end_sessions(world: &mut World) {
    let longest = world.clients.iter().map(|it| it.timeout()).max();
    let tick = world.setup.tick_ms * MS;
    let before = held(world);
    world.run_for(longest.unwrap_or(0) + 20 * tick);
    world.run_until_true(RECOVERY, |world| world.is_converged());
    let after = held(world);
    if before != after {
        world
            .checker
            .fail("C9: a session ended whose client was heard".to_owned());
    }
    world.checker.check_sessions(&after);
    world.compare_all();
}

fn held(world: &World) -> BTreeSet<SessionId> {
    world.clients.iter().filter_map(|it| it.session()).collect()
}

/// A run that did little says little.
fn judge_work(world: &World, profile: Profile, expired: u64) -> Verdict {
    let (writes, leaders) = (world.stats.writes, world.checker.leaders());
    if writes < WRITES_MIN {
        return Verdict::Void(format!("{writes} writes succeeded"));
    }
    if profile == Profile::Calm && leaders > 2 {
        return Verdict::Stuck(format!("I27: {leaders} leaders without a fault"));
    }
    if profile == Profile::Calm && expired > 0 {
        return Verdict::Unsafe("C9: a session ended whose client was heard".to_owned());
    }
    if profile != Profile::Calm && leaders < 2 {
        return Verdict::Void("the leader never changed".to_owned());
    }
    Verdict::Passed
}
