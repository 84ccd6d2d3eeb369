//! Scenarios with known endings: the stories that ensembles are told by, and
//! the bugs that others had. Each is a script over a simulated world; chance
//! decides nothing but delays.

mod elections;
mod files;
mod joining;
mod seeds;
mod sessions;
mod stage;
mod stories;
mod sweeps;

pub(crate) use stage::LINES;
use std::panic::catch_unwind;

/// A script and its name.
pub(crate) type Script = (&'static str, fn());

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Script> {
    [
        stories::ALL,
        elections::ALL,
        files::ALL,
        joining::ALL,
        sessions::ALL,
        sweeps::ALL,
        seeds::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Runs those whose name contains `part`; how many passed, and the others.
pub(crate) fn run(part: &str) -> (u64, Vec<String>) {
    let mut passed = 0;
    let mut failed = Vec::new();
    for (name, script) in all().filter(|(name, _)| name.contains(part)) {
        match catch_unwind(script) {
            Ok(()) => {
                println!("test {name} ... ok");
                passed += 1;
            }
            Err(panic) => {
                let why = crate::run::text_of(&*panic);
                println!("test {name} ... FAILED: {why}");
                failed.push(name.to_owned());
            }
        }
    }
    (passed, failed)
}
