//! What a server does by the clock: expiring sessions, removing containers
//! and TTL znodes, purging old files.

use crate::shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use zk_log::{LogDirs, Storage};
use zk_proto::{OpCode, jute};
use zk_tree::{ExpiryRule, ExpiryScan};

/// Containers and TTL znodes looked at under one lock of the tree.
const CANDIDATES_PER_LOOK: usize = 256;

/// Submits a closeSession for every session whose time is up.
pub(crate) async fn expire_sessions(shared: Arc<Shared>, tick: Duration) {
    loop {
        let next = shared.sessions.next_deadline().map_or_else(
            || tokio::time::Instant::now() + tick,
            |ms| shared.clock.instant(ms).into(),
        );
        // A deadline that a new session brings lies a tick ahead at least.
        sleep_until(next.min(tokio::time::Instant::now() + tick)).await;
        let now_ms = shared.clock.now_ms();
        let expired = shared.sessions.expire(now_ms);
        if expired.is_empty() {
            continue;
        }
        let mut inbox = shared.inbox.open();
        for session in expired {
            tracing::info!(session = %session.id(), "expiring the session, timeout of {} ms exceeded", session.timeout_ms());
            shared.stats.session_expired();
            inbox.expired(session, now_ms);
        }
    }
}

/// How containers and TTL znodes are looked after (`ContainerManager`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContainerPolicy {
    /// `znode.container.checkIntervalMs`.
    pub(crate) interval: Duration,
    /// `znode.container.maxPerMinute`.
    pub(crate) per_minute: usize,
    /// `znode.container.maxNeverUsedIntervalMs`; 0 keeps never-used ones.
    pub(crate) never_used_ms: i64,
}

/// Submits a deleteContainer for every container and TTL znode that is due.
pub(crate) async fn remove_containers(shared: Arc<Shared>, policy: ContainerPolicy) {
    let mut ticks = interval(policy.interval.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is due at once; Apache waits an interval first.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if !shared.role.get().owns_sessions() {
            continue;
        }
        let mut scan = ExpiryScan::default();
        while !scan.is_done() {
            let due = look(&shared, policy, &mut scan);
            delete(&shared, policy, due).await;
            // Writes and connections get their turn between two looks.
            tokio::task::yield_now().await;
        }
    }
}

/// Looks at some of the candidates; a look is so short that no write waits
/// for the tree's lock.
fn look(shared: &Shared, policy: ContainerPolicy, scan: &mut ExpiryScan) -> Vec<String> {
    let rule = ExpiryRule {
        now_ms: shared.clock.wall_ms(),
        max_never_used_ms: policy.never_used_ms,
    };
    let tree = shared.tree.read();
    tree.scan_expired(scan, CANDIDATES_PER_LOOK, rule)
}

/// Submits deletions, no more of them in a minute than the policy allows.
async fn delete(shared: &Shared, policy: ContainerPolicy, due: Vec<String>) {
    let pause = Duration::from_millis(60_000 / policy.per_minute.max(1) as u64);
    for path in due {
        tracing::info!("attempting to delete candidate container: {path}");
        let body = jute::to_vec(&path).expect("a path has a jute form");
        let now_ms = shared.clock.now_ms();
        let op = OpCode::DELETE_CONTAINER;
        shared.inbox.open().server(op, &body, now_ms);
        tokio::time::sleep(pause).await;
    }
}

/// Removes snapshots and logs that are not needed any more
/// (`DatadirCleanupManager`): at once, then every `every`.
pub(crate) async fn purge(storage: Arc<dyn Storage>, dirs: LogDirs, keep: usize, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (storage, dirs) = (storage.clone(), dirs.clone());
        let purge = move || zk_log::purge(&*storage, &dirs, keep);
        let purged = tokio::task::spawn_blocking(purge).await;
        match purged {
            Ok(Ok(report)) => tracing::info!("purge done: {report:?}"),
            Ok(Err(error)) => tracing::error!("purge failed: {error}"),
            Err(error) => tracing::error!("purge ended early: {error}"),
        }
    }
}
