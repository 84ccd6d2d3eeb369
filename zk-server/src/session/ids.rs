//! Where session ids come from (`SessionTrackerImpl.initializeNextSessionId`).

use std::sync::atomic::{AtomicI64, Ordering};
use zk_proto::SessionId;

/// Never handed out: a container's owner looks like this.
const RESERVED: i64 = i64::MIN;

/// Hands out session ids that no other server of the ensemble and no live
/// session has.
#[derive(Debug)]
pub(crate) struct SessionIds {
    next: AtomicI64,
}

impl SessionIds {
    /// The server's id in the high byte, then 40 bits of the machine's
    /// monotonic clock in ms, then 16 bits to count.
    ///
    /// That clock starts anew with the machine, and is another one on another
    /// machine, so ids begin behind those of `live` sessions.
    pub(crate) fn new(
        server_id: i64,
        monotonic_ms: i64,
        live: impl Iterator<Item = SessionId>,
    ) -> Self {
        let clock = ((monotonic_ms as u64) << 24) >> 8;
        let first = clock as i64 | (server_id << 56);
        let own = live.map(|id| id.0).filter(|id| id >> 56 == first >> 56);
        let behind = own.max().map_or(first, |last| last.wrapping_add(1));
        Self {
            next: AtomicI64::new(first.max(behind)),
        }
    }

    /// The next id.
    pub(crate) fn next(&self) -> SessionId {
        loop {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            if id != RESERVED && id != 0 {
                return SessionId(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::iter;

    #[test]
    fn ids_carry_the_server_and_count_up() {
        let ids = SessionIds::new(1, 0x0019_7412, iter::empty());
        let first = ids.next();
        assert_eq!(first.0 >> 56, 1);
        assert_eq!(first, SessionId(0x0100_0019_7412_0000));
        assert_eq!(ids.next().0, first.0 + 1);
    }

    #[test]
    fn ids_of_live_sessions_are_not_handed_out_again() {
        let first = SessionIds::new(1, 5000, iter::empty()).next();
        // From a longer uptime, and from another server.
        let live = [SessionId(first.0 + 7), SessionId(first.0 | 2 << 56)];
        let ids = SessionIds::new(1, 5000, live.into_iter());
        assert_eq!(ids.next(), SessionId(first.0 + 8));
        let ids = SessionIds::new(1, 9000, live.into_iter());
        assert!(ids.next().0 > first.0 + 8, "the clock is ahead");
    }

    #[test]
    fn servers_beyond_127_have_negative_ids() {
        assert!(SessionIds::new(200, 5, iter::empty()).next().0 < 0);
    }

    #[test]
    fn the_containers_owner_is_skipped() {
        let ids = SessionIds {
            next: AtomicI64::new(i64::MIN),
        };
        assert_eq!(ids.next(), SessionId(i64::MIN + 1));
    }
}
