//! How requests and sessions end without an answer, and who is told.

use super::{Phase, Session, SessionState};
use crate::Error;

impl<W> Session<W> {
    /// The end: everything under way fails with the state's error.
    pub(super) fn finish(&mut self, state: SessionState) {
        self.state = state;
        self.phase = Phase::Down;
        self.fail_in_flight();
        self.fail_waiting();
        for auth in std::mem::take(&mut self.auths) {
            let error = Err(state.error(true));
            self.answers.extend(auth.waiter.map(|w| (w, error)));
        }
        self.tell_state();
        self.watches.clear();
    }

    /// The connection takes what is under way with it.
    pub(super) fn fail_in_flight(&mut self) {
        let sent = self.in_flight.len() - std::mem::take(&mut self.not_taken);
        for (at, call) in std::mem::take(&mut self.in_flight).into_iter().enumerate() {
            self.answers.extend(call.fail(self.state, at < sent));
        }
    }

    /// What waits for a connection waits no longer.
    pub(super) fn fail_waiting(&mut self) {
        self.waiting_bytes.clear();
        for call in std::mem::take(&mut self.waiting) {
            self.answers.extend(call.fail(self.state, false));
        }
    }

    /// The error of a command that comes too late.
    pub(super) const fn refusal(&self) -> Error {
        match self.state.is_final() {
            true => self.state.error(false),
            false => Error::Closed { sent: false },
        }
    }
}
