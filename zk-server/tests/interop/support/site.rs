//! The servers of an ensemble as processes, each on a zoo.cfg of its own that
//! stays when the process, or even its kind, is another one.

use super::link::four_letter_word;
use super::process::{Program, write_logging};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zk_proto::ensemble::EnsembleConfig;

/// A JVM on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at a server.
const PAUSE: Duration = Duration::from_millis(20);

/// Limits are long, because a busy machine is no dead server.
const COMMON: &str = "\
tickTime=500
initLimit=20
syncLimit=20
maxClientCnxns=0
maxSessionTimeout=120000
admin.enableServer=false
4lw.commands.whitelist=*
standaloneEnabled=false
reconfigEnabled=true
skipACL=yes
";

/// All servers, of which some run.
#[derive(Debug)]
pub(crate) struct Site {
    dir: TempDir,
    /// What else is in every zoo.cfg.
    extra: String,
    servers: BTreeMap<i64, Server>,
}

#[derive(Debug)]
struct Server {
    line: String,
    client: SocketAddr,
    child: Option<Child>,
}

impl Site {
    /// Places for servers from 1 on.
    pub(crate) fn new(count: i64) -> Self {
        Self::with(count, 0, "")
    }

    /// Places for voters from 1 on and observers behind them, each on an
    /// address of its own, with `extra` lines in every zoo.cfg.
    pub(crate) fn with(voters: i64, observers: i64, extra: &str) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let first = own_loopback();
        let servers = (1..=voters + observers).map(|id| {
            let host = beside(first, id);
            let [quorum, election, client] = free_ports(host);
            let role = if id <= voters {
                "participant"
            } else {
                "observer"
            };
            let line = format!("server.{id}={host}:{quorum}:{election}:{role};{host}:{client}");
            let server = Server {
                line,
                client: (host, client).into(),
                child: None,
            };
            (id, server)
        });
        let servers = servers.collect();
        let extra = extra.to_owned();
        Self {
            dir,
            extra,
            servers,
        }
    }

    /// A member's line.
    pub(crate) fn line(&self, id: i64) -> &str {
        &self.servers[&id].line
    }

    /// Lines of members.
    pub(crate) fn lines(&self, ids: &[i64], separator: &str) -> String {
        let lines: Vec<&str> = ids.iter().map(|id| self.line(*id)).collect();
        lines.join(separator)
    }

    /// Where a server's clients connect.
    pub(crate) fn address(&self, id: i64) -> SocketAddr {
        self.servers[&id].client
    }

    /// The same of all servers.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.values().map(|server| server.client).collect()
    }

    /// Writes a server's zoo.cfg as its operator does, with members in it. Its
    /// data stay.
    pub(crate) fn configure(&self, id: i64, members: &[i64]) {
        let (home, data) = (self.home(id), self.home(id).join("data"));
        fs::create_dir_all(&data).expect("a directory");
        fs::write(data.join("myid"), id.to_string()).expect("a file");
        let text = format!(
            "# server {id}\n{COMMON}{}dataDir={}\n{}\n",
            self.extra,
            data.display(),
            self.lines(members, "\n")
        );
        fs::write(home.join("zoo.cfg"), text).expect("a file");
        write_logging(&home);
    }

    /// Starts processes on what is in the servers' directories, and waits
    /// until they serve.
    pub(crate) fn start(&mut self, program: &Program, ids: &[i64]) {
        for id in ids {
            let home = self.home(*id);
            let log = OpenOptions::new()
                .create(true)
                .append(true)
                .open(home.join("log"))
                .expect("a log file");
            let mut command = program.command(&home);
            command.env("ZK_LOG", "info").current_dir(&home);
            command.stdin(Stdio::null());
            command.stdout(log.try_clone().expect("a second handle"));
            let child = command.stderr(log).spawn().expect("a process");
            let server = self.servers.get_mut(id).expect("a server");
            assert!(server.child.replace(child).is_none(), "server {id} runs");
        }
        for id in ids {
            self.until(*id, |mode| mode.is_some());
        }
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, ids: &[i64]) {
        for id in ids {
            let server = self.servers.get_mut(id).expect("a server");
            let mut child = server.child.take().expect("it runs");
            child.kill().expect("a child can be killed");
            child.wait().expect("a child can be waited for");
        }
    }

    /// The one of these that leads, once one does.
    pub(crate) fn leader(&mut self, ids: &[i64]) -> i64 {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let leads = |id: &&i64| self.mode(**id).as_deref() == Some("leader");
            if let Some(id) = ids.iter().find(leads) {
                return *id;
            }
            assert!(Instant::now() < give_up, "none of {ids:?} leads");
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits until the files of a server say that these members hold, in
    /// Apache's form: a name with the version, and sorted lines without it.
    pub(crate) fn await_files(&mut self, id: i64, members: &EnsembleConfig) {
        let zoo_cfg = self.home(id).join("zoo.cfg");
        let dynamic = format!("{}.dynamic.{:x}", zoo_cfg.display(), members.version.0);
        let text = members.to_string();
        let mut lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("version"))
            .collect();
        lines.sort_unstable();
        let pointer = format!("dynamicConfigFile={dynamic}");
        let give_up = Instant::now() + PATIENCE;
        loop {
            let config = fs::read_to_string(&zoo_cfg).expect("zoo.cfg is there");
            let is_there = config.lines().any(|line| line == pointer);
            if is_there && !config.lines().any(|line| line.starts_with("server.")) {
                break;
            }
            let is_late = Instant::now() >= give_up;
            assert!(!is_late, "server {id} has {config:?}, not {pointer:?}");
            std::thread::sleep(PAUSE);
        }
        let found = fs::read_to_string(&dynamic).expect("the file that zoo.cfg names");
        let mut found: Vec<&str> = found.lines().collect();
        found.sort_unstable();
        assert_eq!(found, lines, "{dynamic}");
    }

    /// A number that `mntr` shows, if it does and the server serves.
    pub(crate) fn metric(&self, id: i64, name: &str) -> Option<i64> {
        let text = four_letter_word(self.address(id), "mntr")?;
        let mut lines = text.lines().filter_map(|line| line.split_once('\t'));
        let (_, value) = lines.find(|(known, _)| *known == name)?;
        value.parse().ok()
    }

    fn home(&self, id: i64) -> PathBuf {
        self.dir.path().join(id.to_string())
    }

    fn mode(&self, id: i64) -> Option<String> {
        let text = four_letter_word(self.address(id), "srvr")?;
        let mode = text.lines().find_map(|line| line.strip_prefix("Mode: "));
        mode.map(str::to_owned)
    }

    fn until(&mut self, id: i64, is_wanted: impl Fn(Option<&str>) -> bool) {
        let give_up = Instant::now() + PATIENCE;
        while !is_wanted(self.mode(id).as_deref()) {
            let child = self.servers.get_mut(&id).and_then(|it| it.child.as_mut());
            let ended = child.expect("it runs").try_wait();
            let ended = ended.expect("it can be asked");
            assert!(ended.is_none(), "server {id} ended with {ended:?}");
            assert!(Instant::now() < give_up, "server {id} does not serve");
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        for (id, server) in &mut self.servers {
            if let Some(mut child) = server.child.take() {
                // A test that failed leaves no process behind.
                let _ = child.kill();
                let _ = child.wait();
            }
            if failed {
                let log = self.dir.path().join(id.to_string()).join("log");
                println!("--- log of server {id}\n{}", last_lines(&log));
            }
        }
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let panic = lines.iter().position(|line| line.contains("panicked"));
    let end = panic.map_or(lines.len(), |at| lines.len().min(at + 30));
    lines[end.saturating_sub(60)..end].join("\n")
}

/// An address of this machine that nobody else uses, nor the few behind it.
/// Ports on them are not taken by those that the system gives to clients.
fn own_loopback() -> Ipv4Addr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST;
    }
    let number = std::process::id() * 256 + COUNT.fetch_add(16, Ordering::Relaxed);
    let [_, a, b, c] = number.to_be_bytes();
    Ipv4Addr::new(127, a | 0x40, b, c)
}

fn beside(first: Ipv4Addr, id: i64) -> Ipv4Addr {
    if first == Ipv4Addr::LOCALHOST {
        return first;
    }
    let [a, b, c, d] = first.octets();
    Ipv4Addr::new(a, b, c, d + u8::try_from(id).expect("a few"))
}

fn free_ports(host: Ipv4Addr) -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind((host, 0)).expect("a port"));
    held.map(|held| held.local_addr().expect("its address").port())
}
