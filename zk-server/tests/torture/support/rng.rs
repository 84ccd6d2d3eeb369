//! Numbers that are the same for the same seed (SplitMix64).

use std::hash::{BuildHasher as _, RandomState};

/// A generator.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From the environment variable, or a new one; printed, so that a failure
    /// can be played again.
    pub(crate) fn from_env(variable: &str) -> (Self, u64) {
        let given = std::env::var(variable).ok();
        let seed = given.map_or_else(
            || RandomState::new().hash_one(variable) % 1_000_000_000,
            |text| text.parse().expect("a seed is a number"),
        );
        println!("{variable}={seed}");
        (Self(seed), seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("it is below a usize")
    }

    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }
}

/// A number from the environment, or the default.
pub(crate) fn number(variable: &str, default: usize) -> usize {
    let given = std::env::var(variable).ok();
    given.map_or(default, |text| text.parse().expect("a count is a number"))
}
