//! Tests of the formats against bytes that Apache's servers wrote, against
//! mutations of them, and against themselves.
//!
//! The fixtures were captured from Apache ZooKeeper 3.9.5 and 3.8.0; see
//! `tests/fixtures/README.md`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client_wire;
mod disk;
mod fixtures;
mod hostile;
mod json;
mod made;
mod memory;
mod odd_frames;
mod quorum_wire;
mod rng;
mod round_trips;
