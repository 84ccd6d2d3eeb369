//! The crate from outside: against files of Apache ZooKeeper, against a dumb
//! model, and through snapshots at every moment.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apache;
mod apache_requests;
mod base64;
mod batches;
mod files;
mod leader;
mod model;
mod precedence;
mod prepare;
mod random;
mod reconfig;
mod replay;
mod requests;
mod server;
mod snapshot;
mod twin;
mod watches;
mod wire_replay;
