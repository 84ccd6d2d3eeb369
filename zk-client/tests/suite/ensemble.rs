//! A client of three servers, of which some die.

use super::servers::Servers;
use super::{PATIENCE, Place, create, soon};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;
use zk_client::{Client, Connector, CreateMode, CreateOptions, Error, ErrorCode, SessionState};

/// What a writer knows of its writes: those that happened, and those of which
/// it was told that they did not.
#[derive(Default)]
struct Ledger {
    done: BTreeSet<String>,
    not_done: BTreeSet<String>,
}

/// The leader is killed twice while writers write: what was acknowledged is
/// there, what certainly did not happen is not, and sessions go on.
pub(crate) async fn loses_its_leader(servers: &mut impl Servers) {
    const WRITERS: usize = 4;
    let place = Place::new(servers).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (client, _) = place.connected(|c| c.session_timeout(PATIENCE)).await;
        let stopped = stopped.clone();
        writers.spawn(write(client, writer, stopped));
    }
    let (watcher, _) = place.connected(|c| c.session_timeout(PATIENCE)).await;
    for round in 0..2 {
        until_written(&watcher, round * 200 + 100).await;
        let leader = servers.leader().await;
        servers.kill(leader).await;
        until_written(&watcher, round * 200 + 200).await;
        servers.launch(leader).await;
        soon(servers.leader()).await;
    }
    stop.send_replace(true);
    let mut all = Ledger::default();
    for ledger in soon(writers.join_all()).await {
        all.done.extend(ledger.done);
        all.not_done.extend(ledger.not_done);
    }
    eventually(&watcher, async || watcher.sync("/").await).await;
    let list = async || watcher.get_children("/", false).await;
    let found = BTreeSet::from_iter(eventually(&watcher, list).await);
    let lost: Vec<_> = all.done.difference(&found).collect();
    assert_eq!(lost, [""; 0], "acknowledged and lost");
    let unasked: Vec<_> = all.not_done.intersection(&found).collect();
    assert_eq!(unasked, [""; 0], "said not to have happened, and did");
    assert!(found.len() >= 400);
    println!("{} writes, {} refused", all.done.len(), all.not_done.len());
    watcher.close().await.unwrap();
}

/// Creates znodes, several at a time, until it is told to stop.
async fn write(
    client: Client,
    writer: usize,
    stopped: tokio::sync::watch::Receiver<bool>,
) -> Ledger {
    let session = client.session_id();
    let mut ledger = Ledger::default();
    let mut number = 0;
    while !*stopped.borrow() {
        let mut batch = JoinSet::new();
        for _ in 0..4 {
            let (client, name) = (client.clone(), format!("{writer}-{number}"));
            number += 1;
            batch.spawn(async move {
                let options = CreateOptions::default();
                let made = client.create(&format!("/{name}"), None, &options).await;
                (name, made.map(drop))
            });
        }
        for (name, made) in soon(batch.join_all()).await {
            match made {
                Ok(()) => drop(ledger.done.insert(name)),
                Err(error) if !error.may_have_happened() => drop(ledger.not_done.insert(name)),
                Err(_) => {}
            }
        }
        soon(client.connected()).await.unwrap();
    }
    assert_eq!(client.session_id(), session);
    client.close().await.unwrap();
    ledger
}

/// Waits until there are so many znodes, with a watch.
async fn until_written(client: &Client, count: usize) {
    let list = async || client.list_and_watch_children("/").await;
    loop {
        let (names, _, watch) = eventually(client, list).await;
        if names.len() >= count {
            return;
        }
        soon(watch.changed()).await;
    }
}

/// The outcome of a read, asked for again while connections break.
async fn eventually<T>(client: &Client, mut ask: impl AsyncFnMut() -> Result<T, Error>) -> T {
    loop {
        match soon(ask()).await {
            Ok(answer) => return answer,
            Err(Error::ConnectionLoss { .. }) => soon(client.connected()).await.unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A server without a quorum serves readers, with sessions of its own; those
/// of the ensemble wait. When there is a quorum again, both go there.
pub(crate) async fn loses_its_quorum(servers: &mut impl Servers) {
    let place = Place::new(servers).await;
    let settings = |c: Connector| c.session_timeout(PATIENCE).read_only(true);
    let (known, _) = place.connected(settings).await;
    create(&known, "/a").await;
    // With an ephemeral znode all servers know the session.
    let ephemeral = CreateOptions::new(CreateMode::Ephemeral);
    known.create("/e", None, &ephemeral).await.unwrap();
    let mut states = known.state_changes();
    let leader = servers.leader().await;
    let other = if leader == 1 { 2 } else { 1 };
    servers.kill(other).await;
    servers.kill(leader).await;
    assert_eq!(soon(states.changed()).await, SessionState::Suspended);

    let (reader, _) = place.connected(settings).await;
    assert_eq!(reader.state(), SessionState::ConnectedReadOnly);
    let mut reader_states = reader.state_changes();
    let read = async || reader.get_data("/a", false).await;
    let (data, _) = eventually(&reader, read).await;
    assert_eq!(data.as_deref(), Some(&b"x"[..]));
    let error = soon(reader.set_data("/a", None, -1)).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::NOT_READ_ONLY));
    assert!(!error.may_have_happened());

    servers.launch(other).await;
    servers.launch(leader).await;
    until_state(&mut reader_states, SessionState::Connected).await;
    until_state(&mut states, SessionState::Connected).await;
    soon(servers.leader()).await;
    for client in [&reader, &known] {
        let write = async || client.set_data("/a", Some(b"again"), -1).await;
        eventually(client, write).await;
    }
    assert!(known.exists("/e", false).await.unwrap().is_some());
    known.close().await.unwrap();
    reader.close().await.unwrap();
}

async fn until_state(states: &mut zk_client::StateWatch, wanted: SessionState) {
    loop {
        match soon(states.changed()).await {
            state if state == wanted => return,
            state => assert!(!state.is_final(), "{state:?}"),
        }
    }
}

/// Another list of servers moves the connection, and only the connection.
pub(crate) async fn is_given_another_list(servers: &impl Servers) {
    let place = Place::new(servers).await;
    let only = |id| format!("{}{}", servers.address(id), place.chroot);
    let (client, _) = Connector::new(&only(1)).unwrap().start();
    soon(client.connected()).await.unwrap();
    let session = client.session_id();
    let ephemeral = CreateOptions::new(CreateMode::Ephemeral);
    client.create("/e", None, &ephemeral).await.unwrap();
    let mut states = client.state_changes();
    // The same one: nothing happens.
    client.update_servers(&only(1)).unwrap();
    client.sync("/").await.unwrap();
    client.update_servers(&servers.address(2)).unwrap();
    until_state(&mut states, SessionState::Connected).await;
    assert_eq!(client.session_id(), session);
    assert_eq!(client.get_ephemerals("/").await.unwrap(), ["/e"]);
    client.close().await.unwrap();
}

/// A session is at one server at a time: the server that lost it refuses.
pub(crate) async fn moves_a_session(servers: &impl Servers) {
    let place = Place::new(servers).await;
    let at = |id| Connector::new(&format!("{}{}", servers.address(id), place.chroot)).unwrap();
    let (first, _) = at(1).session_timeout(Duration::from_secs(60)).start();
    soon(first.connected()).await.unwrap();
    create(&first, "/a").await;
    let (second, _) = at(2)
        .resume(first.session_id(), first.session_password())
        .start();
    soon(second.connected()).await.unwrap();
    second.sync("/").await.unwrap();
    let error = soon(first.set_data("/a", None, -1)).await.unwrap_err();
    let moved = error.code() == Some(ErrorCode::SESSION_MOVED);
    let broke = matches!(error, Error::ConnectionLoss { .. });
    assert!(moved || broke, "{error}");
    second.close().await.unwrap();
}
