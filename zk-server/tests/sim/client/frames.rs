//! Requests and answers as bytes. It refuses to know connections.

use super::Op;
use zk_proto::{
    Acl, Buffer, CreateMode, CreateRequest, DeleteRequest, MultiOp, OpCode, PathRequest,
    ReadRequest, ReplyHeader, Request, RequestHeader, SetDataRequest, SetWatches, Ustr, Xid, Zxid,
    frame, jute,
};

/// A payload with its length in front.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 4);
    let start = frame::start(&mut out);
    out.extend_from_slice(payload);
    frame::finish(&mut out, start);
    out
}

pub(super) fn request(xid: Xid, op: OpCode, body: &[u8]) -> Vec<u8> {
    let mut payload = jute::to_vec(&RequestHeader { xid, op }).expect("a header encodes");
    payload.extend_from_slice(body);
    payload
}

/// The next whole frame's payload.
pub(super) fn next<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let payload = frame::split(rest, usize::MAX >> 1).ok()??;
    *rest = &rest[payload.len() + 4..];
    Some(payload)
}

pub(super) fn answer(payload: &[u8]) -> Option<(ReplyHeader, &[u8])> {
    let mut reader = jute::Reader::new(payload);
    let header = reader.read().ok()?;
    Some((header, reader.remaining()))
}

/// What is stored for a value: itself, and something of its own length.
pub(crate) fn data_of(value: u64) -> Vec<u8> {
    let mut data = value.to_be_bytes().to_vec();
    let padding = usize::try_from(value % 57).unwrap_or(0);
    data.resize(8 + padding, 0x2e);
    data
}

pub(super) fn body(op: &Op) -> Vec<u8> {
    let data = data_of(op.value);
    let mut out = Vec::new();
    let encoded = record(op, &data).map_or(Ok(()), |record| record.encode(&mut out));
    encoded.expect("a request encodes");
    out
}

/// The sibling of a path that is written together with it.
pub(crate) fn sibling(path: &str) -> String {
    format!("{path}b")
}

fn record<'a>(op: &'a Op, data: &'a [u8]) -> Option<Request<'a>> {
    let path = Some(Ustr::from(op.path.as_str()));
    let version = op.version;
    Some(match op.kind {
        OpCode::CREATE => Request::Create(op.kind, create(op, data)),
        OpCode::DELETE => Request::Delete(DeleteRequest { path, version }),
        OpCode::SET_DATA => Request::SetData(set(path, data, version)),
        OpCode::GET_DATA => Request::GetData(ReadRequest {
            path,
            watch: op.watch,
        }),
        OpCode::CHECK => Request::Delete(DeleteRequest { path, version }),
        OpCode::SYNC => Request::Sync(PathRequest { path }),
        OpCode::MULTI => {
            let sibling = Some(Ustr::from(sibling(&op.path)));
            Request::Multi(vec![
                MultiOp::SetData(set(path, data, version)),
                MultiOp::SetData(set(sibling, data, -1)),
            ])
        }
        _ => return None,
    })
}

fn set<'a>(path: Option<Ustr<'a>>, data: &'a [u8], version: i32) -> SetDataRequest<'a> {
    SetDataRequest {
        path,
        data: Some(Buffer(data)),
        version,
    }
}

/// What is created where decides how.
fn create<'a>(op: &'a Op, data: &'a [u8]) -> CreateRequest<'a> {
    let mode = match op.path.get(..3) {
        Some("/e/") => CreateMode::Ephemeral,
        Some("/q/") => CreateMode::PersistentSequential,
        _ => CreateMode::Persistent,
    };
    CreateRequest {
        path: Some(op.path.as_str().into()),
        data: Some(Buffer(data)),
        acl: Some(vec![Acl::open()]),
        flags: mode.flags(),
    }
}

pub(super) fn set_watches<'a>(since: Zxid, paths: impl Iterator<Item = &'a String>) -> Vec<u8> {
    let record = SetWatches {
        relative_zxid: since,
        data: Some(paths.map(|path| Ustr::from(path.as_str())).collect()),
        exist: Some(Vec::new()),
        child: Some(Vec::new()),
    };
    jute::to_vec(&record).expect("it encodes")
}
