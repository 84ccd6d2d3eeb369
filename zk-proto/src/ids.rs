//! The numbers that name things: transactions, epochs, servers, sessions,
//! requests. They refuse to know who hands them out.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Position of a transaction in the one history: the leader's epoch in the
/// high 32 bits, a counter in the low 32. Signed on the wire, as in Java.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Zxid(pub i64);

impl Zxid {
    /// Before any transaction.
    pub const ZERO: Self = Self(0);
    /// What notifications without a transaction and some error answers carry.
    pub const NONE: Self = Self(-1);

    /// The zxid of `counter` within `epoch`.
    #[must_use]
    pub const fn new(epoch: Epoch, counter: u32) -> Self {
        Self(((epoch.0 as i64) << 32) | counter as i64)
    }

    /// The epoch of the leader that proposed it.
    #[must_use]
    pub const fn epoch(self) -> Epoch {
        Epoch((self.0 >> 32) as u32)
    }

    /// Its place within the epoch.
    #[must_use]
    pub const fn counter(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }

    /// The one after it in the same epoch; `None` when the counter is used up
    /// (a leader then steps down).
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        if self.counter() == u32::MAX {
            None
        } else {
            Some(Self(self.0 + 1))
        }
    }
}

impl fmt::Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

impl fmt::Debug for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The reign of one leader. An epoch has at most one established leader.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize,
)]
pub struct Epoch(pub u32);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

/// The number in `myid`: which server of the ensemble.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize,
)]
pub struct ServerId(pub i64);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A client's session, unique over the life of an ensemble. 0 asks for a new
/// one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SessionId(pub i64);

impl SessionId {
    /// No session: what a fresh client sends and a refused one gets.
    pub const NONE: Self = Self(0);
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A client's number for one of its requests, echoed in the answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Xid(pub i32);

impl Xid {
    /// A watch event, not an answer.
    pub const NOTIFICATION: Self = Self(-1);
    /// The answer to a ping, whatever the request carried.
    pub const PING: Self = Self(-2);
    /// What clients send with an auth packet.
    pub const AUTH: Self = Self(-4);
    /// What clients send with setWatches and setWatches2.
    pub const SET_WATCHES: Self = Self(-8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zxid_is_epoch_and_counter() {
        let zxid = Zxid::new(Epoch(5), 7);
        assert_eq!(zxid.0, 0x5_0000_0007);
        assert_eq!((zxid.epoch(), zxid.counter()), (Epoch(5), 7));
        assert_eq!(zxid.next(), Some(Zxid(0x5_0000_0008)));
        assert_eq!(Zxid::new(Epoch(5), u32::MAX).next(), None);
    }

    #[test]
    fn epochs_beyond_31_bits_make_negative_zxids() {
        let zxid = Zxid::new(Epoch(u32::MAX), 1);
        assert!(zxid.0 < 0);
        assert_eq!(zxid.epoch(), Epoch(u32::MAX));
    }
}
