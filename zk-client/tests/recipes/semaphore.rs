//! No more leases than there are, and each in turn.

use crate::support::{SHORT, TestServer, client_at, until_children, until_empty, within};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zk_client::recipes::Semaphore;

const PATH: &str = "/pool";
const LOCKS: &str = "/pool/locks";
const LEASES: &str = "/pool/leases";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_leases_are_out_than_there_are() {
    let server = TestServer::start().await;
    let out = Arc::new(AtomicUsize::new(0));
    let mut contenders = Vec::new();
    for _ in 0..6 {
        let semaphore = Semaphore::new(server.client().await, PATH, 3);
        let out = out.clone();
        contenders.push(tokio::spawn(async move {
            for _ in 0..8 {
                let lease = semaphore.acquire().await.unwrap();
                assert!(out.fetch_add(1, Ordering::SeqCst) < 3);
                tokio::task::yield_now().await;
                out.fetch_sub(1, Ordering::SeqCst);
                lease.release().await.unwrap();
            }
        }));
    }
    for contender in contenders {
        within(contender).await.unwrap();
    }
    let client = server.client().await;
    until_empty(&client, LOCKS).await;
    until_empty(&client, LEASES).await;
}

#[tokio::test]
async fn a_lease_of_the_dead_goes_to_the_next() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let dead = Semaphore::new(client_at(wire.address(), SHORT).await, PATH, 2);
    let client = server.client().await;
    let semaphore = Semaphore::new(client.clone(), PATH, 2).with_data("second");
    let lost = dead.acquire().await.unwrap();
    let kept = semaphore.acquire().await.unwrap();
    assert!(semaphore.try_acquire().await.unwrap().is_none());
    let given_up = tokio::spawn({
        let semaphore = semaphore.clone();
        async move { semaphore.acquire().await }
    });
    until_children(&client, LEASES, |names| names.len() == 3).await;
    // Who waits does so with a lease in his hands; without him it is gone.
    given_up.abort();
    until_children(&client, LEASES, |names| names.len() == 2).await;
    until_empty(&client, LOCKS).await;
    wire.block();
    let next = within(semaphore.acquire()).await.unwrap();
    assert!(next.token() > kept.token() && kept.token() > lost.token());
    assert_eq!(semaphore.leases().await.unwrap(), 2);
    kept.release().await.unwrap();
    let taken = semaphore.try_acquire().await.unwrap().expect("one is free");
    next.release().await.unwrap();
    taken.release().await.unwrap();
    until_empty(&client, LEASES).await;
}
