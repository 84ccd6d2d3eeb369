//! The machines through their public face.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod hosting;
mod paper;
mod random;
mod reconfig;
mod scenarios;
mod support;
mod wire;
mod wire_busy;
mod wire_reconfig;
mod world;
