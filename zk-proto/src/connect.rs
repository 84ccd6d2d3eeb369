//! The handshake that opens a client connection, with its old short form.

use crate::jute::{self, Reader};
use crate::{Buffer, SessionId, Zxid};
use serde::{Deserialize, Serialize};

/// The first frame of a client.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConnectRequest<'a> {
    /// 0; others are accepted.
    pub protocol_version: i32,
    /// Highest zxid that the client saw; a server that is behind refuses.
    pub last_zxid_seen: Zxid,
    /// Wanted session timeout in ms.
    pub timeout_ms: i32,
    /// The session to resume, or 0.
    pub session_id: SessionId,
    /// The session's password; not looked at for a new session.
    #[serde(borrow)]
    pub password: Option<Buffer<'a>>,
    /// Whether a server without a quorum will do. `None` when an old client
    /// left the byte out; the answer then lacks it too.
    #[serde(skip)]
    pub read_only: Option<bool>,
}

impl<'a> ConnectRequest<'a> {
    /// Reads the frame's payload. What follows the record is ignored.
    pub fn decode(payload: &'a [u8]) -> Result<Self, jute::Error> {
        let mut reader = Reader::new(payload);
        let mut request: Self = reader.read()?;
        request.read_only = read_flag(&mut reader)?;
        Ok(request)
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), jute::Error> {
        jute::append(out, self)?;
        out.extend(self.read_only.map(u8::from));
        Ok(())
    }
}

/// The first frame of a server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConnectResponse<'a> {
    /// 0.
    pub protocol_version: i32,
    /// The negotiated timeout in ms; 0 when the session was refused.
    pub timeout_ms: i32,
    /// The session, or 0 when it was refused.
    pub session_id: SessionId,
    /// 16 bytes, all zero when the session was refused.
    #[serde(borrow)]
    pub password: Option<Buffer<'a>>,
    /// Whether the server serves reads only; absent if the request lacked it.
    #[serde(skip)]
    pub read_only: Option<bool>,
}

impl<'a> ConnectResponse<'a> {
    /// Reads the frame's payload.
    pub fn decode(payload: &'a [u8]) -> Result<Self, jute::Error> {
        let mut reader = Reader::new(payload);
        let mut response: Self = reader.read()?;
        response.read_only = read_flag(&mut reader)?;
        Ok(response)
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), jute::Error> {
        jute::append(out, self)?;
        out.extend(self.read_only.map(u8::from));
        Ok(())
    }
}

fn read_flag(reader: &mut Reader<'_>) -> Result<Option<bool>, jute::Error> {
    if reader.is_empty() {
        return Ok(None);
    }
    reader.read().map(Some)
}
