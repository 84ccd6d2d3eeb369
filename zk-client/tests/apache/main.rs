//! The suite against Apache's servers. What a test needs and does not find in
//! the environment, it names, and passes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::print_stdout,
    reason = "what was skipped, and which case ran last, is for who reads the test's output"
)]

mod servers;
#[path = "../suite/mod.rs"]
mod suite;

use servers::{Apache, Version};
use suite::{ensemble, on_one_server, sessions};

/// Everything that one server suffices for, in one go: a JVM takes its time to
/// start.
async fn one_server(version: Version) {
    let Some(mut servers) = Apache::start(version, 1).await else {
        return;
    };
    on_one_server(&servers).await;
    sessions::survive_a_cut_link(&servers).await;
    sessions::set_many_watches_again(&servers).await;
    sessions::expire_by_both_clocks(&servers).await;
    sessions::survive_a_restart(&mut servers).await;
}

async fn three_servers(version: Version) {
    let Some(mut servers) = Apache::start(version, 3).await else {
        return;
    };
    ensemble::is_given_another_list(&servers).await;
    ensemble::moves_a_session(&servers).await;
    ensemble::loses_its_leader(&mut servers).await;
}

async fn read_only(version: Version) {
    if let Some(mut servers) = Apache::start_read_only(version).await {
        ensemble::loses_its_quorum(&mut servers).await;
    }
}

#[tokio::test]
async fn one_server_380() {
    one_server(Version::V380).await;
}

#[tokio::test]
async fn one_server_395() {
    one_server(Version::V395).await;
}

#[tokio::test]
async fn three_servers_380() {
    three_servers(Version::V380).await;
}

#[tokio::test]
async fn three_servers_395() {
    three_servers(Version::V395).await;
}

#[tokio::test]
async fn read_only_395() {
    read_only(Version::V395).await;
}

#[tokio::test]
async fn read_only_380() {
    read_only(Version::V380).await;
}
