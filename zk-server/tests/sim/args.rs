//! The command line of the simulator.

use crate::profile::Profile;

#[derive(Debug, Clone)]
pub(crate) struct Args {
    /// How many seeds.
    pub(crate) seeds: u64,
    /// The first one.
    pub(crate) first: u64,
    /// Whether one seed was asked for: then its last lines are told, too.
    pub(crate) is_replay: bool,
    /// How many lines of a failure are told.
    pub(crate) lines: usize,
    /// All of them in turn, if none is given.
    pub(crate) profile: Option<Profile>,
    pub(crate) jobs: usize,
    /// Whether nothing was asked for: a test run.
    pub(crate) is_test: bool,
    /// The scripts whose names contain this.
    pub(crate) script: Option<String>,
    /// Puts back the bugs whose names contain this, and looks for them.
    pub(crate) mutants: Option<String>,
}

impl Args {
    pub(crate) fn of_process() -> Result<Self, String> {
        Self::parse(std::env::args().skip(1))
    }

    fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let cores = std::thread::available_parallelism();
        let mut args = Self {
            seeds: 30,
            first: 1,
            is_replay: false,
            lines: 300,
            profile: None,
            jobs: cores.map_or(1, std::num::NonZero::get),
            is_test: true,
            script: None,
            mutants: None,
        };
        while let Some(flag) = given.next() {
            let mut value = || given.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--seeds" => args.seeds = number(&value()?)?,
                "--from" => args.first = number(&value()?)?,
                "--script" => args.script = Some(value()?),
                "--mutants" => args.mutants = Some(value()?),
                "--lines" => args.lines = usize::try_from(number(&value()?)?).unwrap_or(0),
                "--jobs" => args.jobs = usize::try_from(number(&value()?)?).unwrap_or(1).max(1),
                "--seed" => {
                    args.first = number(&value()?)?;
                    args.seeds = 1;
                    args.is_replay = true;
                }
                "--profile" => {
                    let name = value()?;
                    let profile = Profile::named(&name);
                    args.profile = Some(profile.ok_or(format!("no profile is called {name}"))?);
                }
                // What cargo's own harness would take.
                "--nocapture" | "--quiet" | "-q" => continue,
                _ => return Err(format!("unknown argument {flag}")),
            }
            args.is_test = false;
        }
        Ok(args)
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}
