//! The session as a state machine: it knows no socket, no clock and no
//! runtime. A driver (here `driver.rs`) feeds it and carries out what it asks.
//!
//! Methods come in four kinds:
//!
//! 1. getters: [`state`](Session::state), [`id`](Session::id), ...
//! 2. commands of the application: [`submit`](Session::submit),
//!    [`add_auth`](Session::add_auth), [`close`](Session::close), ...
//! 3. `handle_*`: what happened to the connection and the clock;
//! 4. `poll_*` and [`take_transmit`](Session::take_transmit): what to do now.
//!
//! After any command or `handle_*` the driver writes what `take_transmit`
//! gives, hands on all answers and events, and waits until
//! [`poll_timeout`](Session::poll_timeout). Instants must not go backwards. An
//! error of a `handle_*` method means that the connection is of no more use:
//! the driver drops it and calls [`handle_disconnected`](Session::handle_disconnected).
//!
//! `W` is whatever the driver needs to find who waits for an answer.

mod call;
mod ending;
mod incoming;
mod outgoing;
mod state;
mod timers;
mod watchers;
mod watches;

#[cfg(test)]
mod tests;

pub use call::{Reply, WatchChange};
pub use incoming::ConnectionError;
pub use state::SessionState;
pub use watches::{Listener, WatchKind, WatcherId};

use crate::{Error, Event};
use call::{Auth, Call};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use timers::Timers;
use watches::Watches;
use zk_proto::{KeeperState, PASSWORD_LEN, Request, SessionId, Zxid};

/// What a session wants of a server.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// The timeout to ask for; servers clamp it.
    pub timeout: Duration,
    /// Whether a server without a quorum will do.
    pub read_only: bool,
    /// The longest answer to accept, in bytes. Memory grows with what has
    /// come, not with what was announced.
    pub max_answer_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No connection.
    Down,
    /// The ConnectRequest is out.
    Handshake,
    /// Requests flow.
    Up,
}

/// One session with an ensemble, over any number of connections.
pub struct Session<W> {
    config: SessionConfig,
    state: SessionState,
    phase: Phase,
    /// Set by [`Session::close`]; nothing is accepted after it.
    closing: bool,
    id: SessionId,
    password: [u8; PASSWORD_LEN],
    /// Whether the ensemble knows the session. A server without a quorum
    /// gives ids, too, but they hold there only.
    is_known: bool,
    /// How long the handshake that is under way may take.
    handshake_limit: Duration,
    /// The newest zxid of an answer: a server that is behind it refuses.
    last_zxid: Zxid,
    next_xid: i32,
    timers: Timers,
    /// Bytes for the connection that is up.
    outgoing: Vec<u8>,
    /// How many calls at the end of `in_flight` are wholly in `outgoing`.
    not_taken: usize,
    /// Sent or about to be, oldest first: answers come in this order.
    in_flight: VecDeque<Call<W>>,
    /// Frames of `waiting`, kept until a connection is up.
    waiting_bytes: Vec<u8>,
    waiting: VecDeque<Call<W>>,
    auths: Vec<Auth<W>>,
    /// How many of `auths` were answered on this connection. Answers to auth
    /// keep their own order, but not that of the other requests.
    auths_answered: usize,
    watches: Watches,
    /// The state of the last event, so that none is told twice.
    told: KeeperState,
    answers: VecDeque<(W, Result<Reply, Error>)>,
    events: VecDeque<Event>,
    notices: VecDeque<(WatcherId, Event)>,
}

impl<W> Session<W> {
    /// A session that asks for a new id at its first connection.
    #[must_use]
    pub fn new(config: SessionConfig, now: Instant) -> Self {
        Self {
            timers: Timers::new(config.timeout, now),
            config,
            state: SessionState::Connecting,
            phase: Phase::Down,
            closing: false,
            id: SessionId::NONE,
            password: [0; PASSWORD_LEN],
            is_known: false,
            handshake_limit: Duration::ZERO,
            last_zxid: Zxid::ZERO,
            next_xid: 1,
            outgoing: Vec::new(),
            not_taken: 0,
            in_flight: VecDeque::new(),
            waiting_bytes: Vec::new(),
            waiting: VecDeque::new(),
            auths: Vec::new(),
            auths_answered: 0,
            watches: Watches::default(),
            told: KeeperState::Disconnected,
            answers: VecDeque::new(),
            events: VecDeque::new(),
            notices: VecDeque::new(),
        }
    }

    /// A session that goes on where another client left it.
    #[must_use]
    pub fn resume(
        config: SessionConfig,
        id: SessionId,
        password: [u8; PASSWORD_LEN],
        now: Instant,
    ) -> Self {
        Self {
            id,
            password,
            is_known: true,
            ..Self::new(config, now)
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> SessionState {
        self.state
    }

    /// Its id; [`SessionId::NONE`] before the first connection.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// What proves that a client may go on with the session; zeros before the
    /// first connection.
    #[must_use]
    pub const fn password(&self) -> [u8; PASSWORD_LEN] {
        self.password
    }

    /// The timeout: as negotiated, before that as configured.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timers.timeout
    }

    /// The newest zxid of an answer.
    #[must_use]
    pub const fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    // --- commands ---

    /// Sends a request, or keeps it until a connection is up. Its outcome
    /// comes with `waiter` out of [`Session::poll_answer`].
    ///
    /// # Errors
    /// When nothing was kept: the session is over, or the request has no form
    /// on the wire.
    pub fn submit(
        &mut self,
        request: &Request<'_>,
        watch: Option<WatchChange>,
        waiter: W,
    ) -> Result<(), Error> {
        if self.closing || self.state.is_final() {
            return Err(self.refusal());
        }
        self.enqueue(request, watch, Some(waiter))
    }

    /// Adds an identity, now and on every later connection. The answer comes
    /// once, with `waiter`.
    ///
    /// # Errors
    /// When the session is over.
    pub fn add_auth(&mut self, scheme: &str, auth: Option<&[u8]>, waiter: W) -> Result<(), Error> {
        if self.closing || self.state.is_final() {
            return Err(self.refusal());
        }
        self.auths.push(Auth {
            scheme: scheme.to_owned(),
            auth: auth.map(<[u8]>::to_owned),
            waiter: Some(waiter),
        });
        if self.phase == Phase::Up {
            let last = self.auths.len() - 1;
            outgoing::append_auth(&mut self.outgoing, &self.auths[last]);
        }
        Ok(())
    }

    /// Ends the session: now if there is no connection or no server knows the
    /// session yet, else once the server has answered or the connection broke.
    pub fn close(&mut self, waiter: Option<W>) {
        if self.closing || self.state.is_final() {
            self.answers.extend(waiter.map(|w| (w, Ok(Reply::empty()))));
            return;
        }
        self.closing = true;
        self.enqueue(&Request::CloseSession, None, waiter)
            .expect("closeSession has no body that could fail to encode");
        if self.phase == Phase::Down || (self.phase == Phase::Handshake && !self.is_known) {
            self.finish(SessionState::Closed);
        }
    }

    // --- what to do ---

    /// Moves the bytes to be written to the end of `out`. From here on the
    /// requests in them count as sent.
    pub fn take_transmit(&mut self, out: &mut Vec<u8>, now: Instant) {
        if self.outgoing.is_empty() {
            return;
        }
        self.timers.last_sent = now;
        self.not_taken = 0;
        if out.is_empty() {
            std::mem::swap(out, &mut self.outgoing);
        } else {
            out.append(&mut self.outgoing);
        }
    }

    /// When [`Session::handle_timeout`] is due; `None` for never.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let expired_at = self.is_known.then(|| self.timers.expired_at());
        let next = match self.phase {
            _ if self.state.is_final() => return None,
            Phase::Down => return expired_at,
            Phase::Handshake => self.handshake_deadline(),
            Phase::Up => self.timers.ping_at().min(self.timers.silent_at()),
        };
        Some(expired_at.map_or(next, |at| at.min(next)))
    }

    /// The next outcome of a request, in the order in which they came.
    pub fn poll_answer(&mut self) -> Option<(W, Result<Reply, Error>)> {
        self.answers.pop_front()
    }

    /// The next event, with the server's path. Events that came before an
    /// answer are here when the answer is.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next event that a single watcher is to hear of, with the server's
    /// path. A watcher of one shot hears of what used its watch up, or of the
    /// session's end; one that stays hears of the connection's states too,
    /// since a reconnect sets its watch again without telling what was missed.
    pub fn poll_notice(&mut self) -> Option<(WatcherId, Event)> {
        self.notices.pop_front()
    }
}

impl<W> std::fmt::Debug for Session<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("in_flight", &self.in_flight.len())
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
