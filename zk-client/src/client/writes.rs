//! Operations that change the tree or the ensemble.

use super::{Client, decode};
use crate::multi::{self, Op, OpResult, create_op};
use crate::{Acl, CreateMode, Error, Stat, Transaction};
use bytes::Bytes;
use zk_proto::{
    Buffer, DeleteRequest, MultiOp, ReconfigRequest, Request, Response, SetDataRequest, Ustr,
};

/// What kind of znode to create, and who may do what with it.
///
/// ```
/// use zk_client::{CreateMode, CreateOptions};
///
/// let lock = CreateOptions::new(CreateMode::EphemeralSequential);
/// let cache_entry = CreateOptions::with_ttl(CreateMode::PersistentTtl, 60_000);
/// # let _ = (lock, cache_entry);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateOptions<'a> {
    pub(crate) mode: CreateMode,
    pub(crate) ttl_ms: i64,
    pub(crate) acl: Option<&'a [Acl<'a>]>,
}

impl<'a> CreateOptions<'a> {
    /// A znode of this mode that is open to all.
    #[must_use]
    pub const fn new(mode: CreateMode) -> Self {
        Self {
            mode,
            ttl_ms: -1,
            acl: None,
        }
    }

    /// A znode of this mode (one of the two with a time to live) that goes
    /// when it was not changed for `ttl_ms` and has no children.
    #[must_use]
    pub const fn with_ttl(mode: CreateMode, ttl_ms: i64) -> Self {
        Self {
            mode,
            ttl_ms,
            acl: None,
        }
    }

    /// The same with this access control list, which must not be empty.
    #[must_use]
    pub const fn acl(mut self, acl: &'a [Acl<'a>]) -> Self {
        self.acl = Some(acl);
        self
    }
}

/// A persistent znode that is open to all.
impl Default for CreateOptions<'_> {
    fn default() -> Self {
        Self::new(CreateMode::Persistent)
    }
}

impl Client {
    /// Creates a znode; answers its path, with its number if it is
    /// sequential, and its Stat.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create(
        &self,
        path: &str,
        data: Option<&[u8]>,
        options: &CreateOptions<'_>,
    ) -> Result<(String, Stat), Error> {
        let request = match create_op(self.shared().chroot(), path, data, options)? {
            MultiOp::Create(op, record) => Request::Create(op, record),
            MultiOp::CreateTtl(record) => Request::CreateTtl(record),
            other => unreachable!("create_op makes creates, not {other:?}"),
        };
        let reply = self.call(&request, None, path).await?;
        let (created, stat): (Option<Ustr<'_>>, Stat) = decode(&reply, |r| r.read())?;
        let created = created.unwrap_or_default();
        let relative = self.shared().chroot().relative(&created);
        Ok((relative.to_owned(), stat))
    }

    /// Deletes a znode without children if it has this version; -1 for any.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete(&self, path: &str, version: i32) -> Result<(), Error> {
        let request = Request::Delete(DeleteRequest {
            path: self.path_request(path)?.path,
            version,
        });
        self.call(&request, None, path).await.map(drop)
    }

    /// Replaces a znode's data if it has this version; -1 for any.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_data(
        &self,
        path: &str,
        data: Option<&[u8]>,
        version: i32,
    ) -> Result<Stat, Error> {
        let request = Request::SetData(SetDataRequest {
            path: self.path_request(path)?.path,
            data: data.map(Into::into),
            version,
        });
        let reply = self.call(&request, None, path).await?;
        decode(&reply, |r| r.read())
    }

    /// All of these writes or none.
    ///
    /// # Errors
    /// [`Error::Multi`] when one of them fails; see [`Error`].
    pub async fn multi(&self, ops: &[Op<'_>]) -> Result<Vec<OpResult>, Error> {
        let chroot = self.shared().chroot();
        let records: Vec<MultiOp<'_>> = ops
            .iter()
            .map(|op| op.record(chroot))
            .collect::<Result<_, _>>()?;
        let request = Request::Multi(records);
        let reply = self.call(&request, None, "").await?;
        match Response::decode(request.op(), &reply.body).map_err(Error::Decode)? {
            Response::Multi(results) => multi::multi_results(ops, results, chroot),
            _ => multi::multi_results(ops, Vec::new(), chroot),
        }
    }

    /// The same, put together step by step.
    pub fn transaction<'a>(&self) -> Transaction<'a> {
        Transaction::new(self.clone())
    }

    /// Changes the ensemble: by `joining` and `leaving`, or to `members`;
    /// answers the new configuration and its Stat. `config_version` is the
    /// version that the change expects, -1 for any.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn reconfig(
        &self,
        joining: Option<&str>,
        leaving: Option<&str>,
        members: Option<&str>,
        config_version: i64,
    ) -> Result<(Option<Bytes>, Stat), Error> {
        let request = Request::Reconfig(ReconfigRequest {
            joining: joining.map(Into::into),
            leaving: leaving.map(Into::into),
            members: members.map(Into::into),
            config_id: config_version,
        });
        let reply = self.call(&request, None, "").await?;
        let (config, stat): (Option<Buffer<'_>>, Stat) = decode(&reply, |r| r.read())?;
        Ok((config.map(|config| reply.body.slice_ref(config.0)), stat))
    }
}
