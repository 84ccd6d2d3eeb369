//! Whether those who did something are a quorum, under the configuration
//! that holds and one that may come. It does not know what they did.

use std::collections::BTreeSet;
use zk_proto::ensemble::{EnsembleConfig, QuorumSystem};
use zk_proto::mutation::is_back;
use zk_proto::{ServerId, Zxid};

/// The configurations that count (`SyncedLearnerTracker`).
#[derive(Debug)]
pub(super) struct Quorums {
    current: Voters,
    next: Option<Next>,
}

/// A configuration that is proposed and not known to be committed.
#[derive(Debug)]
struct Next {
    voters: Voters,
    config: EnsembleConfig,
    /// The first transaction that needs its quorum, too; zero for one that
    /// is in the history which the leader began with.
    from: Zxid,
}

impl Quorums {
    pub(super) fn new(current: &EnsembleConfig, next: Option<EnsembleConfig>) -> Self {
        let next = next.filter(|next| next.version > current.version);
        let mut quorums = Self {
            current: Voters::new(current),
            next: None,
        };
        if let Some(config) = next {
            quorums.propose(config, Zxid::ZERO);
        }
        quorums
    }

    /// From this transaction on it takes a quorum of both.
    pub(super) fn propose(&mut self, config: EnsembleConfig, from: Zxid) {
        let voters = Voters::new(&config);
        self.next = Some(Next {
            voters,
            config,
            from,
        });
    }

    /// What is proposed and not committed.
    pub(super) fn next(&self) -> Option<&EnsembleConfig> {
        self.next.as_ref().map(|next| &next.config)
    }

    /// Whether the transaction is the reconfiguration that is not committed.
    pub(super) fn is_proposed_by(&self, zxid: Zxid) -> bool {
        self.next.as_ref().is_some_and(|next| next.from == zxid)
    }

    /// The next configuration is committed, and holds alone. What was
    /// proposed under both needs the old one no longer: whoever opens an
    /// epoch without knowing of the new one must ask a quorum of the old, and
    /// finds a server that is ahead.
    pub(super) fn adopt(&mut self) -> Option<EnsembleConfig> {
        let next = self.next.take()?;
        self.current = next.voters;
        Some(next.config)
    }

    /// Whether the server votes in any of them.
    pub(super) fn is_voter(&self, server: ServerId) -> bool {
        let next = self.next.iter().map(|next| &next.voters);
        next.chain([&self.current]).any(|it| it.contains(server))
    }

    /// Whether those of whom it is true are a quorum of all of them.
    pub(super) fn is_quorum(&self, has: impl Fn(ServerId) -> bool) -> bool {
        let next = self.next.as_ref();
        self.current.is_quorum(&has) && next.is_none_or(|next| next.voters.is_quorum(&has))
    }

    /// Whether those who hold a transaction are enough to commit it.
    pub(super) fn is_enough(&self, zxid: Zxid, has: impl Fn(ServerId) -> bool) -> bool {
        let next = self.next.as_ref().filter(|next| zxid >= next.from);
        self.current.is_quorum(&has) && next.is_none_or(|next| next.voters.is_quorum(&has))
    }
}

/// Who votes in one configuration.
#[derive(Debug)]
pub(super) struct Voters {
    system: QuorumSystem,
    all: Vec<ServerId>,
}

impl Voters {
    pub(super) fn new(ensemble: &EnsembleConfig) -> Self {
        let system = ensemble.quorum_system();
        let all = if is_back("observers_counted") {
            ensemble.members.keys().copied().collect()
        } else {
            system.voters().collect()
        };
        Self { system, all }
    }

    fn contains(&self, server: ServerId) -> bool {
        self.system.is_voter(server)
    }

    /// Whether those voters of whom it is true are a quorum. Majorities,
    /// which are counted for every commit, are counted without a set.
    pub(super) fn is_quorum(&self, has: impl Fn(ServerId) -> bool) -> bool {
        let voters = self.all.iter().copied();
        match &self.system {
            QuorumSystem::Majority(all) => voters.filter(|&id| has(id)).count() > all.len() / 2,
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

    fn config(text: &str, version: i64) -> EnsembleConfig {
        let version = Zxid(version);
        let config = EnsembleConfig::parse(text, false).unwrap();
        EnsembleConfig { version, ..config }
    }

    /// The count agrees with the definition, for majorities and for groups.
    #[test]
    fn it_agrees_with_the_quorum_system() {
        let flat = "server.1=a:1:2\nserver.2=a:1:3\nserver.3=a:1:4\nserver.4=a:1:5";
        let grouped = format!("{flat}\ngroup.1=1:2\ngroup.2=3:4\nweight.2=3");
        for text in [flat, &grouped] {
            let config = config(text, 0);
            let (voters, system) = (Voters::new(&config), config.quorum_system());
            for bits in 0..16u32 {
                let has = |id: ServerId| bits >> (id.0 - 1) & 1 == 1;
                let set = (1..=4).map(ServerId).filter(|&id| has(id)).collect();
                assert_eq!(voters.is_quorum(has), system.is_quorum(&set), "{bits:b}");
            }
        }
    }

    /// Before the reconfiguration the old voters decide, from it on the old
    /// and the new, after it the new.
    #[test]
    fn both_count_while_one_is_proposed() {
        let old = config("server.1=a:1:2\nserver.2=a:1:3\nserver.3=a:1:4", 1);
        let new = config("server.3=a:1:4\nserver.4=a:1:5\nserver.5=a:1:6", 7);
        let mut quorums = Quorums::new(&old, None);
        let old_only = |id: ServerId| id.0 <= 2;
        let new_only = |id: ServerId| id.0 >= 4;
        let both = |id: ServerId| [2, 3, 4].contains(&id.0);
        quorums.propose(new.clone(), Zxid(7));
        assert!(quorums.is_enough(Zxid(6), old_only));
        assert!(!quorums.is_enough(Zxid(7), old_only) && !quorums.is_enough(Zxid(8), old_only));
        assert!(!quorums.is_enough(Zxid(7), new_only) && !quorums.is_quorum(new_only));
        assert!(quorums.is_enough(Zxid(7), both) && quorums.is_quorum(both));
        assert!(quorums.is_voter(ServerId(1)) && quorums.is_voter(ServerId(5)));
        assert!(quorums.is_proposed_by(Zxid(7)) && !quorums.is_proposed_by(Zxid(8)));
        assert_eq!(quorums.adopt(), Some(new));
        assert!(quorums.is_enough(Zxid(8), new_only) && !quorums.is_quorum(old_only));
        assert!(!quorums.is_voter(ServerId(1)));
    }

    /// One that is not newer is no next one.
    #[test]
    fn the_next_one_is_newer() {
        let old = config("server.1=a:1:2", 5);
        let same = config("server.1=a:1:2\nserver.2=a:1:3", 5);
        assert_eq!(Quorums::new(&old, Some(same)).next(), None);
        let newer = config("server.1=a:1:2\nserver.2=a:1:3", 6);
        let quorums = Quorums::new(&old, Some(newer.clone()));
        assert_eq!(quorums.next(), Some(&newer));
        assert!(!quorums.is_quorum(|id| id == ServerId(1)));
        assert!(!quorums.is_proposed_by(Zxid(6)), "it is in the history");
    }
}
