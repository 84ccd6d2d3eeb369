//! multi and multiRead: lists of headers and records, closed by a header that
//! says so. There is no count, so nothing is reserved ahead of the input.

use crate::jute::{self, Error, Reader};
use crate::{
    CheckVersionRequest, CreateRequest, CreateTtlRequest, DeleteRequest, ErrorCode, OpCode,
    ReadRequest, Response, SetDataRequest, Stat, Ustr,
};
use serde::{Deserialize, Serialize};

/// Stands before each record of a multi, and alone at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MultiHeader {
    /// The operation, or the kind of result; -1 for an error and at the end.
    pub op: OpCode,
    /// Whether this is the end.
    pub done: bool,
    /// -1 in requests, the error code in results.
    pub err: i32,
}

impl MultiHeader {
    const END: Self = Self {
        op: OpCode::ERROR,
        done: true,
        err: -1,
    };

    const fn request(op: OpCode) -> Self {
        Self {
            op,
            done: false,
            err: -1,
        }
    }

    const fn result(op: OpCode, err: ErrorCode) -> Self {
        Self {
            op,
            done: false,
            err: err.0,
        }
    }
}

/// One write of a multi.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MultiOp<'a> {
    /// create, create2 or createContainer.
    Create(OpCode, CreateRequest<'a>),
    /// createTTL.
    CreateTtl(CreateTtlRequest<'a>),
    /// delete.
    Delete(DeleteRequest<'a>),
    /// setData.
    SetData(SetDataRequest<'a>),
    /// check.
    Check(CheckVersionRequest<'a>),
}

impl<'a> MultiOp<'a> {
    /// The operation's code.
    #[must_use]
    pub const fn op(&self) -> OpCode {
        match self {
            Self::Create(op, _) => *op,
            Self::CreateTtl(_) => OpCode::CREATE_TTL,
            Self::Delete(_) => OpCode::DELETE,
            Self::SetData(_) => OpCode::SET_DATA,
            Self::Check(_) => OpCode::CHECK,
        }
    }

    /// The operations of a multi's body, as far as they can be decoded: what
    /// a server saw of it before it stumbled.
    #[must_use]
    pub fn decode_prefix(body: &'a [u8]) -> Vec<Self> {
        let mut reader = Reader::new(body);
        let mut ops = Vec::new();
        while let Ok(header) = reader.read::<MultiHeader>()
            && !header.done
            && let Ok(op) = Self::read(header.op, &mut reader)
        {
            ops.push(op);
        }
        ops
    }

    fn read(op: OpCode, reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(match op {
            OpCode::CREATE | OpCode::CREATE2 | OpCode::CREATE_CONTAINER => {
                Self::Create(op, reader.read()?)
            }
            OpCode::CREATE_TTL => Self::CreateTtl(reader.read()?),
            OpCode::DELETE => Self::Delete(reader.read()?),
            OpCode::SET_DATA => Self::SetData(reader.read()?),
            OpCode::CHECK => Self::Check(reader.read()?),
            OpCode(other) => return Err(Error::UnknownType(other)),
        })
    }

    fn append(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        jute::append(out, &MultiHeader::request(self.op()))?;
        match self {
            Self::Create(_, record) => jute::append(out, record),
            Self::CreateTtl(record) => jute::append(out, record),
            Self::Delete(record) => jute::append(out, record),
            Self::SetData(record) => jute::append(out, record),
            Self::Check(record) => jute::append(out, record),
        }
    }
}

/// One read of a multiRead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MultiReadOp<'a> {
    /// getData.
    GetData(ReadRequest<'a>),
    /// getChildren.
    GetChildren(ReadRequest<'a>),
}

impl<'a> MultiReadOp<'a> {
    /// The operation's code.
    #[must_use]
    pub const fn op(&self) -> OpCode {
        match self {
            Self::GetData(_) => OpCode::GET_DATA,
            Self::GetChildren(_) => OpCode::GET_CHILDREN,
        }
    }

    fn read(op: OpCode, reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(match op {
            OpCode::GET_DATA => Self::GetData(reader.read()?),
            OpCode::GET_CHILDREN => Self::GetChildren(reader.read()?),
            OpCode(other) => return Err(Error::UnknownType(other)),
        })
    }
}

/// The result of one write of a multi.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MultiResult<'a> {
    /// create: the path.
    Create(Ustr<'a>),
    /// create2, createContainer, createTTL: path and Stat.
    Create2(Ustr<'a>, Stat),
    /// setData: the Stat right after it.
    SetData(Stat),
    /// delete succeeded.
    Delete,
    /// check succeeded.
    Check,
    /// The multi failed; 0 for the writes before the one that failed.
    Error(ErrorCode),
}

/// The result of one read of a multiRead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MultiReadResult<'a> {
    /// The answer to getData or getChildren.
    Ok(OpCode, Response<'a>),
    /// This read failed; the others stand.
    Error(ErrorCode),
}

pub(crate) fn read_ops<'a>(reader: &mut Reader<'a>) -> Result<Vec<MultiOp<'a>>, Error> {
    read_until_done(reader, |header, reader| MultiOp::read(header.op, reader))
}

pub(crate) fn read_read_ops<'a>(reader: &mut Reader<'a>) -> Result<Vec<MultiReadOp<'a>>, Error> {
    read_until_done(reader, |header, reader| {
        MultiReadOp::read(header.op, reader)
    })
}

pub(crate) fn read_results<'a>(reader: &mut Reader<'a>) -> Result<Vec<MultiResult<'a>>, Error> {
    read_until_done(reader, |header, reader| {
        Ok(match header.op {
            OpCode::CREATE => MultiResult::Create(reader.read()?),
            OpCode::CREATE2 => MultiResult::Create2(reader.read()?, reader.read()?),
            OpCode::SET_DATA => MultiResult::SetData(reader.read()?),
            OpCode::DELETE => MultiResult::Delete,
            OpCode::CHECK => MultiResult::Check,
            OpCode::ERROR => MultiResult::Error(reader.read()?),
            OpCode(other) => return Err(Error::UnknownType(other)),
        })
    })
}

pub(crate) fn read_read_results<'a>(
    reader: &mut Reader<'a>,
) -> Result<Vec<MultiReadResult<'a>>, Error> {
    read_until_done(reader, |header, reader| {
        Ok(match header.op {
            OpCode::GET_DATA | OpCode::GET_CHILDREN => {
                MultiReadResult::Ok(header.op, Response::read(header.op, reader)?)
            }
            OpCode::ERROR => MultiReadResult::Error(reader.read()?),
            OpCode(other) => return Err(Error::UnknownType(other)),
        })
    })
}

fn read_until_done<'a, T>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(MultiHeader, &mut Reader<'a>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut items = Vec::new();
    loop {
        let header: MultiHeader = reader.read()?;
        if header.done {
            return Ok(items);
        }
        items.push(read(header, reader)?);
    }
}

pub(crate) fn append_ops(out: &mut Vec<u8>, ops: &[MultiOp<'_>]) -> Result<(), Error> {
    for op in ops {
        op.append(out)?;
    }
    jute::append(out, &MultiHeader::END)
}

pub(crate) fn append_read_ops(out: &mut Vec<u8>, ops: &[MultiReadOp<'_>]) -> Result<(), Error> {
    for op in ops {
        jute::append(out, &MultiHeader::request(op.op()))?;
        match op {
            MultiReadOp::GetData(record) | MultiReadOp::GetChildren(record) => {
                jute::append(out, record)?;
            }
        }
    }
    jute::append(out, &MultiHeader::END)
}

pub(crate) fn append_results(out: &mut Vec<u8>, results: &[MultiResult<'_>]) -> Result<(), Error> {
    for result in results {
        append_result(out, result)?;
    }
    jute::append(out, &MultiHeader::END)
}

fn append_result(out: &mut Vec<u8>, result: &MultiResult<'_>) -> Result<(), Error> {
    let ok = |op| MultiHeader::result(op, ErrorCode::OK);
    match result {
        MultiResult::Create(path) => jute::append(out, &(ok(OpCode::CREATE), path)),
        MultiResult::Create2(path, stat) => jute::append(out, &(ok(OpCode::CREATE2), path, stat)),
        MultiResult::SetData(stat) => jute::append(out, &(ok(OpCode::SET_DATA), stat)),
        MultiResult::Delete => jute::append(out, &ok(OpCode::DELETE)),
        MultiResult::Check => jute::append(out, &ok(OpCode::CHECK)),
        MultiResult::Error(code) => append_error(out, *code),
    }
}

fn append_error(out: &mut Vec<u8>, code: ErrorCode) -> Result<(), Error> {
    jute::append(out, &(MultiHeader::result(OpCode::ERROR, code), code))
}

pub(crate) fn append_read_results(
    out: &mut Vec<u8>,
    results: &[MultiReadResult<'_>],
) -> Result<(), Error> {
    for result in results {
        match result {
            MultiReadResult::Ok(op, response) => {
                jute::append(out, &MultiHeader::result(*op, ErrorCode::OK))?;
                response.encode(out)?;
            }
            MultiReadResult::Error(code) => append_error(out, *code)?,
        }
    }
    jute::append(out, &MultiHeader::END)
}
