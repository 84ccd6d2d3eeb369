//! Queues, counters and sums that both kinds fill and empty.

use crate::{Meeting, within};
use zk_client::recipes::{AtomicLong, PriorityQueue, Queue, SharedCount};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let queue = Queue::new(both.client.clone(), "/fifo");
    assert_eq!(both.java.ask("offer /fifo a").await, "true");
    queue.push(b"b").await.unwrap();
    assert_eq!(both.java.ask("offer /fifo c").await, "true");
    assert_eq!(queue.pop().await.unwrap(), "a");
    assert_eq!(both.java.ask("take /fifo").await, "b");
    assert_eq!(queue.pop().await.unwrap(), "c");
    both.java.tell("take /fifo").await;
    queue.push(b"d").await.unwrap();
    assert_eq!(both.java.answer().await, "d");
    both.until_children("/fifo", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn priorities_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let queue = PriorityQueue::new(both.client.clone(), "/urgent");
    queue.push(b"last", 9).await.unwrap();
    assert_eq!(both.java.ask("put /urgent 5 second").await, "done");
    both.until_children("/urgent", 2).await;
    queue.push(b"first", -1).await.unwrap();
    assert_eq!(queue.pop().await.unwrap(), ["first"]);
    assert_eq!(queue.pop().await.unwrap(), ["second"]);
    assert_eq!(both.java.ask("consume /urgent").await, "last");
    both.until_children("/urgent", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    assert_eq!(both.java.ask("count /count").await, "5");
    let count = SharedCount::new(both.client.clone(), "/count");
    let before = count.get().await.unwrap();
    assert_eq!(before.value, 5);
    assert_eq!(both.java.ask("set-count /count 7").await, "done");
    assert_eq!(within(count.changed(&before)).await.unwrap().value, 7);
    assert_eq!(count.add(-10).await.unwrap().value, -3);
    let mut seen = String::new();
    while seen != "-3" {
        seen = both.java.ask("count /count").await;
    }
    let sum = AtomicLong::new(both.client.clone(), "/sum");
    sum.add(40).await.unwrap();
    assert_eq!(both.java.ask("add /sum 2").await, "42");
    let adds = tokio::spawn({
        let sum = sum.clone();
        async move {
            for _ in 0..50 {
                sum.add(1).await.unwrap();
            }
        }
    });
    for _ in 0..50 {
        both.java.ask("add /sum 1").await;
    }
    within(adds).await.unwrap();
    assert_eq!(sum.get().await.unwrap().value, 142);
}
