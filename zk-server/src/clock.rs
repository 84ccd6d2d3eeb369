//! The two clocks of a server: a monotonic one for timeouts, and the wall
//! clock for the times in transactions. Timeouts never look at the wall.
//!
//! Both may be virtual: then somebody else turns the hands, and a whole
//! server runs in a simulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Monotonic and wall time.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    start: Instant,
    hands: Option<Hands>,
}

/// The hands of a virtual clock.
#[derive(Debug, Clone, Default)]
pub struct Hands {
    /// Monotonic time, in µs.
    monotonic_us: Arc<AtomicU64>,
    wall_ms: Arc<AtomicI64>,
}

impl Hands {
    /// Sets both times: since any start, and ms since 1970.
    pub fn set(&self, monotonic: Duration, wall_ms: i64) {
        let us = u64::try_from(monotonic.as_micros()).unwrap_or(u64::MAX);
        self.monotonic_us.store(us, Ordering::Relaxed);
        self.wall_ms.store(wall_ms, Ordering::Relaxed);
    }
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            hands: None,
        }
    }

    /// A clock that somebody else turns.
    pub(crate) fn of(hands: Hands) -> Self {
        Self {
            hands: Some(hands),
            ..Self::new()
        }
    }

    /// Monotonic time since the server was made.
    pub(crate) fn now(&self) -> Duration {
        match &self.hands {
            None => self.start.elapsed(),
            Some(hands) => Duration::from_micros(hands.monotonic_us.load(Ordering::Relaxed)),
        }
    }

    /// Monotonic ms since the server was made.
    pub(crate) fn now_ms(&self) -> u64 {
        whole_ms(self.now())
    }

    /// Wall clock, ms since 1970.
    pub(crate) fn wall_ms(&self) -> i64 {
        match &self.hands {
            None => wall_ms(),
            Some(hands) => hands.wall_ms.load(Ordering::Relaxed),
        }
    }

    /// The instant of a monotonic time.
    pub(crate) fn instant(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// The machine's own monotonic clock in ms, which Java's session ids
    /// start from.
    pub(crate) fn machine_ms(&self) -> i64 {
        match &self.hands {
            None => machine_monotonic_ms(),
            Some(_) => i64::try_from(self.now_ms()).unwrap_or(i64::MAX),
        }
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

/// The machine's own monotonic clock in ms.
pub(crate) fn machine_monotonic_ms() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}
