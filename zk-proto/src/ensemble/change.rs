//! A configuration made of another one and of what a client wants changed
//! (`PrepRequestProcessor`, its part about reconfig). It refuses to know who
//! may want that, and who is alive.

use super::{EnsembleConfig, EnsembleError, HostPort, Member, MemberError, Role};
use crate::ServerId;
use std::net::IpAddr;
use thiserror::Error;

/// Why a change makes no configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// With groups or weights only the whole membership can be told anew.
    #[error("members in groups cannot be changed one by one")]
    Grouped,
    /// Something that should be the id of a server.
    #[error("{0:?} is no server's id")]
    Id(String),
    /// A server to add that has no form.
    #[error("{0:?} is not of the form server.N=...")]
    Form(String),
    /// The value of a server to add.
    #[error("server {0} {1}")]
    Member(ServerId, MemberError),
    /// A server to add that says not where its clients go.
    #[error("server {0} has no client port")]
    NoClientPort(ServerId),
    /// Two servers with one address.
    #[error("{address} is of server {added} and of server {other}")]
    SameAddress {
        /// The address.
        address: HostPort,
        /// The server that was to be added.
        added: ServerId,
        /// The one that has it.
        other: ServerId,
    },
    /// A membership that cannot be read.
    #[error(transparent)]
    Text(#[from] EnsembleError),
    /// A server in a group that neither votes nor has a weight, which
    /// Apache's servers cannot count.
    #[error("server {0} is in a group, and has no weight")]
    NoWeight(ServerId),
}

impl EnsembleConfig {
    /// What it becomes when some servers leave and others join or change. Both
    /// are separated by commas: ids, and `server.N=...` lines. The version
    /// stays.
    ///
    /// # Errors
    /// Groups or weights, ids and lines that make no sense, an address that
    /// another member has.
    pub fn changed(
        &self,
        joining: Option<&str>,
        leaving: Option<&str>,
        many_addresses: bool,
    ) -> Result<Self, ChangeError> {
        if self.is_hierarchical() {
            return Err(ChangeError::Grouped);
        }
        let mut config = self.clone();
        for id in items(leaving, ',') {
            config.members.remove(&server_id(id)?);
        }
        for line in items(joining, ',') {
            let member = joiner(line, many_addresses)?;
            config.check_addresses(&member)?;
            config.members.insert(member.id, member);
        }
        Ok(config)
    }

    /// The membership that a text tells as a whole, its lines separated by
    /// newlines or commas. The version is what the text says.
    ///
    /// # Errors
    /// A text that is no membership.
    pub fn of_members(text: &str, many_addresses: bool) -> Result<Self, ChangeError> {
        let config = Self::parse(&text.replace(',', "\n"), many_addresses)?;
        let votes = |id: &ServerId| {
            let member = config.members.get(id);
            member.is_some_and(|member| member.role == Role::Participant)
        };
        let mut grouped = config.groups.keys();
        match grouped.find(|id| !votes(id) && !config.weights.contains_key(id)) {
            Some(id) => Err(ChangeError::NoWeight(*id)),
            None => Ok(config),
        }
    }

    /// Addresses of this machine alone may be in several lines, and names are
    /// not resolved (`QuorumServer.checkAddressDuplicate`).
    fn check_addresses(&self, added: &Member) -> Result<(), ChangeError> {
        let own = addresses(added);
        for other in self.members.values().filter(|it| it.id != added.id) {
            let theirs = addresses(other);
            if let Some(address) = own.iter().find(|it| theirs.contains(it)) {
                return Err(ChangeError::SameAddress {
                    address: address.clone(),
                    added: added.id,
                    other: other.id,
                });
            }
        }
        Ok(())
    }
}

fn joiner(line: &str, many_addresses: bool) -> Result<Member, ChangeError> {
    let parts: Vec<&str> = items(Some(line), '=').collect();
    let &[key, value] = parts.as_slice() else {
        return Err(ChangeError::Form(line.to_owned()));
    };
    let id = server_id(key.rsplit('.').next().unwrap_or(key))?;
    let member = Member::parse(id, value, many_addresses);
    let member = member.map_err(|error| ChangeError::Member(id, error))?;
    match member.client {
        Some(_) => Ok(member),
        None => Err(ChangeError::NoClientPort(id)),
    }
}

fn server_id(text: &str) -> Result<ServerId, ChangeError> {
    let id = text.parse().map(ServerId);
    id.map_err(|_| ChangeError::Id(text.to_owned()))
}

/// Items without blanks around them; empty ones are none
/// (`StringUtils.split`).
fn items(text: Option<&str>, separator: char) -> impl Iterator<Item = &str> {
    let items = text.into_iter().flat_map(move |it| it.split(separator));
    items.map(str::trim).filter(|item| !item.is_empty())
}

/// Where others reach a server, if that is one place for all of them.
fn addresses(member: &Member) -> Vec<HostPort> {
    let mut all: Vec<HostPort> = member.client.iter().cloned().collect();
    for address in &member.addresses {
        for port in [address.quorum_port, address.election_port] {
            let host = address.host.clone();
            all.push(HostPort { host, port });
        }
    }
    all.retain(|it| !is_of_one_machine(&it.host));
    all.iter_mut().for_each(|it| it.host.make_ascii_lowercase());
    all
}

fn is_of_one_machine(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    let special = address.map(|it| it.is_loopback() || it.is_unspecified());
    special.unwrap_or_else(|| host.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Zxid;

    const THREE: &str = "server.1=10.0.0.1:2888:3888:participant;2181\n\
        server.2=10.0.0.2:2888:3888:participant;2181\n\
        server.3=10.0.0.3:2888:3888:observer;2181\nversion=100000005";

    fn three() -> EnsembleConfig {
        EnsembleConfig::parse(THREE, false).unwrap()
    }

    fn ids(config: &EnsembleConfig) -> Vec<i64> {
        config.members.keys().map(|id| id.0).collect()
    }

    #[test]
    fn servers_join_and_leave() {
        let joining = "server.4=10.0.0.4:2888:3888;2181, server.3=10.0.0.3:2888:3888;2181,";
        let changed = three().changed(Some(joining), Some("2, 9"), false).unwrap();
        assert_eq!(ids(&changed), [1, 3, 4]);
        assert_eq!(changed.participants().count(), 3, "3 has become a voter");
        assert_eq!(changed.version, Zxid(0x1_0000_0005));
        assert_eq!(three().changed(None, None, false), Ok(three()));
        // Who leaves and joins has moved.
        let moved = three().changed(Some("server.2=10.0.0.7:1:2;3"), Some("2"), false);
        assert_eq!(
            moved.unwrap().members[&ServerId(2)].addresses[0].host,
            "10.0.0.7"
        );
        // The id is what is behind the last dot.
        let odd = three().changed(Some("x.y.5=10.0.0.5:1:2;3,6=10.0.0.6:1:2;3"), None, false);
        assert_eq!(ids(&odd.unwrap()), [1, 2, 3, 5, 6]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let joining = |text: &str| three().changed(Some(text), None, false).unwrap_err();
        let form = |text: &str| ChangeError::Form(text.to_owned());
        let id = |text: &str| ChangeError::Id(text.to_owned());
        assert_eq!(joining("server.5"), form("server.5"));
        assert_eq!(joining("server.5=a=b"), form("server.5=a=b"));
        assert_eq!(joining("server.x=a:1:2;3"), id("x"));
        assert_eq!(
            joining("server.5=a:1:2"),
            ChangeError::NoClientPort(ServerId(5))
        );
        let nonsense = ChangeError::Member(ServerId(5), MemberError::Form);
        assert_eq!(joining("server.5=nonsense"), nonsense);
        let many = ChangeError::Member(ServerId(5), MemberError::ManyAddresses);
        assert_eq!(joining("server.5=a:1:2|b:1:2;3"), many);
        let leaving = three().changed(None, Some("1,x"), false);
        assert_eq!(leaving, Err(id("x")));
        let grouped = EnsembleConfig::parse("server.1=a:1:2\ngroup.1=1", false).unwrap();
        assert_eq!(
            grouped.changed(None, None, false),
            Err(ChangeError::Grouped)
        );
    }

    #[test]
    fn an_address_is_of_one_server() {
        let same = |text: &str| three().changed(Some(text), None, false);
        let error = same("server.5=10.0.0.2:7:3888;8").unwrap_err();
        assert_eq!(
            error.to_string(),
            "10.0.0.2:3888 is of server 5 and of server 2"
        );
        assert!(same("server.2=10.0.0.2:2888:3888;9").is_ok(), "its own");
        let two = "server.5=Host:1:2;3,server.6=host:2:4;5";
        assert!(matches!(same(two), Err(ChangeError::SameAddress { .. })));
        for host in ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::]"] {
            let two = format!("server.5={host}:1:2;3,server.6={host}:1:2;3");
            assert!(same(&two).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_whole_membership_is_read() {
        let text = "server.1=a:1:2;3,server.2=b:1:2:observer\nversion=7";
        let config = EnsembleConfig::of_members(text, false).unwrap();
        assert_eq!((ids(&config).len(), config.version), (2, Zxid(7)));
        let of = |text| EnsembleConfig::of_members(text, false);
        assert!(matches!(of("nonsense"), Err(ChangeError::Text(_))));
        assert_eq!(of("").map(|it| it.members.len()), Ok(0));
        let unknown = of("server.1=a:1:2,group.1=1:2");
        assert_eq!(unknown, Err(ChangeError::NoWeight(ServerId(2))));
        assert!(of("server.1=a:1:2,group.1=1:2,weight.2=0").is_ok());
    }
}
