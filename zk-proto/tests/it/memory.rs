//! How much memory decoded records hold. No input may make them hold much
//! more than itself.

use std::borrow::Cow;
use std::mem::size_of;
use zk_proto::snapshot::{AclEntry, NodeEntry};
use zk_proto::txn::{
    CreateContainerTxn, CreateTtlTxn, CreateTxn, LoggedTxn, SetAclTxn, SetDataTxn, SubTxn, Txn,
};
use zk_proto::{
    Acl, AddWatchRequest, AuthPacket, Buffer, CheckVersionRequest, ClientInfo, ConnectRequest,
    ConnectResponse, CreateRequest, CreateTtlRequest, DeleteRequest, Id, MultiOp, MultiReadOp,
    MultiReadResult, MultiResult, PathRequest, ReadRequest, ReconfigRequest, Request, Response,
    SetAclRequest, SetDataRequest, SetWatches, SetWatches2, Ustr, WatcherEvent, WatcherRequest,
};

/// Bytes on the heap, spare capacity included.
pub(crate) trait Heap {
    fn heap(&self) -> usize;
}

impl Heap for Ustr<'_> {
    fn heap(&self) -> usize {
        match &self.0 {
            Cow::Borrowed(_) => 0,
            Cow::Owned(text) => text.capacity(),
        }
    }
}

impl Heap for Buffer<'_> {
    fn heap(&self) -> usize {
        0
    }
}

impl<T: Heap> Heap for Option<T> {
    fn heap(&self) -> usize {
        self.as_ref().map_or(0, Heap::heap)
    }
}

impl<T: Heap> Heap for Vec<T> {
    fn heap(&self) -> usize {
        let elements: usize = self.iter().map(Heap::heap).sum();
        self.capacity() * size_of::<T>() + elements
    }
}

macro_rules! fields {
    ($($name:ident: $($field:ident)*;)*) => {
        $(impl Heap for $name<'_> {
            fn heap(&self) -> usize {
                0 $(+ self.$field.heap())*
            }
        })*
    };
}

fields! {
    Id: scheme id;
    Acl: id;
    ClientInfo: scheme user;
    ConnectRequest: password;
    ConnectResponse: password;
    CreateRequest: path data acl;
    CreateTtlRequest: path data acl;
    DeleteRequest: path;
    ReadRequest: path;
    PathRequest: path;
    SetDataRequest: path data;
    SetAclRequest: path acl;
    CheckVersionRequest: path;
    ReconfigRequest: joining leaving members;
    WatcherRequest: path;
    AuthPacket: scheme auth;
    SetWatches: data exist child;
    SetWatches2: data exist child persistent recursive;
    AddWatchRequest: path;
    WatcherEvent: path;
    CreateTxn: path data acl;
    CreateContainerTxn: path data acl;
    CreateTtlTxn: path data acl;
    SetDataTxn: path data;
    SetAclTxn: path acl;
    SubTxn: data;
    LoggedTxn: txn;
    NodeEntry: path data;
    AclEntry: acl;
}

impl Heap for Request<'_> {
    fn heap(&self) -> usize {
        match self {
            Self::Create(_, r) => r.heap(),
            Self::CreateTtl(r) => r.heap(),
            Self::Delete(r) => r.heap(),
            Self::Exists(r) | Self::GetData(r) | Self::GetChildren(r) | Self::GetChildren2(r) => {
                r.heap()
            }
            Self::SetData(r) => r.heap(),
            Self::GetAcl(r)
            | Self::Sync(r)
            | Self::DeleteContainer(r)
            | Self::GetEphemerals(r)
            | Self::GetAllChildrenNumber(r) => r.heap(),
            Self::SetAcl(r) => r.heap(),
            Self::Check(r) => r.heap(),
            Self::Multi(ops) => ops.heap(),
            Self::Reconfig(r) => r.heap(),
            Self::CheckWatches(r) | Self::RemoveWatches(r) => r.heap(),
            Self::MultiRead(ops) => ops.heap(),
            Self::Auth(r) => r.heap(),
            Self::SetWatches(r) => r.heap(),
            Self::SetWatches2(r) => r.heap(),
            Self::AddWatch(r) => r.heap(),
            _ => 0,
        }
    }
}

impl Heap for MultiOp<'_> {
    fn heap(&self) -> usize {
        match self {
            Self::Create(_, r) => r.heap(),
            Self::CreateTtl(r) => r.heap(),
            Self::Delete(r) => r.heap(),
            Self::SetData(r) => r.heap(),
            Self::Check(r) => r.heap(),
        }
    }
}

impl Heap for MultiReadOp<'_> {
    fn heap(&self) -> usize {
        let (Self::GetData(r) | Self::GetChildren(r)) = self;
        r.heap()
    }
}

impl Heap for Response<'_> {
    fn heap(&self) -> usize {
        match self {
            Self::Path(path) | Self::PathStat(path, _) => path.heap(),
            Self::Acl(acl, _) => acl.heap(),
            Self::Names(names) | Self::NamesStat(names, _) => names.heap(),
            Self::ClientInfos(infos) => infos.heap(),
            Self::Multi(results) => results.heap(),
            Self::MultiRead(results) => results.heap(),
            _ => 0,
        }
    }
}

impl Heap for MultiResult<'_> {
    fn heap(&self) -> usize {
        match self {
            Self::Create(path) | Self::Create2(path, _) => path.heap(),
            _ => 0,
        }
    }
}

impl Heap for MultiReadResult<'_> {
    fn heap(&self) -> usize {
        match self {
            Self::Ok(_, response) => response.heap(),
            Self::Error(_) => 0,
        }
    }
}

impl Heap for Txn<'_> {
    fn heap(&self) -> usize {
        match self {
            Self::CloseSession(paths) => paths.heap(),
            Self::Create(t) | Self::Create2(t) => t.heap(),
            Self::CreateContainer(t) => t.heap(),
            Self::CreateTtl(t) => t.heap(),
            Self::Delete(path) | Self::DeleteContainer(path) | Self::Check(path, _) => path.heap(),
            Self::SetData(t) | Self::Reconfig(t) => t.heap(),
            Self::SetAcl(t) => t.heap(),
            Self::Multi(parts) => parts.heap(),
            _ => 0,
        }
    }
}
