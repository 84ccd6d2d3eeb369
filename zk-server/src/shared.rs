//! What all parts of a running server share.
//!
//! Locks are taken in this order, and never the other way: tree, watches,
//! connection table, outbox. The inbox's lock is held alone.

use crate::auth::AuthConfig;
use crate::clock::Clock;
use crate::conn::{Conn, ConnTable, LargeRequests};
use crate::four_letter::WordState;
use crate::pipeline::Inbox;
use crate::reads::ReadConfig;
use crate::role::{EnsembleView, RoleCell, ServerRole};
use crate::session::{SessionIds, SessionTracker};
use crate::stats::ServerStats;
use parking_lot::{Mutex, RwLock};
use std::sync::atomic::{AtomicI64, Ordering};
use zk_proto::Zxid;
use zk_tree::{DataTree, Watches};

/// The parts of the configuration that serving looks at.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `jute.maxbuffer`: bytes of the longest request.
    pub(crate) max_frame: usize,
    pub(crate) min_session_timeout_ms: i32,
    pub(crate) max_session_timeout_ms: i32,
    /// `globalOutstandingLimit`.
    pub(crate) outstanding_max: usize,
    pub(crate) auth: AuthConfig,
    pub(crate) reads: ReadConfig,
    /// Four-letter words that are answered.
    pub(crate) four_letter_words: crate::four_letter::WhiteList,
}

/// The state of a running server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) role: RoleCell,
    pub(crate) tree: RwLock<DataTree>,
    pub(crate) watches: Mutex<Watches>,
    pub(crate) conns: ConnTable,
    pub(crate) sessions: SessionTracker,
    pub(crate) session_ids: SessionIds,
    pub(crate) inbox: Inbox,
    /// Of a server of an ensemble: how it stands with the others.
    pub(crate) ensemble: Mutex<EnsembleView>,
    pub(crate) large: LargeRequests,
    pub(crate) stats: ServerStats,
    pub(crate) words: WordState,
    /// The tree's last zxid, readable without its lock.
    last_zxid: AtomicI64,
    pub(crate) info: crate::server::ServerInfo,
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        info: crate::server::ServerInfo,
        tree: DataTree,
        limits: ConnLimits,
        tick_ms: u64,
        identity: Identity,
    ) -> Self {
        let Identity {
            server_id,
            role,
            clock,
            ..
        } = identity;
        let sessions = SessionTracker::new(tick_ms);
        if role.owns_sessions() {
            sessions.restart(tree.sessions(), clock.now_ms());
        }
        let last_zxid = tree.last_zxid();
        let live = tree.sessions().map(|(id, _)| id);
        let monotonic_ms = clock.machine_ms();
        let session_ids = SessionIds::new(server_id, monotonic_ms, live);
        Self {
            settings,
            clock,
            role: RoleCell::new(role),
            tree: RwLock::new(tree),
            watches: Mutex::new(Watches::new(info.hash_seed)),
            conns: ConnTable::new(limits.per_address, limits.total),
            sessions,
            session_ids,
            inbox: Inbox::default(),
            ensemble: Mutex::default(),
            large: LargeRequests::new(
                info.config.limits.large_request_threshold,
                info.config.limits.large_request_max_bytes,
            ),
            stats: ServerStats::default(),
            words: WordState::default(),
            last_zxid: AtomicI64::new(last_zxid.0),
            info,
        }
    }

    /// The last transaction that was applied.
    pub(crate) fn last_zxid(&self) -> Zxid {
        Zxid(self.last_zxid.load(Ordering::Acquire))
    }

    pub(crate) fn set_last_zxid(&self, zxid: Zxid) {
        self.last_zxid.store(zxid.0, Ordering::Release);
    }

    /// Whether clients are served at the moment. A leader may be left to
    /// lead (`leaderServes`).
    pub(crate) fn serves_clients(&self) -> bool {
        let role = self.role.get();
        role.serves() && (role != ServerRole::Leader || self.info.config.ensemble.leader_serves)
    }

    /// Whether more requests wait than `globalOutstandingLimit` allows.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.inbox.outstanding() > self.settings.outstanding_max
    }

    /// Forgets a connection that ended, and its watches.
    pub(crate) fn forget(&self, conn: &Conn) {
        conn.close();
        self.conns.remove(conn);
        self.watches.lock().remove_watcher(conn.id());
    }
}

/// Who a server is when it starts.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The number in its session ids.
    pub(crate) server_id: i64,
    pub(crate) role: ServerRole,
    pub(crate) clock: Clock,
    /// Keeps clients from choosing paths that collide in a table.
    pub(crate) seed: u64,
}

/// How many connections are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnLimits {
    /// `maxClientCnxns`; 0 for no limit.
    pub(crate) per_address: usize,
    /// `maxCnxns`; 0 for no limit.
    pub(crate) total: usize,
}
