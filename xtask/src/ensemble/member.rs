//! A server's place in an ensemble: its id, its addresses, and the zoo.cfg that says so.
//!
//! The text is the same for every kind of server. Nothing is started or asked here.

use std::fmt;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use super::ports;
use crate::error::Result;

/// The number in a server's `myid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServerId(pub(crate) u32);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A server of an ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: ServerId,
    pub(crate) host: Ipv4Addr,
    pub(crate) client: u16,
    quorum: u16,
    election: u16,
    pub(crate) observer: bool,
}

/// Where a server's client port stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// At the end of its `server.N` line.
    Inline,
    /// In `clientPort` of its own zoo.cfg, as before 3.5.
    ClientPort,
}

/// What the zoo.cfg of all servers says alike.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) tick_ms: u32,
    pub(crate) init_limit_ticks: u32,
    pub(crate) sync_limit_ticks: u32,
    pub(crate) form: Form,
    /// More lines.
    pub(crate) extra: String,
}

impl Default for Settings {
    /// The figures of Apache's sample configuration.
    fn default() -> Self {
        Self {
            tick_ms: 2000,
            init_limit_ticks: 10,
            sync_limit_ticks: 5,
            form: Form::Inline,
            extra: String::new(),
        }
    }
}

impl Member {
    /// Voters and then observers on loopback, on ports of their own.
    pub(crate) fn on_loopback(voters: u32, observers: u32) -> Result<Vec<Self>> {
        let count = voters + observers;
        let mut ports = ports::reserve(count as usize * 3)?.into_iter();
        let mut port = move || ports.next().expect("three ports a server");
        let members = (1..=count).map(|id| Self {
            id: ServerId(id),
            host: Ipv4Addr::LOCALHOST,
            client: port(),
            quorum: port(),
            election: port(),
            observer: id > voters,
        });
        Ok(members.collect())
    }

    /// Voters and then observers, each on a host of its own and on Apache's usual ports.
    pub(crate) fn on_hosts(hosts: impl Iterator<Item = Ipv4Addr>, voters: u32) -> Vec<Self> {
        let members = (1..).zip(hosts).map(|(id, host)| Self {
            id: ServerId(id),
            host,
            client: 2181,
            quorum: 2888,
            election: 3888,
            observer: id > voters,
        });
        members.collect()
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((self.host, self.client))
    }

    /// The text of its zoo.cfg among these members.
    pub(crate) fn zoo_cfg(&self, all: &[Self], settings: &Settings, data: &Path) -> String {
        let mut text = format!(
            "tickTime={}\ninitLimit={}\nsyncLimit={}\ndataDir={}\n\
             maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\n{}",
            settings.tick_ms,
            settings.init_limit_ticks,
            settings.sync_limit_ticks,
            data.display(),
            settings.extra,
        );
        if self.observer {
            text.push_str("peerType=observer\n");
        }
        if settings.form == Form::ClientPort {
            let (port, host) = (self.client, self.host);
            write!(text, "clientPort={port}\nclientPortAddress={host}\n")
                .expect("a string takes everything");
        }
        for member in all {
            text.push_str(&member.line(settings.form));
        }
        text
    }

    /// Its `server.N` line.
    fn line(&self, form: Form) -> String {
        let Self { id, host, .. } = self;
        let role = if self.observer {
            "observer"
        } else {
            "participant"
        };
        let client = match form {
            Form::Inline => format!(";{host}:{}", self.client),
            Form::ClientPort => String::new(),
        };
        let (quorum, election) = (self.quorum, self.election);
        format!("server.{id}={host}:{quorum}:{election}:{role}{client}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u32, observer: bool) -> Member {
        Member {
            id: ServerId(id),
            host: Ipv4Addr::LOCALHOST,
            client: 1,
            quorum: 2,
            election: 3,
            observer,
        }
    }

    #[test]
    fn ports_are_distinct() {
        let members = Member::on_loopback(3, 2).unwrap();
        let ports = members
            .iter()
            .flat_map(|member| [member.client, member.quorum, member.election]);
        let ports: std::collections::BTreeSet<_> = ports.collect();
        assert_eq!(ports.len(), 15);
        let observers: Vec<_> = members.iter().map(|member| member.observer).collect();
        assert_eq!(observers, [false, false, false, true, true]);
    }

    #[test]
    fn the_client_port_stands_where_the_form_says() {
        let all = [member(1, false), member(2, true)];
        let mut settings = Settings::default();
        let text = all[1].zoo_cfg(&all, &settings, Path::new("/data"));
        let lines = "peerType=observer\nserver.1=127.0.0.1:2:3:participant;127.0.0.1:1\n\
                     server.2=127.0.0.1:2:3:observer;127.0.0.1:1\n";
        assert!(text.ends_with(lines), "{text}");
        settings.form = Form::ClientPort;
        let text = all[0].zoo_cfg(&all, &settings, Path::new("/data"));
        let lines = "clientPort=1\nclientPortAddress=127.0.0.1\n\
                     server.1=127.0.0.1:2:3:participant\nserver.2=127.0.0.1:2:3:observer\n";
        assert!(text.ends_with(lines), "{text}");
    }
}
