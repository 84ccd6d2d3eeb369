//! What a test may rely on.

use super::Ensemble;
use crate::ServerRole;
use zk_client::{Client, CreateOptions};

async fn write(client: &Client, path: &str) {
    let options = CreateOptions::default();
    client.create(path, Some(b"x"), &options).await.unwrap();
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_it_acknowledged() {
    let mut ensemble = Ensemble::start(1).await.unwrap();
    assert_eq!(ensemble.role(1), ServerRole::Standalone);
    let client = Client::connect(&ensemble.connect_string()).await.unwrap();
    write(&client, "/a").await;
    ensemble.kill(1).await;
    assert_eq!(ensemble.running().count(), 0);
    ensemble.restart(1).await.unwrap();
    client.connected().await.unwrap();
    assert!(client.exists("/a", false).await.unwrap().is_some());
    write(&client, "/b").await;
    ensemble.stop(1).await.unwrap();
    ensemble.restart(1).await.unwrap();
    client.connected().await.unwrap();
    assert!(client.exists("/b", false).await.unwrap().is_some());
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_leader_that_is_killed_is_replaced() {
    let mut ensemble = Ensemble::builder()
        .voters(3)
        .observers(1)
        .start()
        .await
        .unwrap();
    assert_eq!(ensemble.role(4), ServerRole::Observer);
    let client = Client::connect(&ensemble.connect_string()).await.unwrap();
    write(&client, "/a").await;
    let first = ensemble.leader().await;
    ensemble.kill(first).await;
    let second = ensemble.leader().await;
    assert_ne!(first, second);
    ensemble.restart(first).await.unwrap();
    assert_eq!(ensemble.role(first), ServerRole::Follower);
    client.connected().await.unwrap();
    client.sync("/a").await.unwrap();
    assert!(client.exists("/a", false).await.unwrap().is_some());
    client.close().await.unwrap();
}

#[tokio::test]
async fn nothing_stays_behind() {
    let ensemble = Ensemble::start(1).await.unwrap();
    let dir = ensemble.data_dir(1).to_owned();
    assert!(dir.join("version-2").is_dir());
    drop(ensemble);
    assert!(!dir.exists());
}

#[tokio::test]
#[should_panic = "there is no server 2"]
async fn who_is_not_there_is_named() {
    let ensemble = Ensemble::start(1).await.unwrap();
    let _ = ensemble.role(2);
}
