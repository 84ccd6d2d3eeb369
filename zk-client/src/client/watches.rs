//! Watches that are set and removed apart from reads.

use super::Client;
use crate::session::{Listener, WatchChange, WatchKind};
use crate::{AddWatchMode, Error, WatchStream, WatcherType};
use std::borrow::Cow;
use zk_proto::{AddWatchRequest, Request, WatcherRequest};

impl Client {
    /// Sets a watch that stays until it is removed, for [`crate::Events`]; the
    /// znode need not exist.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn add_watch(&self, path: &str, mode: AddWatchMode) -> Result<(), Error> {
        let server_path = self.server_path(path)?;
        self.set_watch(path, mode, server_path, Listener::Everyone)
            .await
    }

    /// Sets a watch that stays until the last of its kind on this path is
    /// dropped; the znode need not exist.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn watch(&self, path: &str, mode: AddWatchMode) -> Result<WatchStream, Error> {
        let server_path = self.server_path(path)?;
        let stream = WatchStream::new(self.share(), watch_kind(mode), server_path.clone());
        self.set_watch(path, mode, server_path, stream.listener())
            .await?;
        Ok(stream)
    }

    async fn set_watch(
        &self,
        path: &str,
        mode: AddWatchMode,
        server_path: String,
        listener: Listener,
    ) -> Result<(), Error> {
        let request = Request::AddWatch(AddWatchRequest {
            path: Some(server_path.clone().into()),
            mode: mode.code(),
        });
        let change = WatchChange::Set(watch_kind(mode), server_path, listener);
        self.call(&request, Some(change), path).await.map(drop)
    }

    fn server_path(&self, path: &str) -> Result<String, Error> {
        self.shared().chroot().absolute(path).map(Cow::into_owned)
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

const fn watch_kind(mode: AddWatchMode) -> WatchKind {
    match mode {
        AddWatchMode::Persistent => WatchKind::Persistent,
        AddWatchMode::PersistentRecursive => WatchKind::Recursive,
    }
}
