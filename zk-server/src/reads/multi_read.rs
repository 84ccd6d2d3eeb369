//! multiRead: several getData and getChildren in one request.
//!
//! An error of one does not stop the rest, but a null path does: then the
//! header has the error, and the results up to there follow all the same.

use super::encode::failed;
use super::{Reader, put_int, put_multi_header, reply};
use zk_proto::{
    CreateMode, ErrorCode, MultiOp, MultiReadOp, OpCode, ReadRequest, Request, Ustr, Xid,
};

/// Bytes before the record of an answer.
const FRAME_AND_HEADER: usize = 20;

impl Reader<'_> {
    pub(super) fn multi_read(&self, xid: Xid, ops: &[MultiReadOp<'_>], out: &mut Vec<u8>) {
        let mut results = Vec::new();
        let done = ops.iter().try_for_each(|op| self.one(op, &mut results));
        put_multi_header(&mut results, OpCode::ERROR, true, -1);
        match done {
            Ok(()) => reply(out, xid, self.zxid(), |out| out.extend_from_slice(&results)),
            Err(code) => failed(out, xid, self.zxid(), code, &results),
        }
    }

    /// Writes are refused one by one, so what is answered are no results.
    pub(super) fn multi_read_of_writes(&self, xid: Xid, out: &mut Vec<u8>) {
        let mut results = Vec::new();
        put_multi_header(&mut results, OpCode::ERROR, true, -1);
        failed(
            out,
            xid,
            self.zxid(),
            ErrorCode::MARSHALLING_ERROR,
            &results,
        );
    }

    fn one(&self, op: &MultiReadOp<'_>, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        // The same answers as alone, without their frame and reply header.
        let mut alone = Vec::new();
        let result = match op {
            MultiReadOp::GetData(read) => self.get_data(Xid(0), &unwatched(read), &mut alone),
            MultiReadOp::GetChildren(read) => {
                self.get_children(Xid(0), &unwatched(read), false, &mut alone)
            }
        };
        match result {
            Ok(()) => {
                put_multi_header(out, op.op(), false, 0);
                out.extend_from_slice(&alone[FRAME_AND_HEADER..]);
            }
            Err(ErrorCode::MARSHALLING_ERROR) => return Err(ErrorCode::MARSHALLING_ERROR),
            Err(code) => {
                put_multi_header(out, OpCode::ERROR, false, code.0);
                put_int(out, code.0);
            }
        }
        Ok(())
    }
}

/// A read of a multiRead leaves no watch, whatever it asks for (`Op.GetData`,
/// `Op.GetChildren`).
fn unwatched<'a>(read: &'a ReadRequest<'_>) -> ReadRequest<'a> {
    ReadRequest {
        path: read.path.as_ref().map(Ustr::borrow),
        watch: false,
    }
}

/// Whether this is a multiRead that Apache can decode, but which holds writes.
pub(super) fn has_writes_only(op: OpCode, body: &[u8]) -> bool {
    if op != OpCode::MULTI_READ {
        return false;
    }
    match Request::decode(OpCode::MULTI, body) {
        Ok(Request::Multi(ops)) => ops.iter().all(is_decodable),
        _ => false,
    }
}

/// Some creates Apache cannot even decode (`MultiOperationRecord`).
fn is_decodable(op: &MultiOp<'_>) -> bool {
    match op {
        MultiOp::Create(_, record) => {
            record.acl.is_some()
                && CreateMode::from_flags(record.flags).is_some_and(|mode| !mode.is_ttl())
        }
        _ => true,
    }
}
