//! The machines through their public face.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod paper;
mod random;
mod scenarios;
mod support;
mod wire;
mod world;
