//! The words `conf` and `dirs` (`ZooKeeperServer.dumpConf`, `DirsCommand`).

use std::fmt;
use std::path::{Path, PathBuf};
use zk_proto::ServerId;
use zk_proto::ensemble::{EnsembleConfig, Member, PeerAddress, Role};

/// What `conf` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configuration {
    pub(super) client_port: i32,
    /// -1 without one.
    pub(super) secure_client_port: i32,
    pub(super) dirs: Directories,
    pub(super) tick_ms: u128,
    pub(super) max_client_cnxns: i32,
    pub(super) min_session_timeout_ms: i32,
    pub(super) max_session_timeout_ms: i32,
    /// -1 when it is left to the system.
    pub(super) listen_backlog: i32,
    /// A standalone server has none.
    pub(super) ensemble: Option<EnsembleConfiguration>,
}

/// What `conf` shows of a server of an ensemble
/// (`QuorumZooKeeperServer.dumpConf`, `ReadOnlyZooKeeperServer.dumpConf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnsembleConfiguration {
    pub(super) server: ServerId,
    /// Ticks.
    pub(super) init_limit: i32,
    /// Ticks.
    pub(super) sync_limit: i32,
    /// The members that hold.
    pub(super) members: EnsembleConfig,
    /// Whether it votes if no line says so.
    pub(super) default_role: Role,
    /// In read-only mode it shows no members.
    pub(super) read_only: bool,
}

impl EnsembleConfiguration {
    fn own(&self) -> Option<&Member> {
        self.members.members.get(&self.server)
    }

    /// A port of each address, every one once.
    fn ports(&self, of: impl Fn(&PeerAddress) -> u16) -> String {
        let mut ports: Vec<String> = Vec::new();
        for address in self.own().map_or(&[][..], |own| &own.addresses) {
            let port = of(address).to_string();
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
        ports.join("|")
    }
}

/// Where the files are, and how large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directories {
    pub(super) data_dir: PathBuf,
    pub(super) data_bytes: u64,
    pub(super) log_dir: PathBuf,
    pub(super) log_bytes: u64,
}

impl Directories {
    /// Looks at the files.
    pub(super) fn look(data_dir: &Path, log_dir: &Path) -> Self {
        let data_bytes = bytes_in(data_dir);
        let is_one = data_dir == log_dir;
        Self {
            data_dir: absolute(data_dir),
            data_bytes,
            log_dir: absolute(log_dir),
            log_bytes: if is_one {
                data_bytes
            } else {
                bytes_in(log_dir)
            },
        }
    }

    /// The whole answer to `dirs`.
    pub(super) fn dirs(&self) -> String {
        let (data, log) = (self.data_bytes, self.log_bytes);
        format!("datadir_size: {data}\nlogdir_size: {log}\n")
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Directories {
            data_dir,
            data_bytes,
            log_dir,
            log_bytes,
        } = &self.dirs;
        writeln!(f, "clientPort={}", self.client_port)?;
        writeln!(f, "secureClientPort={}", self.secure_client_port)?;
        writeln!(f, "dataDir={}", data_dir.display())?;
        writeln!(f, "dataDirSize={data_bytes}")?;
        writeln!(f, "dataLogDir={}", log_dir.display())?;
        writeln!(f, "dataLogSize={log_bytes}")?;
        writeln!(f, "tickTime={}", self.tick_ms)?;
        writeln!(f, "maxClientCnxns={}", self.max_client_cnxns)?;
        writeln!(f, "minSessionTimeout={}", self.min_session_timeout_ms)?;
        writeln!(f, "maxSessionTimeout={}", self.max_session_timeout_ms)?;
        writeln!(f, "clientPortListenBacklog={}", self.listen_backlog)?;
        match &self.ensemble {
            // A standalone server shows 0 whatever its number is.
            None => writeln!(f, "serverId=0"),
            Some(ensemble) => ensemble.fmt(f),
        }
    }
}

impl fmt::Display for EnsembleConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "serverId={}", self.server)?;
        writeln!(f, "initLimit={}", self.init_limit)?;
        writeln!(f, "syncLimit={}", self.sync_limit)?;
        writeln!(f, "electionAlg=3")?;
        writeln!(f, "electionPort={}", self.ports(|it| it.election_port))?;
        writeln!(f, "quorumPort={}", self.ports(|it| it.quorum_port))?;
        let peer_type = match self.own().map_or(self.default_role, |own| own.role) {
            Role::Participant => 0,
            Role::Observer => 1,
        };
        writeln!(f, "peerType={peer_type}")?;
        if self.read_only {
            return Ok(());
        }
        write!(f, "membership: \n{}", self.members)
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The lengths of the files right in a directory; those that vanish meanwhile
/// do not count. The server makes no directories below.
fn bytes_in(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    let files = entries.filter_map(|entry| entry.ok()?.metadata().ok());
    files
        .filter(|file| file.is_file())
        .map(|file| file.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_measured() {
        let data = tempfile::tempdir().unwrap();
        let log = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("snapshot.0"), [0; 10]).unwrap();
        std::fs::write(log.path().join("log.1"), [0; 7]).unwrap();
        std::fs::create_dir(log.path().join("below")).unwrap();
        let apart = Directories::look(data.path(), log.path());
        assert_eq!(apart.dirs(), "datadir_size: 10\nlogdir_size: 7\n");
        let together = Directories::look(data.path(), data.path());
        assert_eq!(together.dirs(), "datadir_size: 10\nlogdir_size: 10\n");
        let nowhere = Directories::look(&data.path().join("no"), log.path());
        assert_eq!(nowhere.dirs(), "datadir_size: 0\nlogdir_size: 7\n");
    }
}
