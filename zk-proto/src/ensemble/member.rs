//! One server of an ensemble as its `server.N` line tells it. It refuses to
//! know how it is reached or who leads.

use crate::ServerId;
use std::fmt;
use thiserror::Error;

/// A server of an ensemble (`QuorumPeer.QuorumServer`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The `N` of `server.N`.
    pub id: ServerId,
    /// Where other servers reach it; several only with `multiAddress.enabled`.
    pub addresses: Vec<PeerAddress>,
    /// Whether it votes.
    pub role: Role,
    /// Where clients reach it, if the line says so.
    pub client: Option<HostPort>,
}

impl Member {
    /// Reads the value of a `server.N` line, as
    /// `QuorumServer.initializeWithAddressString` does. Blanks at the end of
    /// parts are forgiven, which Apache does not do.
    ///
    /// # Errors
    /// A line that says something else.
    pub fn parse(id: ServerId, text: &str, many_addresses: bool) -> Result<Self, MemberError> {
        let halves = java_split(text, ';');
        let (servers, client) = match halves[..] {
            [servers] => (servers, None),
            [servers, client] => (servers, Some(parse_client(client)?)),
            _ => return Err(MemberError::Form),
        };
        let servers = java_split(servers, '|');
        if servers.len() > 1 && !many_addresses {
            return Err(MemberError::ManyAddresses);
        }
        let mut addresses = Vec::new();
        let mut role = None;
        for server in servers {
            let (address, its_role) = parse_server(server)?;
            addresses.push(address);
            role = merge(role, its_role)?;
        }
        Ok(Self {
            id,
            addresses,
            role: role.unwrap_or_default(),
            client,
        })
    }
}

/// The value of its `server.N` line, in Apache's form
/// (`QuorumServer.toString`).
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut addresses: Vec<&PeerAddress> = self.addresses.iter().collect();
        addresses.sort_by(|a, b| a.host.cmp(&b.host));
        for (at, address) in addresses.into_iter().enumerate() {
            let bar = if at > 0 { "|" } else { "" };
            write!(f, "{bar}{address}")?;
        }
        write!(f, ":{}", self.role)?;
        match &self.client {
            Some(client) => write!(f, ";{client}"),
            None => Ok(()),
        }
    }
}

/// Whether a server votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It votes, and may lead.
    #[default]
    Participant,
    /// It follows without a vote.
    Observer,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Participant => "participant",
            Self::Observer => "observer",
        })
    }
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

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quorum = HostPort {
            host: self.host.clone(),
            port: self.quorum_port,
        };
        write!(f, "{quorum}:{}", self.election_port)
    }
}

/// What is wrong with a `server.N` line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MemberError {
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

fn merge(a: Option<Role>, b: Option<Role>) -> Result<Option<Role>, MemberError> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Err(MemberError::ManyRoles),
        _ => Ok(a.or(b)),
    }
}

fn parse_server(text: &str) -> Result<(PeerAddress, Option<Role>), MemberError> {
    let parts = split_host(text)?;
    let (host, quorum, election, role) = match parts[..] {
        [host, quorum, election] => (host, quorum, election, None),
        [host, quorum, election, role] => (host, quorum, election, Some(parse_role(role)?)),
        _ => return Err(MemberError::Form),
    };
    let address = PeerAddress {
        host: parse_host(host)?,
        quorum_port: port(quorum)?,
        election_port: port(election)?,
    };
    if address.quorum_port == address.election_port {
        return Err(MemberError::SamePort);
    }
    Ok((address, role))
}

/// A port alone means every address.
fn parse_client(text: &str) -> Result<HostPort, MemberError> {
    let parts = split_host(text)?;
    let (host, number) = match parts[..] {
        [number] => ("0.0.0.0", number),
        [host, number] => (host, number),
        _ => return Err(MemberError::Form),
    };
    Ok(HostPort {
        host: parse_host(host)?,
        port: port(number)?,
    })
}

/// What can be written into a line again and be read as the same.
fn parse_host(text: &str) -> Result<String, MemberError> {
    let is_odd = |it: char| it.is_whitespace() || it.is_control() || "[]|;".contains(it);
    if text.is_empty() || text.contains(is_odd) {
        return Err(MemberError::Form);
    }
    Ok(text.to_owned())
}

fn parse_role(text: &str) -> Result<Role, MemberError> {
    if text.eq_ignore_ascii_case("observer") {
        Ok(Role::Observer)
    } else if text.eq_ignore_ascii_case("participant") {
        Ok(Role::Participant)
    } else {
        Err(MemberError::Role(text.to_owned()))
    }
}

fn port(text: &str) -> Result<u16, MemberError> {
    text.parse().map_err(|_| MemberError::Port(text.to_owned()))
}

/// Splits at colons, but for those of an IPv6 address in brackets
/// (`ConfigUtils.getHostAndPort`).
fn split_host(text: &str) -> Result<Vec<&str>, MemberError> {
    let Some(rest) = text.strip_prefix('[') else {
        return Ok(java_split(text, ':'));
    };
    let (host, rest) = rest.split_once("]:").ok_or(MemberError::Bracket)?;
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

    fn parse(text: &str) -> Result<Member, MemberError> {
        Member::parse(ServerId(1), text, false)
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
    fn writes_what_it_read_in_apaches_form() {
        let same = [
            "127.0.0.1:22881:23881:participant;127.0.0.1:22181",
            "zk1:2888:3888:observer",
            "[2001:db8::1]:2888:3888:participant;[::]:2181",
        ];
        for text in same {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        let short = parse("a:2888:3888;2181").unwrap().to_string();
        assert_eq!(short, "a:2888:3888:participant;0.0.0.0:2181");
        let many = Member::parse(ServerId(1), "b:1:2|a:3:4:observer", true).unwrap();
        assert_eq!(many.to_string(), "a:3:4|b:1:2:observer");
    }

    #[test]
    fn reads_ipv6_in_brackets() {
        let line = parse("[2001:db8::1]:2888:3888:participant").unwrap();
        assert_eq!(line.addresses, [address("2001:db8::1", 2888, 3888)]);
    }

    #[test]
    fn several_addresses_need_the_switch() {
        let text = "a:2888:3888|b:2889:3889:participant";
        assert_eq!(parse(text), Err(MemberError::ManyAddresses));
        let line = Member::parse(ServerId(1), text, true).unwrap();
        assert_eq!(line.addresses.len(), 2);
        assert_eq!(line.role, Role::Participant);
        let mixed = "a:2888:3888:observer|b:2889:3889:participant";
        assert_eq!(
            Member::parse(ServerId(1), mixed, true),
            Err(MemberError::ManyRoles)
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
        use MemberError::{Bracket, Form, Port, SamePort};
        let port = |text: &str| Port(text.to_owned());
        let cases = [
            ("", Form),
            ("a", Form),
            ("a:2888", Form),
            (":2888:3888", Form),
            ("a:2888:3888:observer:x", Form),
            ("a:2888:3888;1;2", Form),
            ("a:2888:3888;b:c:d", Form),
            ("a:2888:3888;[]:1", Form),
            ("a:2888:3888;[a ]:1", Form),
            ("[::1 ]:2888:3888", Form),
            ("a:x:3888", port("x")),
            ("a:2888:65536", port("65536")),
            ("a:2888:3888;x", port("x")),
            ("a:2888:2888", SamePort),
            ("[::1:2888:3888", Bracket),
            ("[::1]", Bracket),
            ("a:2888:3888:boss", MemberError::Role("boss".to_owned())),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Err(expected), "{text:?}");
        }
    }
}
