//! Barriers that both kinds pass, and groups that both join.

use crate::{Meeting, within};
use zk_client::recipes::{Barrier, DoubleBarrier, Group};

const PATH: &str = "/meeting";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn barriers_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let barrier = Barrier::new(both.client.clone(), PATH);
    assert_eq!(both.java.ask("set-barrier /meeting").await, "done");
    let waits = tokio::spawn({
        let barrier = barrier.clone();
        async move { barrier.wait().await }
    });
    both.client.sync(PATH).await.unwrap();
    assert!(!waits.is_finished());
    assert_eq!(both.java.ask("remove-barrier /meeting").await, "done");
    within(waits).await.unwrap().unwrap();
    barrier.set().await.unwrap();
    both.java.tell("wait /meeting").await;
    barrier.remove().await.unwrap();
    assert_eq!(both.java.answer().await, "true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn double_barriers_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let barrier = DoubleBarrier::new(both.client.clone(), PATH, 2);
    for round in 0..3 {
        // Curator's members are one a barrier object and round, as they keep
        // their znode's name; each round has a path of its own.
        let path = format!("{PATH}-{round}");
        let barrier = DoubleBarrier::new(both.client.clone(), &path, 2);
        both.java.tell(&format!("enter {path}")).await;
        let entered = within(barrier.enter()).await.unwrap();
        assert_eq!(both.java.answer().await, "true");
        both.java.tell(&format!("leave {path}")).await;
        within(entered.leave()).await.unwrap();
        assert_eq!(both.java.answer().await, "true");
        both.until_children(&path, 0).await;
    }
    let waits = tokio::spawn(async move { barrier.enter().await.unwrap() });
    within(async {
        while both.client.exists(PATH, false).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    both.until_children(PATH, 1).await;
    assert!(!waits.is_finished());
    assert_eq!(both.java.ask("enter /meeting").await, "true");
    let entered = within(waits).await.unwrap();
    let leaves = tokio::spawn(entered.leave());
    assert_eq!(both.java.ask("leave /meeting").await, "true");
    within(leaves).await.unwrap().unwrap();
    both.until_children(PATH, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let group = Group::new(both.client.clone(), PATH);
    let membership = group.join("rust", b"from rust").await.unwrap();
    assert_eq!(both.java.ask("join /meeting").await, "done");
    both.until_children(PATH, 2).await;
    let members = group.members().await.unwrap();
    assert_eq!(members["java"], "from java");
    let mut seen = String::new();
    while seen != "[java, rust]" {
        seen = both.java.ask("members /meeting").await;
    }
    membership.leave().await.unwrap();
    while seen != "[java]" {
        seen = both.java.ask("members /meeting").await;
    }
    assert_eq!(both.java.ask("quit /meeting").await, "done");
    both.until_children(PATH, 0).await;
}
