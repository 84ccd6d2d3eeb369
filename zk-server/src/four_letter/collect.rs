//! What the words show, taken from the running server. Locks are held for
//! single look-ups, or in turns over large tables; nothing is printed here.

use super::configuration::{Configuration, Directories, EnsembleConfiguration};
use super::connections::{Client, Connection, Interest};
use super::dump::{Dump, ExpiringConnection, ExpirySets, Sessions};
use super::monitor::Monitor;
use super::server_stats::{ProposalSizes, ServerState};
use super::watches::WatchTable;
use super::{descriptors, version};
use crate::clock;
use crate::conn::Conn;
use crate::metrics::{Families, Gauges, LeaderGauges, QuotaGauges, namespace};
use crate::role::{EnsembleView, ServerRole};
use crate::shared::Shared;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use zk_proto::{OpCode, SessionId, Zxid};
use zk_tree::StatsTrack;

/// Watches or ephemerals copied under one lock.
const PER_TURN: u32 = 4096;

pub(super) fn server_state(shared: &Shared) -> ServerState<'static> {
    let role = shared.role.get();
    ServerState {
        version: version::FULL,
        latency: shared.stats.latency(),
        received: shared.stats.packets_received(),
        sent: shared.stats.packets_sent(),
        connections: shared.conns.len(),
        outstanding: shared.inbox.outstanding(),
        zxid: shared.last_zxid(),
        mode: role.name(),
        node_count: shared.tree.read().node_count(),
        read_only: role == ServerRole::ReadOnly,
        proposals: (role == ServerRole::Leader).then(|| proposal_sizes(shared)),
    }
}

fn proposal_sizes(shared: &Shared) -> ProposalSizes {
    let sizes = &shared.stats.metrics.proposal_sizes;
    ProposalSizes {
        last: sizes.last(),
        min: sizes.min(),
        max: sizes.max(),
    }
}

pub(super) fn configuration(shared: &Shared) -> Configuration {
    let config = &shared.info.config;
    Configuration {
        client_port: shared.info.client_address.port().into(),
        // TLS is not served.
        secure_client_port: -1,
        dirs: directories(shared),
        tick_ms: config.sessions.tick_time.as_millis(),
        max_client_cnxns: config.clients.max_client_cnxns,
        min_session_timeout_ms: config.sessions.min_timeout_ms,
        max_session_timeout_ms: config.sessions.max_timeout_ms,
        listen_backlog: config.clients.listen_backlog,
        ensemble: ensemble_configuration(shared),
    }
}

fn ensemble_configuration(shared: &Shared) -> Option<EnsembleConfiguration> {
    if shared.role.get() == ServerRole::Standalone {
        return None;
    }
    let config = &shared.info.config;
    Some(EnsembleConfiguration {
        server: config.server_id?,
        default_role: config.ensemble.peer_type,
        init_limit: config.ensemble.init_limit,
        sync_limit: config.ensemble.sync_limit,
        members: shared.ensemble.lock().members.clone(),
        read_only: shared.role.get() == ServerRole::ReadOnly,
    })
}

pub(super) fn directories(shared: &Shared) -> Directories {
    let dirs = &shared.info.dirs;
    Directories::look(&dirs.snap_dir, &dirs.log_dir)
}

pub(super) fn connections(shared: &Shared) -> Vec<Connection> {
    let times = Times::now(shared);
    let all = shared.conns.all();
    all.iter().map(|conn| connection(conn, times)).collect()
}

fn connection(conn: &Conn, times: Times) -> Connection {
    let received = conn.stats.received.load(Ordering::Relaxed);
    let interest = match conn.session() {
        // What came first was not a request to connect, but a word.
        None if received > 0 => Interest::Nothing,
        _ if conn.backlog() > 0 => Interest::ReadAndWrite,
        _ => Interest::Read,
    };
    Connection {
        remote: conn.remote(),
        interest,
        queued: conn.pending().into(),
        received,
        sent: conn.stats.sent.load(Ordering::Relaxed),
        client: client(conn, times),
    }
}

fn client(conn: &Conn, times: Times) -> Option<Client> {
    let (session, stats) = (conn.session()?, &conn.stats);
    let number = |value: &std::sync::atomic::AtomicU64| value.load(Ordering::Relaxed);
    let op = OpCode(stats.last_op.load(Ordering::Relaxed));
    let answers = number(&stats.latency_count);
    let average = number(&stats.total_latency).checked_div(answers);
    let last_response_ms = match number(&stats.last_response_ms) {
        0 => 0,
        ms => times.machine(ms),
    };
    Some(Client {
        session: session.id(),
        timeout_ms: session.timeout_ms(),
        established_ms: conn.established_ms(),
        last_op: Some(op).filter(|op| op.0 != 0),
        last_cxid: stats.last_cxid.load(Ordering::Relaxed),
        last_zxid: Zxid(stats.last_zxid.load(Ordering::Relaxed)),
        last_response_ms,
        last_latency_ms: number(&stats.last_latency),
        min_latency_ms: number(&stats.min_latency),
        avg_latency_ms: average.unwrap_or(0),
        max_latency_ms: number(&stats.max_latency),
    })
}

pub(super) fn dump(shared: &Shared) -> Dump {
    let times = Times::now(shared);
    let mut dump = Dump {
        local_sessions: local_sessions(shared, times),
        sessions: sessions(shared, times),
        ephemerals: ephemerals(shared),
        connections: BTreeMap::new(),
    };
    for conn in shared.conns.all() {
        let expiring = ExpiringConnection {
            remote: conn.remote(),
            session: conn.session_id(),
        };
        let at = expiry(shared, &conn, times);
        dump.connections.entry(at).or_default().push(expiring);
    }
    dump
}

fn sessions(shared: &Shared, times: Times) -> Sessions {
    if !shared.role.get().owns_sessions() {
        return Sessions::Lasting(shared.tree.read().sessions().collect());
    }
    Sessions::Expiring(expiring(shared, times, false))
}

/// Those that only this server knows, if there may be any.
fn local_sessions(shared: &Shared, times: Times) -> Option<ExpirySets<SessionId>> {
    let may_be = has_local_sessions(shared);
    may_be.then(|| expiring(shared, times, true))
}

fn has_local_sessions(shared: &Shared) -> bool {
    let config = &shared.info.config;
    config.ensemble.local_sessions_enabled && !config.is_standalone()
}

fn expiring(shared: &Shared, times: Times, local: bool) -> ExpirySets<SessionId> {
    let tracker = &shared.sessions;
    let is_wanted = |id: &SessionId| {
        let session = tracker.get(*id);
        session.is_some_and(|session| session.is_local() == local)
    };
    let mut sets = ExpirySets::new();
    for (at, mut ids) in tracker.by_deadline() {
        ids.retain(is_wanted);
        if !ids.is_empty() {
            sets.insert(times.wall(at), ids);
        }
    }
    sets
}

fn local_session_count(shared: &Shared) -> usize {
    if !has_local_sessions(shared) {
        return 0;
    }
    let sets = shared.sessions.by_deadline();
    let ids = sets.values().flatten();
    let local = |id: &&SessionId| shared.sessions.get(**id).is_some_and(|it| it.is_local());
    ids.filter(local).count()
}

/// When a connection is too old, by the wall clock. Apache looks after them
/// once per the time that one may be without a session
/// (`NIOServerCnxnFactory`).
fn expiry(shared: &Shared, conn: &Conn, times: Times) -> i64 {
    let interval = shared.info.config.clients.sessionless_timeout.as_millis();
    let interval = i64::try_from(interval).unwrap_or(i64::MAX).max(1);
    let due = match conn.session() {
        Some(session) => times.machine(session.heard_ms()) + i64::from(session.timeout_ms()),
        None => conn.established_ms() - times.wall_ms + times.machine_ms + interval,
    };
    let due = (due / interval + 1).saturating_mul(interval);
    due - times.machine_ms + times.wall_ms
}

fn ephemerals(shared: &Shared) -> Vec<(SessionId, Vec<String>)> {
    let sessions: Vec<_> = shared.tree.read().sessions_with_ephemerals().collect();
    let mut left = sessions.into_iter().peekable();
    let mut all = Vec::new();
    while left.peek().is_some() {
        let tree = shared.tree.read();
        let mut copied = 0;
        for session in left.by_ref() {
            let paths = tree.ephemerals(session);
            copied += paths.len();
            all.push((session, paths));
            if copied >= PER_TURN as usize {
                break;
            }
        }
    }
    all
}

pub(super) fn watch_table(shared: &Shared) -> WatchTable {
    let sessions: HashMap<_, _> = shared
        .conns
        .all()
        .iter()
        .map(|conn| (conn.id(), conn.session_id()))
        .collect();
    let mut table = WatchTable::default();
    let mut next = Some(0);
    while let Some(first) = next {
        let watches = shared.watches.lock();
        next = watches.listed_connections(first, PER_TURN, &mut |id| {
            if let Some(session) = sessions.get(&id) {
                table.list(*session);
            }
        });
    }
    let mut next = Some(0);
    while let Some(first) = next {
        let watches = shared.watches.lock();
        next = watches.data_watches(first, PER_TURN, &mut |id, path| {
            if let Some(session) = sessions.get(&id) {
                table.add(*session, path);
            }
        });
    }
    table
}

/// The lines of `hash`.
pub(super) fn digests(shared: &Shared) -> String {
    let history: Vec<_> = shared.tree.read().digest_history().collect();
    // Java has no unsigned numbers.
    let line = |(zxid, digest): (Zxid, u64)| format!("{:x}: {}\n", zxid.0, digest.cast_signed());
    history.into_iter().map(line).collect()
}

pub(super) fn monitor(shared: &Shared) -> Monitor<'static> {
    let role = shared.role.get();
    let observes = role == ServerRole::Observer;
    // Unlocked before the gauges, which lock it too.
    let master = shared.ensemble.lock().master;
    Monitor {
        version: version::FULL,
        server_state: role.name(),
        peer_state: peer_state(role),
        observer_master: master.filter(|_| observes),
        gauges: gauges(shared),
        families: Families::of(&shared.stats.metrics),
    }
}

/// While it serves it is in broadcast (`QuorumPeer.getDetailedPeerState`).
const fn peer_state(role: ServerRole) -> Option<&'static str> {
    match role {
        ServerRole::Standalone | ServerRole::ReadOnly => None,
        ServerRole::Looking => Some("looking"),
        ServerRole::Leader => Some("leading - broadcast"),
        ServerRole::Follower => Some("following - broadcast"),
        ServerRole::Observer => Some("observing - broadcast"),
    }
}

fn leader_gauges(shared: &Shared, view: &EnsembleView) -> LeaderGauges {
    let (learners, sizes) = (view.learners, proposal_sizes(shared));
    LeaderGauges {
        learners: whole(learners.all),
        synced_followers: whole(learners.synced_followers),
        synced_non_voting_followers: whole(learners.synced_non_voting),
        synced_observers: whole(learners.synced_observers),
        pending_syncs: whole(learners.pending_syncs),
        uptime: whole(shared.clock.now_ms().saturating_sub(view.serving_since)),
        last_proposal_size: sizes.last,
        min_proposal_size: sizes.min,
        max_proposal_size: sizes.max,
    }
}

fn gauges(shared: &Shared) -> Gauges {
    let role = shared.role.get();
    let view = shared.ensemble.lock().clone();
    let stats = &shared.stats;
    let (latency, sizes) = (stats.latency(), &stats.metrics.response_sizes);
    let (quotas, open_files) = (quotas(shared), descriptors::open());
    let local_sessions = local_session_count(shared);
    let tree = shared.tree.read();
    Gauges {
        ephemerals_count: whole(tree.ephemeral_count()),
        num_alive_connections: whole(shared.conns.len()),
        avg_latency: latency.average(),
        outstanding_requests: whole(shared.inbox.outstanding()),
        znode_count: whole(tree.node_count()),
        global_sessions: whole(tree.session_count()),
        last_response_size: sizes.last(),
        packets_sent: whole(stats.packets_sent()),
        packets_received: whole(stats.packets_received()),
        max_response_size: sizes.max(),
        watch_count: whole(shared.watches.lock().total()),
        min_latency: whole(latency.min),
        max_files: whole(descriptors::max()),
        approximate_data_size: tree.data_size(),
        open_files: whole(open_files),
        uptime: whole(shared.clock.now_ms().saturating_sub(view.elected_at)),
        max_latency: whole(latency.max),
        min_response_size: sizes.min(),
        local_sessions: whole(local_sessions),
        quorum_size: (!matches!(role, ServerRole::Standalone | ServerRole::ReadOnly))
            .then(|| whole(view.members.participants().count())),
        leader: (role == ServerRole::Leader).then(|| leader_gauges(shared, &view)),
        hosted_observers: view.hosted_observers.map(whole),
        quotas,
    }
}

fn whole(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

const QUOTA_ROOT: &str = "/zookeeper/quota";
const LIMITS: &str = "/zookeeper_limits";
const STATS: &str = "/zookeeper_stats";

/// Limits and use below each name under the root, added up.
fn quotas(shared: &Shared) -> QuotaGauges {
    let mut gauges = QuotaGauges::default();
    let mut ahead = vec![QUOTA_ROOT.to_owned()];
    while let Some(path) = ahead.pop() {
        let tree = shared.tree.read();
        let Some(node) = tree.get(&path) else {
            continue;
        };
        ahead.extend(node.child_names().map(|name| format!("{path}/{name}")));
        if node.num_children() == 0
            && let Some(track) = StatsTrack::parse(node.data())
        {
            add_quota(&mut gauges, &path, &track);
        }
    }
    gauges
}

fn add_quota(gauges: &mut QuotaGauges, path: &str, track: &StatsTrack) {
    let quota_of = path.strip_prefix(QUOTA_ROOT).unwrap_or_default();
    let Some(name) = namespace(quota_of) else {
        return;
    };
    let limit = |hard: i64, soft| if hard > -1 { hard } else { soft };
    let (counts, bytes) = if path.ends_with(LIMITS) {
        let count = limit(track.count_hard_limit(), track.count());
        let bytes = limit(track.byte_hard_limit(), track.bytes());
        (
            (&mut gauges.count_limit, count),
            (&mut gauges.bytes_limit, bytes),
        )
    } else if path.ends_with(STATS) {
        let used = (track.count(), track.bytes());
        (
            (&mut gauges.count_usage, used.0),
            (&mut gauges.bytes_usage, used.1),
        )
    } else {
        return;
    };
    for (sums, value) in [counts, bytes] {
        *sums.entry(name.to_owned()).or_default() += value;
    }
}

/// The clocks at one moment: the server's counts from its start, the
/// machine's is what Java shows, the wall clock is for dates. All in ms.
#[derive(Debug, Clone, Copy)]
struct Times {
    server_ms: i64,
    machine_ms: i64,
    wall_ms: i64,
}

impl Times {
    fn now(shared: &Shared) -> Self {
        Self {
            server_ms: whole(shared.clock.now_ms()),
            machine_ms: clock::machine_monotonic_ms(),
            wall_ms: clock::wall_ms(),
        }
    }

    /// A time of the server's clock as one of the machine's.
    fn machine(self, server_ms: u64) -> i64 {
        whole(server_ms) - self.server_ms + self.machine_ms
    }

    /// A time of the server's clock as one of the wall clock.
    fn wall(self, server_ms: u64) -> i64 {
        whole(server_ms) - self.server_ms + self.wall_ms
    }
}
