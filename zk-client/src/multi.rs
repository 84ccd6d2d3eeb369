//! Operations and results of multi and multiRead, by the client's paths.

use crate::Error;
use crate::chroot::Chroot;
use bytes::Bytes;
use zk_proto::{
    Acl, CheckVersionRequest, CreateMode, CreateRequest, CreateTtlRequest, DeleteRequest,
    ErrorCode, MultiOp, MultiReadOp, MultiReadResult, MultiResult, OpCode, ReadRequest, Response,
    SetDataRequest, Stat, Ustr, jute,
};

use crate::client::CreateOptions;

/// One write of a multi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op<'a> {
    /// Creates a znode; with its data and its options.
    Create(&'a str, Option<&'a [u8]>, CreateOptions<'a>),
    /// Deletes a znode if it has this version; -1 for any.
    Delete(&'a str, i32),
    /// Sets a znode's data if it has this version; -1 for any.
    SetData(&'a str, Option<&'a [u8]>, i32),
    /// Fails the multi unless the znode has this version; -1 for any.
    Check(&'a str, i32),
}

/// The result of one write of a multi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpResult {
    /// The path of the new znode, with its number if it is sequential.
    Created(String, Stat),
    /// The znode is gone.
    Deleted,
    /// The Stat right after the change.
    DataSet(Stat),
    /// The version was as expected.
    Checked,
}

/// One read of a multiRead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOp<'a> {
    /// The znode's data.
    Data(&'a str),
    /// The names of its children.
    Children(&'a str),
}

/// The result of one read of a multiRead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadResult {
    /// Data, `None` for null, and Stat.
    Data(Option<Bytes>, Stat),
    /// Names, in no order.
    Children(Vec<String>),
}

impl<'a> Op<'a> {
    /// The path as the caller gave it.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        match self {
            Self::Create(path, ..)
            | Self::Delete(path, _)
            | Self::SetData(path, ..)
            | Self::Check(path, _) => path,
        }
    }

    const fn may_result_in(&self, result: &OpResult) -> bool {
        matches!(
            (self, result),
            (Self::Create(..), OpResult::Created(..))
                | (Self::Delete(..), OpResult::Deleted)
                | (Self::SetData(..), OpResult::DataSet(_))
                | (Self::Check(..), OpResult::Checked)
        )
    }

    /// The record for the wire.
    pub(crate) fn record(&self, chroot: &Chroot) -> Result<MultiOp<'a>, Error> {
        let path = |path| chroot.absolute(path).map(|path| Some(Ustr(path)));
        Ok(match *self {
            Self::Create(path, data, ref options) => create_op(chroot, path, data, options)?,
            Self::Delete(at, version) => MultiOp::Delete(DeleteRequest {
                path: path(at)?,
                version,
            }),
            Self::SetData(at, data, version) => MultiOp::SetData(SetDataRequest {
                path: path(at)?,
                data: data.map(Into::into),
                version,
            }),
            Self::Check(at, version) => MultiOp::Check(CheckVersionRequest {
                path: path(at)?,
                version,
            }),
        })
    }
}

/// The record that creates a znode, alone or in a multi: the mode selects the
/// operation, and TTL has a record of its own.
pub(crate) fn create_op<'a>(
    chroot: &Chroot,
    path: &'a str,
    data: Option<&'a [u8]>,
    options: &CreateOptions<'a>,
) -> Result<MultiOp<'a>, Error> {
    if options.acl.is_some_and(<[_]>::is_empty) {
        return Err(Error::EmptyAcl);
    }
    let acl = match options.acl {
        Some(acl) => acl.to_vec(),
        None => vec![Acl::open()],
    };
    let path = match options.mode.is_sequential() {
        true => chroot.absolute_prefix(path)?,
        false => chroot.absolute(path)?,
    };
    let (path, acl) = (Some(Ustr(path)), Some(acl));
    let (data, flags) = (data.map(Into::into), options.mode.flags());
    Ok(match options.mode {
        CreateMode::PersistentTtl | CreateMode::PersistentSequentialTtl => {
            MultiOp::CreateTtl(CreateTtlRequest {
                path,
                data,
                acl,
                flags,
                ttl: options.ttl_ms,
            })
        }
        mode => {
            let op = match mode {
                CreateMode::Container => OpCode::CREATE_CONTAINER,
                _ => OpCode::CREATE2,
            };
            MultiOp::Create(
                op,
                CreateRequest {
                    path,
                    data,
                    acl,
                    flags,
                },
            )
        }
    })
}

impl<'a> ReadOp<'a> {
    pub(crate) fn record(self, chroot: &Chroot) -> Result<MultiReadOp<'a>, Error> {
        let record = |path| {
            chroot.absolute(path).map(|path| ReadRequest {
                path: Some(Ustr(path)),
                watch: false,
            })
        };
        match self {
            Self::Data(path) => record(path).map(MultiReadOp::GetData),
            Self::Children(path) => record(path).map(MultiReadOp::GetChildren),
        }
    }

    /// The path as the caller gave it.
    #[must_use]
    pub const fn path(self) -> &'a str {
        match self {
            Self::Data(path) | Self::Children(path) => path,
        }
    }
}

/// The results of a multi, or the error of the operation that failed it: the
/// first that is neither OK nor a consequence of another's failure.
pub(crate) fn multi_results(
    ops: &[Op<'_>],
    results: Vec<MultiResult<'_>>,
    chroot: &Chroot,
) -> Result<Vec<OpResult>, Error> {
    let failed = results.iter().enumerate().find_map(|(index, result)| {
        let MultiResult::Error(code) = result else {
            return None;
        };
        let is_cause = !code.is_ok() && *code != ErrorCode::RUNTIME_INCONSISTENCY;
        is_cause.then_some((index, *code))
    });
    if let Some((index, code)) = failed {
        let path = ops.get(index).map_or("", Op::path).to_owned();
        return Err(Error::Multi { index, code, path });
    }
    let results: Vec<OpResult> = results
        .into_iter()
        .map(|result| op_result(result, chroot))
        .collect::<Result<_, _>>()?;
    let fits = |(op, result): (&Op<'_>, &OpResult)| op.may_result_in(result);
    if results.len() != ops.len() || !ops.iter().zip(&results).all(fits) {
        return Err(Error::Decode(jute::Error::Record(
            "results of other operations than were asked for".into(),
        )));
    }
    Ok(results)
}

fn op_result(result: MultiResult<'_>, chroot: &Chroot) -> Result<OpResult, Error> {
    Ok(match result {
        MultiResult::Create2(path, stat) => {
            OpResult::Created(chroot.relative(&path).to_owned(), stat)
        }
        MultiResult::Create(path) => {
            OpResult::Created(chroot.relative(&path).to_owned(), Stat::default())
        }
        MultiResult::SetData(stat) => OpResult::DataSet(stat),
        MultiResult::Delete => OpResult::Deleted,
        MultiResult::Check => OpResult::Checked,
        MultiResult::Error(code) => {
            return Err(Error::Server {
                code,
                path: String::new(),
            });
        }
    })
}

/// One result of a multiRead; `body` is what it was decoded from.
pub(crate) fn read_result(
    result: MultiReadResult<'_>,
    path: &str,
    body: &Bytes,
) -> Result<ReadResult, Error> {
    match result {
        MultiReadResult::Ok(_, Response::Data(data, stat)) => Ok(ReadResult::Data(
            data.map(|data| body.slice_ref(data.0)),
            stat,
        )),
        MultiReadResult::Ok(_, Response::Names(names)) => Ok(ReadResult::Children(
            names.unwrap_or_default().into_iter().map(owned).collect(),
        )),
        MultiReadResult::Ok(..) => Err(Error::Decode(jute::Error::Record(
            "a result of another operation".into(),
        ))),
        MultiReadResult::Error(code) => Err(Error::Server {
            code,
            path: path.to_owned(),
        }),
    }
}

pub(crate) fn owned(text: Ustr<'_>) -> String {
    text.0.into_owned()
}
