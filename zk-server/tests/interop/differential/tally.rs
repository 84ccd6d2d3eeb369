//! What was asked and answered, to see that a run is worth something.

use std::collections::BTreeMap;
use std::fmt;
use zk_proto::{ErrorCode, OpCode};

/// How often each operation was answered how.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    answers: BTreeMap<OpCode, BTreeMap<ErrorCode, u64>>,
    pub(crate) events: u64,
    pub(crate) closed: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, op: OpCode, err: ErrorCode) {
        *self.answers.entry(op).or_default().entry(err).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (op, errors) in &self.answers {
            let errors: Vec<_> = errors
                .iter()
                .map(|(err, count)| format!("{err} {count}"))
                .collect();
            writeln!(f, "{op:?}: {}", errors.join(", "))?;
        }
        write!(
            f,
            "{} events, {} closed connections",
            self.events, self.closed
        )
    }
}
