//! The stage `rolling`: Apache's ensembles become ours and Apache's again, under checked clients.
//!
//! A short form of `cargo xtask interop rolling`, which tells what it checks.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Ensembles take all cores, so they go one after the other.
static ONE: Mutex<()> = Mutex::new(());

#[test]
fn apache_395_becomes_ours_and_apache_again() {
    rolling("apache-3.9.5", "leader-last");
}

#[test]
fn apache_380_becomes_ours_and_apache_again() {
    rolling("apache-3.8.0", "leader-last");
}

#[test]
fn the_leader_may_go_first() {
    rolling("apache-3.9.5", "leader-first");
}

#[track_caller]
fn rolling(from: &str, order: &str) {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rolling");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["interop", "rolling", "--from", from, "--to", "ours"]);
    command.args(["--order", order, "--seconds-per-step", "1", "--dir"]);
    let status = command.arg(&directory).status();
    let status = status.expect("cargo has just built it");
    assert!(status.success(), "the logs are in {}", directory.display());
}
