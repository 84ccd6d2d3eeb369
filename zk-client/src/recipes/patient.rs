//! Operations that may be repeated without harm, repeated until a server
//! answers them or the session is over. Knows no recipe.

use super::names;
use crate::{
    AddWatchMode, Client, CreateMode, CreateOptions, Error, ErrorCode, Event, OneshotWatch, Stat,
    WatchStream,
};
use bytes::Bytes;
use zk_proto::EventType;

/// Repeats an operation that a lost connection cut short.
async fn patiently<T, F>(client: &Client, mut operation: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    loop {
        match operation().await {
            Err(error) if is_passing(&error) => client.connected().await?,
            outcome => return outcome,
        }
    }
}

/// Whether it was the connection or somebody's patience that ended, and not
/// the session.
pub(super) const fn is_passing(error: &Error) -> bool {
    match error {
        Error::ConnectionLoss { .. } | Error::Timeout => true,
        Error::Server { .. } => error.may_have_happened(),
        _ => false,
    }
}

/// `None` instead of the error that says that there is no such znode.
pub(super) fn if_there<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == Some(ErrorCode::NO_NODE) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names of the children, none if the znode does not exist.
pub(super) async fn children(client: &Client, path: &str) -> Result<Vec<String>, Error> {
    let names = patiently(client, || client.get_children(path, false)).await;
    if_there(names).map(Option::unwrap_or_default)
}

/// The same with a watch, which is there only if the znode is.
pub(super) async fn watched_children(
    client: &Client,
    path: &str,
) -> Result<Option<(Vec<String>, OneshotWatch)>, Error> {
    let answer = if_there(patiently(client, || client.list_and_watch_children(path)).await)?;
    Ok(answer.map(|(names, _, watch)| (names, watch)))
}

/// Data and Stat, `None` if the znode does not exist.
pub(super) async fn data(
    client: &Client,
    path: &str,
) -> Result<Option<(Option<Bytes>, Stat)>, Error> {
    if_there(patiently(client, || client.get_data(path, false)).await)
}

/// The same with a watch, which is there only if the znode is.
pub(super) async fn watched_data(
    client: &Client,
    path: &str,
) -> Result<Option<(Option<Bytes>, Stat, OneshotWatch)>, Error> {
    if_there(patiently(client, || client.get_and_watch_data(path)).await)
}

/// The Stat, with a watch that also tells of the znode's creation.
pub(super) async fn watched_stat(
    client: &Client,
    path: &str,
) -> Result<(Option<Stat>, OneshotWatch), Error> {
    patiently(client, || client.check_and_watch_stat(path)).await
}

/// The Stat, `None` if the znode does not exist.
pub(super) async fn stat(client: &Client, path: &str) -> Result<Option<Stat>, Error> {
    patiently(client, || client.exists(path, false)).await
}

/// Waits until the server that answers us has all that the leader had.
pub(super) async fn sync(client: &Client, path: &str) -> Result<(), Error> {
    patiently(client, || client.sync(path)).await.map(drop)
}

/// Sets the data, whatever they were.
pub(super) async fn set_data(client: &Client, path: &str, data: &[u8]) -> Result<Stat, Error> {
    patiently(client, || client.set_data(path, Some(data), -1)).await
}

/// Sets a watch that stays.
pub(super) async fn watch(
    client: &Client,
    path: &str,
    mode: AddWatchMode,
) -> Result<WatchStream, Error> {
    patiently(client, || client.watch(path, mode)).await
}

/// Sees to it that a znode is gone. Somebody else may have deleted it.
pub(super) async fn delete(client: &Client, path: &str) -> Result<(), Error> {
    if_there(patiently(client, || client.delete(path, -1)).await).map(drop)
}

/// Waits until a znode is gone; no time if it is not there.
pub(super) async fn until_gone(client: &Client, path: &str) -> Result<(), Error> {
    // A data watch is none on a missing znode, so that nothing is left on the
    // server when it went in between.
    while let Some((_, _, watch)) = watched_data(client, path).await? {
        if is_deletion(&watch.changed().await) {
            break;
        }
    }
    Ok(())
}

/// Whether an event says that its znode was deleted.
pub(super) fn is_deletion(event: &Event) -> bool {
    event.kind == EventType::NodeDeleted
}

/// Sees to it that a znode is there, and all above it. What is missing becomes
/// a znode of this mode. Containers the servers remove some time after their
/// last child: with them Curator's recipes leave nothing behind.
pub(super) async fn ensure(client: &Client, path: &str, mode: CreateMode) -> Result<(), Error> {
    let mut missing = vec![path];
    while let Some(&next) = missing.last() {
        match patiently(client, || make(client, next, mode)).await {
            Ok(()) => drop(missing.pop()),
            Err(error) if error.code() == Some(ErrorCode::NO_NODE) => {
                missing.push(names::parent_of(next).ok_or(error)?);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Creates one znode, a persistent one where servers know no containers.
async fn make(client: &Client, path: &str, mode: CreateMode) -> Result<(), Error> {
    for mode in [mode, CreateMode::Persistent] {
        let created = client.create(path, None, &CreateOptions::new(mode)).await;
        match created.as_ref().err().and_then(Error::code) {
            Some(ErrorCode::NODE_EXISTS) => return Ok(()),
            Some(ErrorCode::UNIMPLEMENTED) if mode == CreateMode::Container => {}
            _ => return created.map(drop),
        }
    }
    Ok(())
}

/// Creates a znode, and what is missing above it; the first creation that may
/// have happened without an answer ends it.
pub(super) async fn create(
    client: &Client,
    path: &str,
    data: Option<&[u8]>,
    mode: CreateMode,
) -> Result<(String, Stat), Error> {
    loop {
        let options = CreateOptions::new(mode);
        match client.create(path, data, &options).await {
            Err(error) if error.code() == Some(ErrorCode::NO_NODE) => {
                let parent = names::parent_of(path).ok_or(error)?;
                ensure(client, parent, CreateMode::Container).await?;
            }
            Err(Error::ConnectionLoss { sent: false }) => client.connected().await?,
            outcome => return outcome,
        }
    }
}
