//! A network of its own for each server, whose links can be cut one way: namespaces on a bridge.
//!
//! Clients stay outside, on the bridge, and reach every server always. A cut is a wrong hardware
//! address for one neighbour: frames go out and nobody takes them, as behind a broken switch.
//! It needs Linux, root and iproute2.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::member::{Member, ServerId};
use crate::error::{Error, Result};
use crate::{provision, sh};

/// The networks that were made and are to be removed: their number, and their servers.
static MADE: Mutex<BTreeSet<Network>> = Mutex::new(BTreeSet::new());

/// An address that no interface has.
const NOWHERE: &str = "02:00:00:00:00:fe";

/// Networks are numbered from here, in 10.213.x.0/24.
const NETWORKS: std::ops::Range<u8> = 64..192;

/// Networks for servers numbered from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Network {
    number: u8,
    servers: u32,
}

/// The networks of an ensemble. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Networks {
    network: Network,
}

/// Between a server and all others: what gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Everything.
    Off,
    /// What is sent to it.
    Deaf,
    /// What it sends.
    Mute,
}

impl Networks {
    /// Makes the networks of that many servers.
    pub(crate) fn make(servers: u32) -> Result<Self> {
        let mut made = made();
        let number = NETWORKS
            .into_iter()
            .find(|number| !is_used(*number))
            .ok_or_else(|| Error::wrong("too many networks of earlier runs are left"))?;
        let network = Network { number, servers };
        made.insert(network.clone());
        drop(made);
        // From here on a failure removes what was made.
        let networks = Self { network };
        networks.network.make()?;
        Ok(networks)
    }

    /// The servers, each in a network of its own.
    pub(crate) fn members(&self, voters: u32) -> Vec<Member> {
        let hosts = (1..=self.network.servers).map(|id| self.network.address(id));
        Member::on_hosts(hosts, voters)
    }

    /// What runs a command in a server's network. It becomes the command.
    pub(crate) fn wrapper(&self, server: ServerId) -> Vec<String> {
        let name = self.network.namespace(server.0);
        ["ip", "netns", "exec", &name].map(str::to_owned).to_vec()
    }

    /// Cuts a server off from all other servers.
    pub(crate) fn cut(&self, server: ServerId, cut: Cut) -> Result<()> {
        let others = self.others(server);
        for other in others {
            if cut != Cut::Deaf {
                self.network.lose(server.0, other)?;
            }
            if cut != Cut::Mute {
                self.network.lose(other, server.0)?;
            }
        }
        Ok(())
    }

    /// Mends every link.
    pub(crate) fn mend(&self) -> Result<()> {
        for server in 1..=self.network.servers {
            let name = self.network.namespace(server);
            ip(&[
                "-n",
                &name,
                "neigh",
                "flush",
                "dev",
                "eth0",
                "nud",
                "permanent",
            ])?;
        }
        Ok(())
    }

    fn others(&self, server: ServerId) -> impl Iterator<Item = u32> {
        (1..=self.network.servers).filter(move |other| *other != server.0)
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        self.network.remove();
        made().remove(&self.network);
    }
}

/// Removes the networks of this program, at its end.
pub(super) fn remove_all() {
    for network in made().iter() {
        network.remove();
    }
}

/// Whether networks can be made here; what that needs is installed.
pub(crate) fn require() -> Result<()> {
    if sh::is_root() {
        return provision::iproute();
    }
    Err(Error::wrong("network namespaces need root"))
}

impl Network {
    fn make(&self) -> Result<()> {
        let bridge = &self.bridge();
        let outside = format!("{}/24", self.address(254));
        ip(&["link", "add", bridge, "type", "bridge"])?;
        ip(&["address", "add", &outside, "dev", bridge])?;
        ip(&["link", "set", bridge, "up"])?;
        (1..=self.servers).try_for_each(|server| self.make_server(server))
    }

    fn make_server(&self, server: u32) -> Result<()> {
        let name = &self.namespace(server);
        let link = &self.link(server);
        let address = &format!("{}/24", self.address(server));
        ip(&["netns", "add", name])?;
        ip(&[
            "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name,
        ])?;
        ip(&["link", "set", link, "master", &self.bridge(), "up"])?;
        ip(&["-n", name, "address", "add", address, "dev", "eth0"])?;
        ip(&["-n", name, "link", "set", "eth0", "up"])?;
        ip(&["-n", name, "link", "set", "lo", "up"])
    }

    /// What is there; a part that was not made needs no removal.
    fn remove(&self) {
        for server in 1..=self.servers {
            let _ = ip(&["link", "delete", &self.link(server)]);
            let _ = ip(&["netns", "delete", &self.namespace(server)]);
        }
        let _ = ip(&["link", "delete", &self.bridge()]);
    }

    /// Loses what one server sends to another.
    fn lose(&self, from: u32, to: u32) -> Result<()> {
        let (name, to) = (self.namespace(from), self.address(to).to_string());
        ip(&[
            "-n",
            &name,
            "neigh",
            "replace",
            &to,
            "lladdr",
            NOWHERE,
            "dev",
            "eth0",
            "nud",
            "permanent",
        ])
    }

    fn address(&self, server: u32) -> Ipv4Addr {
        let last = u8::try_from(server).expect("fewer than 255 servers");
        Ipv4Addr::new(10, 213, self.number, last)
    }

    fn bridge(&self) -> String {
        bridge(self.number)
    }

    fn link(&self, server: u32) -> String {
        format!("zkx{}v{server}", self.number)
    }

    fn namespace(&self, server: u32) -> String {
        format!("zkx{}-{server}", self.number)
    }
}

fn bridge(number: u8) -> String {
    format!("zkx{number}br")
}

/// Whether the bridge of that number is there, in this run or another.
fn is_used(number: u8) -> bool {
    ip(&["link", "show", &bridge(number)]).is_ok()
}

fn ip(arguments: &[&str]) -> Result<()> {
    sh::read(Command::new("ip").args(arguments)).map(drop)
}

/// The list; a panic elsewhere does not make it wrong.
fn made() -> MutexGuard<'static, BTreeSet<Network>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_interfaces_are_short_enough() {
        let network = Network {
            number: NETWORKS.end - 1,
            servers: 99,
        };
        assert!(network.link(99).len() < 16);
        assert!(network.bridge().len() < 16);
        assert_eq!(network.address(3).octets(), [10, 213, 191, 3]);
    }
}
