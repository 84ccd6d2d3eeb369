//! When a session must ping, give up a silent connection or believe that the
//! ensemble has expired it. Only arithmetic on instants; no clock.

use std::time::{Duration, Instant};

/// A ping goes out after this long without a request, however long the
/// session's timeout is (`MAX_SEND_PING_INTERVAL`).
const PING_MAX: Duration = Duration::from_secs(10);

/// The instants that deadlines are counted from, and the negotiated timeout.
#[derive(Debug)]
pub(super) struct Timers {
    /// The session's timeout: asked for at first, then as negotiated.
    pub(super) timeout: Duration,
    /// When bytes last left or the connection was made.
    pub(super) last_sent: Instant,
    /// When bytes last came or the connection was made.
    pub(super) last_heard: Instant,
}

impl Timers {
    pub(super) const fn new(timeout: Duration, now: Instant) -> Self {
        Self {
            timeout,
            last_sent: now,
            last_heard: now,
        }
    }

    /// A third of the timeout leaves two more chances before the server loses
    /// patience.
    pub(super) fn ping_at(&self) -> Instant {
        self.last_sent + (self.timeout / 3).min(PING_MAX)
    }

    /// After two thirds there is a third left to reach another server.
    pub(super) fn silent_at(&self) -> Instant {
        self.last_heard + self.timeout * 2 / 3
    }

    /// A third more than the timeout: the ensemble has expired the session
    /// even if its clock ran somewhat slower.
    pub(super) fn expired_at(&self) -> Instant {
        self.last_heard + self.timeout * 4 / 3
    }
}
