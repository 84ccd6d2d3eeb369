//! Where session ids come from (`SessionTrackerImpl.initializeNextSessionId`).

use std::sync::atomic::{AtomicI64, Ordering};
use zk_proto::SessionId;

/// Never handed out: a container's owner looks like this.
const RESERVED: i64 = i64::MIN;

/// Hands out session ids that no other server of the ensemble and no earlier
/// life of this one hands out.
#[derive(Debug)]
pub(crate) struct SessionIds {
    next: AtomicI64,
}

impl SessionIds {
    /// The server's id in the high byte, then 40 bits of the machine's
    /// monotonic clock in ms, then 16 bits to count.
    pub(crate) fn new(server_id: i64, monotonic_ms: i64) -> Self {
        let clock = ((monotonic_ms as u64) << 24) >> 8;
        let first = clock as i64 | (server_id << 56);
        Self {
            next: AtomicI64::new(first),
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

    #[test]
    fn ids_carry_the_server_and_count_up() {
        let ids = SessionIds::new(1, 0x0019_7412);
        let first = ids.next();
        assert_eq!(first.0 >> 56, 1);
        assert_eq!(first, SessionId(0x0100_0019_7412_0000));
        assert_eq!(ids.next().0, first.0 + 1);
    }

    #[test]
    fn servers_beyond_127_have_negative_ids() {
        assert!(SessionIds::new(200, 5).next().0 < 0);
    }

    #[test]
    fn the_containers_owner_is_skipped() {
        let ids = SessionIds {
            next: AtomicI64::new(i64::MIN),
        };
        assert_eq!(ids.next(), SessionId(i64::MIN + 1));
    }
}
