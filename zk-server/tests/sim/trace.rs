//! What happened, as one number, and as text for who asks. Two runs of a seed
//! give the same number, or something in there is not decided by the seed.

use crate::queue::Micros;
use std::collections::VecDeque;

pub(crate) struct Trace {
    hash: u64,
    /// The last lines, and how many are kept.
    lines: VecDeque<String>,
    lines_max: usize,
}

impl Trace {
    pub(crate) fn new(lines_max: usize) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: VecDeque::new(),
            lines_max,
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
    pub(crate) fn line(&mut self, now: Micros, words: impl FnOnce() -> String) {
        if self.lines_max == 0 {
            return;
        }
        if self.lines.len() == self.lines_max {
            self.lines.pop_front();
        }
        let (ms, us) = (now / 1000, now % 1000);
        self.lines
            .push_back(format!("{ms:>10}.{us:03}  {}", words()));
    }

    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines).into()
    }
}
