//! Locks, read/write locks and semaphores that both kinds of contenders hold.

use crate::{Meeting, client_of, within};
use std::time::Duration;
use zk_client::recipes::{Lock, ReadWriteLock, Semaphore};
use zk_client::{Client, CreateOptions};

const PATH: &str = "/shared";

/// Takes and leaves the lock; somebody else inside makes it fail.
async fn rounds(client: Client, count: usize) {
    let lock = Lock::new(client.clone(), PATH);
    let inside = format!("{PATH}-inside");
    for _ in 0..count {
        let hold = lock.acquire().await.unwrap();
        client
            .create(&inside, None, &CreateOptions::default())
            .await
            .unwrap();
        client.delete(&inside, -1).await.unwrap();
        hold.release().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lock_for_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let lock = Lock::new(both.client.clone(), PATH);
    assert_eq!(both.java.ask("lock /shared").await, "true");
    assert!(lock.try_acquire().await.unwrap().is_none());
    let waits = tokio::spawn({
        let lock = lock.clone();
        async move { lock.acquire().await.unwrap() }
    });
    both.until_children(PATH, 2).await;
    assert_eq!(both.java.ask("unlock /shared").await, "done");
    let hold = within(waits).await.unwrap();
    assert_eq!(both.java.ask("try-lock /shared").await, "false");
    both.java.tell("lock /shared").await;
    both.until_children(PATH, 2).await;
    hold.release().await.unwrap();
    assert_eq!(both.java.answer().await, "true");
    assert_eq!(both.java.ask("unlock /shared").await, "done");
    both.until_children(PATH, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_goes_round_among_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    both.java.tell("rounds /shared 50").await;
    let mut contenders = Vec::new();
    for _ in 0..3 {
        contenders.push(tokio::spawn(rounds(client_of(&both.ensemble).await, 50)));
    }
    for contender in contenders {
        within(contender).await.unwrap();
    }
    assert_eq!(both.java.answer().await, "done");
    both.until_children(PATH, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_of_a_dead_or_paused_java_process_goes_on() {
    let short = Duration::from_secs(4);
    let Some(mut both) = Meeting::with_java_session(short).await else {
        return;
    };
    let lock = Lock::new(both.client.clone(), PATH);
    assert_eq!(both.java.ask("lock /shared").await, "true");
    both.java.pause().await;
    let hold = within(lock.acquire()).await.unwrap();
    both.java.resume().await;
    both.java.tell("lock /other").await;
    both.java.answer().await;
    both.java.kill().await;
    let other = Lock::new(both.client.clone(), "/other");
    let second = within(other.acquire()).await.unwrap();
    assert!(second.token() > hold.token());
    assert!(hold.is_held());
    hold.release().await.unwrap();
    both.until_children(PATH, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_writers_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let lock = ReadWriteLock::new(both.client.clone(), PATH);
    let reading = lock.read().await.unwrap();
    assert_eq!(both.java.ask("read /shared").await, "true");
    let writer = tokio::spawn({
        let lock = lock.clone();
        async move { lock.write().await.unwrap() }
    });
    both.until_children(PATH, 3).await;
    reading.release().await.unwrap();
    assert!(!writer.is_finished());
    assert_eq!(both.java.ask("unread /shared").await, "done");
    let writing = within(writer).await.unwrap();
    assert_eq!(both.java.ask("try-read /shared").await, "false");
    let reading = writing.downgrade().await.unwrap();
    assert_eq!(both.java.ask("try-write /shared").await, "false");
    assert_eq!(both.java.ask("read /shared").await, "true");
    // Java becomes a reader while it writes: its reader has its number too.
    reading.release().await.unwrap();
    assert_eq!(both.java.ask("unread /shared").await, "done");
    assert_eq!(both.java.ask("write /shared").await, "true");
    assert_eq!(both.java.ask("read /shared").await, "true");
    let waits = tokio::spawn({
        let lock = lock.clone();
        async move { lock.write().await.unwrap() }
    });
    both.until_children(PATH, 3).await;
    assert_eq!(both.java.ask("unwrite /shared").await, "done");
    both.until_children(PATH, 2).await;
    both.client.sync(PATH).await.unwrap();
    assert!(!waits.is_finished(), "Java reads");
    assert_eq!(both.java.ask("unread /shared").await, "done");
    within(waits).await.unwrap().release().await.unwrap();
    both.until_children(PATH, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_of_both() {
    let Some(mut both) = Meeting::start().await else {
        return;
    };
    let semaphore = Semaphore::new(both.client.clone(), PATH, 2);
    let lease = semaphore.acquire().await.unwrap();
    assert_eq!(both.java.ask("lease /shared").await, "done");
    assert!(semaphore.try_acquire().await.unwrap().is_none());
    assert_eq!(both.java.ask("try-lease /shared").await, "false");
    both.java.tell("lease /shared").await;
    both.until_children("/shared/leases", 3).await;
    lease.release().await.unwrap();
    assert_eq!(both.java.answer().await, "done");
    let waits = tokio::spawn(async move { semaphore.acquire().await.unwrap() });
    both.until_children("/shared/leases", 3).await;
    assert_eq!(both.java.ask("unlease /shared").await, "done");
    within(waits).await.unwrap().release().await.unwrap();
    assert_eq!(both.java.ask("unlease /shared").await, "done");
    both.until_children("/shared/leases", 0).await;
    both.until_children("/shared/locks", 0).await;
}
