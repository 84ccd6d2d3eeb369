//! The crate from outside: against files of Apache ZooKeeper, against a dumb
//! model, and through snapshots at every moment.

mod apache;
mod base64;
mod files;
mod model;
mod random;
mod replay;
mod server;
mod snapshot;
mod twin;
mod wire_replay;
