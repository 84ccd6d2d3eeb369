//! Readers together, writers alone, each in his turn.

use crate::support::{SHORT, TestServer, client_at, until_children, until_empty, within};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use zk_client::Client;
use zk_client::recipes::{Hold, ReadWriteLock, WriteHold};

const PATH: &str = "/shared_lock";

fn reader(client: &Client) -> tokio::task::JoinHandle<Hold> {
    let lock = ReadWriteLock::new(client.clone(), PATH);
    tokio::spawn(async move { lock.read().await.unwrap() })
}

fn writer(client: &Client) -> tokio::task::JoinHandle<WriteHold> {
    let lock = ReadWriteLock::new(client.clone(), PATH);
    tokio::spawn(async move { lock.write().await.unwrap() })
}

/// Waits until so many stand in the line.
async fn in_line(client: &Client, count: usize) {
    until_children(client, PATH, |names| names.len() == count).await;
}

#[tokio::test]
async fn a_reader_waits_for_the_writers_before_it_only() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let first = within(reader(&client)).await.unwrap();
    let second = within(reader(&client)).await.unwrap();
    let writer = writer(&client);
    in_line(&client, 3).await;
    let behind = reader(&client);
    in_line(&client, 4).await;
    first.release().await.unwrap();
    in_line(&client, 3).await;
    assert!(!writer.is_finished(), "a reader is left");
    second.release().await.unwrap();
    let writing = within(writer).await.unwrap();
    client.sync(PATH).await.unwrap();
    assert!(!behind.is_finished(), "a writer is before it");
    writing.release().await.unwrap();
    let reading = within(behind).await.unwrap();
    assert!(reading.is_held());
    reading.release().await.unwrap();
    until_empty(&client, PATH).await;
}

#[tokio::test]
async fn a_writer_becomes_a_reader_and_lets_no_writer_in() {
    let server = TestServer::start().await;
    let client = server.client().await;
    let writing = within(writer(&client)).await.unwrap();
    let next = writer(&client);
    in_line(&client, 2).await;
    let behind = reader(&client);
    in_line(&client, 3).await;
    let number = writing.path().rsplit_once("__").unwrap().1.to_owned();
    let before = writing.token();
    let reading = within(writing.downgrade()).await.unwrap();
    assert!(reading.token() > before);
    assert!(
        reading.path().ends_with(&format!("__READ__{number}")),
        "{}",
        reading.path()
    );
    in_line(&client, 3).await;
    client.sync(PATH).await.unwrap();
    assert!(!next.is_finished(), "a reader is before it");
    reading.release().await.unwrap();
    let writing = within(next).await.unwrap();
    writing.release().await.unwrap();
    within(behind).await.unwrap().release().await.unwrap();
    until_empty(&client, PATH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_are_alone_among_readers() {
    const WRITING: i32 = 1000;
    let server = TestServer::start().await;
    let inside = Arc::new(AtomicI32::new(0));
    let mut contenders = Vec::new();
    for contender in 0..6 {
        let lock = ReadWriteLock::new(server.client().await, PATH);
        let inside = inside.clone();
        contenders.push(tokio::spawn(async move {
            for round in 0..8 {
                if (contender + round) % 3 == 0 {
                    let hold = lock.write().await.unwrap();
                    assert_eq!(inside.fetch_add(WRITING, Ordering::SeqCst), 0);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(WRITING, Ordering::SeqCst);
                    hold.release().await.unwrap();
                } else {
                    let hold = lock.read().await.unwrap();
                    assert!(inside.fetch_add(1, Ordering::SeqCst) < WRITING);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    hold.release().await.unwrap();
                }
            }
        }));
    }
    for contender in contenders {
        within(contender).await.unwrap();
    }
    until_empty(&server.client().await, PATH).await;
}

#[tokio::test]
async fn a_writer_that_is_killed_lets_the_readers_go_on() {
    let server = TestServer::start().await;
    let wire = server.proxy().await;
    let victim = client_at(wire.address(), SHORT).await;
    let writing = within(writer(&victim)).await.unwrap();
    let client = server.client().await;
    let readers = [reader(&client), reader(&client)];
    in_line(&client, 3).await;
    wire.block();
    for reader in readers {
        let reading = within(reader).await.unwrap();
        assert!(reading.token() > writing.token());
        reading.release().await.unwrap();
    }
    assert!(!writing.is_held());
    until_empty(&client, PATH).await;
}
