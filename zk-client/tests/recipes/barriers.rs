//! Nobody passes before all may.

use crate::support::{SHORT, TestServer, client_at, until_children, until_empty, within};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zk_client::recipes::{Barrier, DoubleBarrier};

const PATH: &str = "/barriers/b";

#[tokio::test]
async fn all_wait_while_the_barrier_is_set() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let barrier = Barrier::new(client.clone(), PATH);
    within(barrier.wait()).await.unwrap();
    barrier.set().await.unwrap();
    barrier.set().await.unwrap();
    let waiting = tokio::spawn({
        let barrier = Barrier::new(server.client().await, PATH);
        async move { barrier.wait().await }
    });
    client.sync(PATH).await.unwrap();
    assert!(!waiting.is_finished());
    // Who waits hears of the removal, not of changes.
    client.set_data(PATH, Some(b"why"), -1).await.unwrap();
    barrier.remove().await.unwrap();
    barrier.remove().await.unwrap();
    within(waiting).await.unwrap().unwrap();
    until_empty(&client, "/barriers").await;
}

/// Each of three members enters and leaves so many times; nobody is inside
/// before all are, and nobody outside again before all left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_enter_and_leave_together_again_and_again() {
    const MEMBERS: usize = 3;
    const ROUNDS: usize = 10;
    let server = TestServer::start().await;
    let entering = Arc::new(AtomicUsize::new(0));
    let leaving = Arc::new(AtomicUsize::new(0));
    let mut members = Vec::new();
    for _ in 0..MEMBERS {
        let barrier = DoubleBarrier::new(server.client().await, PATH, MEMBERS);
        let (entering, leaving) = (entering.clone(), leaving.clone());
        members.push(tokio::spawn(async move {
            for round in 1..=ROUNDS {
                entering.fetch_add(1, Ordering::SeqCst);
                let entered = barrier.enter().await.unwrap();
                assert!(entering.load(Ordering::SeqCst) >= round * MEMBERS);
                assert!(entered.hold().is_held());
                leaving.fetch_add(1, Ordering::SeqCst);
                entered.leave().await.unwrap();
                assert!(leaving.load(Ordering::SeqCst) >= round * MEMBERS);
            }
        }));
    }
    for member in members {
        within(member).await.unwrap();
    }
    until_empty(&server.client().await, PATH).await;
}

#[tokio::test]
async fn who_gives_up_is_not_counted_and_who_dies_is_not_waited_for() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let client = server.client().await;
    let barrier = DoubleBarrier::new(client.clone(), PATH, 2);
    let given_up = tokio::spawn({
        let barrier = barrier.clone();
        async move { barrier.enter().await }
    });
    until_children(&client, PATH, |names| names.len() == 1).await;
    given_up.abort();
    until_empty(&client, PATH).await;
    let victim = DoubleBarrier::new(client_at(wire.address(), SHORT).await, PATH, 2);
    let (entered, victims) = within(async { tokio::join!(barrier.enter(), victim.enter()) }).await;
    wire.block();
    within(entered.unwrap().leave()).await.unwrap();
    assert!(!victims.unwrap().hold().is_held());
    until_empty(&client, PATH).await;
}
