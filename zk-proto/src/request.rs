//! Requests of the client protocol: one record an operation, and the union
//! that the header's op code selects.

use crate::jute::{self, Error, Reader};
use crate::multi::{self, MultiOp, MultiReadOp};
use crate::{Acl, Buffer, OpCode, Ustr, Xid, Zxid};
use serde::{Deserialize, Serialize};

/// The start of every request frame after the handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequestHeader {
    /// The client's number for the request.
    pub xid: Xid,
    /// The operation.
    pub op: OpCode,
}

impl RequestHeader {
    /// Splits a frame's payload into the header and the request's body.
    pub fn split(payload: &[u8]) -> Result<(Self, &[u8]), Error> {
        let mut reader = Reader::new(payload);
        let header = reader.read()?;
        Ok((header, reader.remaining()))
    }
}

macro_rules! records {
    ($($(#[$meta:meta])* $name:ident $(<$life:lifetime>)? {
        $($(#[$doc:meta])* $field:ident: $type:ty,)*
    })*) => {
        $($(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub struct $name $(<$life>)? {
            $($(#[$doc])* pub $field: $type,)*
        })*
    };
}

records! {
    /// create, create2 and createContainer.
    CreateRequest<'a> {
        /// Path, for sequential znodes its beginning.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// Data; null is not empty.
        #[serde(borrow)]
        data: Option<Buffer<'a>>,
        /// Access control list.
        #[serde(borrow)]
        acl: Option<Vec<Acl<'a>>>,
        /// A [`crate::CreateMode`].
        flags: i32,
    }

    /// createTTL.
    CreateTtlRequest<'a> {
        /// As in [`CreateRequest`].
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// As in [`CreateRequest`].
        #[serde(borrow)]
        data: Option<Buffer<'a>>,
        /// As in [`CreateRequest`].
        #[serde(borrow)]
        acl: Option<Vec<Acl<'a>>>,
        /// As in [`CreateRequest`].
        flags: i32,
        /// Time to live in ms.
        ttl: i64,
    }

    /// delete.
    DeleteRequest<'a> {
        /// Path of the znode.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// Expected version, -1 for any.
        version: i32,
    }

    /// exists, getData, getChildren, getChildren2.
    ReadRequest<'a> {
        /// Path of the znode.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// Whether to leave a one-shot watch.
        watch: bool,
    }

    /// getACL, sync, deleteContainer, getEphemerals, getAllChildrenNumber.
    PathRequest<'a> {
        /// Path of the znode.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
    }

    /// setData.
    SetDataRequest<'a> {
        /// Path of the znode.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// New data.
        #[serde(borrow)]
        data: Option<Buffer<'a>>,
        /// Expected version, -1 for any.
        version: i32,
    }

    /// setACL.
    SetAclRequest<'a> {
        /// Path of the znode.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// New access control list.
        #[serde(borrow)]
        acl: Option<Vec<Acl<'a>>>,
        /// Expected version of the ACL, -1 for any.
        version: i32,
    }

    /// check, inside multi.
    CheckVersionRequest<'a> {
        /// Path of the znode.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// Expected version, -1 for any.
        version: i32,
    }

    /// reconfig.
    ReconfigRequest<'a> {
        /// `server.N=...` lines to add, separated by commas.
        #[serde(borrow)]
        joining: Option<Ustr<'a>>,
        /// Server ids to remove, separated by commas.
        #[serde(borrow)]
        leaving: Option<Ustr<'a>>,
        /// The whole new membership instead.
        #[serde(borrow)]
        members: Option<Ustr<'a>>,
        /// Version of the configuration that this change expects, or -1.
        config_id: i64,
    }

    /// checkWatches and removeWatches.
    WatcherRequest<'a> {
        /// Path of the watched znode.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// A [`crate::WatcherType`].
        watcher_type: i32,
    }

    /// auth.
    AuthPacket<'a> {
        /// 0; not looked at.
        auth_type: i32,
        /// Scheme of the identity.
        #[serde(borrow)]
        scheme: Option<Ustr<'a>>,
        /// Its credentials.
        #[serde(borrow)]
        auth: Option<Buffer<'a>>,
    }

    /// setWatches.
    SetWatches<'a> {
        /// Last zxid that the client saw.
        relative_zxid: Zxid,
        /// Paths with data watches.
        #[serde(borrow)]
        data: Option<Vec<Ustr<'a>>>,
        /// Paths with exists watches on missing znodes.
        #[serde(borrow)]
        exist: Option<Vec<Ustr<'a>>>,
        /// Paths with child watches.
        #[serde(borrow)]
        child: Option<Vec<Ustr<'a>>>,
    }

    /// setWatches2.
    SetWatches2<'a> {
        /// As in [`SetWatches`].
        relative_zxid: Zxid,
        /// As in [`SetWatches`].
        #[serde(borrow)]
        data: Option<Vec<Ustr<'a>>>,
        /// As in [`SetWatches`].
        #[serde(borrow)]
        exist: Option<Vec<Ustr<'a>>>,
        /// As in [`SetWatches`].
        #[serde(borrow)]
        child: Option<Vec<Ustr<'a>>>,
        /// Paths with persistent watches.
        #[serde(borrow)]
        persistent: Option<Vec<Ustr<'a>>>,
        /// Paths with persistent recursive watches.
        #[serde(borrow)]
        recursive: Option<Vec<Ustr<'a>>>,
    }

    /// addWatch.
    AddWatchRequest<'a> {
        /// Path of the znode, which need not exist.
        #[serde(borrow)]
        path: Option<Ustr<'a>>,
        /// An [`crate::AddWatchMode`].
        mode: i32,
    }
}

/// A request's body, by its op code.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Request<'a> {
    /// create, create2 or createContainer: the op code says which.
    Create(OpCode, CreateRequest<'a>),
    /// createTTL.
    CreateTtl(CreateTtlRequest<'a>),
    /// delete.
    Delete(DeleteRequest<'a>),
    /// exists.
    Exists(ReadRequest<'a>),
    /// getData.
    GetData(ReadRequest<'a>),
    /// setData.
    SetData(SetDataRequest<'a>),
    /// getACL.
    GetAcl(PathRequest<'a>),
    /// setACL.
    SetAcl(SetAclRequest<'a>),
    /// getChildren.
    GetChildren(ReadRequest<'a>),
    /// getChildren2.
    GetChildren2(ReadRequest<'a>),
    /// sync.
    Sync(PathRequest<'a>),
    /// ping.
    Ping,
    /// check; legal inside multi only.
    Check(CheckVersionRequest<'a>),
    /// multi.
    Multi(Vec<MultiOp<'a>>),
    /// reconfig.
    Reconfig(ReconfigRequest<'a>),
    /// checkWatches.
    CheckWatches(WatcherRequest<'a>),
    /// removeWatches.
    RemoveWatches(WatcherRequest<'a>),
    /// deleteContainer.
    DeleteContainer(PathRequest<'a>),
    /// multiRead.
    MultiRead(Vec<MultiReadOp<'a>>),
    /// auth.
    Auth(AuthPacket<'a>),
    /// setWatches.
    SetWatches(SetWatches<'a>),
    /// setWatches2.
    SetWatches2(SetWatches2<'a>),
    /// One step of SASL: its token.
    Sasl(Option<Buffer<'a>>),
    /// getEphemerals.
    GetEphemerals(PathRequest<'a>),
    /// getAllChildrenNumber.
    GetAllChildrenNumber(PathRequest<'a>),
    /// addWatch.
    AddWatch(AddWatchRequest<'a>),
    /// whoAmI.
    WhoAmI,
    /// createSession: its timeout in ms. Internal to an ensemble.
    CreateSession(i32),
    /// closeSession.
    CloseSession,
}

impl<'a> Request<'a> {
    /// Reads the body of a request. Bytes behind the record are ignored, as
    /// Apache ignores them. [`Error::UnknownType`] when no operation has this
    /// code.
    pub fn decode(op: OpCode, body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body);
        let request = match op {
            OpCode::CREATE | OpCode::CREATE2 | OpCode::CREATE_CONTAINER => {
                Self::Create(op, reader.read()?)
            }
            OpCode::CREATE_TTL => Self::CreateTtl(reader.read()?),
            OpCode::DELETE => Self::Delete(reader.read()?),
            OpCode::EXISTS => Self::Exists(reader.read()?),
            OpCode::GET_DATA => Self::GetData(reader.read()?),
            OpCode::SET_DATA => Self::SetData(reader.read()?),
            OpCode::GET_ACL => Self::GetAcl(reader.read()?),
            OpCode::SET_ACL => Self::SetAcl(reader.read()?),
            OpCode::GET_CHILDREN => Self::GetChildren(reader.read()?),
            OpCode::GET_CHILDREN2 => Self::GetChildren2(reader.read()?),
            OpCode::SYNC => Self::Sync(reader.read()?),
            OpCode::PING => Self::Ping,
            OpCode::CHECK => Self::Check(reader.read()?),
            OpCode::MULTI => Self::Multi(multi::read_ops(&mut reader)?),
            OpCode::RECONFIG => Self::Reconfig(reader.read()?),
            OpCode::CHECK_WATCHES => Self::CheckWatches(reader.read()?),
            OpCode::REMOVE_WATCHES => Self::RemoveWatches(reader.read()?),
            OpCode::DELETE_CONTAINER => Self::DeleteContainer(reader.read()?),
            OpCode::MULTI_READ => Self::MultiRead(multi::read_read_ops(&mut reader)?),
            OpCode::AUTH => Self::Auth(reader.read()?),
            OpCode::SET_WATCHES => Self::SetWatches(reader.read()?),
            OpCode::SET_WATCHES2 => Self::SetWatches2(reader.read()?),
            OpCode::SASL => Self::Sasl(reader.read()?),
            OpCode::GET_EPHEMERALS => Self::GetEphemerals(reader.read()?),
            OpCode::GET_ALL_CHILDREN_NUMBER => Self::GetAllChildrenNumber(reader.read()?),
            OpCode::ADD_WATCH => Self::AddWatch(reader.read()?),
            OpCode::WHO_AM_I => Self::WhoAmI,
            OpCode::CREATE_SESSION => Self::CreateSession(reader.read()?),
            OpCode::CLOSE_SESSION => Self::CloseSession,
            OpCode(other) => return Err(Error::UnknownType(other)),
        };
        Ok(request)
    }

    /// The op code for the header.
    #[must_use]
    pub const fn op(&self) -> OpCode {
        match self {
            Self::Create(op, _) => *op,
            Self::CreateTtl(_) => OpCode::CREATE_TTL,
            Self::Delete(_) => OpCode::DELETE,
            Self::Exists(_) => OpCode::EXISTS,
            Self::GetData(_) => OpCode::GET_DATA,
            Self::SetData(_) => OpCode::SET_DATA,
            Self::GetAcl(_) => OpCode::GET_ACL,
            Self::SetAcl(_) => OpCode::SET_ACL,
            Self::GetChildren(_) => OpCode::GET_CHILDREN,
            Self::GetChildren2(_) => OpCode::GET_CHILDREN2,
            Self::Sync(_) => OpCode::SYNC,
            Self::Ping => OpCode::PING,
            Self::Check(_) => OpCode::CHECK,
            Self::Multi(_) => OpCode::MULTI,
            Self::Reconfig(_) => OpCode::RECONFIG,
            Self::CheckWatches(_) => OpCode::CHECK_WATCHES,
            Self::RemoveWatches(_) => OpCode::REMOVE_WATCHES,
            Self::DeleteContainer(_) => OpCode::DELETE_CONTAINER,
            Self::MultiRead(_) => OpCode::MULTI_READ,
            Self::Auth(_) => OpCode::AUTH,
            Self::SetWatches(_) => OpCode::SET_WATCHES,
            Self::SetWatches2(_) => OpCode::SET_WATCHES2,
            Self::Sasl(_) => OpCode::SASL,
            Self::GetEphemerals(_) => OpCode::GET_EPHEMERALS,
            Self::GetAllChildrenNumber(_) => OpCode::GET_ALL_CHILDREN_NUMBER,
            Self::AddWatch(_) => OpCode::ADD_WATCH,
            Self::WhoAmI => OpCode::WHO_AM_I,
            Self::CreateSession(_) => OpCode::CREATE_SESSION,
            Self::CloseSession => OpCode::CLOSE_SESSION,
        }
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Create(_, record) => jute::append(out, record),
            Self::CreateTtl(record) => jute::append(out, record),
            Self::Delete(record) => jute::append(out, record),
            Self::Exists(record)
            | Self::GetData(record)
            | Self::GetChildren(record)
            | Self::GetChildren2(record) => jute::append(out, record),
            Self::SetData(record) => jute::append(out, record),
            Self::GetAcl(record)
            | Self::Sync(record)
            | Self::DeleteContainer(record)
            | Self::GetEphemerals(record)
            | Self::GetAllChildrenNumber(record) => jute::append(out, record),
            Self::SetAcl(record) => jute::append(out, record),
            Self::Check(record) => jute::append(out, record),
            Self::Multi(ops) => multi::append_ops(out, ops),
            Self::Reconfig(record) => jute::append(out, record),
            Self::CheckWatches(record) | Self::RemoveWatches(record) => jute::append(out, record),
            Self::MultiRead(ops) => multi::append_read_ops(out, ops),
            Self::Auth(record) => jute::append(out, record),
            Self::SetWatches(record) => jute::append(out, record),
            Self::SetWatches2(record) => jute::append(out, record),
            Self::Sasl(token) => jute::append(out, token),
            Self::AddWatch(record) => jute::append(out, record),
            Self::CreateSession(timeout) => jute::append(out, timeout),
            Self::Ping | Self::WhoAmI | Self::CloseSession => Ok(()),
        }
    }
}
