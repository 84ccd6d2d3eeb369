//! Frames of answers, written straight into the outgoing bytes.

use serde::Serialize;
use zk_proto::{ErrorCode, EventType, KeeperState, OpCode, Stat, Xid, Zxid, frame, jute};

/// Appends an answer that is its header only.
pub(crate) fn header_only(out: &mut Vec<u8>, xid: Xid, zxid: Zxid, err: ErrorCode) {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&16i32.to_be_bytes());
    bytes[4..].copy_from_slice(&reply_header(xid, zxid, err));
    out.extend_from_slice(&bytes);
}

/// Appends an answer that has both an error and a record.
pub(super) fn failed(out: &mut Vec<u8>, xid: Xid, zxid: Zxid, err: ErrorCode, body: &[u8]) {
    let start = frame::start(out);
    out.extend_from_slice(&reply_header(xid, zxid, err));
    out.extend_from_slice(body);
    frame::finish(out, start);
}

/// Appends a successful answer whose record `body` appends.
pub(crate) fn reply(out: &mut Vec<u8>, xid: Xid, zxid: Zxid, body: impl FnOnce(&mut Vec<u8>)) {
    let start = frame::start(out);
    out.extend_from_slice(&reply_header(xid, zxid, ErrorCode::OK));
    body(out);
    frame::finish(out, start);
}

/// The 16 bytes of a reply header.
fn reply_header(xid: Xid, zxid: Zxid, err: ErrorCode) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&xid.0.to_be_bytes());
    bytes[4..12].copy_from_slice(&zxid.0.to_be_bytes());
    bytes[12..].copy_from_slice(&err.0.to_be_bytes());
    bytes
}

/// Appends a watch event as a frame.
pub(crate) fn notification(out: &mut Vec<u8>, kind: EventType, path: &str, zxid: Zxid) {
    reply(out, Xid::NOTIFICATION, zxid, |out| {
        put_int(out, kind.code());
        put_int(out, KeeperState::SyncConnected.code());
        put_buffer(out, Some(path.as_bytes()));
    });
}

pub(crate) fn put_int(out: &mut Vec<u8>, value: i32) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends a buffer or string; `None` is null.
pub(crate) fn put_buffer(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => put_int(out, -1),
        Some(bytes) => {
            put_int(out, i32::try_from(bytes.len()).unwrap_or(i32::MAX));
            out.extend_from_slice(bytes);
        }
    }
}

/// Appends the header before a part of a multi's answer.
pub(crate) fn put_multi_header(out: &mut Vec<u8>, op: OpCode, done: bool, err: i32) {
    put_int(out, op.0);
    out.push(u8::from(done));
    put_int(out, err);
}

/// Appends a record of this server's own making.
pub(super) fn put_record<T: Serialize + ?Sized>(out: &mut Vec<u8>, record: &T) {
    jute::append(out, record).expect("records of our own making have a jute form");
}

/// Appends a Stat: 68 bytes at once.
pub(crate) fn put_stat(out: &mut Vec<u8>, stat: &Stat) {
    let mut bytes = [0; 68];
    let mut at = 0;
    let mut put = |field: &[u8]| {
        bytes[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    };
    put(&stat.czxid.0.to_be_bytes());
    put(&stat.mzxid.0.to_be_bytes());
    put(&stat.ctime.to_be_bytes());
    put(&stat.mtime.to_be_bytes());
    put(&stat.version.to_be_bytes());
    put(&stat.cversion.to_be_bytes());
    put(&stat.aversion.to_be_bytes());
    put(&stat.ephemeral_owner.to_be_bytes());
    put(&stat.data_length.to_be_bytes());
    put(&stat.num_children.to_be_bytes());
    put(&stat.pzxid.0.to_be_bytes());
    out.extend_from_slice(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::{ReplyHeader, WatcherEvent};

    #[test]
    fn stats_equal_their_jute_form() {
        let stat = Stat {
            czxid: Zxid(1),
            mzxid: Zxid(2),
            ctime: 3,
            mtime: 4,
            version: 5,
            cversion: 6,
            aversion: 7,
            ephemeral_owner: 8,
            data_length: 9,
            num_children: 10,
            pzxid: Zxid(11),
        };
        let mut by_hand = Vec::new();
        put_stat(&mut by_hand, &stat);
        assert_eq!(by_hand, jute::to_vec(&stat).unwrap());
    }

    #[test]
    fn notifications_decode() {
        let mut out = Vec::new();
        notification(&mut out, EventType::NodeDeleted, "/a", Zxid(7));
        let payload = frame::split(&out, 100).unwrap().unwrap();
        let (header, event): (ReplyHeader, WatcherEvent<'_>) = jute::from_slice(payload).unwrap();
        assert_eq!((header.xid, header.zxid), (Xid::NOTIFICATION, Zxid(7)));
        assert_eq!((event.event_type, event.state), (2, 3));
        assert_eq!(event.path.unwrap(), "/a");
    }
}
