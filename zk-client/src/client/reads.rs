//! Operations that change nothing.

use super::{Client, decode};
use crate::multi::{self, ReadOp, ReadResult};
use crate::session::{Listener, WatchChange, WatchKind};
use crate::{Error, OneshotWatch, Stat};
use bytes::Bytes;
use zk_proto::{
    Buffer, ClientInfo, ErrorCode, Id, MultiReadOp, PathRequest, ReadRequest, Request, Response,
    Ustr,
};

const CONFIG_PATH: &str = "/zookeeper/config";

impl Client {
    /// The Stat of a znode, or `None` if it does not exist. With `watch` an
    /// event tells once when it is created, changed or deleted.
    ///
    /// # Errors
    /// See [`Error`]; a missing znode is none.
    pub async fn exists(&self, path: &str, watch: bool) -> Result<Option<Stat>, Error> {
        let (record, change) = self.read_request(path, watch, WatchKind::Data)?;
        self.stat(record, change, path).await
    }

    /// The same, with a watch that is told when it is created, changed or
    /// deleted.
    ///
    /// # Errors
    /// See [`Error`]; a missing znode is none, and is watched.
    pub async fn check_and_watch_stat(
        &self,
        path: &str,
    ) -> Result<(Option<Stat>, OneshotWatch), Error> {
        let (record, change, watch) = self.watching_request(path, WatchKind::Data)?;
        let stat = self.stat(record, Some(change), path).await?;
        Ok((stat, watch))
    }

    async fn stat(
        &self,
        record: ReadRequest<'_>,
        change: Option<WatchChange>,
        path: &str,
    ) -> Result<Option<Stat>, Error> {
        match self.call(&Request::Exists(record), change, path).await {
            Ok(reply) => decode(&reply, |r| r.read()).map(Some),
            Err(Error::Server {
                code: ErrorCode::NO_NODE,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The data of a znode, `None` for null (which is not empty), and its
    /// Stat. With `watch` an event tells once when it is changed or deleted.
    ///
    /// # Errors
    /// See [`Error`]; `NO_NODE` leaves no watch.
    pub async fn get_data(&self, path: &str, watch: bool) -> Result<(Option<Bytes>, Stat), Error> {
        let (record, change) = self.read_request(path, watch, WatchKind::Data)?;
        self.get(record, change, path).await
    }

    /// The same, with a watch that is told when it is changed or deleted.
    ///
    /// # Errors
    /// See [`Error`]; `NO_NODE` leaves no watch.
    pub async fn get_and_watch_data(
        &self,
        path: &str,
    ) -> Result<(Option<Bytes>, Stat, OneshotWatch), Error> {
        let (record, change, watch) = self.watching_request(path, WatchKind::Data)?;
        let (data, stat) = self.get(record, Some(change), path).await?;
        Ok((data, stat, watch))
    }

    /// The configuration of the ensemble, which no chroot hides, and its Stat.
    /// With `watch` an event tells once when it is changed.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_config(&self, watch: bool) -> Result<(Option<Bytes>, Stat), Error> {
        let record = ReadRequest {
            path: Some(CONFIG_PATH.into()),
            watch,
        };
        let change = watch
            .then(|| WatchChange::Set(WatchKind::Data, CONFIG_PATH.to_owned(), Listener::Everyone));
        self.get(record, change, CONFIG_PATH).await
    }

    /// The names of a znode's children, in no order. With `watch` an event
    /// tells once when one is created or deleted, or the znode is deleted.
    ///
    /// # Errors
    /// See [`Error`]; `NO_NODE` leaves no watch.
    pub async fn get_children(&self, path: &str, watch: bool) -> Result<Vec<String>, Error> {
        let (record, change) = self.read_request(path, watch, WatchKind::Child)?;
        let request = Request::GetChildren(record);
        let reply = self.call(&request, change, path).await?;
        decode(&reply, |r| r.read()).map(owned_names)
    }

    /// The same with the znode's Stat (getChildren2).
    ///
    /// # Errors
    /// See [`Error`]; `NO_NODE` leaves no watch.
    pub async fn get_children_and_stat(
        &self,
        path: &str,
        watch: bool,
    ) -> Result<(Vec<String>, Stat), Error> {
        let (record, change) = self.read_request(path, watch, WatchKind::Child)?;
        self.children(record, change, path).await
    }

    /// The same, with a watch that is told when a child is created or deleted,
    /// or the znode is deleted.
    ///
    /// # Errors
    /// See [`Error`]; `NO_NODE` leaves no watch.
    pub async fn list_and_watch_children(
        &self,
        path: &str,
    ) -> Result<(Vec<String>, Stat, OneshotWatch), Error> {
        let (record, change, watch) = self.watching_request(path, WatchKind::Child)?;
        let (names, stat) = self.children(record, Some(change), path).await?;
        Ok((names, stat, watch))
    }

    async fn children(
        &self,
        record: ReadRequest<'_>,
        change: Option<WatchChange>,
        path: &str,
    ) -> Result<(Vec<String>, Stat), Error> {
        let request = Request::GetChildren2(record);
        let reply = self.call(&request, change, path).await?;
        let (names, stat) = decode(&reply, |r| r.read())?;
        Ok((owned_names(names), stat))
    }

    /// The number of znodes below a znode, at any depth.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_all_children_number(&self, path: &str) -> Result<i32, Error> {
        let request = Request::GetAllChildrenNumber(self.path_request(path)?);
        let reply = self.call(&request, None, path).await?;
        decode(&reply, |r| r.read())
    }

    /// The ephemeral znodes of this session whose paths start with `prefix`;
    /// "/" for all.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_ephemerals(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let request = Request::GetEphemerals(self.path_request(prefix)?);
        let reply = self.call(&request, None, prefix).await?;
        let names = decode(&reply, |r| r.read()).map(owned_names)?;
        let chroot = self.shared().chroot();
        Ok(names
            .iter()
            .map(|path| chroot.relative(path).to_owned())
            .collect())
    }

    /// The identities of this connection.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn who_am_i(&self) -> Result<Vec<Id<'static>>, Error> {
        let reply = self.call(&Request::WhoAmI, None, "").await?;
        let infos: Option<Vec<ClientInfo<'_>>> = decode(&reply, |r| r.read())?;
        let id = |info: ClientInfo<'_>| Id {
            scheme: info.scheme.map(Ustr::into_owned),
            id: info.user.map(Ustr::into_owned),
        };
        Ok(infos.unwrap_or_default().into_iter().map(id).collect())
    }

    /// Waits until the server of this session has applied what the leader had
    /// committed.
    ///
    /// # Errors
    /// See [`Error`]; the znode need not exist.
    pub async fn sync(&self, path: &str) -> Result<(), Error> {
        let request = Request::Sync(self.path_request(path)?);
        self.call(&request, None, path).await.map(drop)
    }

    /// Several reads in one request. Each has an outcome of its own; between
    /// them writes of others may take effect.
    ///
    /// # Errors
    /// When the request as a whole fails.
    pub async fn multi_read(
        &self,
        ops: &[ReadOp<'_>],
    ) -> Result<Vec<Result<ReadResult, Error>>, Error> {
        let chroot = self.shared().chroot();
        let records: Vec<MultiReadOp<'_>> = ops
            .iter()
            .map(|op| op.record(chroot))
            .collect::<Result<_, _>>()?;
        let request = Request::MultiRead(records);
        let reply = self.call(&request, None, "").await?;
        match Response::decode(request.op(), &reply.body).map_err(Error::Decode)? {
            Response::MultiRead(results) => Ok(ops
                .iter()
                .zip(results)
                .map(|(op, result)| multi::read_result(result, op.path(), &reply.body))
                .collect()),
            _ => Ok(Vec::new()),
        }
    }

    async fn get(
        &self,
        record: ReadRequest<'_>,
        change: Option<WatchChange>,
        path: &str,
    ) -> Result<(Option<Bytes>, Stat), Error> {
        let reply = self.call(&Request::GetData(record), change, path).await?;
        let (data, stat): (Option<Buffer<'_>>, Stat) = decode(&reply, |r| r.read())?;
        Ok((data.map(|data| reply.body.slice_ref(data.0)), stat))
    }

    /// The record of a read, and what it does to the session's watches.
    fn read_request<'a>(
        &self,
        path: &'a str,
        watch: bool,
        kind: WatchKind,
    ) -> Result<(ReadRequest<'a>, Option<WatchChange>), Error> {
        let path = self.shared().chroot().absolute(path)?;
        let change =
            watch.then(|| WatchChange::Set(kind, path.clone().into_owned(), Listener::Everyone));
        let record = ReadRequest {
            path: Some(Ustr(path)),
            watch,
        };
        Ok((record, change))
    }

    /// The same with a watch as a value.
    fn watching_request<'a>(
        &self,
        path: &'a str,
        kind: WatchKind,
    ) -> Result<(ReadRequest<'a>, WatchChange, OneshotWatch), Error> {
        let path = self.shared().chroot().absolute(path)?;
        let watch = OneshotWatch::new(self.share(), path.clone().into_owned());
        let change = WatchChange::Set(kind, path.clone().into_owned(), watch.listener());
        let record = ReadRequest {
            path: Some(Ustr(path)),
            watch: true,
        };
        Ok((record, change, watch))
    }

    pub(super) fn path_request<'a>(&self, path: &'a str) -> Result<PathRequest<'a>, Error> {
        Ok(PathRequest {
            path: Some(Ustr(self.shared().chroot().absolute(path)?)),
        })
    }
}

fn owned_names(names: Option<Vec<Ustr<'_>>>) -> Vec<String> {
    names
        .unwrap_or_default()
        .into_iter()
        .map(multi::owned)
        .collect()
}
