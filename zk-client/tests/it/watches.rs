//! Watches: set, told, checked and removed.

use crate::fake_server::{Fixture, serve};
use zk_client::{
    AddWatchMode, Client, Connector, Error, ErrorCode, EventType, Events, KeeperState,
    SessionState, WatcherType,
};

async fn next(events: &mut Events) -> (EventType, Option<String>, i64) {
    let event = events.next().await.expect("an event is due");
    (event.kind, event.path, event.zxid.0)
}

#[tokio::test]
async fn watches_tell_what_happens() {
    let exchanges = Fixture::watches().exchanges(&["exists-watch-absent", "addWatch-persistent"]);
    let (address, server) = serve(exchanges).await;
    let (client, mut events) = Connector::new(&address).unwrap().start();
    assert_eq!(client.exists("/w", true).await.unwrap(), None);
    let connected = events.next().await.unwrap();
    assert_eq!(
        connected.to_string(),
        "WatchedEvent state:SyncConnected type:None path:null zxid: -1"
    );
    let created = next(&mut events).await;
    assert_eq!(created, (EventType::NodeCreated, Some("/w".into()), 3));
    let mode = AddWatchMode::Persistent;
    client.add_watch("/p", mode).await.unwrap();
    let created = next(&mut events).await;
    assert_eq!(created, (EventType::NodeCreated, Some("/p".into()), 15));
    client.close().await.unwrap();
    assert_eq!(next(&mut events).await.0, EventType::None);
    assert_eq!(events.next().await, None);
    server.await.unwrap();
}

#[tokio::test]
async fn watches_are_checked_and_removed() {
    let exchanges = Fixture::watches().exchanges(&[
        "getData-watch",
        "checkWatches-data",
        "removeWatches-data",
        "removeWatches-any-none",
    ]);
    let (address, server) = serve(exchanges).await;
    let (client, mut events) = Connector::new(&address).unwrap().start();
    client.get_data("/w", true).await.unwrap();
    next(&mut events).await;
    client.check_watches("/w", WatcherType::Data).await.unwrap();
    client
        .remove_watches("/w", WatcherType::Data, false)
        .await
        .unwrap();
    let removed = next(&mut events).await;
    assert_eq!(
        removed,
        (EventType::DataWatchRemoved, Some("/w".into()), -1)
    );
    let error = client.remove_watches("/w", WatcherType::Any, false).await;
    let none = Error::Server {
        code: ErrorCode::NO_WATCHER,
        path: "/w".into(),
    };
    assert_eq!(error.unwrap_err(), none);
    client.close().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn watches_are_values() {
    let exchanges = Fixture::watches().exchanges(&["exists-watch-absent", "addWatch-persistent"]);
    let (address, server) = serve(exchanges).await;
    let client = Client::connect(&address).await.unwrap();
    let (stat, created) = client.check_and_watch_stat("/w").await.unwrap();
    assert_eq!(stat, None);
    let created = created.changed().await;
    assert_eq!(
        (created.kind, created.path.as_deref(), created.zxid.0),
        (EventType::NodeCreated, Some("/w"), 3)
    );
    let mode = AddWatchMode::Persistent;
    let mut stream = client.watch("/p", mode).await.unwrap();
    let created = stream.next().await.unwrap();
    assert_eq!(created.path.as_deref(), Some("/p"));
    let mut states = client.state_changes();
    assert_eq!(states.current(), SessionState::Connected);
    client.close().await.unwrap();
    assert_eq!(states.changed().await, SessionState::Closed);
    assert_eq!(states.changed().await, SessionState::Closed);
    let end = stream.next().await.unwrap();
    assert!(end.is_end(), "{end}");
    assert_eq!(stream.next().await, None);
    server.await.unwrap();
}

#[tokio::test]
async fn a_watch_of_one_shot_hears_of_the_end() {
    let exchanges = Fixture::watches().exchanges(&["getData-watch"]);
    let (address, server) = serve(exchanges).await;
    let client = Client::connect(&address).await.unwrap();
    let (_, _, watch) = client.get_and_watch_data("/w").await.unwrap();
    client.close().await.unwrap();
    assert_eq!(watch.changed().await.state, KeeperState::Closed);
    server.await.unwrap();
}
