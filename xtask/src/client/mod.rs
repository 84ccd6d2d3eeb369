//! A small blocking client, for loads whose every answer is looked at.
//!
//! It is written apart from zk-proto and zk-client on purpose: a mistake of theirs cannot hide in
//! it. One request after another on one thread; a lost connection is the caller's business until
//! [`Roamer`] takes it over. The load generator of [`crate::bench`] has sessions of its own,
//! made for many requests in flight, and shares only the frames.

mod connection;
mod frame;
mod reader;
mod request;
mod roamer;

pub(crate) use connection::{Connection, Reply, SessionState, Trouble};
pub(crate) use frame::Frame;
pub(crate) use reader::{Acl, Stat};
pub(crate) use request::{Ephemeral, Request};
pub(crate) use roamer::{Living, Roamer};

/// Error codes of the protocol that loads expect.
pub(crate) mod code {
    /// The znode is not there.
    pub(crate) const NO_NODE: i32 = -101;
    /// Another version than the expected one.
    pub(crate) const BAD_VERSION: i32 = -103;
    /// The session is over.
    pub(super) const SESSION_EXPIRED: i32 = -112;
    /// The session is attached to another server.
    pub(super) const SESSION_MOVED: i32 = -118;
}
