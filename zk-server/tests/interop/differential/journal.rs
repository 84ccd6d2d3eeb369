//! What was done last, for the report of a difference.

use std::collections::VecDeque;

/// The last things that were done, as text.
#[derive(Debug)]
pub(crate) struct Journal {
    seed: u64,
    last: VecDeque<String>,
}

impl Journal {
    const KEEP: usize = 8;

    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            last: VecDeque::new(),
        }
    }

    pub(crate) fn note(&mut self, what: String) {
        if self.last.len() == Self::KEEP {
            self.last.pop_front();
        }
        self.last.push_back(what);
    }

    /// What to say when the servers differ.
    pub(crate) fn report(&self, operations: u64, theirs: &[String], ours: &[String]) -> String {
        let first = theirs
            .iter()
            .zip(ours)
            .position(|(a, b)| a != b)
            .unwrap_or(theirs.len().min(ours.len()));
        let before: Vec<_> = self.last.iter().map(String::as_str).collect();
        format!(
            "the servers differ at operation {operations} of seed {} (ZK_INTEROP_SEED replays it)\n\
             done last:\n{}\n\nequal lines before: {first}\n{}\napache: {}\nours:   {}\nbehind that, apache: {:#?}\nours: {:#?}",
            self.seed,
            before.join("\n"),
            theirs[first.saturating_sub(3)..first].join("\n"),
            theirs.get(first).map_or("nothing more", String::as_str),
            ours.get(first).map_or("nothing more", String::as_str),
            theirs.iter().skip(first + 1).take(6).collect::<Vec<_>>(),
            ours.iter().skip(first + 1).take(6).collect::<Vec<_>>(),
        )
    }
}
