//! Watches that are set and removed apart from reads. Their events come with
//! all others, through [`crate::Events`].

use super::Client;
use crate::session::{WatchChange, WatchKind};
use crate::{AddWatchMode, Error, WatcherType};
use zk_proto::{AddWatchRequest, Request, WatcherRequest};

impl Client {
    /// Sets a watch that stays until it is removed; the znode need not exist.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn add_watch(&self, path: &str, mode: AddWatchMode) -> Result<(), Error> {
        let record = AddWatchRequest {
            path: self.path_request(path)?.path,
            mode: mode.code(),
        };
        let kind = match mode {
            AddWatchMode::Persistent => WatchKind::Persistent,
            AddWatchMode::PersistentRecursive => WatchKind::Recursive,
        };
        let server_path = record.path.as_deref().unwrap_or_default().to_owned();
        let change = Some(WatchChange::Set(kind, server_path));
        self.call(&Request::AddWatch(record), change, path)
            .await
            .map(drop)
    }

    /// Whether such a watch is set: `NO_WATCHER` if not.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn check_watches(&self, path: &str, kind: WatcherType) -> Result<(), Error> {
        let request = Request::CheckWatches(self.watcher_request(path, kind)?);
        self.call(&request, None, path).await.map(drop)
    }

    /// Removes such watches; an event tells of each kind that was removed.
    /// With `local` they are forgotten even if no server hears of it.
    ///
    /// # Errors
    /// `NO_WATCHER` when there is none; see [`Error`].
    pub async fn remove_watches(
        &self,
        path: &str,
        kind: WatcherType,
        local: bool,
    ) -> Result<(), Error> {
        let record = self.watcher_request(path, kind)?;
        let server_path = record.path.as_deref().unwrap_or_default().to_owned();
        let change = Some(WatchChange::Remove(kind, server_path.clone()));
        let request = Request::RemoveWatches(record);
        match self.call(&request, change, path).await {
            Err(Error::ConnectionLoss { .. }) if local && self.forget(kind, &server_path) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    fn forget(&self, kind: WatcherType, server_path: &str) -> bool {
        self.shared()
            .command(|session| session.remove_watches_locally(kind, server_path))
    }

    fn watcher_request<'a>(
        &self,
        path: &'a str,
        kind: WatcherType,
    ) -> Result<WatcherRequest<'a>, Error> {
        Ok(WatcherRequest {
            path: self.path_request(path)?.path,
            watcher_type: kind.code(),
        })
    }
}
