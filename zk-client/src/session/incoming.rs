//! What happens to a session: connections, frames, silence.

use super::{Phase, Reply, Session, SessionState, Timers, outgoing};
use bytes::{Buf, Bytes, BytesMut};
use std::time::{Duration, Instant};
use zk_proto::frame::{self, FrameError};
use zk_proto::jute::{self, Reader};
use zk_proto::{ConnectResponse, ErrorCode, OpCode, ReplyHeader, SessionId, Xid};

/// Why a connection is of no more use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// A frame has an impossible length.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame does not hold the record that is due.
    #[error("an unreadable frame: {0}")]
    Decode(#[from] jute::Error),
    /// An answer came out of turn.
    #[error("an answer with xid {got} while {expected:?} is due")]
    OutOfOrder {
        /// The xid that came.
        got: i32,
        /// The xid that is due, if any.
        expected: Option<i32>,
    },
    /// Nothing came for too long.
    #[error("the server was silent for too long")]
    Silent,
}

impl<W> Session<W> {
    /// A connection to a server was made: the handshake starts. `limit` is how
    /// long it may take before another server is tried.
    pub fn handle_connected(&mut self, limit: Duration, now: Instant) {
        if self.state.is_final() {
            return;
        }
        self.phase = Phase::Handshake;
        self.handshake_limit = limit;
        self.auths_answered = 0;
        self.timers.last_sent = now;
        self.outgoing.clear();
        self.send_connect_request();
    }

    /// Takes whole frames off the front of `input`, and leaves the rest.
    ///
    /// # Errors
    /// When the server does not keep to the protocol.
    pub fn handle_input(
        &mut self,
        input: &mut BytesMut,
        now: Instant,
    ) -> Result<(), ConnectionError> {
        if self.phase == Phase::Up {
            self.timers.last_heard = now;
        }
        while !self.state.is_final() {
            let Some(payload) = frame::split(input, self.config.max_answer_bytes)? else {
                break;
            };
            let length = payload.len();
            input.advance(4);
            let payload = input.split_to(length).freeze();
            match self.phase {
                Phase::Handshake => self.handle_handshake(&payload, now)?,
                Phase::Up => self.handle_frame(payload)?,
                Phase::Down => break,
            }
        }
        Ok(())
    }

    /// The connection is gone. What was under way fails; what waits for a
    /// connection goes on waiting.
    pub fn handle_disconnected(&mut self) {
        self.phase = Phase::Down;
        self.outgoing.clear();
        if self.closing {
            self.finish(SessionState::Closed);
        }
        if self.state.is_final() {
            return;
        }
        self.state = match self.id {
            SessionId::NONE => SessionState::Connecting,
            _ => SessionState::Suspended,
        };
        self.fail_in_flight();
        self.tell_state();
    }

    /// All servers were tried in vain: what waited for a connection fails too.
    pub fn handle_unreachable(&mut self) {
        if self.closing {
            self.finish(SessionState::Closed);
        }
        self.fail_waiting();
    }

    /// The instant of [`Session::poll_timeout`] has come.
    ///
    /// # Errors
    /// When the server was silent for too long.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ConnectionError> {
        if self.is_known && now >= self.timers.expired_at() {
            self.finish(SessionState::Expired);
        }
        match self.phase {
            _ if self.state.is_final() => Ok(()),
            Phase::Handshake if now >= self.handshake_deadline() => Err(ConnectionError::Silent),
            Phase::Up if now >= self.timers.silent_at() => Err(ConnectionError::Silent),
            Phase::Up if now >= self.timers.ping_at() => {
                outgoing::append_ping(&mut self.outgoing);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn handle_handshake(&mut self, payload: &[u8], now: Instant) -> Result<(), ConnectionError> {
        let response = ConnectResponse::decode(payload)?;
        let timeout_ms = u64::try_from(response.timeout_ms).unwrap_or(0);
        if timeout_ms == 0 {
            self.finish(SessionState::Expired);
            return Ok(());
        }
        self.id = response.session_id;
        let password = response.password.as_deref().unwrap_or_default();
        self.password = password
            .try_into()
            .map_err(|_| jute::Error::Record("a password that is not 16 bytes long".into()))?;
        self.timers = Timers::new(Duration::from_millis(timeout_ms), now);
        self.state = match response.read_only {
            Some(true) => SessionState::ConnectedReadOnly,
            _ => SessionState::Connected,
        };
        self.is_known |= self.state == SessionState::Connected;
        self.phase = Phase::Up;
        self.tell_state();
        self.send_what_waited();
        Ok(())
    }

    fn handle_frame(&mut self, payload: Bytes) -> Result<(), ConnectionError> {
        let mut reader = Reader::new(&payload);
        let header: ReplyHeader = reader.read()?;
        match header.xid {
            Xid::PING => Ok(()),
            Xid::NOTIFICATION => {
                let event = reader.read()?;
                self.handle_notification(header.zxid, &event);
                Ok(())
            }
            Xid::AUTH => {
                self.handle_auth_answer(header.err);
                Ok(())
            }
            _ => {
                let body = payload.slice_ref(reader.remaining());
                self.handle_answer(header, body)
            }
        }
    }

    fn handle_answer(&mut self, header: ReplyHeader, body: Bytes) -> Result<(), ConnectionError> {
        // What was not sent cannot be answered, even if a server guesses.
        let sent = self.in_flight.len() - self.not_taken;
        let expected = self.in_flight.front().filter(|_| sent > 0);
        let expected = expected.map(|call| call.xid);
        if expected != Some(header.xid) {
            return Err(ConnectionError::OutOfOrder {
                got: header.xid.0,
                expected: expected.map(|xid| xid.0),
            });
        }
        let Some(call) = self.in_flight.pop_front() else {
            return Ok(());
        };
        self.last_zxid = self.last_zxid.max(header.zxid);
        if let Some(change) = call.watch {
            self.change_watches(change, call.op, header.err);
        }
        let reply = Reply {
            zxid: header.zxid,
            err: header.err,
            body,
        };
        self.answers.extend(call.waiter.map(|w| (w, Ok(reply))));
        if call.op == OpCode::CLOSE_SESSION {
            self.finish(SessionState::Closed);
        }
        Ok(())
    }

    fn handle_auth_answer(&mut self, err: ErrorCode) {
        if !err.is_ok() {
            self.finish(SessionState::AuthFailed);
            return;
        }
        let at = self.auths_answered;
        self.auths_answered += 1;
        let waiter = self.auths.get_mut(at).and_then(|auth| auth.waiter.take());
        self.answers.extend(waiter.map(|w| (w, Ok(Reply::empty()))));
    }

    pub(super) fn handshake_deadline(&self) -> Instant {
        self.timers.last_sent + self.handshake_limit
    }
}
