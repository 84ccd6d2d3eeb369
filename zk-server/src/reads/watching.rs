//! The requests that set, check and remove watches.

use super::{Reader, encode, header_only, notification, path, reply};
use zk_proto::{
    AddWatchMode, AddWatchRequest, ErrorCode, Ustr, WatcherRequest, WatcherType, Xid, Zxid,
};
use zk_tree::{NodeTimes, WatchKind, WatchLists};

impl Reader<'_> {
    /// Neither the path nor the znode need exist; events are filtered by who
    /// may read when they are delivered.
    pub(super) fn add_watch(
        &self,
        xid: Xid,
        request: &AddWatchRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let mode = AddWatchMode::from_code(request.mode).ok_or(ErrorCode::MARSHALLING_ERROR)?;
        self.watch(request.path.as_deref(), mode.into());
        reply(out, xid, self.zxid(), |out| {
            encode::put_int(out, ErrorCode::OK.0);
        });
        Ok(())
    }

    pub(super) fn check_watches(
        &self,
        xid: Xid,
        request: &WatcherRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let kind = watcher_type(request)?;
        let path = request.path.as_deref();
        if !self.watches.lock().contains(self.conn.id(), path, kind) {
            return Err(ErrorCode::NO_WATCHER);
        }
        header_only(out, xid, self.zxid(), ErrorCode::OK);
        Ok(())
    }

    pub(super) fn remove_watches(
        &self,
        xid: Xid,
        request: &WatcherRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let kind = watcher_type(request)?;
        let path = request.path.as_deref();
        if !self.watches.lock().remove(self.conn.id(), path, kind) {
            return Err(ErrorCode::NO_WATCHER);
        }
        header_only(out, xid, self.zxid(), ErrorCode::OK);
        Ok(())
    }

    /// Events for what the client missed come before the answer, even if that
    /// is an error.
    pub(super) fn set_watches(
        &self,
        xid: Xid,
        lists: &WatchLists<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let node = |path: &str| {
            let stat = self.tree.get(path)?.stat();
            Some(NodeTimes {
                mzxid: stat.mzxid,
                pzxid: stat.pzxid,
            })
        };
        let missed = |kind, path: &str| notification(out, kind, path, Zxid::NONE);
        self.watches
            .lock()
            .set_again(self.conn.id(), lists, node, missed);
        if !lists.is_whole {
            return Err(ErrorCode::MARSHALLING_ERROR);
        }
        header_only(out, xid, self.zxid(), ErrorCode::OK);
        Ok(())
    }

    /// Leaves a watch of this connection.
    pub(super) fn watch(&self, path: Option<&str>, kind: WatchKind) {
        self.watches.lock().add(self.conn.id(), path, kind);
    }

    /// Leaves a one-shot watch if the request asks for one.
    pub(super) fn watch_if(&self, wanted: bool, watched: &Option<Ustr<'_>>, kind: WatchKind) {
        if wanted && let Ok(path) = path(watched) {
            self.watch(Some(path), kind);
        }
    }
}

fn watcher_type(request: &WatcherRequest<'_>) -> Result<WatcherType, ErrorCode> {
    WatcherType::from_code(request.watcher_type).ok_or(ErrorCode::MARSHALLING_ERROR)
}
