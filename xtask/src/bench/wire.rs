//! The frames that the load generator sends, built once, and the answers that it checks.
//!
//! This is the client protocol written a second time and on purpose: it is made for patching a
//! finished frame in place, and a mistake in zk-proto cannot hide in it. It knows no sockets and
//! keeps no state.

use crate::client::Frame;
use crate::error::{Error, Result};

/// Bytes of data in every znode of a benchmark.
pub(super) const DATA_BYTES: usize = 100;

/// Below which parent everything happens.
pub(super) const ROOT: &str = "/bench";

/// Parent of the ephemeral znodes.
pub(super) const EPHEMERAL_PARENT: &str = "/bench/e";

/// Znodes per directory, so that no list of children grows without bound.
pub(super) const NODES_PER_DIRECTORY: u32 = 1000;

/// Bytes of a connect answer with its length.
pub(super) const CONNECT_ANSWER_BYTES: usize = 41;

/// xid of a ping and of its answer.
pub(super) const PING_XID: i32 = -2;

/// xid of a watch notification.
pub(super) const NOTIFICATION_XID: i32 = -1;

/// Error code of a create whose znode exists.
pub(super) const NODE_EXISTS: i32 = -110;

/// Bytes of a Stat.
const STAT_BYTES: usize = 68;

/// Bytes of the body of an answer to setData.
pub(super) const SET_BODY_BYTES: usize = STAT_BYTES;

/// Bytes of the body of an answer to getData of a benchmark's znode.
pub(super) const GET_BODY_BYTES: usize = 4 + DATA_BYTES + STAT_BYTES;

/// No answer to this load is longer.
const ANSWER_BYTES_MAX: usize = 4096;

/// Length, xid, type and the length of the path come before the path.
const PATH_AT: usize = 16;

/// Where a znode's directory and number are in its path, which has always the same length.
const DIRECTORY_AT: usize = 8;
const NUMBER_AT: usize = 13;

/// An answer or a notification, still in the buffer it was read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer<'a> {
    pub(super) xid: i32,
    pub(super) err: i32,
    /// What follows the reply header.
    pub(super) body: &'a [u8],
}

/// The path of a benchmark's znode.
pub(super) fn node_path(node: u32) -> String {
    let directory = node / NODES_PER_DIRECTORY;
    format!("{ROOT}/d{directory:03}/n{node:07}")
}

/// The path of a directory of znodes.
pub(super) fn directory_path(directory: u32) -> String {
    format!("{ROOT}/d{directory:03}")
}

/// The first bytes of a connection: a request for a new session.
pub(super) fn connect(timeout_ms: i32) -> Vec<u8> {
    let mut frame = Frame::new();
    frame.int(0).long(0).int(timeout_ms).long(0);
    frame.buffer(&[0; 16]).byte(0);
    frame.finish()
}

/// The session id and the timeout in milliseconds that the server gave.
pub(super) fn connected(answer: &[u8; CONNECT_ANSWER_BYTES]) -> Result<(i64, i32)> {
    let timeout = int_at(answer, 8);
    let id = i64::from_be_bytes(answer[12..20].try_into().expect("8 bytes"));
    if int_at(answer, 0) != 37 || id == 0 || timeout <= 0 {
        return Err(Error::wrong("the server refused a new session"));
    }
    Ok((id, timeout))
}

/// A read of the first znode.
pub(super) fn get(watch: bool) -> Vec<u8> {
    let mut frame = Frame::request(4);
    frame.text(&node_path(0)).byte(u8::from(watch));
    frame.finish()
}

/// A question whether a znode is there.
pub(super) fn exists(path: &str) -> Vec<u8> {
    let mut frame = Frame::request(3);
    frame.text(path).byte(0);
    frame.finish()
}

/// A write of the first znode, whatever its version.
pub(super) fn set() -> Vec<u8> {
    let mut frame = Frame::request(5);
    frame.text(&node_path(0)).buffer(&data()).int(-1);
    frame.finish()
}

/// A create of a persistent znode.
pub(super) fn create(path: &str) -> Vec<u8> {
    created(path, 0)
}

/// A create of an ephemeral sequential znode.
pub(super) fn create_ephemeral() -> Vec<u8> {
    created(&format!("{EPHEMERAL_PARENT}/n-"), 3)
}

/// A delete of an ephemeral sequential znode; its path is put in by [`set_path`].
pub(super) fn delete_ephemeral() -> Vec<u8> {
    let mut frame = Frame::request(2);
    frame.text(&format!("{EPHEMERAL_PARENT}/n-0000000000"));
    frame.int(-1);
    frame.finish()
}

/// A ping.
pub(super) fn ping() -> Vec<u8> {
    Frame::request(11).finish()
}

/// The end of a session.
pub(super) fn close() -> Vec<u8> {
    Frame::request(-11).finish()
}

/// Gives a frame its xid.
pub(super) fn set_xid(frame: &mut [u8], xid: i32) {
    frame[4..8].copy_from_slice(&xid.to_be_bytes());
}

/// Turns a frame about one znode into one about another.
pub(super) fn set_node(frame: &mut [u8], node: u32) {
    let path = &mut frame[PATH_AT..];
    digits(
        &mut path[DIRECTORY_AT..DIRECTORY_AT + 3],
        node / NODES_PER_DIRECTORY,
    );
    digits(&mut path[NUMBER_AT..NUMBER_AT + 7], node);
}

/// Puts in a path of the length that the frame was built with.
pub(super) fn set_path(frame: &mut [u8], path: &[u8]) {
    frame[PATH_AT..PATH_AT + path.len()].copy_from_slice(path);
}

/// The path in the body of an answer to create.
pub(super) fn created_path(body: &[u8]) -> Result<&[u8]> {
    let path = body.get(4..).unwrap_or_default();
    let expected = EPHEMERAL_PARENT.len() + "/n-0000000000".len();
    if path.len() != expected || int_at(body, 0) as usize != expected {
        return Err(Error::wrong("an answer to create without a path"));
    }
    Ok(path)
}

/// Splits the first answer off, with its length in bytes, if all of it is there.
pub(super) fn answer(input: &[u8]) -> Result<Option<(Answer<'_>, usize)>> {
    if input.len() < 4 {
        return Ok(None);
    }
    let length = int_at(input, 0) as usize;
    if !(16..=ANSWER_BYTES_MAX).contains(&length) {
        return Err(Error::wrong(format!("an answer of {length} bytes")));
    }
    let end = 4 + length;
    Ok(input.get(4..end).map(|answer| {
        let answer = Answer {
            xid: int_at(answer, 0),
            err: int_at(answer, 12),
            body: &answer[16..],
        };
        (answer, end)
    }))
}

fn created(path: &str, flags: i32) -> Vec<u8> {
    let mut frame = Frame::request(1);
    frame.text(path).buffer(&data());
    frame.int(1).int(31).text("world").text("anyone").int(flags);
    frame.finish()
}

fn data() -> [u8; DATA_BYTES] {
    std::array::from_fn(|at| b'a' + (at % 26) as u8)
}

fn int_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

/// Writes the lowest decimal digits of a number, as many as there is room for.
fn digits(room: &mut [u8], mut number: u32) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patched_frame_equals_one_built_for_it() {
        let mut frame = get(false);
        set_xid(&mut frame, 7);
        set_node(&mut frame, 123_456);
        let mut expected = Frame::new();
        expected.int(7).int(4).text("/bench/d123/n0123456").byte(0);
        assert_eq!(frame, expected.finish());
    }

    #[test]
    fn a_connect_request_has_the_bytes_of_a_java_client() {
        let frame = connect(0x2710);
        assert_eq!(frame.len(), 4 + 45);
        assert_eq!(frame[..4], [0, 0, 0, 45]);
        assert_eq!(frame[16..20], [0, 0, 0x27, 0x10]);
        assert_eq!(frame[28..32], [0, 0, 0, 16]);
    }

    #[test]
    fn a_refused_session_is_an_error() {
        let mut answer = [0; CONNECT_ANSWER_BYTES];
        answer[3] = 37;
        assert!(connected(&answer).is_err());
        answer[11] = 100;
        answer[19] = 9;
        assert_eq!(connected(&answer).unwrap(), (9, 100));
    }

    #[test]
    fn answers_are_split_where_they_end() {
        let mut frame = Frame::new();
        frame.int(5).long(1).int(-101).byte(9);
        let mut bytes = frame.finish();
        for cut in 0..bytes.len() {
            assert_eq!(answer(&bytes[..cut]).unwrap(), None);
        }
        bytes.push(1);
        let (split, length) = answer(&bytes).unwrap().unwrap();
        assert_eq!((split.xid, split.err, split.body), (5, -101, &[9][..]));
        assert_eq!(length, bytes.len() - 1);
    }

    #[test]
    fn an_answer_of_impossible_length_is_an_error() {
        assert!(answer(&[0xff; 8]).is_err());
        assert!(answer(&[0, 0, 0, 15]).is_err());
        assert!(answer(&[0, 1, 0, 0]).is_err());
    }

    #[test]
    fn a_created_path_goes_into_a_delete() {
        let path = format!("{EPHEMERAL_PARENT}/n-0000000042");
        let mut created = Frame::new();
        created.text(&path);
        let created = created.finish();
        let body = &created[4..];
        let mut frame = delete_ephemeral();
        set_path(&mut frame, created_path(body).unwrap());
        let mut expected = Frame::request(2);
        expected.text(&path).int(-1);
        assert_eq!(frame, expected.finish());
        assert!(created_path(&body[..8]).is_err());
        assert!(created_path(&[]).is_err());
    }
}
