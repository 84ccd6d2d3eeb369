//! What the clients of a load share with the one who looks at them: when to rest, what was
//! broken, how long nothing was acknowledged.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// What clients are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Write,
    /// Stay connected and write nothing.
    Rest,
    /// End the session.
    Leave,
}

/// Shared by all clients.
#[derive(Debug)]
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    order: Order,
    resting: usize,
    broken: Vec<String>,
    /// The highest number that a znode of the queue was acknowledged with.
    highest: i64,
    last: Instant,
    longest: Duration,
}

impl Control {
    /// Clients begin to write at once.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                order: Order::Write,
                resting: 0,
                broken: Vec::new(),
                highest: -1,
                last: Instant::now(),
                longest: Duration::ZERO,
            }),
            changed: Condvar::new(),
        }
    }

    /// What clients are to do now.
    pub(super) fn order(&self) -> Order {
        self.state().order
    }

    /// Gives an order.
    pub(super) fn set(&self, order: Order) {
        let mut state = self.state();
        state.order = order;
        state.resting = 0;
        if order == Order::Write {
            state.last = Instant::now();
            state.longest = Duration::ZERO;
        }
    }

    /// Notes that one more client rests.
    pub(super) fn rest(&self) {
        self.state().resting += 1;
        self.changed.notify_all();
    }

    /// Waits until that many clients rest, or something is broken.
    pub(super) fn await_rest(&self, clients: usize, patience: Duration) -> Result<()> {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), patience, |state| {
                state.resting < clients && state.broken.is_empty()
            });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.resting == clients || !state.broken.is_empty() {
            return Ok(());
        }
        let resting = state.resting;
        let sentence = format!("only {resting} of {clients} clients could finish their writes");
        Err(Error::wrong(sentence))
    }

    /// Notes an acknowledged write.
    pub(super) fn acknowledge(&self) {
        let mut state = self.state();
        let now = Instant::now();
        let gap = now - state.last;
        state.longest = state.longest.max(gap);
        state.last = now;
    }

    /// The longest time without an acknowledged write since clients were told to write.
    pub(super) fn longest_gap(&self) -> Duration {
        self.state().longest
    }

    /// Notes that a promise was broken.
    pub(super) fn broken(&self, what: String) {
        self.state().broken.push(what);
        self.changed.notify_all();
    }

    /// What was broken since it was last asked.
    pub(super) fn take_broken(&self) -> Vec<String> {
        std::mem::take(&mut self.state().broken)
    }

    /// The highest number of the queue so far: every create that begins later gets a higher one.
    pub(super) fn highest(&self) -> i64 {
        self.state().highest
    }

    /// Notes a number of the queue.
    pub(super) fn numbered(&self, number: i64) {
        let mut state = self.state();
        state.highest = state.highest.max(number);
    }

    /// The state; a client that panicked does not make it wrong.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_awaited_until_all_rest_or_one_is_broken() {
        let control = Control::new();
        control.set(Order::Rest);
        control.rest();
        control.await_rest(1, Duration::ZERO).unwrap();
        control.await_rest(2, Duration::ZERO).unwrap_err();
        control.broken("it".to_owned());
        control.await_rest(2, Duration::ZERO).unwrap();
        assert_eq!(control.take_broken(), ["it"]);
        assert!(control.take_broken().is_empty());
    }

    #[test]
    fn numbers_only_grow() {
        let control = Control::new();
        control.numbered(5);
        control.numbered(3);
        assert_eq!(control.highest(), 5);
    }
}
