//! What the tree and its operations allow, typed. It refuses to know how a
//! tree is kept.

use super::notice::Notices;
use super::settings::Settings;
use std::time::Duration;

/// What the tree and its operations allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether the tree's digest is kept and written.
    pub digest: bool,
    /// Whether TTL nodes are there.
    pub extended_types: bool,
    /// Whether hard quotas refuse writes.
    pub enforce_quota: bool,
    /// Whether all ACLs are ignored.
    pub skip_acl: bool,
    /// Whether a closeSession txn lists the ephemerals it deletes.
    pub close_session_txn: bool,
    /// Whether reconfig is served rather than refused.
    pub reconfig_enabled: bool,
    /// How containers and TTL nodes are removed.
    pub containers: Containers,
}

/// How containers and TTL nodes are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Containers {
    /// Time between two rounds.
    pub check_interval: Duration,
    /// How many nodes are removed in a minute at most.
    pub max_per_minute: u32,
    /// After what time a container that never had a child goes; `None`: never.
    pub max_never_used: Option<Duration>,
}

impl Rules {
    pub(super) fn read(settings: &Settings, notices: &mut Notices) -> Self {
        Self {
            digest: settings.flag("digest.enabled", true),
            extended_types: settings.flag("extendedTypesEnabled", false),
            enforce_quota: settings.flag("enforceQuota", false),
            skip_acl: settings.flag("skipACL", false),
            close_session_txn: settings.flag("closeSessionTxn.enabled", true),
            reconfig_enabled: settings.flag("reconfigEnabled", false),
            containers: Containers::read(settings, notices),
        }
    }
}

impl Containers {
    fn read(settings: &Settings, notices: &mut Notices) -> Self {
        const NEVER_USED: &str = "znode.container.maxNeverUsedIntervalMs";
        let interval = settings.at_least("znode.container.checkIntervalMs", 1, 60_000, notices);
        let most = settings.at_least("znode.container.maxPerMinute", 1, 10_000, notices);
        let never_used = settings.long(NEVER_USED).filter(|millis| *millis != 0);
        Self {
            check_interval: Duration::from_millis(interval.unsigned_abs()),
            max_per_minute: most.try_into().unwrap_or(u32::MAX),
            max_never_used: never_used.map(|_| settings.millis(NEVER_USED, 0)),
        }
    }
}
