//! What a server is told before it starts: `zoo.cfg`, the command line,
//! options in `JVMFLAGS`, `myid`. The result is one typed [`ServerConfig`]
//! with Apache ZooKeeper's defaults.
//!
//! The way of a key: [`properties`] reads the text, `settings` looks the key
//! up in the table of [`keys`] and reads its value as Apache's code reads that
//! key, and one module for each concern turns values into its part of the
//! configuration. A key that no part asks for is told once at start, with the
//! reason; so is a key that nobody knows, with the nearest that somebody does.
//!
//! This layer opens no socket, makes no directory, and reads no file but
//! `zoo.cfg`, the dynamic file and `myid`.

mod args;
mod auth;
mod clients;
mod dynamic;
mod ensemble;
mod error;
mod jvm_flags;
pub mod keys;
mod limits;
mod monitoring;
mod myid;
mod nearest;
mod notice;
mod origin;
pub mod properties;
mod report;
mod rules;
mod secret;
mod servers;
mod settings;
mod storage;
mod values;

pub use args::{ArgsForm, Invocation, USAGE, from_args};
pub use auth::{Auth, EnsembleScheme};
pub use clients::{Clients, Sessions};
pub(crate) use dynamic::DynamicFiles;
pub use ensemble::{Ensemble, MultiAddress};
pub use error::{ConfigError, Rule};
pub use jvm_flags::{JvmFlags, JvmProperty};
pub use limits::Limits;
pub use monitoring::{Admin, FourLetterWhitelist, Metrics, Monitoring};
pub use notice::{Level, Notice};
pub use origin::Origin;
pub use rules::{Containers, Rules};
pub use secret::Secret;
pub use storage::{Autopurge, SnapshotCompression, Storage};

use notice::Notices;
use settings::{Entry, Settings};
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use zk_proto::ServerId;

/// Everything a server is told before it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// `zoo.cfg`, if the configuration came from a file.
    pub file: Option<PathBuf>,
    /// The number in `myid`, if there is one. A standalone server needs none,
    /// and shows 0 whatever it is.
    pub server_id: Option<ServerId>,
    /// The client port and connections.
    pub clients: Clients,
    /// The tick and session timeouts.
    pub sessions: Sessions,
    /// Data directories, log, snapshots.
    pub storage: Storage,
    /// What the tree allows.
    pub rules: Rules,
    /// Sizes and throttling.
    pub limits: Limits,
    /// Authentication.
    pub auth: Auth,
    /// Four-letter words, admin server, metrics, audit log.
    pub monitoring: Monitoring,
    /// The other servers.
    pub ensemble: Ensemble,
    notices: Notices,
}

/// What an [`ArgsForm`] without a file stands for in messages.
const COMMAND_LINE: &str = "command line";

impl ServerConfig {
    /// Reads the configuration that the command line names.
    ///
    /// # Errors
    /// A file that cannot be read, a value that its key cannot have, or values
    /// that make no sense together.
    pub fn load(form: &ArgsForm, flags: &JvmFlags) -> Result<Self, ConfigError> {
        match form {
            ArgsForm::File(path) => Self::parse(path, &read_file(path)?, flags),
            ArgsForm::Positional(words) => Self::from_entries(&positional(words), flags),
            ArgsForm::Default => Self::from_entries(&defaults(), flags),
        }
    }

    /// Reads `bytes`, the content of a `zoo.cfg` at `path`. The dynamic file
    /// and `myid` that it names are read too.
    ///
    /// # Errors
    /// As [`ServerConfig::load`].
    pub fn parse(path: &Path, bytes: &[u8], flags: &JvmFlags) -> Result<Self, ConfigError> {
        Self::parse_as(path, bytes, flags, None)
    }

    /// As [`ServerConfig::parse`], for the server with this id, whatever is
    /// in `myid`.
    ///
    /// # Errors
    /// As [`ServerConfig::load`].
    pub fn of_member(path: &Path, bytes: &[u8], id: ServerId) -> Result<Self, ConfigError> {
        Self::parse_as(path, bytes, &JvmFlags::default(), Some(id))
    }

    fn parse_as(
        path: &Path,
        bytes: &[u8],
        flags: &JvmFlags,
        id: Option<ServerId>,
    ) -> Result<Self, ConfigError> {
        let entries = file_entries(path, bytes)?;
        let mut notices = Notices::default();
        storage::warn_if_relative(path, "the configuration file", &mut notices);
        let settings = Settings::read(path, &entries, flags, &mut notices)?;
        let mut config = Self::build(&settings, flags, notices)?;
        config.file = Some(path.to_owned());
        config.server_id = match id {
            Some(id) => Some(id),
            None => myid::read(&config.storage.data_dir, &mut config.notices)?,
        };
        config.ensemble.read_next(path, &mut config.notices)?;
        config.take_own_line(&settings)?;
        config.check_complete(&settings)?;
        Ok(config)
    }

    /// Whether this server serves alone.
    #[must_use]
    pub fn is_standalone(&self) -> bool {
        !self.ensemble.is_distributed()
    }

    /// What to tell once at start, in the order in which it came up.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices.0
    }

    /// The lines to be logged once at start: keys without an effect with
    /// their reasons, unknown keys with the nearest known one, values that
    /// were read otherwise than they may have been meant.
    #[must_use]
    pub fn start_report(&self) -> Vec<String> {
        self.notices().iter().map(Notice::to_string).collect()
    }

    /// Logs the start report, each line as loud as it should be.
    pub fn log_start_report(&self) {
        for notice in self.notices() {
            match notice.level {
                Level::Info => tracing::info!("{notice}"),
                Level::Warn => tracing::warn!("{notice}"),
            }
        }
    }

    fn from_entries(entries: &[Entry], flags: &JvmFlags) -> Result<Self, ConfigError> {
        let mut notices = Notices::default();
        let settings = Settings::read(Path::new(COMMAND_LINE), entries, flags, &mut notices)?;
        Self::build(&settings, flags, notices)
    }

    fn build(
        settings: &Settings,
        flags: &JvmFlags,
        mut notices: Notices,
    ) -> Result<Self, ConfigError> {
        let mut config = Self {
            file: None,
            server_id: None,
            storage: Storage::read(settings, &mut notices)?,
            clients: Clients::read(settings, &mut notices)?,
            sessions: Sessions::read(settings)?,
            rules: Rules::read(settings, &mut notices),
            limits: Limits::read(settings, &mut notices),
            auth: Auth::read(settings, &mut notices)?,
            monitoring: Monitoring::read(settings),
            ensemble: Ensemble::read(settings, &mut notices)?,
            notices: Notices::default(),
        };
        report::report_idle_keys(settings, config.is_standalone(), &mut notices);
        report::report_jvm_options(flags, &mut notices);
        config.notices = notices;
        Ok(config)
    }

    /// This server's own line says whether it votes, and may say where its
    /// clients connect (`QuorumPeerConfig.setupClientPort`, `setupPeerType`).
    fn take_own_line(&mut self, settings: &Settings) -> Result<(), ConfigError> {
        let line = self
            .server_id
            .and_then(|id| self.ensemble.members.members.get(&id));
        let role = line.map(|line| line.role).unwrap_or_default();
        if let Some((line, client)) = line.and_then(|line| Some((line, line.client.as_ref()?))) {
            let listed = clients::resolve(&client.host, client.port).map_err(|source| {
                let key = format!("server.{}", line.id);
                clients::unknown_host(settings.get(&key), &client.host, source)
            })?;
            let fixed = self.clients.address;
            if let Some(fixed) = fixed.filter(|fixed| !agree(*fixed, listed)) {
                return Err(settings.broken(Rule::ClientAddress {
                    id: line.id,
                    fixed,
                    listed,
                }));
            }
            self.clients.address = Some(listed);
        }
        if role != self.ensemble.peer_type {
            self.notices
                .warn("peerType is not the role in the list of servers: the list counts");
            self.ensemble.peer_type = role;
        }
        Ok(())
    }

    /// An ensemble needs more than a standalone server
    /// (`QuorumPeerConfig.checkValidity`), and that one needs a port.
    fn check_complete(&self, settings: &Settings) -> Result<(), ConfigError> {
        let missing = if self.is_standalone() {
            let portless = self.clients.address.is_none();
            portless.then_some(Rule::NotSet("clientPort"))
        } else if self.ensemble.init_limit == 0 {
            Some(Rule::NotSet("initLimit"))
        } else if self.ensemble.sync_limit == 0 {
            Some(Rule::NotSet("syncLimit"))
        } else {
            let nobody = self.server_id.is_none();
            nobody.then_some(Rule::NoMyId)
        };
        missing.map_or(Ok(()), |rule| Err(settings.broken(rule)))
    }
}

/// The address in the static file may be wider than the one in the list.
fn agree(fixed: SocketAddr, listed: SocketAddr) -> bool {
    if fixed.ip().is_unspecified() {
        fixed.port() == listed.port()
    } else {
        fixed == listed
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|source| {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::NotFound => ConfigError::Missing(path),
            _ => ConfigError::Read { path, source },
        }
    })
}

fn file_entries(path: &Path, bytes: &[u8]) -> Result<Vec<Entry>, ConfigError> {
    let properties = properties::parse(bytes).map_err(|source| ConfigError::Malformed {
        path: path.to_owned(),
        source,
    })?;
    let entry = |property| Entry::in_file(path, property);
    Ok(properties.into_iter().map(entry).collect())
}

/// `<clientPort> <dataDir> [tickTime] [maxClientCnxns]`, where Apache counts
/// no connections unless it is told to.
fn positional(words: &[String]) -> Vec<Entry> {
    let keys = ["clientPort", "dataDir", "tickTime", "maxClientCnxns"];
    let given = words
        .iter()
        .zip(keys)
        .enumerate()
        .map(|(at, (word, key))| Entry::new(key, word, Origin::Argument(at + 1)));
    let unlimited = Entry::new("maxClientCnxns", "0", Origin::Default);
    given
        .chain((words.len() < keys.len()).then_some(unlimited))
        .collect()
}

fn defaults() -> Vec<Entry> {
    let set = |key, value| Entry::new(key, value, Origin::Default);
    vec![
        set("clientPort", "2181"),
        set("dataDir", "./zookeeper-data"),
    ]
}
