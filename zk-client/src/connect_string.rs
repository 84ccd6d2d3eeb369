//! `host:port,host:port/chroot`: which servers, and which part of the tree.
//! Names are not resolved here.

use std::fmt;
use std::str::FromStr;
use zk_proto::path::{self, PathError};

const DEFAULT_PORT: u16 = 2181;

/// A parsed connect string (`ConnectStringParser`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectString {
    /// The servers, at least one, in the order given.
    pub hosts: Vec<HostPort>,
    /// What is put before every path; `None` for the root.
    pub chroot: Option<String>,
}

/// A server's client address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address; an IPv6 address is without its brackets.
    pub host: String,
    /// The port, 2181 if none was given.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Why a connect string is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectStringError {
    /// There is no host in it.
    #[error("the connect string {0:?} names no server")]
    NoHost(String),
    /// What follows the colon is no port.
    #[error("{0:?} has no valid port")]
    Port(String),
    /// A bracket is not closed, or something strange follows it.
    #[error("{0:?} is no address in brackets")]
    Brackets(String),
    /// The chroot is no path.
    #[error("the chroot {chroot:?} is no path: {error}")]
    Chroot {
        /// From the first slash on.
        chroot: String,
        /// What is wrong with it.
        error: PathError,
    },
    /// New servers for a session that has another chroot.
    #[error("the chroot {0:?} is not the session's")]
    OtherChroot(String),
}

impl FromStr for ConnectString {
    type Err = ConnectStringError;

    fn from_str(text: &str) -> Result<Self, ConnectStringError> {
        let (hosts, chroot) = match text.find('/') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let hosts: Vec<HostPort> = hosts
            .split(',')
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(HostPort::from_str)
            .collect::<Result<_, _>>()?;
        if hosts.is_empty() {
            return Err(ConnectStringError::NoHost(text.to_owned()));
        }
        Ok(Self {
            hosts,
            chroot: parse_chroot(chroot)?,
        })
    }
}

fn parse_chroot(chroot: &str) -> Result<Option<String>, ConnectStringError> {
    if chroot.len() < 2 {
        return Ok(None);
    }
    path::validate(chroot).map_err(|error| ConnectStringError::Chroot {
        chroot: chroot.to_owned(),
        error,
    })?;
    Ok(Some(chroot.to_owned()))
}

impl FromStr for HostPort {
    type Err = ConnectStringError;

    fn from_str(text: &str) -> Result<Self, ConnectStringError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => split_brackets(text, rest)?,
            None => text.rsplit_once(':').unwrap_or((text, "")),
        };
        if host.is_empty() {
            return Err(ConnectStringError::NoHost(text.to_owned()));
        }
        Ok(Self {
            host: host.to_owned(),
            port: parse_port(text, port)?,
        })
    }
}

fn split_brackets<'a>(text: &str, rest: &'a str) -> Result<(&'a str, &'a str), ConnectStringError> {
    let wrong = || ConnectStringError::Brackets(text.to_owned());
    let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
    match port {
        "" => Ok((host, "")),
        _ => port
            .strip_prefix(':')
            .map(|port| (host, port))
            .ok_or_else(wrong),
    }
}

/// A colon at the end counts as no port, as in Apache's parser.
fn parse_port(text: &str, port: &str) -> Result<u16, ConnectStringError> {
    match port {
        "" => Ok(DEFAULT_PORT),
        _ => port
            .parse()
            .map_err(|_| ConnectStringError::Port(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, hosts: &str, chroot: Option<&str>) {
        let parsed: ConnectString = text.parse().unwrap();
        let shown: Vec<String> = parsed.hosts.iter().map(HostPort::to_string).collect();
        assert_eq!(shown.join(","), hosts);
        assert_eq!(parsed.chroot.as_deref(), chroot);
    }

    #[test]
    fn good_strings() {
        check("a", "a:2181", None);
        check("a:1", "a:1", None);
        check("a:", "a:2181", None);
        check("a:1/", "a:1", None);
        check("a:1,b:2, c/x/y", "a:1,b:2,c:2181", Some("/x/y"));
        check("[::1]:9,[fe80::1]", "[::1]:9,[fe80::1]:2181", None);
    }

    #[test]
    fn bad_strings() {
        for text in [
            "", ",", "/x", ":1", "a:b", "a:70000", "[::1", "[::1]x", "a/x/", "a/x//y",
        ] {
            assert!(text.parse::<ConnectString>().is_err(), "{text:?}");
        }
    }
}
