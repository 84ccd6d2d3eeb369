//! What a peer is told when it is made. It refuses to know where that was
//! read.

use super::local::LocalSessions;
use crate::config::ServerConfig;
use std::time::Duration;
use zk_proto::ServerId;
use zk_proto::ensemble::{EnsembleConfig, Role};
use zk_tree::PrepareConfig;

/// The part of a server's configuration that its peer needs.
#[derive(Debug, Clone)]
pub(crate) struct PeerConfig {
    pub(super) me: ServerId,
    /// Whether it votes, unless a line of its own says so.
    pub(super) default_role: Role,
    /// The members that hold.
    pub(super) members: EnsembleConfig,
    /// Members that were proposed, and may hold one day.
    pub(super) next: Option<EnsembleConfig>,
    pub(super) tick: Duration,
    pub(super) init_limit_ticks: u32,
    pub(super) sync_limit_ticks: u32,
    /// How long a learner tries to reach its leader.
    pub(super) connect_limit_ticks: u32,
    /// How long it waits between two tries.
    pub(super) dial_again: Duration,
    /// Of repeated votes.
    pub(super) resend: (Duration, Duration),
    pub(super) committed_log_max: usize,
    /// Up to what part of a snapshot's size the log is sent instead of it.
    pub(super) snapshot_size_factor: f64,
    pub(super) prepare: PrepareConfig,
    /// Bytes of the longest packet between servers.
    pub(super) packet_max: usize,
    /// `reconfigEnabled`.
    pub(super) reconfig: bool,
    pub(super) hash_seed: u64,
    pub(super) local: LocalSessions,
    pub(super) standalone_enabled: bool,
    pub(super) many_addresses: bool,
    /// Whether followers host observers (`observerMasterPort`).
    pub(super) observer_masters: bool,
}

/// What a packet has beside a client's request.
const PACKET_EXTRA: usize = 1024 * 1024;

impl PeerConfig {
    pub(crate) fn new(config: &ServerConfig, me: ServerId, prepare: PrepareConfig) -> Self {
        let ensemble = &config.ensemble;
        let ticks = |limit: i32| u32::try_from(limit).unwrap_or(0).max(1);
        Self {
            me,
            default_role: ensemble.peer_type,
            members: ensemble.members.clone(),
            next: ensemble.next.clone(),
            tick: config.sessions.tick_time,
            init_limit_ticks: ticks(ensemble.init_limit),
            sync_limit_ticks: ticks(ensemble.sync_limit),
            connect_limit_ticks: match ensemble.connect_to_learner_master_limit {
                limit @ 1.. => ticks(limit),
                _ => ticks(ensemble.init_limit),
            },
            dial_again: ensemble.leader_retry_delay,
            resend: ensemble.notification_interval,
            committed_log_max: ensemble.commit_log_count as usize,
            snapshot_size_factor: ensemble.snapshot_size_factor,
            prepare,
            packet_max: config.limits.max_buffer.saturating_add(PACKET_EXTRA),
            reconfig: config.rules.reconfig_enabled,
            hash_seed: 0,
            local: LocalSessions {
                enabled: ensemble.local_sessions_enabled,
                upgrading: ensemble.local_sessions_upgrading_enabled,
                read_only_mode: ensemble.read_only_mode_enabled,
            },
            standalone_enabled: ensemble.standalone_enabled,
            many_addresses: ensemble.multi_address.enabled,
            observer_masters: ensemble.observer_master_port.is_some(),
        }
    }

    /// Keeps clients from choosing paths that collide in a table.
    pub(crate) fn with_hash_seed(mut self, seed: u64) -> Self {
        self.hash_seed = seed;
        self
    }

    pub(super) fn is_observer(&self) -> bool {
        let member = self.members.members.get(&self.me);
        member.map_or(self.default_role, |member| member.role) == Role::Observer
    }

    pub(super) fn zab(&self, leader: ServerId) -> zk_zab::ZabConfig {
        zk_zab::ZabConfig {
            next: self.next.clone(),
            leader: Some(leader),
            reconfig: self.reconfig,
            observer: self.is_observer(),
            tick: self.tick,
            init_limit_ticks: self.init_limit_ticks,
            sync_limit_ticks: self.sync_limit_ticks,
            committed_log_max: self.committed_log_max,
            ..zk_zab::ZabConfig::new(self.me, self.members.clone())
        }
    }

    pub(super) fn election(&self) -> zk_election::ElectionConfig {
        zk_election::ElectionConfig {
            next: self.next.clone(),
            adopts_configs: self.reconfig,
            resend_min: self.resend.0,
            resend_max: self.resend.1,
            ..zk_election::ElectionConfig::new(self.me, self.members.clone())
        }
    }
}
