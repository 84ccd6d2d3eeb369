//! Bodies that are not what they should be: cut, extended, with lengths that
//! lie and bits that fell over.

use super::call::Call;
use crate::support::rng::Rng;
use zk_proto::{CreateMode, CreateTtlRequest, MultiOp, OpCode, Request};

/// Changes the body of a call; one that Apache's server does not survive is
/// left as it was.
pub(crate) fn body(rng: &mut Rng, call: Call) -> Call {
    if matches!(call.op, OpCode::CREATE_SESSION) || call.body.is_empty() {
        return call;
    }
    let mut bytes = call.body.clone();
    match rng.below(5) {
        0 => bytes.truncate(rng.below(call.body.len())),
        1 => {
            let more = rng.between(1, 20);
            bytes.extend(rng.bytes(more));
        }
        2 => lie(rng, &mut bytes),
        3 => {
            let at = rng.below(bytes.len());
            bytes[at] ^= 1 << rng.below(8);
        }
        _ => {
            let at = rng.below(bytes.len());
            bytes[at] = rng.bytes(1)[0];
        }
    }
    if is_deadly(call.op, &bytes) {
        return call;
    }
    call.with_body(bytes)
}

/// Writes a length over four bytes, mostly where one is.
fn lie(rng: &mut Rng, bytes: &mut [u8]) {
    const LENGTHS: [i32; 9] = [-1, -2, -5, i32::MIN, i32::MAX, 0, 1, 1000, 0x10_0000];
    let Some(last) = bytes.len().checked_sub(4) else {
        return;
    };
    let at = if rng.percent(60) {
        0
    } else {
        rng.below(last + 1)
    };
    bytes[at..at + 4].copy_from_slice(&rng.pick(&LENGTHS).to_be_bytes());
}

/// Whether Apache would log a transaction that ends it: a znode with a time
/// to live that its kind does not have. Or not know what it created: a
/// container that is an ephemeral while it is pending.
fn is_deadly(op: OpCode, body: &[u8]) -> bool {
    match Request::decode(op, body) {
        Ok(Request::CreateTtl(record)) => is_deadly_ttl(&record),
        Ok(Request::Create(op, record)) => is_unclear(op, record.flags),
        Ok(Request::Multi(ops)) => ops.iter().any(|op| match op {
            MultiOp::Create(op, record) => is_unclear(*op, record.flags),
            _ => false,
        }),
        _ => false,
    }
}

fn is_deadly_ttl(record: &CreateTtlRequest<'_>) -> bool {
    let mode = CreateMode::from_flags(record.flags);
    mode.is_some_and(|mode| !mode.is_ttl()) && record.ttl < 0
}

fn is_unclear(op: OpCode, flags: i32) -> bool {
    let mode = CreateMode::from_flags(flags);
    op == OpCode::CREATE_CONTAINER && mode.is_some_and(CreateMode::is_ephemeral)
}
