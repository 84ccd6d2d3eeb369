//! Apache's server and ours, started alike, and what is said of both.

use super::process::{Process, Program};

/// The servers: Apache's first.
#[derive(Debug)]
pub(crate) struct Twins([Process; 2]);

impl Twins {
    /// Starts both, if this machine has Apache's.
    pub(crate) fn start(extra: &str) -> Option<Self> {
        let apache = Program::apache()?;
        Some(Self(
            [apache, Program::ours()].map(|program| Process::start(program, extra)),
        ))
    }

    pub(crate) fn each(&self) -> &[Process; 2] {
        &self.0
    }

    /// What they logged last.
    pub(crate) fn logs(&self) -> String {
        let logs = self
            .0
            .each_ref()
            .map(|process| format!("--- log of {}\n{}\n", process.name(), process.log()));
        logs.concat()
    }
}
