//! The client as applications use it: against a server that says what a real
//! one was recorded to say, and by the suite against ours.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::print_stdout,
    reason = "which case ran last is for who reads the test's output"
)]

mod fake_server;
mod operations;
mod ours;
mod reconnect;
#[path = "../suite/mod.rs"]
mod suite;
mod watches;
