//! What the clients and whoever makes the faults share: the phase of the run,
//! and everything that the clients did.

use crate::history::{ClientId, Clock, Moment, Op, Value};
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zk_proto::{ServerId, SessionId};

/// What clients are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Work on the keys of a round.
    Work(u32),
    /// Finish what was begun and keep the session alive.
    Rest,
    /// Close the session and end.
    End,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// Everything that was done, in the order in which it was over.
    pub(crate) ops: Vec<Op>,
    /// When the latest write was sent that a server acknowledged.
    pub(crate) served: BTreeMap<ServerId, Moment>,
    /// Clients that have finished what they had begun, and are connected.
    pub(crate) resting: BTreeSet<ClientId>,
    /// Ephemerals of sessions that were closed: they must not be there.
    pub(crate) closed: BTreeSet<String>,
    /// Every session there ever was.
    sessions: BTreeSet<SessionId>,
    /// What must not happen and did.
    pub(crate) failures: Vec<String>,
    last_value: u64,
}

/// One for a run.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) clock: Clock,
    state: Mutex<State>,
    changed: Condvar,
}

impl Board {
    pub(crate) fn new() -> Self {
        let state = State {
            phase: Phase::Rest,
            ops: Vec::new(),
            served: BTreeMap::new(),
            resting: BTreeSet::new(),
            closed: BTreeSet::new(),
            sessions: BTreeSet::new(),
            failures: Vec::new(),
            last_value: 0,
        };
        Self {
            clock: Clock::start(),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        let mut state = self.state.lock();
        state.phase = phase;
        state.resting.clear();
        self.changed.notify_all();
    }

    /// Waits until the phase is another one, for some time at the most.
    pub(crate) fn await_other_phase(&self, than: Phase, patience: Duration) {
        let mut state = self.state.lock();
        let is_same = |state: &mut State| state.phase == than;
        self.changed.wait_while_for(&mut state, is_same, patience);
    }

    /// Something that nobody has written.
    pub(crate) fn new_value(&self) -> Value {
        let mut state = self.state.lock();
        state.last_value += 1;
        Value(state.last_value)
    }

    pub(crate) fn record(&self, op: Op) {
        let mut state = self.state.lock();
        if op.has_written() {
            let served = state.served.entry(op.server).or_default();
            *served = op.invoked.max(*served);
        }
        state.ops.push(op);
        self.changed.notify_all();
    }

    pub(crate) fn rests(&self, client: ClientId) {
        let mut state = self.state.lock();
        if state.phase == Phase::Rest {
            state.resting.insert(client);
            self.changed.notify_all();
        }
    }

    /// A session was given out, for the first time ever.
    pub(crate) fn begins(&self, session: SessionId) {
        if !self.state.lock().sessions.insert(session) {
            self.fail(format!("session {session} was given out twice"));
        }
    }

    /// A session was closed, and that was acknowledged.
    pub(crate) fn closes(&self, ephemeral: String) {
        self.state.lock().closed.insert(ephemeral);
    }

    pub(crate) fn fail(&self, what: String) {
        self.state.lock().failures.push(what);
        self.changed.notify_all();
    }

    /// While it lives, a panic of this thread is a failure of the run.
    pub(crate) fn watch(self: &Arc<Self>) -> Watched {
        Watched(self.clone())
    }

    /// Waits until something is so. Returns whether that came within the
    /// time; a failure ends the wait.
    pub(crate) fn wait(&self, patience: Duration, mut is_so: impl FnMut(&State) -> bool) -> bool {
        let give_up = Instant::now() + patience;
        let mut state = self.state.lock();
        while !is_so(&state) && state.failures.is_empty() {
            if self.changed.wait_until(&mut state, give_up).timed_out() {
                return is_so(&state);
            }
        }
        is_so(&state)
    }

    /// A look at everything.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock())
    }
}

/// See [`Board::watch`].
#[derive(Debug)]
pub(crate) struct Watched(Arc<Board>);

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("a client panics".to_owned());
        }
    }
}
