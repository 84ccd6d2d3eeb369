//! A seed is one run: whatever it plays, the same seed plays it again.

use super::Script;
use crate::profile::Profile;
use crate::run;

pub(super) const ALL: &[Script] = &[("a_seed_is_one_run", one_run)];

fn one_run() {
    let seeds = (11..).zip([Profile::Crash, Profile::Partition, Profile::Swarm]);
    let mut hashes = Vec::new();
    for (seed, profile) in seeds {
        let (one, two) = (run::run(seed, profile, 0), run::run(seed, profile, 50));
        assert_eq!(one.hash, two.hash, "seed {seed} of {}", profile.name());
        hashes.push(one.hash);
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 3, "the seeds make no difference");
}
