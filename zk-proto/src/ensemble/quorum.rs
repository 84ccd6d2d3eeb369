//! Which servers together are a quorum. It refuses to know what for.

use crate::ServerId;
use std::collections::{BTreeMap, BTreeSet};

/// How votes count: `QuorumMaj` or `QuorumHierarchical`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuorumSystem {
    /// More than half of the voters.
    Majority(BTreeSet<ServerId>),
    /// More than half of the weight in more than half of the groups; groups
    /// without weight do not count.
    Hierarchical(BTreeMap<i64, BTreeMap<ServerId, i64>>),
}

impl QuorumSystem {
    /// Whether these servers are a quorum. Who does not vote does not count.
    #[must_use]
    pub fn is_quorum(&self, servers: &BTreeSet<ServerId>) -> bool {
        match self {
            Self::Majority(voters) => voters.intersection(servers).count() > voters.len() / 2,
            Self::Hierarchical(groups) => {
                let heavy = groups.values().filter(|group| weigh(group, |_| true) > 0);
                let won = heavy.clone().filter(|group| {
                    let all = weigh(group, |_| true);
                    weigh(group, |id| servers.contains(id)) > all / 2
                });
                won.count() > heavy.count() / 2
            }
        }
    }

    /// Whether the server has a vote.
    #[must_use]
    pub fn is_voter(&self, server: ServerId) -> bool {
        match self {
            Self::Majority(voters) => voters.contains(&server),
            Self::Hierarchical(groups) => groups.values().any(|group| group.contains_key(&server)),
        }
    }

    /// The weight of a voter's vote; 0 for everybody else.
    #[must_use]
    pub fn weight(&self, server: ServerId) -> i64 {
        match self {
            Self::Majority(voters) => i64::from(voters.contains(&server)),
            Self::Hierarchical(groups) => {
                let weight = groups.values().find_map(|group| group.get(&server));
                weight.copied().unwrap_or(0)
            }
        }
    }

    /// Everybody who has a vote, by id.
    pub fn voters(&self) -> impl Iterator<Item = ServerId> {
        let (flat, grouped) = match self {
            Self::Majority(voters) => (Some(voters), None),
            Self::Hierarchical(groups) => (None, Some(groups)),
        };
        let grouped = grouped.into_iter().flat_map(BTreeMap::values);
        let mut all: Vec<ServerId> = flat.into_iter().flatten().copied().collect();
        all.extend(grouped.flat_map(BTreeMap::keys));
        all.sort_unstable();
        all.into_iter()
    }
}

/// Sums the weights of the chosen. Weights come from a text, so the sum may
/// not overflow.
fn weigh(group: &BTreeMap<ServerId, i64>, chosen: impl Fn(&ServerId) -> bool) -> i64 {
    let chosen = group.iter().filter(|(id, _)| chosen(id));
    chosen.fold(0, |sum: i64, (_, weight)| sum.saturating_add(*weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[i64]) -> BTreeSet<ServerId> {
        ids.iter().copied().map(ServerId).collect()
    }

    #[test]
    fn more_than_half_is_a_majority() {
        let system = QuorumSystem::Majority(ids(&[1, 2, 3, 4]));
        assert!(!system.is_quorum(&ids(&[1, 2])));
        assert!(
            !system.is_quorum(&ids(&[1, 2, 9, 10])),
            "strangers do not count"
        );
        assert!(system.is_quorum(&ids(&[1, 2, 4])));
        assert!(!QuorumSystem::Majority(ids(&[])).is_quorum(&ids(&[1])));
        assert_eq!(
            (system.weight(ServerId(1)), system.weight(ServerId(9))),
            (1, 0)
        );
    }

    #[test]
    fn most_groups_by_most_of_their_weight() {
        let group = |ids: &[i64], weight| -> BTreeMap<ServerId, i64> {
            ids.iter().map(|&id| (ServerId(id), weight)).collect()
        };
        let groups = [
            (1, group(&[1, 2, 3], 1)),
            (2, group(&[4, 5, 6], 1)),
            (3, group(&[7, 8, 9], 1)),
            (4, group(&[10], 0)),
        ];
        let system = QuorumSystem::Hierarchical(groups.into());
        assert!(system.is_quorum(&ids(&[1, 2, 4, 5])));
        assert!(!system.is_quorum(&ids(&[1, 2, 3, 4, 7, 10])));
        assert_eq!(system.voters().count(), 10);
        assert_eq!(system.weight(ServerId(10)), 0);
        assert!(system.is_voter(ServerId(10)) && !system.is_voter(ServerId(11)));
    }

    /// Two quorums always share a server, whatever the weights.
    #[test]
    fn quorums_intersect() {
        let weights = [3, 1, 1, 2, 2, 1];
        let groups = (0..3).map(|group| {
            let members = (0..2).map(|at| {
                let index = group * 2 + at;
                (ServerId(index as i64), weights[index])
            });
            (group as i64, members.collect())
        });
        let systems = [
            QuorumSystem::Hierarchical(groups.collect()),
            QuorumSystem::Majority(ids(&[0, 1, 2, 3, 4, 5])),
        ];
        let subset = |bits: u32| -> BTreeSet<ServerId> {
            let chosen = (0..6).filter(|bit| bits >> bit & 1 == 1);
            chosen.map(ServerId).collect()
        };
        for system in systems {
            let quorums: Vec<_> = (0..64)
                .map(subset)
                .filter(|it| system.is_quorum(it))
                .collect();
            assert!(!quorums.is_empty());
            for a in &quorums {
                assert!(quorums.iter().all(|b| !a.is_disjoint(b)));
            }
        }
    }
}
