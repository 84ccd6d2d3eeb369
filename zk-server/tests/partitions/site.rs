//! An ensemble in networks of its own: servers by their ids, what they say of
//! themselves, and the making and repairing of faults.

use crate::clients::address;
use crate::netns::{Link, Network};
use crate::server::Server;
use crate::shapes::{Cast, Fault};
use crate::wire;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zk_proto::ServerId;

/// Servers, their networks and their directory.
#[derive(Debug)]
pub(crate) struct Site {
    /// Above the networks, so that they are ended before those are removed.
    servers: Vec<Server>,
    pub(crate) network: Arc<Network>,
    dir: Option<TempDir>,
}

impl Site {
    /// Servers from 1 on with these lines in every zoo.cfg, none of which
    /// runs. The calling thread is among the clients from now on.
    pub(crate) fn new(size: i64, config: &str) -> Self {
        let network = Arc::new(Network::make(size));
        network.enter();
        let dir = tempfile::tempdir().expect("a directory");
        let config = format!("{config}{}", members(network.servers()));
        let servers = network.servers().iter();
        let servers = servers.map(|id| Server::new(*id, dir.path(), &config));
        Self {
            servers: servers.collect(),
            network,
            dir: Some(dir),
        }
    }

    pub(crate) fn ids(&self) -> &[ServerId] {
        self.network.servers()
    }

    pub(crate) fn start_all(&mut self) {
        for id in self.ids().to_vec() {
            self.start(id);
        }
    }

    pub(crate) fn start(&mut self, id: ServerId) {
        let command = self.network.command(id);
        self.server(id).start(command);
    }

    pub(crate) fn kill_all(&mut self) {
        for server in &mut self.servers {
            server.kill();
        }
    }

    /// Makes a fault. When this returns, all of it is so.
    pub(crate) fn make(&mut self, fault: &Fault) {
        self.network.cut(&fault.cuts);
        for id in &fault.paused {
            self.server(*id).pause();
        }
        for id in &fault.killed {
            self.server(*id).kill();
        }
        for id in &fault.wiped {
            self.server(*id).kill();
            self.server(*id).wipe();
        }
        for id in &fault.wiped {
            self.start(*id);
        }
    }

    /// Repairs whatever is broken.
    pub(crate) fn repair(&mut self) {
        self.cut(&BTreeSet::new());
        for id in self.ids().to_vec() {
            self.resume_or_start(id);
        }
    }

    pub(crate) fn resume_or_start(&mut self, id: ServerId) {
        self.server(id).resume();
        if !self.server(id).is_running() {
            self.start(id);
        }
    }

    pub(crate) fn cut(&self, links: &BTreeSet<Link>) {
        self.network.cut(links);
    }

    pub(crate) fn server(&mut self, id: ServerId) -> &mut Server {
        let server = self.servers.iter_mut().find(|it| it.id == id);
        server.expect("there is such a server")
    }

    /// Waits until one server leads and all others follow. Nobody tells when
    /// that is so; it is asked for.
    pub(crate) fn cast(&self, patience: Duration) -> Cast {
        let give_up = Instant::now() + patience;
        loop {
            let modes: Vec<_> = self.ids().iter().map(|id| (*id, mode(*id))).collect();
            let with = |wanted: &str| {
                let has_it = |(_, mode): &&(_, String)| mode == wanted;
                modes
                    .iter()
                    .filter(has_it)
                    .map(|(id, _)| *id)
                    .collect::<Vec<_>>()
            };
            let (leaders, followers) = (with("leader"), with("follower"));
            if let [leader] = leaders[..]
                && followers.len() + 1 == modes.len()
            {
                return Cast { leader, followers };
            }
            assert!(Instant::now() < give_up, "the servers are {modes:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Fails if a server ended by itself or complained.
    pub(crate) fn assert_sound(&mut self) {
        for server in &mut self.servers {
            server.assert_sound();
        }
    }
}

impl Drop for Site {
    /// Whoever looks into a failure needs the files.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let kept: Option<PathBuf> = self.dir.take().map(TempDir::keep);
        if let Some(kept) = kept {
            println!("the servers' files are in {}", kept.display());
        }
        for server in &self.servers {
            println!("server {} said last:\n{}", server.id, server.said(15));
        }
    }
}

/// What a server says that it is.
fn mode(id: ServerId) -> String {
    let text = wire::word(address(id), "srvr").unwrap_or_default();
    let mode = text.lines().find_map(|line| line.strip_prefix("Mode: "));
    mode.unwrap_or("silent").to_owned()
}

fn members(servers: &[ServerId]) -> String {
    let mut lines = String::new();
    for id in servers {
        let (peer, client) = (Network::peer_address(*id), Network::client_address(*id));
        writeln!(
            lines,
            "server.{id}={peer}:2888:3888:participant;{client}:2181"
        )
        .expect("a string takes everything");
    }
    lines
}
