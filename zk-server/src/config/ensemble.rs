//! All that concerns the other servers, typed. It refuses to know how votes
//! and proposals travel.

use super::dynamic;
use super::error::{ConfigError, Rule};
use super::jvm_flags::JvmFlags;
use super::notice::Notices;
use super::servers;
use super::settings::Settings;
use super::{file_entries, read_file};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zk_proto::Zxid;
use zk_proto::ensemble::{EnsembleConfig, Role};

/// All that concerns the other servers.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// The servers that `zoo.cfg` or the dynamic file lists.
    pub members: EnsembleConfig,
    /// Servers that were proposed to be the members, and may be by now.
    pub next: Option<EnsembleConfig>,
    /// The dynamic file, if there is one.
    pub dynamic_config_file: Option<PathBuf>,
    /// Whether a list of one server means a standalone server.
    pub standalone_enabled: bool,
    /// Whether this server votes; its own line decides if there is one.
    pub peer_type: Role,
    /// Ticks a learner may take to synchronize; zero if not set.
    pub init_limit: i32,
    /// Ticks a learner may lag behind; zero if not set.
    pub sync_limit: i32,
    /// Ticks a learner may take to connect to the leader; zero: `init_limit`.
    pub connect_to_learner_master_limit: i32,
    /// Whether the ports for servers listen on every address.
    pub listen_on_all_ips: bool,
    /// Where a follower serves observers, if it does.
    pub observer_master_port: Option<u16>,
    /// Whether observers log transactions.
    pub sync_enabled: bool,
    /// Whether a leader serves clients.
    pub leader_serves: bool,
    /// Whether the system probes idle connections between servers.
    pub tcp_keep_alive: bool,
    /// How long a connection for votes may take to open.
    pub connect_timeout: Duration,
    /// After which time a vote is first repeated, and the longest time
    /// between two repetitions.
    pub notification_interval: (Duration, Duration),
    /// How long a learner waits before it dials its leader again.
    pub leader_retry_delay: Duration,
    /// How often the election port is tried; zero: for ever.
    pub election_port_bind_retry: i32,
    /// Whether sessions begin as local ones.
    pub local_sessions_enabled: bool,
    /// Whether a local session becomes a global one when it needs to.
    pub local_sessions_upgrading_enabled: bool,
    /// Whether a server without a quorum serves reads.
    pub read_only_mode_enabled: bool,
    /// How many committed proposals stay in memory for learners; at least 500.
    pub commit_log_count: u32,
    /// Up to what part of a snapshot's size the log is sent instead of it.
    pub snapshot_size_factor: f64,
    /// The file that decides between two servers.
    pub oracle_path: Option<PathBuf>,
    /// Several addresses of one server.
    pub multi_address: MultiAddress,
}

/// What is done with several addresses of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultiAddress {
    /// Whether a server may have several.
    pub enabled: bool,
    /// Whether they are probed before use.
    pub reachability_check_enabled: bool,
    /// How long a probe may take.
    pub reachability_check_timeout: Duration,
}

/// The keys that list members, and nothing else may stand in a dynamic file.
const MEMBER_KEYS: [&str; 3] = ["server.*", "group.*", "weight.*"];
const LEAST_COMMIT_LOG_COUNT: i64 = 500;
const DEFAULT_SNAPSHOT_SIZE_FACTOR: f64 = 0.33;

impl Ensemble {
    /// # Errors
    /// A list of members that makes no ensemble, or a dynamic file that
    /// cannot be read.
    pub(super) fn read(settings: &Settings, notices: &mut Notices) -> Result<Self, ConfigError> {
        check_quorum_sasl(settings)?;
        let multi_address = MultiAddress::read(settings);
        let commit_log_count = settings.at_least(
            "commitLogCount",
            LEAST_COMMIT_LOG_COUNT,
            LEAST_COMMIT_LOG_COUNT,
            notices,
        );
        let ensemble = Self {
            members: read_members(settings, multi_address.enabled, notices)?,
            next: None,
            dynamic_config_file: settings.path("dynamicConfigFile"),
            standalone_enabled: settings.flag("standaloneEnabled", true),
            peer_type: peer_type(settings),
            init_limit: settings.int("initLimit").unwrap_or(0),
            sync_limit: settings.int("syncLimit").unwrap_or(0),
            connect_to_learner_master_limit: settings
                .int("connectToLearnerMasterLimit")
                .unwrap_or(0),
            listen_on_all_ips: settings.flag("quorumListenOnAllIPs", false),
            observer_master_port: settings.port("observerMasterPort").filter(|port| *port > 0),
            sync_enabled: settings.flag("observer.syncEnabled", settings.flag("syncEnabled", true)),
            leader_serves: settings.flag("leaderServes", true),
            tcp_keep_alive: settings.flag("tcpKeepAlive", false),
            connect_timeout: settings.millis("cnxTimeout", 5000),
            notification_interval: notification_interval(settings),
            leader_retry_delay: settings.millis("leaderConnectDelayDuringRetryMs", 100),
            election_port_bind_retry: settings.int("electionPortBindRetry").unwrap_or(3),
            local_sessions_enabled: settings.flag("localSessionsEnabled", false),
            local_sessions_upgrading_enabled: settings.flag("localSessionsUpgradingEnabled", false),
            read_only_mode_enabled: settings.flag("readonlymode.enabled", false),
            commit_log_count: commit_log_count.try_into().unwrap_or(u32::MAX),
            snapshot_size_factor: settings
                .number("snapshotSizeFactor")
                .filter(|factor| *factor <= 1.0)
                .unwrap_or(DEFAULT_SNAPSHOT_SIZE_FACTOR),
            oracle_path: settings.path("oraclePath"),
            multi_address,
        };
        ensemble.check_members(settings, notices)?;
        if ensemble.is_distributed() {
            check_guards(settings)?;
        }
        Ok(ensemble)
    }

    /// Reads what a reconfiguration left behind that this server did not see
    /// committed (`QuorumPeerConfig.parse`).
    pub(super) fn read_next(
        &mut self,
        zoo_cfg: &Path,
        notices: &mut Notices,
    ) -> Result<(), ConfigError> {
        let path = dynamic::next_file(zoo_cfg);
        if self.dynamic_config_file.is_none() || !path.is_file() {
            return Ok(());
        }
        let entries = file_entries(&path, &read_file(&path)?)?;
        let settings = Settings::read(&path, &entries, &JvmFlags::default(), notices)?;
        let next = servers::read(&settings, self.multi_address.enabled)?;
        self.next = (next.version > self.members.version).then_some(next);
        Ok(())
    }

    /// Whether this server needs others (`QuorumPeerConfig.isDistributed`).
    #[must_use]
    pub fn is_distributed(&self) -> bool {
        !self.standalone_enabled || self.members.participants().count() > 1
    }

    /// The rules of `QuorumPeerConfig.parseDynamicConfig`.
    fn check_members(&self, settings: &Settings, notices: &mut Notices) -> Result<(), ConfigError> {
        let broken = |rule| Err(settings.broken(rule));
        if self.oracle_path.is_none() {
            let stray = self.members.voter_without_group();
            stray.map_or(Ok(()), |id| broken(Rule::NotInAGroup(id)))?;
        }
        let has_observers = self.members.observers().next().is_some();
        match self.members.participants().count() {
            0 if !self.standalone_enabled => return broken(Rule::NoParticipants),
            0 | 1 if has_observers && self.standalone_enabled => {
                return broken(Rule::ObserversWithoutQuorum);
            }
            0 => {}
            1 if self.standalone_enabled => notices.warn(
                "one server is listed, and standaloneEnabled is true: it runs standalone",
            ),
            voters @ (1 | 2) => notices.warn(format!(
                "{voters} of {voters} voting servers are needed: none may fail, at least 3 are better",
            )),
            voters if voters % 2 == 0 => notices.warn(format!(
                "{voters} voting servers survive no more failures than {}: take an odd number",
                voters - 1,
            )),
            _ => {}
        }
        Ok(())
    }
}

impl MultiAddress {
    fn read(settings: &Settings) -> Self {
        Self {
            enabled: settings.flag("multiAddress.enabled", false),
            reachability_check_enabled: settings
                .flag("multiAddress.reachabilityCheckEnabled", true),
            reachability_check_timeout: settings
                .millis("multiAddress.reachabilityCheckTimeoutMs", 1000),
        }
    }
}

fn peer_type(settings: &Settings) -> Role {
    match settings.text("peerType") {
        Some("observer") => Role::Observer,
        _ => Role::Participant,
    }
}

/// Members come from the dynamic file if there is one, and then from nowhere
/// else.
fn read_members(
    settings: &Settings,
    many_addresses: bool,
    notices: &mut Notices,
) -> Result<EnsembleConfig, ConfigError> {
    let Some(path) = settings.path("dynamicConfigFile") else {
        return servers::read(settings, many_addresses);
    };
    let mut keys = settings.iter();
    if let Some(member) = keys.find(|setting| MEMBER_KEYS.contains(&setting.spec.name)) {
        return Err(settings.broken(Rule::MemberInStaticFile(member.key.clone())));
    }
    let dynamic = read_dynamic_file(&path, notices)?;
    let mut members = servers::read(&dynamic, many_addresses)?;
    members.version = version_in_name(&path).unwrap_or_default();
    Ok(members)
}

fn read_dynamic_file(path: &Path, notices: &mut Notices) -> Result<Settings, ConfigError> {
    let entries = file_entries(path, &read_file(path)?)?;
    let settings = Settings::read(path, &entries, &JvmFlags::default(), notices)?;
    let stranger = entries.iter().find(|entry| !is_member_key(&entry.key));
    match stranger.map(|entry| entry.key.as_str()) {
        None => Ok(settings),
        Some("version") => Err(settings.broken(Rule::VersionInside)),
        Some(key) => Err(settings.broken(Rule::NotAMember(key.to_owned()))),
    }
}

fn is_member_key(key: &str) -> bool {
    let mut families = MEMBER_KEYS.iter().filter_map(|name| name.strip_suffix('*'));
    families.any(|family| key.starts_with(family))
}

/// `zoo.cfg.dynamic.100000000` holds version 0x100000000.
fn version_in_name(path: &Path) -> Option<Zxid> {
    let extension = path.extension()?.to_str()?;
    i64::from_str_radix(extension, 16).ok().map(Zxid)
}

/// (`FastLeaderElection.minNotificationInterval`, `maxNotificationInterval`)
fn notification_interval(settings: &Settings) -> (Duration, Duration) {
    let shortest = Duration::from_millis(1);
    let min = settings.millis("fastleader.minNotificationInterval", 200);
    let max = settings.millis("fastleader.maxNotificationInterval", 60_000);
    (min.max(shortest), max.max(min).max(shortest))
}

/// Who wants the connections between servers guarded must not get them bare.
fn check_guards(settings: &Settings) -> Result<(), ConfigError> {
    for (key, what) in [("sslQuorum", "TLS"), ("quorum.auth.enableSasl", "SASL")] {
        if settings.flag(key, false) {
            return Err(settings.broken(Rule::Unguarded { key, what }));
        }
    }
    Ok(())
}

/// A server must not ask of others what it does not do itself.
fn check_quorum_sasl(settings: &Settings) -> Result<(), ConfigError> {
    const ENABLE: &str = "quorum.auth.enableSasl";
    const LEARNER: &str = "quorum.auth.learnerRequireSasl";
    const SERVER: &str = "quorum.auth.serverRequireSasl";
    for (key, needs) in [(SERVER, ENABLE), (LEARNER, ENABLE), (SERVER, LEARNER)] {
        if settings.flag(key, false) && !settings.flag(needs, false) {
            return Err(settings.broken(Rule::QuorumSasl { key, needs }));
        }
    }
    Ok(())
}
