//! Answers of the client protocol: the header, and the union of records that
//! the request's op code selects.

use crate::jute::{self, Error, Reader};
use crate::multi::{self, MultiReadResult, MultiResult};
use crate::{Acl, Buffer, ErrorCode, OpCode, Stat, Ustr, Xid, Zxid};
use serde::{Deserialize, Serialize};

/// The start of every frame that a server sends after the handshake: 16
/// bytes. A record follows only when `err` is OK.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReplyHeader {
    /// The request's xid, -1 for a notification, -2 for a ping.
    pub xid: Xid,
    /// The last zxid that the server had applied.
    pub zxid: Zxid,
    /// What became of the request.
    pub err: ErrorCode,
}

/// One identity of a connection, as whoAmI answers it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClientInfo<'a> {
    /// The authentication scheme.
    #[serde(borrow)]
    pub scheme: Option<Ustr<'a>>,
    /// The user within it.
    #[serde(borrow)]
    pub user: Option<Ustr<'a>>,
}

/// The record of an answer whose `err` is OK.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Response<'a> {
    /// delete, ping, auth, setWatches, checkWatches, closeSession, ...
    Empty,
    /// create and sync: a path.
    Path(Option<Ustr<'a>>),
    /// create2, createContainer, createTTL.
    PathStat(Option<Ustr<'a>>, Stat),
    /// exists, setData, setACL.
    Stat(Stat),
    /// getData and reconfig.
    Data(Option<Buffer<'a>>, Stat),
    /// getACL.
    Acl(Option<Vec<Acl<'a>>>, Stat),
    /// getChildren and getEphemerals.
    Names(Option<Vec<Ustr<'a>>>),
    /// getChildren2.
    NamesStat(Option<Vec<Ustr<'a>>>, Stat),
    /// getAllChildrenNumber.
    Count(i32),
    /// addWatch: an error code, 0.
    Error(ErrorCode),
    /// sasl: the server's token.
    Sasl(Option<Buffer<'a>>),
    /// whoAmI.
    ClientInfos(Option<Vec<ClientInfo<'a>>>),
    /// multi.
    Multi(Vec<MultiResult<'a>>),
    /// multiRead.
    MultiRead(Vec<MultiReadResult<'a>>),
}

impl<'a> Response<'a> {
    /// Reads the record of the answer to a request with code `op`.
    pub fn decode(op: OpCode, body: &'a [u8]) -> Result<Self, Error> {
        Self::read(op, &mut Reader::new(body))
    }

    pub(crate) fn read(op: OpCode, reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(match op {
            OpCode::CREATE | OpCode::SYNC => Self::Path(reader.read()?),
            OpCode::CREATE2 | OpCode::CREATE_CONTAINER | OpCode::CREATE_TTL => {
                Self::PathStat(reader.read()?, reader.read()?)
            }
            OpCode::EXISTS | OpCode::SET_DATA | OpCode::SET_ACL => Self::Stat(reader.read()?),
            OpCode::GET_DATA | OpCode::RECONFIG => Self::Data(reader.read()?, reader.read()?),
            OpCode::GET_ACL => Self::Acl(reader.read()?, reader.read()?),
            OpCode::GET_CHILDREN | OpCode::GET_EPHEMERALS => Self::Names(reader.read()?),
            OpCode::GET_CHILDREN2 => Self::NamesStat(reader.read()?, reader.read()?),
            OpCode::GET_ALL_CHILDREN_NUMBER => Self::Count(reader.read()?),
            OpCode::ADD_WATCH => Self::Error(reader.read()?),
            OpCode::SASL => Self::Sasl(reader.read()?),
            OpCode::WHO_AM_I => Self::ClientInfos(reader.read()?),
            OpCode::MULTI => Self::Multi(multi::read_results(reader)?),
            OpCode::MULTI_READ => Self::MultiRead(multi::read_read_results(reader)?),
            OpCode::DELETE
            | OpCode::DELETE_CONTAINER
            | OpCode::PING
            | OpCode::AUTH
            | OpCode::SET_WATCHES
            | OpCode::SET_WATCHES2
            | OpCode::CHECK_WATCHES
            | OpCode::REMOVE_WATCHES
            | OpCode::CLOSE_SESSION => Self::Empty,
            OpCode(other) => return Err(Error::UnknownType(other)),
        })
    }

    /// Appends the record.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Empty => Ok(()),
            Self::Path(path) => jute::append(out, path),
            Self::PathStat(path, stat) => jute::append(out, &(path, stat)),
            Self::Stat(stat) => jute::append(out, stat),
            Self::Data(data, stat) => jute::append(out, &(data, stat)),
            Self::Acl(acl, stat) => jute::append(out, &(acl, stat)),
            Self::Names(names) => jute::append(out, names),
            Self::NamesStat(names, stat) => jute::append(out, &(names, stat)),
            Self::Count(count) => jute::append(out, count),
            Self::Error(code) => jute::append(out, code),
            Self::Sasl(token) => jute::append(out, token),
            Self::ClientInfos(infos) => jute::append(out, infos),
            Self::Multi(results) => multi::append_results(out, results),
            Self::MultiRead(results) => multi::append_read_results(out, results),
        }
    }
}
