//! The two clocks of a server: a monotonic one for timeouts, and the wall
//! clock for the times in transactions. Timeouts never look at the wall.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Monotonic and wall time in ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Monotonic ms since the server was made.
    pub(crate) fn now_ms(&self) -> u64 {
        whole_ms(self.start.elapsed())
    }

    /// The instant of a monotonic time.
    pub(crate) fn instant(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }
}

/// Wall clock, ms since 1970.
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whole ms of a duration.
pub(crate) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The machine's own monotonic clock in ms, which Java's session ids start
/// from.
pub(crate) fn machine_monotonic_ms() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}
