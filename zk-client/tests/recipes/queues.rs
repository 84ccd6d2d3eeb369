//! Each item to one consumer, in order.

use crate::support::{SHORT, TestServer, client_at, within};
use std::collections::BTreeSet;
use zk_client::recipes::{PriorityQueue, Queue, RecipeError};
use zk_client::{CreateMode, CreateOptions};

const PATH: &str = "/queues/q";
const DELETE: i32 = 2;

#[tokio::test]
async fn the_oldest_goes_first() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let queue = Queue::new(client.clone(), PATH);
    assert_eq!(queue.try_pop().await.unwrap(), None);
    for item in ["a", "b", "c"] {
        queue.push(item.as_bytes()).await.unwrap();
    }
    let persistent = CreateOptions::new(CreateMode::Persistent);
    client
        .create("/queues/q/foreign", None, &persistent)
        .await
        .unwrap();
    assert_eq!(queue.len().await.unwrap(), 3);
    assert_eq!(queue.peek().await.unwrap().unwrap(), "a");
    for item in ["a", "b", "c"] {
        assert_eq!(queue.pop().await.unwrap(), item);
    }
    assert!(queue.is_empty().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_item_goes_to_one_of_those_who_wait() {
    const ITEMS: usize = 40;
    let server = TestServer::start().await;
    let mut consumers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let queue = Queue::new(server.client().await, PATH);
        consumers.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let item = queue.pop().await.unwrap();
                if item == "end" {
                    return taken;
                }
                taken.push(item);
            }
        });
    }
    let queue = Queue::new(server.client().await, PATH);
    for item in 0..ITEMS {
        queue.push(item.to_string().as_bytes()).await.unwrap();
    }
    for _ in 0..4 {
        queue.push(b"end").await.unwrap();
    }
    let taken: Vec<_> = within(consumers.join_all()).await.concat();
    assert_eq!(taken.len(), ITEMS);
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>().len(), ITEMS);
}

#[tokio::test]
async fn low_numbers_go_first_and_equals_in_order() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let queue = PriorityQueue::new(client.clone(), PATH);
    for (item, priority) in [("c", 5), ("d", 5), ("b", 0), ("a", -3), ("e", i32::MAX)] {
        queue.push(item.as_bytes(), priority).await.unwrap();
    }
    for item in ["a", "b", "c", "d", "e"] {
        assert_eq!(queue.pop().await.unwrap(), [item]);
    }
    let sequential = CreateOptions::new(CreateMode::PersistentSequential);
    client
        .create("/queues/q/queue-1", Some(b"?"), &sequential)
        .await
        .unwrap();
    let error = queue.try_pop().await.unwrap_err();
    assert!(matches!(error, RecipeError::Data { .. }), "{error}");
    assert!(queue.is_empty().await.unwrap());
}

#[tokio::test]
async fn an_item_whose_taking_is_in_doubt_is_handed_over_with_the_doubt() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let queue = Queue::new(client_at(wire.address(), SHORT * 10).await, PATH);
    queue.push(b"once").await.unwrap();
    wire.lose_answer_to(DELETE);
    match within(queue.pop()).await.unwrap_err() {
        RecipeError::TakenInDoubt { data, .. } => assert_eq!(data, "once"),
        other => panic!("{other}"),
    }
    assert!(queue.is_empty().await.unwrap());
}
