//! Servers of ours that make an ensemble within the test, each in a
//! directory of its own, on a loopback address that no other test uses.

use super::wire::{Ticket, Wire};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use zk_server::config::{JvmFlags, ServerConfig};
use zk_server::{Server, ServerRole};

/// Longer than anything takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Ticks are short, because much is done once in a tick; limits are long,
/// because a busy machine is no dead server.
const COMMON: &str = "\
tickTime=200
initLimit=100
syncLimit=100
preAllocSize=64
minSessionTimeout=400
maxSessionTimeout=60000
4lw.commands.whitelist=*
";

/// What lets followers host observers.
pub(crate) const MASTERS: &str = "observerMasterPort=2191\n";

/// Some servers of one ensemble, of which some run.
pub(crate) struct Ensemble {
    runtime: Runtime,
    dir: TempDir,
    /// The lines of the members, and what else is in every zoo.cfg.
    config: String,
    /// Lines of single servers.
    extras: BTreeMap<i64, String>,
    clients: BTreeMap<i64, SocketAddr>,
    running: BTreeMap<i64, Server>,
}

impl Ensemble {
    /// Voters from 1 on, none of which runs yet.
    pub(crate) fn new(voters: i64) -> Self {
        Self::with(voters, 0, "")
    }

    /// Voters, behind them observers, and `extra` lines in every zoo.cfg.
    pub(crate) fn with(voters: i64, observers: i64, extra: &str) -> Self {
        let host = own_loopback();
        Self::at(voters, observers, extra, || host)
    }

    /// Voters that host observers when they follow, each on an address of its
    /// own: their port for that has the same number.
    pub(crate) fn with_masters(voters: i64, observers: i64) -> Self {
        Self::at(voters, observers, MASTERS, own_loopback)
    }

    fn at(voters: i64, observers: i64, extra: &str, host: impl FnMut() -> Ipv4Addr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let mut ensemble = Self {
            runtime,
            dir: TempDir::new().expect("a temporary directory"),
            config: format!("{COMMON}{extra}\n"),
            extras: BTreeMap::new(),
            clients: BTreeMap::new(),
            running: BTreeMap::new(),
        };
        ensemble.add_members(voters, observers, host);
        ensemble
    }

    /// Voters, all of which serve.
    pub(crate) fn serving(voters: i64) -> Self {
        let mut ensemble = Self::new(voters);
        ensemble.start_all();
        ensemble
    }

    fn add_members(&mut self, voters: i64, observers: i64, mut host: impl FnMut() -> Ipv4Addr) {
        let hosts: Vec<Ipv4Addr> = (0..voters + observers).map(|_| host()).collect();
        // Those of one address have to be taken at the same time.
        let held: Vec<TcpListener> = hosts.iter().flat_map(|host| hold_ports(*host)).collect();
        for (id, (host, held)) in (1..).zip(hosts.iter().zip(held.chunks(3))) {
            let role = if id <= voters {
                "participant"
            } else {
                "observer"
            };
            let port = |held: &TcpListener| held.local_addr().expect("its address").port();
            let (quorum, election, client) = (port(&held[0]), port(&held[1]), port(&held[2]));
            let line = format!("server.{id}={host}:{quorum}:{election}:{role};{host}:{client}\n");
            self.config.push_str(&line);
            self.clients.insert(id, (*host, client).into());
            let dir = self.data_dir(id);
            std::fs::create_dir(&dir).expect("a directory");
            self.write_id(id);
        }
    }

    fn write_id(&self, id: i64) {
        let path = self.data_dir(id).join("myid");
        std::fs::write(path, id.to_string()).expect("a file");
    }

    /// Where a server keeps its files; `version-2` is below.
    pub(crate) fn data_dir(&self, id: i64) -> PathBuf {
        self.dir.path().join(id.to_string())
    }

    /// Takes everything from a server but its id.
    pub(crate) fn wipe(&self, id: i64) {
        assert!(!self.running.contains_key(&id), "it runs");
        std::fs::remove_dir_all(self.data_dir(id).join("version-2")).expect("it had files");
    }

    /// Starts a server, which looks for a leader from then on.
    pub(crate) fn start(&mut self, id: i64) {
        let all: Vec<i64> = self.clients.keys().copied().collect();
        self.start_knowing(id, &all);
    }

    /// Puts a line into the zoo.cfg of one server.
    pub(crate) fn say(&mut self, id: i64, line: &str) {
        self.extras.entry(id).or_default().push_str(line);
    }

    /// Starts a server whose zoo.cfg names no other members than these.
    pub(crate) fn start_knowing(&mut self, id: i64, members: &[i64]) {
        let is_known = |line: &&str| {
            let Some(member) = line.strip_prefix("server.") else {
                return true;
            };
            let known = |id: &i64| member.starts_with(&format!("{id}="));
            members.iter().any(known)
        };
        let lines: Vec<&str> = self.config.lines().filter(is_known).collect();
        let dir = self.data_dir(id);
        let extra = self.extras.get(&id).map_or("", String::as_str);
        let text = format!("dataDir={}\n{}\n{extra}", dir.display(), lines.join("\n"));
        let zoo_cfg = dir.join("zoo.cfg");
        std::fs::write(&zoo_cfg, &text).expect("a file");
        let config = ServerConfig::parse(&zoo_cfg, text.as_bytes(), &JvmFlags::default());
        let config = config.expect("the configuration is good");
        let server = self.runtime.block_on(Server::start(config));
        self.running.insert(id, server.expect("the server starts"));
    }

    /// Starts all that do not run, and waits until all serve.
    pub(crate) fn start_all(&mut self) {
        let all: Vec<i64> = self.clients.keys().copied().collect();
        for id in all {
            if !self.running.contains_key(&id) {
                self.start(id);
            }
        }
        self.all_serve();
    }

    /// Waits until all servers that run serve.
    pub(crate) fn all_serve(&self) {
        for &id in self.running.keys() {
            self.until(id, ServerRole::serves);
        }
    }

    /// Waits until no server serves, of those that run.
    pub(crate) fn none_serves(&self) {
        for &id in self.running.keys() {
            self.until(id, |role| role == ServerRole::Looking);
        }
    }

    /// Waits until a server has the role.
    pub(crate) fn becomes(&self, id: i64, wanted: ServerRole) {
        self.until(id, |role| role == wanted);
    }

    fn until(&self, id: i64, is_wanted: impl FnMut(ServerRole) -> bool) {
        let server = &self.running[&id];
        let waited = self
            .runtime
            .block_on(async { timeout(PATIENCE, server.until_role(is_wanted)).await });
        if waited.is_err() {
            panic!("server {id} is still {}", server.role().name());
        }
    }

    /// What a server is.
    pub(crate) fn role(&self, id: i64) -> ServerRole {
        self.running[&id].role()
    }

    /// Who leads right now.
    pub(crate) fn leaders(&self) -> Vec<i64> {
        let leads = |id: &i64| self.role(*id) == ServerRole::Leader;
        self.running.keys().copied().filter(leads).collect()
    }

    /// The leader, once all that run serve. Behind a stop of the leader the
    /// others may not have noticed yet: they are asked again.
    pub(crate) fn leader(&self) -> i64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.all_serve();
            if let [leader] = self.leaders()[..] {
                return leader;
            }
            assert!(Instant::now() < deadline, "nobody came to lead");
            std::thread::yield_now();
        }
    }

    /// A follower, once all that run serve.
    pub(crate) fn follower(&self) -> i64 {
        self.followers()[0]
    }

    /// All followers that run.
    pub(crate) fn followers(&self) -> Vec<i64> {
        self.all_serve();
        let is_follower = |id: &i64| self.role(*id) == ServerRole::Follower;
        self.running.keys().copied().filter(is_follower).collect()
    }

    /// Stops a server as SIGTERM does.
    pub(crate) fn stop(&mut self, id: i64) {
        let server = self.running.remove(&id).expect("it runs");
        self.runtime.block_on(server.stop()).expect("a clean stop");
    }

    /// Stops all servers at the same time.
    pub(crate) fn stop_all(&mut self) {
        let running = std::mem::take(&mut self.running);
        self.runtime.block_on(async {
            let stops: Vec<_> = running
                .into_values()
                .map(|server| tokio::spawn(server.stop()))
                .collect();
            for stop in stops {
                stop.await.expect("no panic").expect("a clean stop");
            }
        });
    }

    /// Where a server's clients connect.
    pub(crate) fn address(&self, id: i64) -> SocketAddr {
        self.clients[&id]
    }

    /// A new session at a server.
    pub(crate) fn open(&self, id: i64) -> (Wire, Ticket) {
        Wire::open(self.address(id))
    }

    /// A session goes on at a server; `None` if that refuses.
    pub(crate) fn resume(&self, id: i64, ticket: &Ticket) -> Option<Wire> {
        Wire::resume(self.address(id), ticket)
    }

    /// The answer to a four-letter word.
    pub(crate) fn ask(&self, id: i64, word: &str) -> String {
        let mut wire = Wire::bare(self.address(id));
        wire.send_raw(word.as_bytes());
        String::from_utf8(wire.rest()).expect("text")
    }

    /// Waits until `mntr` shows this number, by asking again and again.
    pub(crate) fn metric_becomes(&self, id: i64, name: &str, wanted: i64) {
        let deadline = Instant::now() + PATIENCE;
        while self.metric(id, name) != wanted {
            assert!(Instant::now() < deadline, "{name} never was {wanted}");
        }
    }

    /// A number that `mntr` shows.
    pub(crate) fn metric(&self, id: i64, name: &str) -> i64 {
        let text = self.ask(id, "mntr");
        let mut lines = text.lines().filter_map(|line| line.split_once('\t'));
        let line = lines.find(|(known, _)| *known == name);
        let (_, value) = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        value.parse().expect("a number")
    }
}

impl Drop for Ensemble {
    fn drop(&mut self) {
        let running = std::mem::take(&mut self.running);
        self.runtime.block_on(async {
            for server in running.into_values() {
                // A test that failed already need not hear of this.
                let _ = server.stop().await;
            }
        });
    }
}

/// An address of this machine that nobody else uses. Ports on it are not
/// taken by those that the system gives to clients.
fn own_loopback() -> Ipv4Addr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST;
    }
    let number = std::process::id() * 256 + COUNT.fetch_add(1, Ordering::Relaxed);
    let [_, a, b, c] = number.to_be_bytes();
    Ipv4Addr::new(127, a | 0x40, b, c)
}

/// Three ports for a server.
fn hold_ports(host: Ipv4Addr) -> [TcpListener; 3] {
    [(); 3].map(|()| TcpListener::bind((host, 0)).expect("a port"))
}
