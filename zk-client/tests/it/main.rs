//! The client as applications use it, against a server that says what a real
//! one was recorded to say. It does not test what servers do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fake_server;
mod operations;
mod reconnect;
mod watches;
