//! How many bytes a request looked at or brought, and below which path
//! (`DataTree.updateReadStat`, `updateWriteStat`). It refuses to know how
//! they are summed up.
//!
//! Reads inside a multiRead are not looked at.

use super::namespaces::utf16_len;
use zk_proto::txn::{CreateContainerTxn, CreateTtlTxn, CreateTxn, SetDataTxn, SubTxn, Txn};
use zk_proto::{Buffer, OpCode, jute};

/// Bytes of a Stat.
const STAT: u64 = 68;
/// Bytes of an answer's length and header.
const HEAD: usize = 20;

/// Path and bytes of a read: those of the path, of what was read, and of a
/// Stat. `answer` is its whole frame.
pub(crate) fn of_read<'a>(op: OpCode, body: &'a [u8], answer: &[u8]) -> Option<(&'a [u8], u64)> {
    let record = answer.get(HEAD..).filter(|record| !record.is_empty())?;
    let read = match op {
        OpCode::EXISTS => 0,
        OpCode::GET_DATA => (record.len() as u64).checked_sub(4 + STAT)?,
        OpCode::GET_CHILDREN => names(record)?,
        OpCode::GET_CHILDREN2 => names(record)?.checked_sub(STAT)?,
        _ => return None,
    };
    let path = string(body)?;
    Some((path, utf16_len(path) + read + STAT))
}

/// Bytes in a record behind its count of strings and their lengths.
fn names(record: &[u8]) -> Option<u64> {
    let count = i32::from_be_bytes(*record.first_chunk()?);
    let lengths = u64::try_from(count).ok()?.checked_mul(4)?.checked_add(4)?;
    (record.len() as u64).checked_sub(lengths)
}

/// The string that a request starts with.
fn string(body: &[u8]) -> Option<&[u8]> {
    let (length, rest) = body.split_first_chunk()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    rest.get(..length)
}

/// Path and bytes of a transaction's write, and of each one in a multi: those
/// of the path and of the data.
pub(crate) fn of_writes(txn: &Txn<'_>, note: &mut impl FnMut(&[u8], u64)) {
    let mut put = |path: &str, data: usize| {
        let path = path.as_bytes();
        note(path, utf16_len(path) + data as u64);
    };
    match txn {
        Txn::Create(CreateTxn { path, data, .. })
        | Txn::Create2(CreateTxn { path, data, .. })
        | Txn::CreateContainer(CreateContainerTxn { path, data, .. })
        | Txn::CreateTtl(CreateTtlTxn { path, data, .. })
        | Txn::SetData(SetDataTxn { path, data, .. }) => put(path, len(data.as_ref())),
        Txn::Delete(path) | Txn::DeleteContainer(path) => put(path, 0),
        Txn::CloseSession(Some(paths)) => paths.iter().for_each(|path| put(path, 0)),
        Txn::Multi(parts) => {
            for (path, data) in parts.iter().filter_map(of_part) {
                put(path, data);
            }
        }
        _ => {}
    }
}

/// Path and length of the data, which stand first in the records of writes;
/// no need to read the access control lists behind them.
fn of_part<'a>(part: &SubTxn<'a>) -> Option<(&'a str, usize)> {
    let mut reader = jute::Reader::new(part.data.0);
    match part.kind {
        OpCode::DELETE | OpCode::DELETE_CONTAINER => {
            let path: &str = reader.read().ok()?;
            Some((path, 0))
        }
        OpCode::CREATE
        | OpCode::CREATE2
        | OpCode::CREATE_CONTAINER
        | OpCode::CREATE_TTL
        | OpCode::SET_DATA => {
            let (path, data): (&str, Option<Buffer<'_>>) = reader.read().ok()?;
            Some((path, len(data.as_ref())))
        }
        _ => None,
    }
}

fn len(data: Option<&Buffer<'_>>) -> usize {
    data.map_or(0, |data| data.0.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reads::{put_buffer, put_int, put_stat, reply};
    use zk_proto::{Acl, Stat, Xid, Zxid};

    fn answer(record: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        reply(&mut out, Xid(1), Zxid(2), record);
        out
    }

    fn body(path: &str) -> Vec<u8> {
        jute::to_vec(&(path, true)).unwrap()
    }

    fn names(out: &mut Vec<u8>) {
        put_int(out, 2);
        put_buffer(out, Some(b"abc"));
        put_buffer(out, Some(b"d"));
    }

    #[test]
    fn reads_count_path_content_and_stat() {
        let (stat, body) = (Stat::default(), body("/a/ä"));
        let used = |op, answer: Vec<u8>| {
            of_read(op, &body, &answer).map(|(path, bytes)| (path.to_owned(), bytes))
        };
        let of = |bytes| Some(("/a/ä".as_bytes().to_owned(), bytes));
        let data = answer(|out| {
            put_buffer(out, Some(b"12345"));
            put_stat(out, &stat);
        });
        assert_eq!(used(OpCode::GET_DATA, data), of(4 + 5 + 68));
        let nothing = answer(|out| {
            put_buffer(out, None);
            put_stat(out, &stat);
        });
        assert_eq!(used(OpCode::GET_DATA, nothing), of(4 + 68));
        let exists = answer(|out| put_stat(out, &stat));
        assert_eq!(used(OpCode::EXISTS, exists), of(4 + 68));
        assert_eq!(used(OpCode::GET_CHILDREN, answer(names)), of(4 + 4 + 68));
        let children = answer(|out| {
            names(out);
            put_stat(out, &stat);
        });
        assert_eq!(used(OpCode::GET_CHILDREN2, children), of(4 + 4 + 68));
    }

    #[test]
    fn errors_and_other_requests_count_nothing() {
        let body = body("/a");
        assert_eq!(of_read(OpCode::GET_DATA, &body, &answer(|_| {})), None);
        let answer = answer(|out| put_int(out, -1));
        assert_eq!(of_read(OpCode::GET_DATA, &body, &answer), None);
        assert_eq!(of_read(OpCode::GET_CHILDREN, &body, &answer), None);
        assert_eq!(of_read(OpCode::PING, &[], &answer), None);
        assert_eq!(of_read(OpCode::EXISTS, &[0, 0, 0, 9, b'/'], &answer), None);
    }

    fn written(txn: &Txn<'_>) -> Vec<(String, u64)> {
        let mut written = Vec::new();
        of_writes(txn, &mut |path, bytes| {
            written.push((String::from_utf8(path.into()).unwrap(), bytes))
        });
        written
    }

    #[test]
    fn writes_count_path_and_data() {
        let create = CreateTxn {
            path: "/a".into(),
            data: Some(Buffer(b"123")),
            acl: Some(vec![Acl::open()]),
            ephemeral: false,
            parent_cversion: 1,
        };
        assert_eq!(written(&Txn::Create(create.clone())), [("/a".into(), 5)]);
        assert_eq!(written(&Txn::Delete("/b".into())), [("/b".into(), 2)]);
        assert_eq!(written(&Txn::CreateSession(3000)), []);
        let (create, delete) = (jute::to_vec(&create), jute::to_vec(&"/b"));
        let (create, delete) = (create.unwrap(), delete.unwrap());
        let part = |kind, data| SubTxn {
            kind,
            data: Buffer(data),
        };
        let multi = Txn::Multi(vec![
            part(OpCode::CREATE2, &create),
            part(OpCode::CHECK, &delete),
            part(OpCode::DELETE, &delete),
            part(OpCode::SET_DATA, &[0]),
        ]);
        assert_eq!(written(&multi), [("/a".into(), 5), ("/b".into(), 2)]);
    }
}
