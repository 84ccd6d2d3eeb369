//! `zk` as users run it: a process with arguments, two streams and an exit
//! code, compared with what Apache's shell was recorded to do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alone;
mod beyond;
mod normal;
mod offline;
mod ours;
mod replay;
mod seeds;
mod server;
mod terminal;
mod zk;
