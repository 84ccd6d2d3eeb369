//! Requests into bytes: frames for the connection that is up, or for the next.

use super::call::{Auth, Call};
use super::{Phase, Session, WatchChange};
use crate::Error;
use zk_proto::{
    AuthPacket, ConnectRequest, OpCode, Request, RequestHeader, SessionId, Xid, frame, jute,
};

impl<W> Session<W> {
    pub(super) fn enqueue(
        &mut self,
        request: &Request<'_>,
        watch: Option<WatchChange>,
        waiter: Option<W>,
    ) -> Result<(), Error> {
        let xid = match request {
            Request::SetWatches(_) | Request::SetWatches2(_) => Xid::SET_WATCHES,
            _ => self.take_xid(),
        };
        let op = request.op();
        let call = Call {
            xid,
            op,
            watch,
            waiter,
        };
        if self.phase == Phase::Up {
            append_frame(&mut self.outgoing, RequestHeader { xid, op }, request)?;
            self.in_flight.push_back(call);
            self.not_taken += 1;
        } else {
            append_frame(&mut self.waiting_bytes, RequestHeader { xid, op }, request)?;
            self.waiting.push_back(call);
        }
        Ok(())
    }

    /// Positive for ever: negative xids have meanings of their own.
    fn take_xid(&mut self) -> Xid {
        let xid = self.next_xid;
        self.next_xid = xid.checked_add(1).unwrap_or(1);
        Xid(xid)
    }

    /// The first frame of a connection.
    pub(super) fn send_connect_request(&mut self) {
        let session_id = match self.is_known {
            true => self.id,
            false => SessionId::NONE,
        };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.last_zxid,
            timeout_ms: i32::try_from(self.config.timeout.as_millis()).unwrap_or(i32::MAX),
            session_id,
            password: Some(self.password.as_slice().into()),
            read_only: Some(self.config.read_only),
        };
        let start = frame::start(&mut self.outgoing);
        request
            .encode(&mut self.outgoing)
            .expect("a ConnectRequest holds nothing that could fail to encode");
        frame::finish(&mut self.outgoing, start);
    }

    /// Identities first, since the rest needs their rights; then watches, so
    /// that no later request can outrun an event; then the requests.
    pub(super) fn send_what_waited(&mut self) {
        for auth in &self.auths {
            append_auth(&mut self.outgoing, auth);
        }
        let watches = std::mem::take(&mut self.watches);
        watches.resume(self.last_zxid, |request| {
            self.enqueue(request, None, None)
                .expect("paths of watches were encoded before");
        });
        self.watches = watches;
        self.outgoing.append(&mut self.waiting_bytes);
        self.not_taken += self.waiting.len();
        self.in_flight.append(&mut self.waiting);
    }
}

fn append_frame(
    out: &mut Vec<u8>,
    header: RequestHeader,
    request: &Request<'_>,
) -> Result<(), Error> {
    let before = out.len();
    let start = frame::start(out);
    let encoded = jute::append(out, &header).and_then(|()| request.encode(out));
    if let Err(error) = encoded {
        out.truncate(before);
        return Err(Error::Encode(error));
    }
    frame::finish(out, start);
    Ok(())
}

pub(super) fn append_auth<W>(out: &mut Vec<u8>, auth: &Auth<W>) {
    let request = Request::Auth(AuthPacket {
        auth_type: 0,
        scheme: Some(auth.scheme.as_str().into()),
        auth: auth.auth.as_deref().map(Into::into),
    });
    let header = RequestHeader {
        xid: Xid::AUTH,
        op: OpCode::AUTH,
    };
    append_frame(out, header, &request).expect("an identity is shorter than 2 GiB");
}

pub(super) fn append_ping(out: &mut Vec<u8>) {
    let header = RequestHeader {
        xid: Xid::PING,
        op: OpCode::PING,
    };
    append_frame(out, header, &Request::Ping).expect("a ping has no body that could fail");
}
