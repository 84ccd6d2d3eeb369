//! The integration tests of zk-election, as one binary.

mod random;
mod rules;
mod server;
mod settled;
mod wire;
mod world;
