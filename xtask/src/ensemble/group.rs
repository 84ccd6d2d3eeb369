//! The servers of one ensemble together: started, awaited, asked who leads.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::member::{Member, ServerId, Settings};
use super::network::Networks;
use super::program::{Kind, LogLevel, Program};
use super::server::{Output, Server};
use super::words::{Mode, Status};
use crate::error::{Error, Result};

/// Between two looks at servers that are not yet as they are to be.
const PAUSE: Duration = Duration::from_millis(20);

/// Servers that know of each other. Dropping them kills their processes.
#[derive(Debug)]
pub(crate) struct Ensemble {
    pub(crate) servers: Vec<Server>,
}

/// What every server that serves said at about the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) servers: Vec<(ServerId, Kind, Status)>,
}

impl Ensemble {
    /// Servers on loopback below a directory, one for each program, of which that many at the
    /// end observe and the others vote. Nothing is started.
    pub(crate) fn on_loopback(
        directory: &Path,
        programs: &[Program],
        observers: u32,
        settings: &Settings,
    ) -> Result<Self> {
        let servers = u32::try_from(programs.len()).expect("a few servers");
        let members = Member::on_loopback(servers.saturating_sub(observers), observers)?;
        Self::of(directory, &members, programs, settings)
    }

    /// Servers at given addresses, each with the program of its place; the last program goes on
    /// for those that are left.
    fn of(
        directory: &Path,
        members: &[Member],
        programs: &[Program],
        settings: &Settings,
    ) -> Result<Self> {
        let last = programs.last();
        let last = last.ok_or_else(|| Error::wrong("an ensemble without a server"))?;
        let programs = programs.iter().chain(std::iter::repeat(last));
        let servers = members.iter().zip(programs).map(|(member, program)| {
            Server::configure(
                member.clone(),
                members,
                settings,
                program.clone(),
                directory,
            )
        });
        Ok(Self {
            servers: servers.collect::<Result<_>>()?,
        })
    }

    /// Servers below a directory, each in a network of its own, all with one program.
    pub(crate) fn on_networks(
        directory: &Path,
        networks: &Networks,
        program: &Program,
        settings: &Settings,
    ) -> Result<Self> {
        let members = networks.members(u32::MAX);
        let programs = std::slice::from_ref(program);
        let mut ensemble = Self::of(directory, &members, programs, settings)?;
        for server in &mut ensemble.servers {
            let wrapper = networks.wrapper(server.id());
            server.run_by(wrapper);
        }
        Ok(ensemble)
    }

    /// Says how much the servers are to write, and where to.
    pub(crate) fn log(&mut self, level: LogLevel, output: Output) {
        for server in &mut self.servers {
            server.log(level, output);
        }
    }

    /// Starts every server that does not run, in the order of their ids.
    pub(crate) fn start(&mut self) -> Result<()> {
        let resting = self
            .servers
            .iter_mut()
            .filter(|server| server.pid().is_none());
        resting.into_iter().try_for_each(Server::start)
    }

    /// Asks every server to end, one after another.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.servers.iter_mut().try_for_each(Server::stop)
    }

    /// The server of an id.
    pub(crate) fn server(&mut self, id: ServerId) -> &mut Server {
        let found = self.servers.iter_mut().find(|server| server.id() == id);
        found.expect("ids come from the ensemble itself")
    }

    /// Where clients connect, in the order of the servers' ids.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(Server::address).collect()
    }

    /// The addresses as a client is given them.
    pub(crate) fn connect_string(&self) -> String {
        let addresses = self.addresses();
        let words: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        words.join(",")
    }

    /// Resident memory of all servers, in bytes.
    pub(crate) fn rss(&self) -> Result<f64> {
        self.servers.iter().map(Server::rss).sum()
    }

    /// What the servers say that serve.
    pub(crate) fn roles(&self) -> Roles {
        let serving = self.servers.iter().filter_map(|server| {
            let status = server.status()?;
            Some((server.id(), server.program.kind, status))
        });
        Roles {
            servers: serving.collect(),
        }
    }

    /// Waits until one server leads and serves.
    pub(crate) fn await_leader(&mut self, patience: Duration) -> Result<Roles> {
        self.wait_for("no server leads", patience, |roles, _| {
            roles.leader().is_some()
        })
    }

    /// Waits until every running server serves and one of them leads.
    pub(crate) fn await_serving(&mut self, patience: Duration) -> Result<Roles> {
        self.wait_for("not every server serves", patience, |roles, running| {
            roles.leader().is_some() && roles.servers.len() == running
        })
    }

    /// Waits until every running server serves and all have applied the same transactions,
    /// which needs clients that do not write.
    pub(crate) fn await_equal(&mut self, patience: Duration) -> Result<Roles> {
        let what = "the servers do not come to the same zxid";
        self.wait_for(what, patience, |roles, running| {
            let all = roles.leader().is_some() && roles.servers.len() == running;
            all && roles.zxids().windows(2).all(|pair| pair[0] == pair[1])
        })
    }

    fn wait_for(
        &mut self,
        otherwise: &str,
        patience: Duration,
        reached: impl Fn(&Roles, usize) -> bool,
    ) -> Result<Roles> {
        let deadline = Instant::now() + patience;
        loop {
            self.servers.iter_mut().try_for_each(Server::check)?;
            let roles = self.roles();
            let running = self.servers.iter().filter(|server| server.is_running());
            if reached(&roles, running.count()) {
                return Ok(roles);
            }
            if Instant::now() > deadline {
                let sentence = format!("{otherwise} after {patience:?}: {roles}");
                return Err(Error::wrong(sentence));
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Roles {
    /// The server that leads, if exactly one says so.
    pub(crate) fn leader(&self) -> Option<ServerId> {
        let mut leaders = self.of(Mode::Leader);
        leaders.next().filter(|_| leaders.next().is_none())
    }

    /// The servers that follow.
    pub(crate) fn followers(&self) -> Vec<ServerId> {
        self.of(Mode::Follower).collect()
    }

    /// The kind of a server that serves.
    pub(crate) fn kind(&self, id: ServerId) -> Option<Kind> {
        let found = self.servers.iter().find(|(own, ..)| *own == id);
        found.map(|(_, kind, _)| *kind)
    }

    fn of(&self, mode: Mode) -> impl Iterator<Item = ServerId> {
        let serving = self.servers.iter();
        serving.filter_map(move |(id, _, status)| (status.mode == mode).then_some(*id))
    }

    fn zxids(&self) -> Vec<u64> {
        let serving = self.servers.iter();
        serving.map(|(_, _, status)| status.zxid).collect()
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.servers.is_empty() {
            return f.write_str("none serves");
        }
        for (at, (id, kind, status)) in self.servers.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            let (mode, zxid) = (status.mode, status.zxid);
            write!(f, "{separator}{id} {kind} {mode} 0x{zxid:x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(modes: &[Mode]) -> Roles {
        let servers = (1..).zip(modes).map(|(id, mode)| {
            let status = Status {
                version: String::new(),
                mode: *mode,
                zxid: 7,
            };
            (ServerId(id), Kind::Ours, status)
        });
        Roles {
            servers: servers.collect(),
        }
    }

    #[test]
    fn only_one_can_lead() {
        let one = roles(&[Mode::Follower, Mode::Leader]);
        assert_eq!(one.leader(), Some(ServerId(2)));
        assert_eq!(one.followers(), [ServerId(1)]);
        assert_eq!(roles(&[Mode::Leader, Mode::Leader]).leader(), None);
        assert_eq!(roles(&[Mode::Follower]).leader(), None);
    }

    #[test]
    fn roles_are_told_on_one_line() {
        let line = roles(&[Mode::Follower, Mode::Leader]).to_string();
        assert_eq!(line, "1 ours follower 0x7, 2 ours leader 0x7");
        assert_eq!(roles(&[]).to_string(), "none serves");
    }
}
