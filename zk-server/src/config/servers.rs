//! The members of an ensemble as text lines tell them: `server.N`, `group.N`,
//! `weight.N`, `version`, in `zoo.cfg` or in the dynamic file. It refuses to
//! know how they are reached or who leads.

use super::error::{ConfigError, Rule};
use super::settings::{Setting, Settings};
use super::values::Value;
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;
use zk_proto::ServerId;

/// Whether a server votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It votes, and may lead.
    #[default]
    Participant,
    /// It follows without a vote.
    Observer,
}

/// A `server.N` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLine {
    /// The `N`.
    pub id: ServerId,
    /// The value as it was written.
    pub text: String,
    /// Where other servers reach it; several only with `multiAddress.enabled`.
    pub addresses: Vec<PeerAddress>,
    /// Whether it votes.
    pub role: Role,
    /// Where clients reach it, if the line says so.
    pub client: Option<HostPort>,
}

/// Where other servers reach a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    /// A name or an address, without brackets.
    pub host: String,
    /// Where learners reach it when it leads.
    pub quorum_port: u16,
    /// Where votes go.
    pub election_port: u16,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What is wrong with a `server.N` line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServerLineError {
    /// Not the form that Apache documents.
    #[error("is not of the form host:port:port[:role][;[host:]port]")]
    Form,
    /// Something that should be a port.
    #[error("has {0:?} where a port must be")]
    Port(String),
    /// An address in brackets that does not end.
    #[error("has a '[' without its ']:'")]
    Bracket,
    /// One port for two things.
    #[error("has one port for the quorum and for elections")]
    SamePort,
    /// A role that is neither of the two.
    #[error("has the role {0}, which is neither participant nor observer")]
    Role(String),
    /// Addresses of one server with different roles.
    #[error("gives its addresses different roles")]
    ManyRoles,
    /// Several addresses where only one is allowed.
    #[error("has several addresses, and multiAddress.enabled is off")]
    ManyAddresses,
}

/// The members of an ensemble and how their votes count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// All servers by id.
    pub servers: BTreeMap<ServerId, ServerLine>,
    /// The group each server is in; empty without groups.
    pub groups: BTreeMap<ServerId, i64>,
    /// The weights that were given; all others are 1.
    pub weights: BTreeMap<ServerId, i64>,
    /// The version of this configuration, a zxid.
    pub version: i64,
}

impl Members {
    /// Servers that vote.
    pub fn participants(&self) -> impl Iterator<Item = &ServerLine> {
        self.with_role(Role::Participant)
    }

    /// Servers that do not.
    pub fn observers(&self) -> impl Iterator<Item = &ServerLine> {
        self.with_role(Role::Observer)
    }

    fn with_role(&self, role: Role) -> impl Iterator<Item = &ServerLine> {
        self.servers.values().filter(move |line| line.role == role)
    }

    /// Reads the member lines among `settings`, as `QuorumMaj` and
    /// `QuorumHierarchical` do.
    ///
    /// # Errors
    /// A line that says something else.
    pub(super) fn read(settings: &Settings, many_addresses: bool) -> Result<Self, ConfigError> {
        let mut members = Self::default();
        for setting in settings.iter() {
            match setting.spec.name {
                "server.*" => members.add_server(setting, many_addresses)?,
                "group.*" => members.add_group(setting, settings)?,
                "weight.*" => {
                    let weight = number(text(setting), 10).ok_or_else(|| bad(setting))?;
                    members.weights.insert(id(setting)?, weight);
                }
                "version" => {
                    members.version = number(text(setting), 16).ok_or_else(|| bad(setting))?;
                }
                _ => {}
            }
        }
        Ok(members)
    }

    /// Every voting server must be in a group if any is.
    pub(super) fn check_groups(&self) -> Result<(), Rule> {
        if self.groups.is_empty() && self.weights.is_empty() {
            return Ok(());
        }
        let mut voting = self.participants().map(|line| line.id);
        let stray = voting.find(|id| !self.groups.contains_key(id));
        stray.map_or(Ok(()), |id| Err(Rule::NotInAGroup(id)))
    }

    fn add_server(&mut self, setting: &Setting, many_addresses: bool) -> Result<(), ConfigError> {
        let id = id(setting)?;
        let line = parse_line(id, text(setting), many_addresses).map_err(|source| {
            ConfigError::ServerLine {
                origin: setting.origin.clone(),
                key: setting.key.clone(),
                value: text(setting).to_owned(),
                source,
            }
        })?;
        self.servers.insert(id, line);
        Ok(())
    }

    fn add_group(&mut self, setting: &Setting, settings: &Settings) -> Result<(), ConfigError> {
        let group = id(setting)?.0;
        for part in text(setting).split(':') {
            let server = ServerId(number(part, 10).ok_or_else(|| bad(setting))?);
            if self.groups.insert(server, group).is_some() {
                return Err(settings.broken(Rule::InManyGroups(server)));
            }
        }
        Ok(())
    }
}

fn text(setting: &Setting) -> &str {
    match &setting.value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn number(text: &str, radix: u32) -> Option<i64> {
    i64::from_str_radix(text, radix).ok()
}

fn id(setting: &Setting) -> Result<ServerId, ConfigError> {
    let id = number(&setting.suffix, 10).map(ServerId);
    id.ok_or_else(|| ConfigError::Value {
        origin: setting.origin.clone(),
        key: setting.key.clone(),
        value: text(setting).to_owned(),
        expected: "of a server or group with a number".to_owned(),
    })
}

fn bad(setting: &Setting) -> ConfigError {
    ConfigError::Value {
        origin: setting.origin.clone(),
        key: setting.key.clone(),
        value: text(setting).to_owned(),
        expected: "made of whole numbers".to_owned(),
    }
}

/// As `QuorumServer.initializeWithAddressString` does. Blanks at the end of
/// parts are forgiven, which Apache does not do.
fn parse_line(
    id: ServerId,
    text: &str,
    many_addresses: bool,
) -> Result<ServerLine, ServerLineError> {
    let halves = java_split(text, ';');
    let (servers, client) = match halves[..] {
        [servers] => (servers, None),
        [servers, client] => (servers, Some(parse_client(client)?)),
        _ => return Err(ServerLineError::Form),
    };
    let servers = java_split(servers, '|');
    if servers.len() > 1 && !many_addresses {
        return Err(ServerLineError::ManyAddresses);
    }
    let mut addresses = Vec::new();
    let mut role = None;
    for server in servers {
        let (address, its_role) = parse_server(server)?;
        addresses.push(address);
        role = merge(role, its_role)?;
    }
    Ok(ServerLine {
        id,
        text: text.to_owned(),
        addresses,
        role: role.unwrap_or_default(),
        client,
    })
}

fn merge(a: Option<Role>, b: Option<Role>) -> Result<Option<Role>, ServerLineError> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Err(ServerLineError::ManyRoles),
        _ => Ok(a.or(b)),
    }
}

fn parse_server(text: &str) -> Result<(PeerAddress, Option<Role>), ServerLineError> {
    let parts = split_host(text)?;
    let (host, quorum, election, role) = match parts[..] {
        [host, quorum, election] => (host, quorum, election, None),
        [host, quorum, election, role] => (host, quorum, election, Some(parse_role(role)?)),
        _ => return Err(ServerLineError::Form),
    };
    if host.is_empty() {
        return Err(ServerLineError::Form);
    }
    let address = PeerAddress {
        host: host.to_owned(),
        quorum_port: port(quorum)?,
        election_port: port(election)?,
    };
    if address.quorum_port == address.election_port {
        return Err(ServerLineError::SamePort);
    }
    Ok((address, role))
}

/// A port alone means every address.
fn parse_client(text: &str) -> Result<HostPort, ServerLineError> {
    let parts = split_host(text)?;
    let (host, number) = match parts[..] {
        [number] => ("0.0.0.0", number),
        [host, number] => (host, number),
        _ => return Err(ServerLineError::Form),
    };
    Ok(HostPort {
        host: host.to_owned(),
        port: port(number)?,
    })
}

fn parse_role(text: &str) -> Result<Role, ServerLineError> {
    if text.eq_ignore_ascii_case("observer") {
        Ok(Role::Observer)
    } else if text.eq_ignore_ascii_case("participant") {
        Ok(Role::Participant)
    } else {
        Err(ServerLineError::Role(text.to_owned()))
    }
}

fn port(text: &str) -> Result<u16, ServerLineError> {
    text.parse()
        .map_err(|_| ServerLineError::Port(text.to_owned()))
}

/// Splits at colons, but for those of an IPv6 address in brackets
/// (`ConfigUtils.getHostAndPort`).
fn split_host(text: &str) -> Result<Vec<&str>, ServerLineError> {
    let Some(rest) = text.strip_prefix('[') else {
        return Ok(java_split(text, ':'));
    };
    let (host, rest) = rest.split_once("]:").ok_or(ServerLineError::Bracket)?;
    let mut parts = vec![host];
    parts.extend(java_split(rest, ':'));
    Ok(parts)
}

/// `String.split`: empty parts at the end are left out, and so are blanks.
fn java_split(text: &str, at: char) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(at).map(str::trim).collect();
    while parts.len() > 1 && parts.last() == Some(&"") {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ServerLine, ServerLineError> {
        parse_line(ServerId(1), text, false)
    }

    fn address(host: &str, quorum_port: u16, election_port: u16) -> PeerAddress {
        PeerAddress {
            host: host.to_owned(),
            quorum_port,
            election_port,
        }
    }

    #[test]
    fn reads_the_form_of_the_seeds() {
        let line = parse("192.168.65.156:2888:3888").unwrap();
        assert_eq!(line.addresses, [address("192.168.65.156", 2888, 3888)]);
        assert_eq!(line.role, Role::Participant);
        assert_eq!(line.client, None);
    }

    #[test]
    fn reads_role_and_client() {
        let line = parse("zk1:2888:3888:Observer;[::1]:2181").unwrap();
        assert_eq!(line.role, Role::Observer);
        let client = line.client.unwrap();
        assert_eq!((client.host.as_str(), client.port), ("::1", 2181));
        assert_eq!(client.to_string(), "[::1]:2181");
        let line = parse("zk1:2888:3888;2181").unwrap();
        assert_eq!(line.client.unwrap().to_string(), "0.0.0.0:2181");
    }

    #[test]
    fn reads_ipv6_in_brackets() {
        let line = parse("[2001:db8::1]:2888:3888:participant").unwrap();
        assert_eq!(line.addresses, [address("2001:db8::1", 2888, 3888)]);
    }

    #[test]
    fn several_addresses_need_the_switch() {
        let text = "a:2888:3888|b:2889:3889:participant";
        assert_eq!(parse(text), Err(ServerLineError::ManyAddresses));
        let line = parse_line(ServerId(1), text, true).unwrap();
        assert_eq!(line.addresses.len(), 2);
        assert_eq!(line.role, Role::Participant);
        let mixed = "a:2888:3888:observer|b:2889:3889:participant";
        assert_eq!(
            parse_line(ServerId(1), mixed, true),
            Err(ServerLineError::ManyRoles)
        );
    }

    #[test]
    fn forgives_what_java_forgives() {
        assert!(parse("a:2888:3888;").unwrap().client.is_none());
        assert!(parse("a:2888:3888:").is_ok());
        assert!(parse(" a : 2888 : 3888 ; 2181 ").is_ok());
    }

    #[test]
    fn refuses_everything_else() {
        use ServerLineError::{Bracket, Form, Port, SamePort};
        let port = |text: &str| Port(text.to_owned());
        let cases = [
            ("", Form),
            ("a", Form),
            ("a:2888", Form),
            (":2888:3888", Form),
            ("a:2888:3888:observer:x", Form),
            ("a:2888:3888;1;2", Form),
            ("a:2888:3888;b:c:d", Form),
            ("a:x:3888", port("x")),
            ("a:2888:65536", port("65536")),
            ("a:2888:3888;x", port("x")),
            ("a:2888:2888", SamePort),
            ("[::1:2888:3888", Bracket),
            ("[::1]", Bracket),
            ("a:2888:3888:boss", ServerLineError::Role("boss".to_owned())),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Err(expected), "{text:?}");
        }
    }
}
