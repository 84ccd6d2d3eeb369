//! Apache's servers as processes, in a directory and on an address of their
//! own.

use crate::suite::servers::Servers;
use crate::suite::{PATIENCE, SETTINGS};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Without a quorum they serve local sessions only.
const READ_ONLY: [(&str, &str); 2] = [
    ("localSessionsEnabled", "true"),
    ("localSessionsUpgradingEnabled", "true"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V380,
    V395,
}

impl Version {
    /// Its jars, as `cargo xtask test` tells of them.
    fn jars(self) -> Option<PathBuf> {
        path(match self {
            Self::V380 => "ZK_APACHE_380",
            Self::V395 => "ZK_APACHE_395",
        })
    }
}

/// A path from the environment; says so when it is missing.
fn path(variable: &str) -> Option<PathBuf> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty());
    if value.is_none() {
        println!("skipped: {variable} is not set");
    }
    value.map(PathBuf::from)
}

/// Servers of one ensemble, or one that stands alone; killed when dropped.
pub(crate) struct Apache {
    version: Version,
    java: PathBuf,
    jars: PathBuf,
    dir: TempDir,
    clients: BTreeMap<u64, SocketAddr>,
    running: BTreeMap<u64, Child>,
}

impl Apache {
    /// Starts servers and waits until all serve; `None` if this machine has
    /// none.
    pub(crate) async fn start(version: Version, voters: u64) -> Option<Self> {
        Self::start_with(version, voters, &[]).await
    }

    /// The same for servers that stay without a quorum.
    pub(crate) async fn start_read_only(version: Version) -> Option<Self> {
        Self::start_with(version, 3, &READ_ONLY).await
    }

    async fn start_with(version: Version, voters: u64, more: &[(&str, &str)]) -> Option<Self> {
        let mut apache = Self {
            version,
            java: path("ZK_JAVA")?,
            jars: version.jars()?,
            dir: TempDir::new().unwrap(),
            clients: BTreeMap::new(),
            running: BTreeMap::new(),
        };
        apache.configure(voters, more);
        for id in 1..=voters {
            apache.spawn(id);
        }
        for id in 1..=voters {
            apache.until_it_serves(id).await;
        }
        Some(apache)
    }

    fn configure(&mut self, voters: u64, more: &[(&str, &str)]) {
        let host = Ipv4Addr::from(0x7f00_0001 | (std::process::id() & 0xffff) << 8);
        let bind = |_| TcpListener::bind((host, 0)).unwrap();
        let held: Vec<TcpListener> = (0..voters * 3).map(bind).collect();
        let port = |at: u64| held[at as usize].local_addr().unwrap().port();
        let mut members = String::new();
        for id in 1..=voters {
            let at = (id - 1) * 3;
            let (quorum, election) = (port(at), port(at + 1));
            members.push_str(&format!("server.{id}={host}:{quorum}:{election}\n"));
            self.clients.insert(id, (host, port(at + 2)).into());
        }
        if voters == 1 {
            members.clear();
        }
        for (key, value) in more {
            members.push_str(&format!("{key}={value}\n"));
        }
        for (id, address) in &self.clients {
            write_config(&self.dir(*id), *id, *address, &members);
        }
    }

    fn dir(&self, id: u64) -> PathBuf {
        self.dir.path().join(id.to_string())
    }

    fn spawn(&mut self, id: u64) {
        let dir = self.dir(id);
        let log = File::create(dir.join("log")).unwrap();
        let errors = log.try_clone().unwrap();
        let child = Command::new(&self.java)
            .args(["-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg("-Dreadonlymode.enabled=true")
            .arg("-cp")
            .arg(format!("{0}/*:{0}", self.jars.display()))
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(dir.join("zoo.cfg"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .unwrap();
        self.running.insert(id, child);
    }

    async fn until_it_serves(&self, id: u64) {
        let deadline = Instant::now() + PATIENCE;
        while !self.word(id).await.contains("Mode: ") {
            let log = || fs::read_to_string(self.dir(id).join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "no answer: {}", log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What a server says of itself; nothing while it is not there.
    async fn word(&self, id: u64) -> String {
        let asked = async {
            let mut stream = TcpStream::connect(self.clients[&id]).await?;
            stream.write_all(b"srvr").await?;
            let mut said = String::new();
            stream.read_to_string(&mut said).await?;
            Ok::<_, std::io::Error>(said)
        };
        // A server that has only begun to start may take the word and be silent.
        let answer = timeout(Duration::from_secs(5), asked).await;
        answer.map(Result::unwrap_or_default).unwrap_or_default()
    }
}

impl Servers for Apache {
    fn connect_string(&self) -> String {
        let addresses: Vec<String> = self.clients.values().map(SocketAddr::to_string).collect();
        addresses.join(",")
    }

    fn address(&self, id: u64) -> String {
        self.clients[&id].to_string()
    }

    async fn kill(&mut self, id: u64) {
        let mut child = self.running.remove(&id).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    async fn launch(&mut self, id: u64) {
        self.spawn(id);
    }

    /// Asks all again and again.
    async fn leader(&self) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for id in self.running.keys() {
                let said = self.word(*id).await;
                if said.contains("Mode: leader") || said.contains("Mode: standalone") {
                    return *id;
                }
            }
            assert!(Instant::now() < deadline, "nobody came to lead");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn is_of_today(&self) -> bool {
        self.version == Version::V395
    }
}

fn write_config(dir: &Path, id: u64, address: SocketAddr, members: &str) {
    fs::create_dir_all(dir.join("data")).unwrap();
    fs::write(dir.join("data/myid"), id.to_string()).unwrap();
    let settings: String = SETTINGS
        .iter()
        .map(|(key, value)| format!("{key}={value}\n"))
        .collect();
    let text = format!(
        "dataDir={}\nclientPort={}\nclientPortAddress={}\nadmin.enableServer=false\n\
         tickTime=500\ninitLimit=100\nsyncLimit=100\nminSessionTimeout=500\n\
         maxSessionTimeout=120000\n4lw.commands.whitelist=*\n{settings}{members}",
        dir.join("data").display(),
        address.port(),
        address.ip(),
    );
    fs::write(dir.join("zoo.cfg"), text).unwrap();
}

impl Drop for Apache {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
