//! Many seeds on all cores, and what to say of them. It refuses to know what
//! a seed does.

use crate::args::Args;
use crate::profile::Profile;
use crate::queue::{Micros, SECOND};
use crate::run::{self, Outcome, Verdict};
use crate::scripts;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Failures that are told in full.
const TOLD: usize = 10;

pub(crate) fn run(args: &Args) -> ExitCode {
    // Panics are findings; each is told once, with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    #[cfg(feature = "mutations")]
    if let Some(part) = &args.mutants {
        return crate::mutants::run(args, part);
    }
    #[cfg(not(feature = "mutations"))]
    if args.mutants.is_some() {
        eprintln!("sim: built without the feature `mutations`");
        return ExitCode::FAILURE;
    }
    if let Some(part) = &args.script {
        scripts::LINES.store(args.lines, Ordering::Relaxed);
        let (passed, failed) = scripts::run(part);
        return verdict(passed > 0 && failed.is_empty());
    }
    let begin = Instant::now();
    let tally = run_all(args);
    println!("{}", tally.summary(begin.elapsed(), args.jobs));
    if !args.is_test {
        return verdict(tally.failed.is_empty());
    }
    let (passed, failed) = scripts::run("");
    println!("{}", tally.as_tests(passed, failed.len() as u64));
    verdict(tally.failed.is_empty() && failed.is_empty())
}

fn verdict(passed: bool) -> ExitCode {
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The sum of all runs.
#[derive(Default)]
struct Tally {
    runs: u64,
    failed: Vec<Failure>,
    time: Micros,
    busy: Duration,
    writes: u64,
    reads: u64,
    txns: usize,
    events: u64,
    steps: u64,
    faults: u64,
    restarts: u64,
    leaders: usize,
    expired: u64,
    watch_events: u64,
    slowest_recovery: (Micros, u64),
}

struct Failure {
    seed: u64,
    profile: Profile,
    verdict: Verdict,
}

pub(crate) fn profile_of(args: &Args, seed: u64) -> Profile {
    args.profile.unwrap_or_else(|| {
        let every = Profile::ALL.len() as u64 + 3;
        let at = usize::try_from(seed % every).unwrap_or(0);
        Profile::ALL.get(at).copied().unwrap_or(Profile::Swarm)
    })
}

fn run_all(args: &Args) -> Tally {
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= args.seeds {
                        break;
                    }
                    let seed = args.first + number;
                    let begin = cpu_time();
                    let profile = profile_of(args, seed);
                    let outcome = run::run(seed, profile, 0);
                    let mut tally = tally.lock().expect("nobody panics with it");
                    tally.busy += cpu_time().saturating_sub(begin);
                    tally.add(args, profile, outcome);
                }
            });
        }
    });
    tally.into_inner().expect("nobody panics with it")
}

/// What this thread has used of its core.
fn cpu_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(used.tv_nsec).unwrap_or(0))
}

impl Tally {
    fn add(&mut self, args: &Args, profile: Profile, outcome: Outcome) {
        self.runs += 1;
        self.time += outcome.time;
        self.writes += outcome.stats.writes;
        self.reads += outcome.stats.reads;
        self.txns += outcome.txns;
        self.events += outcome.stats.events;
        self.steps += outcome.stats.steps;
        self.faults += outcome.stats.faults;
        self.restarts += outcome.stats.restarts;
        self.expired += outcome.stats.expired;
        self.watch_events += outcome.stats.watch_events;
        self.leaders += outcome.leaders;
        let recovery = (outcome.recovery, outcome.seed);
        self.slowest_recovery = self.slowest_recovery.max(recovery);
        if args.is_replay {
            let (seed, hash) = (outcome.seed, outcome.hash);
            println!("seed {seed} {}: trace {hash:016x}", profile.name());
            println!("{:?}", outcome.stats);
        }
        if outcome.verdict != Verdict::Passed {
            self.tell(args, profile, &outcome);
            self.failed.push(Failure {
                seed: outcome.seed,
                profile,
                verdict: outcome.verdict,
            });
        }
    }

    fn tell(&self, args: &Args, profile: Profile, outcome: &Outcome) {
        if self.failed.len() >= TOLD {
            return;
        }
        if args.is_replay {
            // The same again, with words.
            for line in run::run(outcome.seed, profile, args.lines).lines {
                println!("{line}");
            }
        }
        let seed = outcome.seed;
        println!("{}", words(&outcome.verdict));
        println!(
            "  replay: cargo xtask sim --seed {seed} --profile {}",
            profile.name()
        );
    }

    fn summary(&self, took: Duration, jobs: usize) -> String {
        let seconds = took.as_secs_f64().max(0.001);
        let busy = self.busy.as_secs_f64().max(0.001);
        let virtual_seconds = self.time as f64 / SECOND as f64;
        let (recovery, seed) = self.slowest_recovery;
        format!(
            "sim: {} seeds, {} failed; {:.1} h simulated in {seconds:.1} s on {jobs} threads, \
             {:.0} x real time a core, {:.1} seeds/s\n     \
             {} writes, {} reads, {} txns, {} faults, {} starts, {} leaders, {} sessions expired, \
             {} watch events, {} events, {} steps; slowest recovery {:.1} s (seed {seed})",
            self.runs,
            self.failed.len(),
            virtual_seconds / 3600.0,
            virtual_seconds / busy,
            self.runs as f64 / seconds,
            self.writes,
            self.reads,
            self.txns,
            self.faults,
            self.restarts,
            self.leaders,
            self.expired,
            self.watch_events,
            self.events,
            self.steps,
            recovery as f64 / SECOND as f64,
        )
    }

    /// As cargo's own harness would say it.
    fn as_tests(&self, scripts_passed: u64, scripts_failed: u64) -> String {
        let failed = self.failed.len() as u64 + scripts_failed;
        let result = if failed == 0 { "ok" } else { "FAILED" };
        for failure in &self.failed {
            let name = failure.profile.name();
            println!(
                "test seed_{}_{name} ... FAILED: {}",
                failure.seed,
                words(&failure.verdict)
            );
        }
        let passed = self.runs - self.failed.len() as u64 + scripts_passed;
        format!(
            "test result: {result}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out"
        )
    }
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Unsafe(what) => format!("UNSAFE {what}"),
        Verdict::Stuck(what) => format!("STUCK {what}"),
        Verdict::Void(what) => format!("VOID {what}"),
    }
}
