//! Ours beside Apache's: the same requests to both servers, Apache's clients
//! and other people's against ours. What a test needs and does not find in
//! the environment, it names, and passes.
#![allow(clippy::unwrap_used, reason = "everything here is a test")]
#![allow(
    clippy::print_stdout,
    reason = "seeds, and what was skipped, are for who reads the test's output"
)]

mod differential;
mod failover;
mod java;
mod kazoo;
mod masters;
mod reconfig;
mod replay;
mod support;
