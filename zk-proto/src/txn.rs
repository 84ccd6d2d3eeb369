//! Transactions: what a leader proposes, a log holds and a tree applies.
//!
//! The bytes are the same in a PROPOSAL and in a log record: header, record,
//! and since 3.6 the digest of the tree after it. Everything that a client
//! left open (sequence numbers, expanded ACLs, new versions) is settled here,
//! so that applying one is deterministic. This module does not apply any.

use crate::jute::{self, Error, Reader};
use crate::{Acl, Buffer, ErrorCode, OpCode, SessionId, Ustr, Zxid};
use serde::{Deserialize, Serialize};

/// The version of the tree digest that servers of today write and compare.
pub const DIGEST_VERSION: i32 = 2;

/// Stands before every transaction: 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxnHeader {
    /// The session whose request it was; 0 for the leader's own.
    pub client_id: SessionId,
    /// The xid of that request.
    pub cxid: i32,
    /// Its place in the history.
    pub zxid: Zxid,
    /// The leader's wall clock, ms since 1970.
    pub time: i64,
    /// Which record follows.
    pub kind: OpCode,
}

/// Sum over the tree after a transaction; see `zk-tree` for how it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxnDigest {
    /// [`DIGEST_VERSION`].
    pub version: i32,
    /// The sum, as a signed long.
    pub tree: i64,
}

/// create and create2.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreateTxn<'a> {
    /// Full path, sequence number included.
    #[serde(borrow)]
    pub path: Ustr<'a>,
    /// Data.
    #[serde(borrow)]
    pub data: Option<Buffer<'a>>,
    /// Access control list with `auth` expanded.
    #[serde(borrow)]
    pub acl: Option<Vec<Acl<'a>>>,
    /// Whether the header's session owns the znode.
    pub ephemeral: bool,
    /// The parent's stored cversion after it; -1 (written before 3.4) for one
    /// more than it is.
    pub parent_cversion: i32,
}

/// create as servers before 3.4 wrote it.
#[derive(Deserialize)]
struct CreateTxnV0<'a> {
    #[serde(borrow)]
    path: Ustr<'a>,
    #[serde(borrow)]
    data: Option<Buffer<'a>>,
    #[serde(borrow)]
    acl: Option<Vec<Acl<'a>>>,
    ephemeral: bool,
}

/// createContainer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreateContainerTxn<'a> {
    /// Full path.
    #[serde(borrow)]
    pub path: Ustr<'a>,
    /// Data.
    #[serde(borrow)]
    pub data: Option<Buffer<'a>>,
    /// Access control list.
    #[serde(borrow)]
    pub acl: Option<Vec<Acl<'a>>>,
    /// As in [`CreateTxn`].
    pub parent_cversion: i32,
}

/// createTTL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreateTtlTxn<'a> {
    /// Full path, sequence number included.
    #[serde(borrow)]
    pub path: Ustr<'a>,
    /// Data.
    #[serde(borrow)]
    pub data: Option<Buffer<'a>>,
    /// Access control list.
    #[serde(borrow)]
    pub acl: Option<Vec<Acl<'a>>>,
    /// As in [`CreateTxn`].
    pub parent_cversion: i32,
    /// Time to live in ms.
    pub ttl: i64,
}

/// setData and reconfig.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetDataTxn<'a> {
    /// Path of the znode.
    #[serde(borrow)]
    pub path: Ustr<'a>,
    /// New data.
    #[serde(borrow)]
    pub data: Option<Buffer<'a>>,
    /// The version after it.
    pub version: i32,
}

/// setACL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetAclTxn<'a> {
    /// Path of the znode.
    #[serde(borrow)]
    pub path: Ustr<'a>,
    /// New access control list.
    #[serde(borrow)]
    pub acl: Option<Vec<Acl<'a>>>,
    /// The version of the ACL after it.
    pub version: i32,
}

/// One part of a multi: a record of its own in a buffer.
///
/// Apache turns the parts of a failed multi into errors in place when it
/// applies it, so a learner's log may hold a part that says error and carries
/// the record of what it was to be. Its code then means nothing; that it is
/// an error is what counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SubTxn<'a> {
    /// Which record `data` holds.
    pub kind: OpCode,
    /// The record.
    #[serde(borrow)]
    pub data: Buffer<'a>,
}

impl<'a> SubTxn<'a> {
    /// Reads the part. A multi within a multi is refused, so this never
    /// nests.
    pub fn decode(&self) -> Result<Txn<'a>, Error> {
        match self.kind {
            OpCode::MULTI => Err(Error::UnknownType(OpCode::MULTI.0)),
            kind => Txn::read(kind, &mut Reader::new(self.data.0)),
        }
    }
}

/// The record of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Txn<'a> {
    /// A session with its timeout in ms.
    CreateSession(i32),
    /// The end of a session and the ephemerals that go with it. `None` when
    /// the server wrote no body: then all ephemerals of the session.
    CloseSession(Option<Vec<Ustr<'a>>>),
    /// create.
    Create(CreateTxn<'a>),
    /// create2.
    Create2(CreateTxn<'a>),
    /// createContainer.
    CreateContainer(CreateContainerTxn<'a>),
    /// createTTL.
    CreateTtl(CreateTtlTxn<'a>),
    /// delete: the path.
    Delete(Ustr<'a>),
    /// The leader's removal of a container or TTL znode: the path.
    DeleteContainer(Ustr<'a>),
    /// setData.
    SetData(SetDataTxn<'a>),
    /// reconfig: the new text of `/zookeeper/config`.
    Reconfig(SetDataTxn<'a>),
    /// setACL.
    SetAcl(SetAclTxn<'a>),
    /// check: path and version. Changes nothing. Alone only in logs of
    /// servers that accepted it by mistake (3.8.0).
    Check(Ustr<'a>, i32),
    /// A write that failed, and why.
    Error(ErrorCode),
    /// multi.
    Multi(Vec<SubTxn<'a>>),
}

impl<'a> Txn<'a> {
    /// Which record it is.
    #[must_use]
    pub const fn kind(&self) -> OpCode {
        match self {
            Self::CreateSession(_) => OpCode::CREATE_SESSION,
            Self::CloseSession(_) => OpCode::CLOSE_SESSION,
            Self::Create(_) => OpCode::CREATE,
            Self::Create2(_) => OpCode::CREATE2,
            Self::CreateContainer(_) => OpCode::CREATE_CONTAINER,
            Self::CreateTtl(_) => OpCode::CREATE_TTL,
            Self::Delete(_) => OpCode::DELETE,
            Self::DeleteContainer(_) => OpCode::DELETE_CONTAINER,
            Self::SetData(_) => OpCode::SET_DATA,
            Self::Reconfig(_) => OpCode::RECONFIG,
            Self::SetAcl(_) => OpCode::SET_ACL,
            Self::Check(..) => OpCode::CHECK,
            Self::Error(_) => OpCode::ERROR,
            Self::Multi(_) => OpCode::MULTI,
        }
    }

    /// Reads a record of `kind` and leaves what follows it.
    pub fn read(kind: OpCode, reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(match kind {
            OpCode::CREATE_SESSION => Self::CreateSession(reader.read()?),
            OpCode::CLOSE_SESSION => Self::CloseSession(read_closed_paths(reader)),
            OpCode::CREATE => Self::Create(read_create(reader)?),
            OpCode::CREATE2 => Self::Create2(reader.read()?),
            OpCode::CREATE_CONTAINER => Self::CreateContainer(reader.read()?),
            OpCode::CREATE_TTL => Self::CreateTtl(reader.read()?),
            OpCode::DELETE => Self::Delete(reader.read()?),
            OpCode::DELETE_CONTAINER => Self::DeleteContainer(reader.read()?),
            OpCode::SET_DATA => Self::SetData(reader.read()?),
            OpCode::RECONFIG => Self::Reconfig(reader.read()?),
            OpCode::SET_ACL => Self::SetAcl(reader.read()?),
            OpCode::CHECK => Self::Check(reader.read()?, reader.read()?),
            OpCode::ERROR => Self::Error(reader.read()?),
            OpCode::MULTI => Self::Multi(reader.read()?),
            OpCode(other) => return Err(Error::UnknownType(other)),
        })
    }

    /// Appends the record, without header or digest.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::CreateSession(timeout) => jute::append(out, timeout),
            Self::CloseSession(None) => Ok(()),
            Self::CloseSession(paths) => jute::append(out, paths),
            Self::Create(record) | Self::Create2(record) => jute::append(out, record),
            Self::CreateContainer(record) => jute::append(out, record),
            Self::CreateTtl(record) => jute::append(out, record),
            Self::Delete(path) | Self::DeleteContainer(path) => jute::append(out, path),
            Self::SetData(record) | Self::Reconfig(record) => jute::append(out, record),
            Self::SetAcl(record) => jute::append(out, record),
            Self::Check(path, version) => jute::append(out, &(path, version)),
            Self::Error(code) => jute::append(out, code),
            Self::Multi(parts) => jute::append(out, parts),
        }
    }
}

/// Bytes of a digest behind a record.
const DIGEST_LEN: usize = 12;

/// The paths of a closeSession. A server may have left the body out, so bytes
/// that are no list of paths, or a list that leaves neither nothing nor a
/// digest behind it, are read as no body.
fn read_closed_paths<'a>(reader: &mut Reader<'a>) -> Option<Vec<Ustr<'a>>> {
    let mut ahead = reader.clone();
    let paths: Vec<Ustr<'a>> = ahead.read().ok()?;
    let ends_well = matches!(ahead.remaining().len(), 0 | DIGEST_LEN);
    if !ends_well || !paths.iter().all(|path| path.starts_with('/')) {
        return None;
    }
    *reader = ahead;
    Some(paths)
}

/// A create of today, or else of a server before 3.4, which ends early.
fn read_create<'a>(reader: &mut Reader<'a>) -> Result<CreateTxn<'a>, Error> {
    let start = reader.clone();
    match reader.read() {
        Err(Error::Truncated { .. }) => {
            *reader = start;
            let old: CreateTxnV0<'a> = reader.read()?;
            Ok(CreateTxn {
                path: old.path,
                data: old.data,
                acl: old.acl,
                ephemeral: old.ephemeral,
                parent_cversion: -1,
            })
        }
        other => other,
    }
}

/// A transaction with its header and digest: the payload of a log record and
/// of a PROPOSAL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedTxn<'a> {
    /// Whose it is, and where it stands.
    pub header: TxnHeader,
    /// What it does.
    pub txn: Txn<'a>,
    /// The tree after it; absent when digests are off.
    pub digest: Option<TxnDigest>,
}

impl<'a> LoggedTxn<'a> {
    /// Reads the payload of a log record. Bytes too few for a digest are
    /// ignored, as Apache does.
    pub fn decode(payload: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(payload);
        let header: TxnHeader = reader.read()?;
        let txn = Txn::read(header.kind, &mut reader)?;
        let digest = match reader.remaining().len() {
            DIGEST_LEN.. => Some(reader.read()?),
            _ => None,
        };
        Ok(Self {
            header,
            txn,
            digest,
        })
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        jute::append(out, &self.header)?;
        self.txn.encode(out)?;
        match &self.digest {
            Some(digest) => jute::append(out, digest),
            None => Ok(()),
        }
    }
}

/// The start of a log file: 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogFileHeader {
    /// [`LogFileHeader::MAGIC`].
    pub magic: i32,
    /// 2; Apache does not look at it.
    pub version: i32,
    /// 0; not looked at.
    pub dbid: i64,
}

impl LogFileHeader {
    /// "ZKLG".
    pub const MAGIC: i32 = 0x5a4b_4c47;
    /// Bytes of the header.
    pub const LEN: usize = 16;

    /// The header that servers of today write.
    #[must_use]
    pub const fn current() -> Self {
        Self {
            magic: Self::MAGIC,
            version: 2,
            dbid: 0,
        }
    }
}

/// The byte behind every record of a log.
pub const RECORD_END: u8 = 0x42;
