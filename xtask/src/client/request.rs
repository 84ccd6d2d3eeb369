//! The requests that loads make, as finished frames.

use super::frame::Frame;

/// A request without its xid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    frame: Vec<u8>,
    /// Whether it is a ping, which has a fixed xid.
    pub(super) is_ping: bool,
}

/// Whether a created znode ends with its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ephemeral {
    No,
    Yes,
}

impl Request {
    /// A create of a znode with that path.
    pub(crate) fn create(path: &str, data: &[u8], ephemeral: Ephemeral) -> Self {
        Self::created(path, data, i32::from(ephemeral == Ephemeral::Yes))
    }

    /// A create of a persistent znode whose path gets a number at its end.
    pub(crate) fn create_sequential(path: &str, data: &[u8]) -> Self {
        Self::created(path, data, 2)
    }

    /// A delete of a znode of any version.
    pub(crate) fn delete(path: &str) -> Self {
        Self::of(2, |frame| {
            frame.text(path).int(-1);
        })
    }

    /// A question whether a znode is there.
    pub(crate) fn exists(path: &str) -> Self {
        Self::of(3, |frame| {
            frame.text(path).byte(0);
        })
    }

    /// A read of data and Stat.
    pub(crate) fn get(path: &str) -> Self {
        Self::of(4, |frame| {
            frame.text(path).byte(0);
        })
    }

    /// A write, if the znode has that version; −1 is every version.
    pub(crate) fn set(path: &str, data: &[u8], version: i32) -> Self {
        Self::of(5, |frame| {
            frame.text(path).buffer(data).int(version);
        })
    }

    /// A read of the access control list.
    pub(crate) fn acl(path: &str) -> Self {
        Self::of(6, |frame| {
            frame.text(path);
        })
    }

    /// A list of the children.
    pub(crate) fn children(path: &str) -> Self {
        Self::of(8, |frame| {
            frame.text(path).byte(0);
        })
    }

    /// A request to catch up with the leader.
    pub(crate) fn sync(path: &str) -> Self {
        Self::of(9, |frame| {
            frame.text(path);
        })
    }

    /// A sign of life.
    pub(crate) fn ping() -> Self {
        Self {
            is_ping: true,
            ..Self::of(11, |_| {})
        }
    }

    /// The end of the session.
    pub(crate) fn close() -> Self {
        Self::of(-11, |_| {})
    }

    /// The bytes to send.
    pub(super) fn with_xid(&self, xid: i32) -> Vec<u8> {
        let mut frame = self.frame.clone();
        frame[4..8].copy_from_slice(&xid.to_be_bytes());
        frame
    }

    fn created(path: &str, data: &[u8], flags: i32) -> Self {
        Self::of(1, |frame| {
            frame.text(path).buffer(data);
            frame.int(1).int(31).text("world").text("anyone").int(flags);
        })
    }

    fn of(op: i32, body: impl FnOnce(&mut Frame)) -> Self {
        let mut frame = Frame::request(op);
        body(&mut frame);
        Self {
            frame: frame.finish(),
            is_ping: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_its_xid() {
        let bytes = Request::exists("/a").with_xid(9);
        let expected = [
            0, 0, 0, 15, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0, 0, 2, b'/', b'a', 0,
        ];
        assert_eq!(bytes, expected);
    }
}
