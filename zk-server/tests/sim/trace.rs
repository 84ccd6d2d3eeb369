//! What happened, as one number, and as text for who asks. Two runs of a seed
//! give the same number, or something in there is not decided by the seed.

use crate::queue::Micros;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// Lines that are kept for a failure.
const LINES: usize = 4000;

pub(crate) struct Trace {
    hash: u64,
    lines: Option<VecDeque<String>>,
}

impl Trace {
    pub(crate) fn new(with_lines: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: with_lines.then(VecDeque::new),
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.hash = (self.hash ^ number)
            .wrapping_mul(0x9fb2_1c65_1e98_df25)
            .rotate_left(23);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.number(u64::from_be_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.number(u64::from_be_bytes(last));
        self.number(bytes.len() as u64);
    }

    /// Notes a line, if anybody wants lines.
    pub(crate) fn line(&mut self, now: Micros, who: impl FnOnce() -> String) {
        let Some(lines) = &mut self.lines else {
            return;
        };
        if lines.len() == LINES {
            lines.pop_front();
        }
        let mut line = format!("{:>10}.{:03}  ", now / 1000, now % 1000);
        let _ = write!(line, "{}", who());
        lines.push_back(line);
    }

    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        let lines = self.lines.take().unwrap_or_default();
        lines.into_iter().collect()
    }
}
