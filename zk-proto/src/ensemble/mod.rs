//! The members of an ensemble, how their votes count, and the text that says
//! so: in notifications, in NEWLEADER, in the dynamic file and in the data of
//! `/zookeeper/config`. It refuses to know who of them is alive.

mod change;
mod member;
mod quorum;

pub use change::ChangeError;
pub use member::{HostPort, Member, MemberError, PeerAddress, Role};
pub use quorum::QuorumSystem;

use crate::{ServerId, Zxid};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// The members of an ensemble and how their votes count
/// (`QuorumVerifier`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnsembleConfig {
    /// All servers by id.
    pub members: BTreeMap<ServerId, Member>,
    /// The group each server is in; empty without groups.
    pub groups: BTreeMap<ServerId, i64>,
    /// The weights that were given; all others are 1.
    pub weights: BTreeMap<ServerId, i64>,
    /// The transaction that made it; 0 for one out of a file.
    pub version: Zxid,
}

/// What is wrong with the text of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EnsembleError {
    /// A `server.N` line.
    #[error("{key}={value}: it {source}")]
    Member {
        /// The key.
        key: String,
        /// What it was set to.
        value: String,
        /// What is wrong.
        source: MemberError,
    },
    /// Something that should be a number.
    #[error("{key}={value}: a whole number is wanted")]
    Number {
        /// The key.
        key: String,
        /// What it was set to.
        value: String,
    },
    /// A key that has no place here.
    #[error("{0:?} is nothing that a configuration of members has")]
    Unknown(String),
    /// A server in two groups.
    #[error("server {0} is in several groups")]
    InManyGroups(ServerId),
    /// A voting server in no group, though there are groups or weights.
    #[error("server {0} votes, and is in no group")]
    NotInAGroup(ServerId),
}

impl EnsembleConfig {
    /// Servers that vote.
    pub fn participants(&self) -> impl Iterator<Item = &Member> {
        self.with_role(Role::Participant)
    }

    /// Servers that do not.
    pub fn observers(&self) -> impl Iterator<Item = &Member> {
        self.with_role(Role::Observer)
    }

    fn with_role(&self, role: Role) -> impl Iterator<Item = &Member> {
        self.members
            .values()
            .filter(move |member| member.role == role)
    }

    /// Whether it has groups or weights (`QuorumHierarchical`).
    #[must_use]
    pub fn is_hierarchical(&self) -> bool {
        !self.groups.is_empty() || !self.weights.is_empty()
    }

    /// How its votes count.
    #[must_use]
    pub fn quorum_system(&self) -> QuorumSystem {
        if !self.is_hierarchical() {
            return QuorumSystem::Majority(self.participants().map(|it| it.id).collect());
        }
        let mut groups: BTreeMap<i64, BTreeMap<ServerId, i64>> = BTreeMap::new();
        for voter in self.participants() {
            if let Some(group) = self.groups.get(&voter.id) {
                let weight = self.weight(voter.id);
                groups.entry(*group).or_default().insert(voter.id, weight);
            }
        }
        QuorumSystem::Hierarchical(groups)
    }

    fn weight(&self, server: ServerId) -> i64 {
        self.weights.get(&server).copied().unwrap_or(1)
    }

    /// Reads the text form (`QuorumPeer.configFromString`).
    ///
    /// # Errors
    /// Text that is no configuration, or one whose groups do not cover it.
    pub fn parse(text: &str, many_addresses: bool) -> Result<Self, EnsembleError> {
        let mut config = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return Err(EnsembleError::Unknown(line.to_owned()));
            };
            config.add(key.trim(), value.trim(), many_addresses)?;
        }
        match config.voter_without_group() {
            Some(stray) => Err(EnsembleError::NotInAGroup(stray)),
            None => Ok(config),
        }
    }

    fn add(&mut self, key: &str, value: &str, many_addresses: bool) -> Result<(), EnsembleError> {
        let number = |text: &str, radix| {
            i64::from_str_radix(text, radix).map_err(|_| EnsembleError::Number {
                key: key.to_owned(),
                value: value.to_owned(),
            })
        };
        match key.split_once('.') {
            Some(("server", id)) => {
                let id = ServerId(number(id, 10)?);
                let member = Member::parse(id, value, many_addresses).map_err(|source| {
                    EnsembleError::Member {
                        key: key.to_owned(),
                        value: value.to_owned(),
                        source,
                    }
                })?;
                self.members.insert(id, member);
            }
            Some(("group", group)) => {
                let group = number(group, 10)?;
                for server in value.split(':') {
                    let server = ServerId(number(server, 10)?);
                    if self.groups.insert(server, group).is_some() {
                        return Err(EnsembleError::InManyGroups(server));
                    }
                }
            }
            Some(("weight", id)) => {
                let weight = number(value, 10)?;
                self.weights.insert(ServerId(number(id, 10)?), weight);
            }
            None if key == "version" => self.version = Zxid(number(value, 16)?),
            _ => return Err(EnsembleError::Unknown(key.to_owned())),
        }
        Ok(())
    }

    /// The first voting server in no group, where there are groups or weights
    /// and every one must be in one.
    #[must_use]
    pub fn voter_without_group(&self) -> Option<ServerId> {
        let mut voting = self.participants().map(|it| it.id);
        voting.find(|id| self.is_hierarchical() && !self.groups.contains_key(id))
    }
}

/// Apache's text, without a newline at the end (`QuorumMaj.toString`,
/// `QuorumHierarchical.toString`).
impl fmt::Display for EnsembleConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, member) in &self.members {
            writeln!(f, "server.{id}={member}")?;
        }
        if self.is_hierarchical() {
            self.write_groups(f)?;
        }
        write!(f, "version={:x}", self.version.0)
    }
}

impl EnsembleConfig {
    fn write_groups(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (server, group) in &self.groups {
            groups.entry(*group).or_default().push(server.to_string());
        }
        for (group, servers) in groups {
            writeln!(f, "group.{group}={}", servers.join(":"))?;
        }
        let mut weights = self.weights.clone();
        for voter in self.participants() {
            weights.entry(voter.id).or_insert(1);
        }
        for (server, weight) in weights {
            writeln!(f, "weight.{server}={weight}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: &str = "server.1=127.0.0.1:22881:23881:participant;127.0.0.1:22181\n\
        server.2=127.0.0.1:22882:23882:participant;127.0.0.1:22182\n\
        server.3=127.0.0.1:22883:23883:observer;127.0.0.1:22183\nversion=100000000";

    #[test]
    fn text_round_trips() {
        let config = EnsembleConfig::parse(THREE, false).unwrap();
        assert_eq!(config.version, Zxid(0x1_0000_0000));
        assert_eq!(config.participants().count(), 2);
        assert_eq!(config.observers().count(), 1);
        assert_eq!(config.to_string(), THREE);
    }

    #[test]
    fn groups_and_weights_round_trip() {
        let text = "server.1=a:1:2:participant\nserver.2=b:1:2:participant\n\
            server.3=c:1:2:observer\ngroup.1=1:3\ngroup.2=2\n\
            weight.1=0\nweight.2=1\nversion=a";
        let config = EnsembleConfig::parse(text, false).unwrap();
        assert_eq!(config.to_string(), text);
        let system = config.quorum_system();
        assert_eq!(system.weight(ServerId(1)), 0);
        assert!(!system.is_voter(ServerId(3)), "an observer has no vote");
        assert!(system.is_quorum(&[ServerId(2)].into()));
    }

    #[test]
    fn other_text_is_refused() {
        let unknown = |text: &str| EnsembleError::Unknown(text.to_owned());
        let parse = |text| EnsembleConfig::parse(text, false).unwrap_err();
        assert_eq!(parse("tickTime=2000"), unknown("tickTime"));
        assert_eq!(parse("hello"), unknown("hello"));
        assert!(matches!(
            parse("server.x=a:1:2"),
            EnsembleError::Number { .. }
        ));
        assert!(matches!(parse("server.1=a"), EnsembleError::Member { .. }));
        let stray = "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1";
        assert_eq!(parse(stray), EnsembleError::NotInAGroup(ServerId(2)));
        let twice = EnsembleError::InManyGroups(ServerId(1));
        assert_eq!(parse("group.1=1\ngroup.2=1"), twice);
    }
}
