//! The integration tests of zk-election, as one binary.

mod random;
mod rules;
mod server;
mod settled;
mod trip;
mod wire;
mod world;
