//! multi: all or nothing over several writes, each of which sees the ones
//! before it.
//!
//! A failed one is a transaction of type multi all the same: the parts before
//! the failed one as they were prepared, then errors. Whoever applies it sees
//! the errors and does nothing.

use super::create::NewNode;
use super::{Step, appended};
use zk_proto::{CreateMode, ErrorCode, MultiOp, OpCode, jute};

impl Step<'_> {
    pub(super) fn multi(
        &mut self,
        ops: &[MultiOp<'_>],
        out: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        if ops.iter().any(is_refused) {
            return Err(ErrorCode::MARSHALLING_ERROR);
        }
        let count = i32::try_from(ops.len()).map_err(|_| ErrorCode::MARSHALLING_ERROR)?;
        appended(jute::append(out, &count))?;
        let mark = self.pending.mark();
        for (done, op) in ops.iter().enumerate() {
            let Err(error) = self.part(op, out) else {
                continue;
            };
            self.pending.roll_back(&mark);
            if error == ErrorCode::MARSHALLING_ERROR {
                return Err(error);
            }
            return append_errors(error, ops.len() - done - 1, out);
        }
        self.pending.keep();
        Ok(())
    }

    /// Appends one part: its type, and its record in a buffer.
    fn part(&mut self, op: &MultiOp<'_>, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        let start = out.len();
        let kind = kind(op);
        appended(jute::append(out, &(kind, 0i32)))?;
        let body = out.len();
        let result = match op {
            MultiOp::Create(_, record) => self.create(kind, &record.into(), out),
            MultiOp::CreateTtl(record) if kind == OpCode::CREATE_TTL => {
                self.create(kind, &record.into(), out)
            }
            MultiOp::CreateTtl(record) => {
                let plain = NewNode {
                    ttl: -1,
                    ..record.into()
                };
                self.create(kind, &plain, out)
            }
            MultiOp::Delete(record) => self.delete(record, out),
            MultiOp::SetData(record) => self.set_data(record, out),
            MultiOp::Check(record) => self.check(record, out),
        };
        let length = i32::try_from(out.len() - body).map_err(|_| ErrorCode::MARSHALLING_ERROR);
        match result.and(length) {
            Ok(length) => {
                out[body - 4..body].copy_from_slice(&length.to_be_bytes());
                Ok(())
            }
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }
}

/// What Java cannot even decode as a part: a null path, flags that mean
/// nothing, a null list, a time to live without its operation.
fn is_refused(op: &MultiOp<'_>) -> bool {
    match op {
        MultiOp::Create(_, record) => {
            record.path.is_none()
                || record.acl.is_none()
                || CreateMode::from_flags(record.flags).is_none_or(CreateMode::is_ttl)
        }
        MultiOp::CreateTtl(record) => record.path.is_none(),
        MultiOp::Delete(record) => record.path.is_none(),
        MultiOp::SetData(record) => record.path.is_none(),
        MultiOp::Check(record) => record.path.is_none(),
    }
}

/// Inside a multi the flags decide what is created, before the operation
/// (`Op.Create`).
fn kind(op: &MultiOp<'_>) -> OpCode {
    let (flags, default) = match op {
        MultiOp::Create(op, record) => (record.flags, *op),
        MultiOp::CreateTtl(record) => (record.flags, OpCode::CREATE),
        other => return other.op(),
    };
    match CreateMode::from_flags(flags) {
        Some(CreateMode::Container) => OpCode::CREATE_CONTAINER,
        Some(mode) if mode.is_ttl() => OpCode::CREATE_TTL,
        _ => default,
    }
}

/// The part that failed, and those that were not tried.
fn append_errors(error: ErrorCode, untried: usize, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
    let rest = std::iter::repeat_n(ErrorCode::RUNTIME_INCONSISTENCY, untried);
    for error in std::iter::once(error).chain(rest) {
        appended(jute::append(out, &(OpCode::ERROR, 4i32, error)))?;
    }
    Ok(())
}
