//! Sessions over connections that come and go, and how they end.

use super::servers::Servers;
use super::{PATIENCE, Place, create, soon, told};
use std::time::Duration;
use zk_client::{
    AddWatchMode, Client, Connector, CreateMode, CreateOptions, Error, Event, EventType,
    KeeperState, SessionState,
};

/// A session that outlasts any pause of a busy machine.
fn patient(connector: Connector) -> Connector {
    connector.session_timeout(PATIENCE)
}

/// Whatever moment a future is dropped at, the session goes on, and the
/// answers of others find them.
pub(super) async fn futures_may_be_dropped(place: Place) {
    let client = place.client().await;
    create(&client, "/a").await;
    for polls in 0..40 {
        let write = client.set_data("/a", Some(b"y"), -1);
        give_up_after(polls % 4, write).await;
        give_up_after(polls % 3, client.get_and_watch_data("/a")).await;
        let watch = client.watch("/a", AddWatchMode::Persistent);
        give_up_after(polls % 2, watch).await;
        let (data, _) = client.get_data("/a", false).await.unwrap();
        assert!(data.is_some());
    }
    assert_eq!(client.state(), SessionState::Connected);
    client.close().await.unwrap();
}

/// Polls a future some times, and drops it.
async fn give_up_after(polls: usize, future: impl Future) {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        if future.as_mut().poll(&mut context).is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// What a client left behind another one takes up.
pub(super) async fn are_resumed_by_others(place: Place) {
    let (first, proxy) = place.client_to_cut(patient).await;
    let ephemeral = CreateOptions::new(CreateMode::Ephemeral);
    first.create("/e", None, &ephemeral).await.unwrap();
    let (id, password) = (first.session_id(), first.session_password());
    proxy.cut();
    let (second, _) = place.connected(|c| c.resume(id, password)).await;
    assert_eq!(second.session_id(), id);
    assert_eq!(second.get_ephemerals("/").await.unwrap(), ["/e"]);
    let mut wrong = password;
    wrong[0] ^= 1;
    let connector = Connector::new(&place.connect_string()).unwrap();
    let (stranger, _) = connector.resume(id, wrong).start();
    let error = soon(stranger.connected()).await.unwrap_err();
    assert_eq!(error, Error::SessionExpired { sent: false });
    assert!(second.exists("/e", false).await.unwrap().is_some());
    second.close().await.unwrap();
    let third = place.client().await;
    assert_eq!(third.exists("/e", false).await.unwrap(), None);
    third.close().await.unwrap();
}

/// Whoever comes back to a session that is gone hears of it, and all that it
/// waits for with it.
pub(super) async fn that_are_ended_elsewhere_have_expired(place: Place) {
    let (client, proxy) = place.client_to_cut(patient).await;
    let mut events = client.events();
    create(&client, "/a").await;
    let (_, _, watch) = client.get_and_watch_data("/a").await.unwrap();
    let mode = AddWatchMode::Persistent;
    let mut stream = client.watch("/a", mode).await.unwrap();
    let mut states = client.state_changes();
    proxy.cut();
    let (id, password) = (client.session_id(), client.session_password());
    let (other, _) = place.connected(|c| c.resume(id, password)).await;
    other.close().await.unwrap();
    proxy.heal();
    let event = soon(watch.changed()).await;
    assert_eq!(
        (event.kind, event.state),
        (EventType::None, KeeperState::Expired)
    );
    let ends = [KeeperState::Disconnected, KeeperState::Expired];
    for end in ends {
        assert_eq!(soon(stream.next()).await.unwrap().state, end);
        assert_eq!(soon(events.next()).await.unwrap().state, end);
    }
    assert_eq!(soon(stream.next()).await, None);
    assert_eq!(soon(events.next()).await, None);
    assert_eq!(soon(states.changed()).await, SessionState::Suspended);
    assert_eq!(soon(states.changed()).await, SessionState::Expired);
    let error = client.get_data("/a", false).await.unwrap_err();
    assert_eq!(error, Error::SessionExpired { sent: false });
}

/// A cut link: the session, its ephemeral znodes and its watches stay, and
/// what happened meanwhile is told.
pub(crate) async fn survive_a_cut_link(servers: &impl Servers) {
    let place = Place::new(servers).await;
    let other = place.client().await;
    let (client, proxy) = place.client_to_cut(patient).await;
    let mut states = client.state_changes();
    let ephemeral = CreateOptions::new(CreateMode::Ephemeral);
    client.create("/e", None, &ephemeral).await.unwrap();
    for path in ["/a", "/d", "/p"] {
        create(&client, path).await;
    }
    let (_, _, data) = client.get_and_watch_data("/a").await.unwrap();
    let (_, _, children) = client.list_and_watch_children("/p").await.unwrap();
    let (_, absent) = client.check_and_watch_stat("/n").await.unwrap();
    let (_, deleted) = client.check_and_watch_stat("/d").await.unwrap();
    let (_, _, later) = client.get_and_watch_data("/e").await.unwrap();
    let mode = AddWatchMode::PersistentRecursive;
    let mut stream = client.watch("/", mode).await.unwrap();
    let session = client.session_id();

    proxy.cut();
    assert_eq!(soon(states.changed()).await, SessionState::Suspended);
    let error = soon(client.sync("/")).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLoss { .. }), "{error}");
    other.set_data("/a", None, -1).await.unwrap();
    create(&other, "/p/c").await;
    create(&other, "/n").await;
    other.delete("/d", -1).await.unwrap();
    proxy.heal();
    assert_eq!(soon(states.changed()).await, SessionState::Connected);
    assert_eq!(client.session_id(), session);

    let is = |event: Event, kind, path: &str| assert_eq!(told(event), (kind, Some(path.into())));
    is(soon(data.changed()).await, EventType::NodeDataChanged, "/a");
    is(
        soon(children.changed()).await,
        EventType::NodeChildrenChanged,
        "/p",
    );
    is(soon(absent.changed()).await, EventType::NodeCreated, "/n");
    is(soon(deleted.changed()).await, EventType::NodeDeleted, "/d");
    other.set_data("/e", None, -1).await.unwrap();
    is(
        soon(later.changed()).await,
        EventType::NodeDataChanged,
        "/e",
    );
    // The stream was told of the gap, and goes on after it.
    let mut gap = Vec::new();
    loop {
        let event = soon(stream.next()).await.unwrap();
        match event.kind {
            EventType::None => gap.push(event.state),
            _ if event.path.as_deref() == Some("/e") => break,
            _ => {}
        }
    }
    assert_eq!(gap, [KeeperState::Disconnected, KeeperState::SyncConnected]);
    client.close().await.unwrap();
    assert_eq!(other.exists("/e", false).await.unwrap(), None);
    other.close().await.unwrap();
}

/// More watches than one request may name.
pub(crate) async fn set_many_watches_again(servers: &impl Servers) {
    const COUNT: usize = 2000;
    let place = Place::new(servers).await;
    let other = place.client().await;
    let (client, proxy) = place.client_to_cut(patient).await;
    let path = |number: usize| format!("/{number:0>200}");
    let mut watches = Vec::new();
    for number in 0..COUNT {
        watches.push(client.check_and_watch_stat(&path(number)).await.unwrap().1);
    }
    let mut states = client.state_changes();
    proxy.cut();
    assert_eq!(soon(states.changed()).await, SessionState::Suspended);
    create(&other, &path(0)).await;
    proxy.heal();
    assert_eq!(soon(states.changed()).await, SessionState::Connected);
    create(&other, &path(COUNT - 1)).await;
    let last = watches.pop().unwrap();
    let first = watches.swap_remove(0);
    for watch in [first, last] {
        assert_eq!(soon(watch.changed()).await.kind, EventType::NodeCreated);
    }
    client.close().await.unwrap();
    other.close().await.unwrap();
}

/// A client that reaches nobody knows by its own clock that its session is
/// gone, and so does a server.
pub(crate) async fn expire_by_both_clocks(servers: &impl Servers) {
    let place = Place::new(servers).await;
    let other = place.client().await;
    let hasty = |connector: Connector| connector.session_timeout(Duration::from_secs(3));
    let (client, proxy) = place.client_to_cut(hasty).await;
    let ephemeral = CreateOptions::new(CreateMode::Ephemeral);
    client.create("/e", None, &ephemeral).await.unwrap();
    let (_, gone) = other.check_and_watch_stat("/e").await.unwrap();
    let (_, _, watch) = client.get_and_watch_data("/e").await.unwrap();
    let mut states = client.state_changes();
    proxy.cut();
    assert_eq!(soon(states.changed()).await, SessionState::Suspended);
    assert_eq!(soon(states.changed()).await, SessionState::Expired);
    assert_eq!(soon(watch.changed()).await.state, KeeperState::Expired);
    let error = client.sync("/").await.unwrap_err();
    assert_eq!(error, Error::SessionExpired { sent: false });
    assert_eq!(soon(gone.changed()).await.kind, EventType::NodeDeleted);
    other.close().await.unwrap();
}

/// A server is killed and comes back: sessions and data are still there.
pub(crate) async fn survive_a_restart(servers: &mut impl Servers) {
    let place = Place::new(servers).await;
    let (client, _) = place.connected(patient).await;
    let ephemeral = CreateOptions::new(CreateMode::Ephemeral);
    client.create("/e", Some(b"1"), &ephemeral).await.unwrap();
    let (_, _, watch) = client.get_and_watch_data("/e").await.unwrap();
    let mut states = client.state_changes();
    servers.kill(1).await;
    assert_eq!(soon(states.changed()).await, SessionState::Suspended);
    servers.launch(1).await;
    assert_eq!(soon(states.changed()).await, SessionState::Connected);
    let data = answered(&client, "/e").await;
    assert_eq!(data.as_deref(), Some(&b"1"[..]));
    client.set_data("/e", Some(b"2"), 0).await.unwrap();
    assert_eq!(soon(watch.changed()).await.kind, EventType::NodeDataChanged);
    client.close().await.unwrap();
}

/// What a read finds; again while connections break.
async fn answered(
    client: &Client,
    path: &str,
) -> Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> + use<>> {
    loop {
        match soon(client.get_data(path, false)).await {
            Ok((data, _)) => return data,
            Err(Error::ConnectionLoss { .. }) => soon(client.connected()).await.unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
}
