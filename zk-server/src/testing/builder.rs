//! What kind of ensemble a test wants.

use super::ensemble::Ensemble;
use super::member::Member;
use super::{TestingError, ports};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;

/// Ticks are short, because much is done once in a tick; limits are long,
/// because a busy machine is no dead server.
const SETTINGS: [(&str, &str); 7] = [
    ("tickTime", "100"),
    ("initLimit", "200"),
    ("syncLimit", "200"),
    ("preAllocSize", "64"),
    ("minSessionTimeout", "200"),
    ("maxSessionTimeout", "120000"),
    ("4lw.commands.whitelist", "*"),
];

/// Ports of a member of an ensemble: quorum, election, client.
const PORTS: usize = 3;

/// An [`Ensemble`] to be; a single server if nothing else is said.
///
/// Ticks last 100 ms and sessions from 200 ms to two minutes, unless settings
/// say otherwise.
#[derive(Debug, Clone)]
pub struct Builder {
    voters: usize,
    observers: usize,
    settings: BTreeMap<String, String>,
    jvm_flags: String,
}

impl Builder {
    pub(super) fn new() -> Self {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self {
            voters: 1,
            observers: 0,
            jvm_flags: String::new(),
            settings: SETTINGS.into_iter().map(owned).collect(),
        }
    }

    /// How many servers vote. With one and no observer it stands alone.
    #[must_use]
    pub const fn voters(mut self, count: usize) -> Self {
        self.voters = count;
        self
    }

    /// How many servers follow without a vote. Their numbers follow those of
    /// the voters.
    #[must_use]
    pub const fn observers(mut self, count: usize) -> Self {
        self.observers = count;
        self
    }

    /// A line of zoo.cfg, for all servers.
    #[must_use]
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// A setting that Apache's server takes as a Java property only, such as
    /// `readonlymode.enabled`. There must be no white space in it.
    #[must_use]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.jvm_flags.push_str(&format!("-D{name}={value} "));
        self
    }

    /// Starts all servers and waits until all serve. Their numbers count from
    /// 1.
    ///
    /// # Errors
    /// See [`TestingError`].
    pub async fn start(self) -> Result<Ensemble, TestingError> {
        let dir = TempDir::new()?;
        let members = self.members(dir.path())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("zk-testing")
            .enable_all()
            .build()?;
        let mut ensemble = Ensemble::new(runtime, dir, members);
        ensemble.start_all().await?;
        Ok(ensemble)
    }

    /// The members, each with its directory and its configuration.
    fn members(&self, dir: &Path) -> Result<BTreeMap<u64, Member>, TestingError> {
        let count = self.voters + self.observers;
        let addresses = ports::free(count * PORTS)?;
        let addresses: Vec<&[SocketAddr]> = addresses.chunks(PORTS).collect();
        let lines = self.member_lines(&addresses);
        let member = |(id, ports): (u64, &&[SocketAddr])| {
            let dir = dir.join(id.to_string());
            std::fs::create_dir(&dir)?;
            std::fs::write(dir.join("myid"), id.to_string())?;
            let text = self.zoo_cfg(&dir, &lines, ports[2]);
            Ok((id, Member::new(&dir, &text, &self.jvm_flags, ports[2])?))
        };
        (1..).zip(&addresses).map(member).collect()
    }

    /// The `server.N` lines; none for a server that stands alone.
    fn member_lines(&self, addresses: &[&[SocketAddr]]) -> String {
        let mut lines = String::new();
        if addresses.len() == 1 {
            return lines;
        }
        for (at, ports) in addresses.iter().enumerate() {
            let role = match at < self.voters {
                true => "participant",
                false => "observer",
            };
            let [quorum, election, client] = [0, 1, 2].map(|port| ports[port].port());
            let (id, host) = (at + 1, ports[0].ip());
            lines.push_str(&format!(
                "server.{id}={host}:{quorum}:{election}:{role};{host}:{client}\n"
            ));
        }
        lines
    }

    fn zoo_cfg(&self, dir: &Path, members: &str, client: SocketAddr) -> String {
        let mut text = format!("dataDir={}\n", dir.display());
        for (key, value) in &self.settings {
            text.push_str(&format!("{key}={value}\n"));
        }
        if members.is_empty() {
            let (ip, port) = (client.ip(), client.port());
            text.push_str(&format!("clientPortAddress={ip}\nclientPort={port}\n"));
        }
        text.push_str(members);
        text
    }
}
