//! Every kind of watch: what sets it, what fires it, what ends it.

use super::{Place, create, refused, soon, told};
use zk_client::EventType::{
    NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted, PersistentWatchRemoved,
};
use zk_client::{AddWatchMode, ErrorCode, Event, EventType, KeeperState, WatchStream, WatcherType};

fn at(kind: EventType, path: &str) -> (EventType, Option<String>) {
    (kind, Some(path.into()))
}

async fn next(stream: &mut WatchStream) -> (EventType, Option<String>) {
    told(soon(stream.next()).await.unwrap())
}

pub(super) async fn of_one_shot_on_data(place: Place) {
    let (client, other) = (place.client().await, place.client().await);
    create(&client, "/a").await;
    let (data, stat, watch) = client.get_and_watch_data("/a").await.unwrap();
    assert_eq!((data.as_deref(), stat.version), (Some(&b"x"[..]), 0));
    let changed = other.set_data("/a", None, 0).await.unwrap();
    let event: Event = soon(watch.changed()).await;
    assert_eq!(event.state, KeeperState::SyncConnected);
    // Before 3.9 servers do not tell.
    assert!(event.zxid == changed.mzxid || !place.is_of_today);
    assert_eq!(told(event), at(NodeDataChanged, "/a"));
    let (_, watch) = client.check_and_watch_stat("/a").await.unwrap();
    other.set_data("/a", None, 1).await.unwrap();
    assert_eq!(told(soon(watch.changed()).await), at(NodeDataChanged, "/a"));
    let (_, _, by_data) = client.get_and_watch_data("/a").await.unwrap();
    let (_, by_stat) = client.check_and_watch_stat("/a").await.unwrap();
    other.delete("/a", -1).await.unwrap();
    for watch in [by_data, by_stat] {
        assert_eq!(told(soon(watch.changed()).await), at(NodeDeleted, "/a"));
    }
    let error = client.get_and_watch_data("/a").await.unwrap_err();
    assert_eq!(error, refused(ErrorCode::NO_NODE, "/a"));
    client.close().await.unwrap();
    other.close().await.unwrap();
}

pub(super) async fn of_one_shot_on_absence(place: Place) {
    let (client, other) = (place.client().await, place.client().await);
    let (stat, watch) = client.check_and_watch_stat("/a").await.unwrap();
    assert_eq!(stat, None);
    create(&other, "/a").await;
    assert_eq!(told(soon(watch.changed()).await), at(NodeCreated, "/a"));
    client.close().await.unwrap();
    other.close().await.unwrap();
}

pub(super) async fn of_one_shot_on_children(place: Place) {
    let (client, other) = (place.client().await, place.client().await);
    create(&client, "/a").await;
    let (names, stat, watch) = client.list_and_watch_children("/a").await.unwrap();
    assert_eq!((names.len(), stat.num_children), (0, 0));
    create(&other, "/a/b").await;
    let changed = at(NodeChildrenChanged, "/a");
    assert_eq!(told(soon(watch.changed()).await), changed);
    let (names, _, watch) = client.list_and_watch_children("/a").await.unwrap();
    assert_eq!(names, ["b"]);
    other.set_data("/a/b", None, -1).await.unwrap();
    other.delete("/a/b", -1).await.unwrap();
    assert_eq!(told(soon(watch.changed()).await), changed);
    let (_, _, watch) = client.list_and_watch_children("/a").await.unwrap();
    other.delete("/a", -1).await.unwrap();
    assert_eq!(told(soon(watch.changed()).await), at(NodeDeleted, "/a"));
    client.close().await.unwrap();
    other.close().await.unwrap();
}

pub(super) async fn on_one_path_are_told_together(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let mut watches = Vec::new();
    for _ in 0..10 {
        let (_, _, watch) = client.get_and_watch_data("/a").await.unwrap();
        watches.push(watch);
    }
    let (_, _, children) = client.list_and_watch_children("/a").await.unwrap();
    client.set_data("/a", None, -1).await.unwrap();
    for watch in watches {
        assert_eq!(told(soon(watch.changed()).await), at(NodeDataChanged, "/a"));
    }
    create(&client, "/a/b").await;
    let event = soon(children.changed()).await;
    assert_eq!(told(event), at(NodeChildrenChanged, "/a"));
    client.close().await.unwrap();
}

pub(super) async fn that_were_dropped_are_not_told(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let (_, _, dropped) = client.get_and_watch_data("/a").await.unwrap();
    let (_, _, kept) = client.get_and_watch_data("/a").await.unwrap();
    drop(dropped);
    drop(client.get_and_watch_data("/a"));
    client.set_data("/a", None, -1).await.unwrap();
    assert_eq!(told(soon(kept.changed()).await), at(NodeDataChanged, "/a"));
    client.close().await.unwrap();
}

pub(super) async fn that_persist(place: Place) {
    let (client, other) = (place.client().await, place.client().await);
    let mode = AddWatchMode::Persistent;
    let mut stream = client.watch("/a", mode).await.unwrap();
    let mut again = client.watch("/a", mode).await.unwrap();
    create(&other, "/a").await;
    create(&other, "/a/b").await;
    other.set_data("/a", None, -1).await.unwrap();
    other.set_data("/a/b", None, -1).await.unwrap();
    other.delete("/a/b", -1).await.unwrap();
    other.delete("/a", -1).await.unwrap();
    for stream in [&mut stream, &mut again] {
        assert_eq!(next(stream).await, at(NodeCreated, "/a"));
        assert_eq!(next(stream).await, at(NodeChildrenChanged, "/a"));
        assert_eq!(next(stream).await, at(NodeDataChanged, "/a"));
        assert_eq!(next(stream).await, at(NodeChildrenChanged, "/a"));
        assert_eq!(next(stream).await, at(NodeDeleted, "/a"));
    }
    client.close().await.unwrap();
    assert!(soon(stream.next()).await.unwrap().is_end());
    assert_eq!(stream.next().await, None);
    other.close().await.unwrap();
}

pub(super) async fn that_persist_and_recurse(place: Place) {
    let (client, other) = (place.client().await, place.client().await);
    let mode = AddWatchMode::PersistentRecursive;
    let mut stream = client.watch("/a", mode).await.unwrap();
    let mut all = client.watch("/", mode).await.unwrap();
    create(&other, "/b").await;
    create(&other, "/a").await;
    create(&other, "/a/b").await;
    create(&other, "/a/b/c").await;
    other.set_data("/a/b/c", None, -1).await.unwrap();
    other.delete("/a/b/c", -1).await.unwrap();
    create(&other, "/ab").await;
    assert_eq!(next(&mut all).await, at(NodeCreated, "/b"));
    for stream in [&mut stream, &mut all] {
        assert_eq!(next(stream).await, at(NodeCreated, "/a"));
        assert_eq!(next(stream).await, at(NodeCreated, "/a/b"));
        assert_eq!(next(stream).await, at(NodeCreated, "/a/b/c"));
        assert_eq!(next(stream).await, at(NodeDataChanged, "/a/b/c"));
        assert_eq!(next(stream).await, at(NodeDeleted, "/a/b/c"));
    }
    assert_eq!(next(&mut all).await, at(NodeCreated, "/ab"));
    assert_eq!(stream.try_next(), None);
    client.close().await.unwrap();
    other.close().await.unwrap();
}

pub(super) async fn that_are_removed(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    let (_, _, data) = client.get_and_watch_data("/a").await.unwrap();
    let (_, _, children) = client.list_and_watch_children("/a").await.unwrap();
    let remove = async |kind| client.remove_watches("/a", kind, false).await.unwrap();
    client.check_watches("/a", WatcherType::Data).await.unwrap();
    remove(WatcherType::Data).await;
    let event = soon(data.changed()).await;
    assert_eq!(told(event), at(EventType::DataWatchRemoved, "/a"));
    remove(WatcherType::Children).await;
    let event = soon(children.changed()).await;
    assert_eq!(told(event), at(EventType::ChildWatchRemoved, "/a"));
    let mode = AddWatchMode::PersistentRecursive;
    let mut stream = client.watch("/a", mode).await.unwrap();
    remove(WatcherType::Any).await;
    assert_eq!(next(&mut stream).await, at(PersistentWatchRemoved, "/a"));
    assert_eq!(stream.next().await, None);
    client.set_data("/a", None, -1).await.unwrap();
    client.close().await.unwrap();
}

pub(super) async fn that_nobody_holds_are_removed(place: Place) {
    let (client, mut events) = place.listening().await;
    create(&client, "/a").await;
    let mode = AddWatchMode::Persistent;
    let stream = client.watch("/a", mode).await.unwrap();
    let mut other = client.watch("/a", mode).await.unwrap();
    drop(stream);
    client.set_data("/a", None, -1).await.unwrap();
    assert_eq!(next(&mut other).await, at(NodeDataChanged, "/a"));
    assert_eq!(
        told(soon(events.next()).await.unwrap()),
        at(NodeDataChanged, "/a")
    );
    drop(other);
    // An old server is asked twice; the second time after the first answer.
    client.sync("/a").await.unwrap();
    let error = client.check_watches("/a", WatcherType::Any).await;
    assert_eq!(error.unwrap_err(), refused(ErrorCode::NO_WATCHER, "/a"));
    client.set_data("/a", None, -1).await.unwrap();
    client.sync("/a").await.unwrap();
    assert_eq!(events.try_next(), None);
    client.close().await.unwrap();
}

/// Watches that are no values are told with everything else.
pub(super) async fn for_everyone(place: Place) {
    let (client, mut events) = place.listening().await;
    create(&client, "/a").await;
    client.exists("/b", true).await.unwrap();
    client.get_data("/a", true).await.unwrap();
    client.get_children("/a", true).await.unwrap();
    client
        .add_watch("/c", AddWatchMode::PersistentRecursive)
        .await
        .unwrap();
    create(&client, "/b").await;
    create(&client, "/c").await;
    create(&client, "/c/d").await;
    create(&client, "/a/b").await;
    client.delete("/a/b", -1).await.unwrap();
    client.delete("/a", -1).await.unwrap();
    client.close().await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = soon(events.next()).await {
        if event.kind != EventType::None {
            seen.push(told(event));
        }
    }
    let expected = [
        at(NodeCreated, "/b"),
        at(NodeCreated, "/c"),
        at(NodeCreated, "/c/d"),
        at(NodeChildrenChanged, "/a"),
        at(NodeDeleted, "/a"),
    ];
    assert_eq!(seen, expected);
}

pub(super) async fn on_the_configuration(place: Place) {
    let client = place.client().await;
    client.get_config(true).await.unwrap();
    client.close().await.unwrap();
}
