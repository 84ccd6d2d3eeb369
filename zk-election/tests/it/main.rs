//! The integration tests of zk-election, as one binary.

mod rules;
mod server;
mod settled;
