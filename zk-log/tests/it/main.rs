//! Tests of the files: against Apache's own, after crashes and failures, and
//! with every kind of damage.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that fails panics"
)]

mod apache_files;
mod apache_tools;
mod corrupt;
mod crash;
mod damage;
mod decisions;
mod epochs;
mod faults;
mod history;
mod log;
mod model;
mod purge;
mod snapshots;
mod support;
mod truncate;
