//! What clients did and saw: every operation with the moments at which it was
//! sent and answered. Who judges it is elsewhere.

use std::fmt;
use std::time::{Duration, Instant};
use zk_proto::{ServerId, Zxid};

/// A moment of a run, in microseconds since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// Later than everything.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The time from an earlier moment to this one.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The moment so much later.
    pub(crate) fn after(self, time: Duration) -> Self {
        let micros = u64::try_from(time.as_micros()).expect("a run of some minutes");
        Self(self.0 + micros)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER {
            return f.write_str("never");
        }
        write!(f, "{}.{:06} s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// The one clock of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Moment {
        let elapsed = self.0.elapsed().as_micros();
        Moment(u64::try_from(elapsed).expect("a run of some minutes"))
    }
}

/// Who does one operation after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientId(pub(crate) u32);

/// A znode that operations are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) round: u32,
    pub(crate) index: u32,
}

impl Key {
    /// The directory of a round's keys.
    pub(crate) fn home(round: u32) -> String {
        format!("/r{round}")
    }

    pub(crate) fn path(self) -> String {
        format!("{}/k{}", Self::home(self.round), self.index)
    }
}

/// Data that nobody else writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Value(pub(crate) u64);

/// What a client asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Create(Value),
    /// At a version only, or at any.
    Set(Value, Option<i32>),
    Delete,
    /// getData after a sync on the same connection.
    SyncRead,
    /// getData alone, which may be behind.
    Read,
}

/// What a client was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Saw {
    /// Nothing: it may have been done, or will be, or not.
    Nothing,
    /// It was written; the version after it.
    Wrote {
        version: i32,
    },
    Deleted,
    Data {
        value: Value,
        version: i32,
        mzxid: Zxid,
    },
    NoNode,
    NodeExists,
    BadVersion,
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Op {
    pub(crate) client: ClientId,
    /// Whom the client was connected to.
    pub(crate) server: ServerId,
    pub(crate) key: Key,
    pub(crate) act: Act,
    pub(crate) invoked: Moment,
    /// [`Moment::NEVER`] if there was no answer.
    pub(crate) answered: Moment,
    pub(crate) saw: Saw,
    /// That of the answer: of a write its own, of a read the last that the
    /// server had applied.
    pub(crate) zxid: Zxid,
}

impl Op {
    /// Whether it changed the znode for certain.
    pub(crate) const fn has_written(&self) -> bool {
        matches!(self.saw, Saw::Wrote { .. } | Saw::Deleted)
    }

    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self.saw, Saw::Nothing)
    }

    pub(crate) const fn is_write(&self) -> bool {
        matches!(self.act, Act::Create(_) | Act::Set(..) | Act::Delete)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "client {} at server {}: {} {:?} -> {:?}, zxid {}, from {} to {}",
            self.client.0,
            self.server,
            self.key.path(),
            self.act,
            self.saw,
            self.zxid,
            self.invoked,
            self.answered
        )
    }
}
