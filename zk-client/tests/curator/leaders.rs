//! Elections in which both kinds stand.

use crate::{Meeting, within};
use zk_client::recipes::{LeaderElection, LeaderLatch};

const PATH: &str = "/election";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latches_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let latch = LeaderLatch::start(both.client.clone(), PATH, "rust");
    within(latch.until_leader()).await.unwrap();
    assert_eq!(both.java.ask("latch /election").await, "done");
    both.until_children(PATH, 2).await;
    assert_eq!(both.java.ask("leads /election").await, "false");
    assert_eq!(both.java.ask("leader /election").await, "rust");
    let ids: Vec<_> = latch
        .participants()
        .await
        .unwrap()
        .into_iter()
        .map(|p| p.id)
        .collect();
    assert_eq!(ids, ["rust", "java"]);
    latch.close().await;
    assert_eq!(both.java.ask("latched /election").await, "true");
    let latch = LeaderLatch::start(both.client.clone(), PATH, "rust");
    both.until_children(PATH, 2).await;
    assert!(!latch.is_leader());
    assert_eq!(both.java.ask("unlatch /election").await, "done");
    within(latch.until_leader()).await.unwrap();
    latch.close().await;
    both.until_children(PATH, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elections_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let election = LeaderElection::new(both.client.clone(), PATH, "rust");
    assert_eq!(both.java.ask("select /election").await, "done");
    assert_eq!(both.java.ask("selected").await, "leads");
    let stands = tokio::spawn({
        let election = election.clone();
        async move { election.win().await.unwrap() }
    });
    both.until_children(PATH, 2).await;
    assert_eq!(election.leader().await.unwrap().as_deref(), Some("java"));
    assert_eq!(both.java.ask("resign").await, "done");
    let leadership = within(stands).await.unwrap();
    assert_eq!(both.java.ask("elected /election").await, "rust");
    leadership.release().await.unwrap();
    both.until_children(PATH, 0).await;
}
