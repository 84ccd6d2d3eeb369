//! Whether those who did something are a quorum. It does not know what they
//! did.

use std::collections::BTreeSet;
use zk_proto::ServerId;
use zk_proto::ensemble::{EnsembleConfig, QuorumSystem};

/// Who votes.
#[derive(Debug)]
pub(super) struct Voters {
    system: QuorumSystem,
    all: Vec<ServerId>,
}

impl Voters {
    pub(super) fn new(ensemble: &EnsembleConfig) -> Self {
        let system = ensemble.quorum_system();
        let all = system.voters().collect();
        Self { system, all }
    }

    pub(super) fn contains(&self, server: ServerId) -> bool {
        self.system.is_voter(server)
    }

    /// Whether those voters of whom it is true are a quorum. Majorities,
    /// which are counted for every commit, are counted without a set.
    pub(super) fn is_quorum(&self, mut has: impl FnMut(ServerId) -> bool) -> bool {
        let voters = self.all.iter().copied();
        match &self.system {
            QuorumSystem::Majority(_) => voters.filter(|&id| has(id)).count() > self.all.len() / 2,
            QuorumSystem::Hierarchical(_) => {
                let set: BTreeSet<ServerId> = voters.filter(|&id| has(id)).collect();
                self.system.is_quorum(&set)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The count agrees with the definition, for majorities and for groups.
    #[test]
    fn it_agrees_with_the_quorum_system() {
        let flat = "server.1=a:1:2\nserver.2=a:1:3\nserver.3=a:1:4\nserver.4=a:1:5";
        let grouped = format!("{flat}\ngroup.1=1:2\ngroup.2=3:4\nweight.2=3");
        for text in [flat, &grouped] {
            let config = EnsembleConfig::parse(text, false).unwrap();
            let (voters, system) = (Voters::new(&config), config.quorum_system());
            for bits in 0..16u32 {
                let has = |id: ServerId| bits >> (id.0 - 1) & 1 == 1;
                let set = (1..=4).map(ServerId).filter(|&id| has(id)).collect();
                assert_eq!(voters.is_quorum(has), system.is_quorum(&set), "{bits:b}");
            }
        }
    }
}
