//! What the clients of a session and its driver share: the session itself, and
//! the ways from it to whoever waits for answers, events and states.

use crate::chroot::Chroot;
use crate::listeners::Listeners;
use crate::session::{Reply, Session, SessionState};
use crate::{Error, Event, HostPort};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use zk_proto::{PASSWORD_LEN, SessionId};

/// The way back to who waits for an answer.
pub(crate) type Waiter = oneshot::Sender<Result<Reply, Error>>;

/// What the clients of a session and its driver have in common.
pub(crate) struct Shared {
    session: Mutex<Session<Waiter>>,
    /// Told when the session has something to write or is over.
    wake: Notify,
    state: watch::Sender<SessionState>,
    subscribers: Mutex<Vec<mpsc::UnboundedSender<Event>>>,
    state_subscribers: Mutex<Vec<mpsc::UnboundedSender<SessionState>>>,
    listeners: Mutex<Listeners>,
    /// A list of servers that the driver has not taken yet.
    new_servers: Mutex<Option<Vec<HostPort>>>,
    chroot: Chroot,
}

/// What the driver must know before it waits again.
pub(crate) struct Turn {
    pub(crate) state: SessionState,
    pub(crate) deadline: Option<Instant>,
}

impl Shared {
    pub(crate) fn new(session: Session<Waiter>, chroot: Chroot) -> Self {
        Self {
            state: watch::Sender::new(session.state()),
            session: Mutex::new(session),
            wake: Notify::new(),
            subscribers: Mutex::default(),
            state_subscribers: Mutex::default(),
            listeners: Mutex::default(),
            new_servers: Mutex::default(),
            chroot,
        }
    }

    pub(crate) const fn chroot(&self) -> &Chroot {
        &self.chroot
    }

    pub(crate) fn state(&self) -> watch::Receiver<SessionState> {
        self.state.subscribe()
    }

    pub(crate) fn current_state(&self) -> SessionState {
        *self.state.borrow()
    }

    /// To be held for moments only: the session waits for it.
    pub(crate) fn listeners(&self) -> MutexGuard<'_, Listeners> {
        lock(&self.listeners)
    }

    pub(crate) fn session_id(&self) -> SessionId {
        lock(&self.session).id()
    }

    pub(crate) fn session_password(&self) -> [u8; PASSWORD_LEN] {
        lock(&self.session).password()
    }

    pub(crate) fn timeout(&self) -> Duration {
        lock(&self.session).timeout()
    }

    pub(crate) fn subscribe(&self) -> mpsc::UnboundedReceiver<Event> {
        let (sender, receiver) = mpsc::unbounded_channel();
        // Under the lock, so that no end of the session comes in between.
        let mut subscribers = lock(&self.subscribers);
        if !self.state.borrow().is_final() {
            subscribers.push(sender);
        }
        receiver
    }

    pub(crate) fn subscribe_states(&self) -> mpsc::UnboundedReceiver<SessionState> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut subscribers = lock(&self.state_subscribers);
        if !self.state.borrow().is_final() {
            subscribers.push(sender);
        }
        receiver
    }

    /// A client's command: the session changes, then the driver is woken.
    pub(crate) fn command<T>(&self, command: impl FnOnce(&mut Session<Waiter>) -> T) -> T {
        let result = self.update(command);
        self.wake.notify_one();
        result
    }

    /// Changes the session and hands on what comes out: events before answers,
    /// so that who has an answer finds the events that preceded it.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Session<Waiter>) -> T) -> T {
        let mut session = lock(&self.session);
        let result = change(&mut session);
        self.publish_state(session.state());
        while let Some(event) = session.poll_event() {
            self.publish(event);
        }
        while let Some((watcher, event)) = session.poll_notice() {
            self.listeners().tell(watcher, self.relative(event));
        }
        if session.state().is_final() {
            self.end_subscriptions();
        }
        while let Some((waiter, outcome)) = session.poll_answer() {
            // Who dropped his future no longer wants to know.
            let _ = waiter.send(outcome);
        }
        result
    }

    fn publish(&self, event: Event) {
        let mut subscribers = lock(&self.subscribers);
        if subscribers.is_empty() {
            return;
        }
        let event = self.relative(event);
        subscribers.retain(|subscriber| subscriber.send(event.clone()).is_ok());
    }

    /// The event with the client's path.
    fn relative(&self, mut event: Event) -> Event {
        event.path = event
            .path
            .map(|path| self.chroot.relative(&path).to_owned());
        event
    }

    fn publish_state(&self, state: SessionState) {
        let is_new = self.state.send_if_modified(|old| {
            let changed = *old != state;
            *old = state;
            changed
        });
        if is_new {
            lock(&self.state_subscribers).retain(|subscriber| subscriber.send(state).is_ok());
        }
    }

    fn end_subscriptions(&self) {
        lock(&self.subscribers).clear();
        lock(&self.state_subscribers).clear();
    }

    pub(crate) fn set_servers(&self, servers: Vec<HostPort>) {
        *lock(&self.new_servers) = Some(servers);
        self.wake.notify_one();
    }

    pub(crate) fn take_new_servers(&self) -> Option<Vec<HostPort>> {
        lock(&self.new_servers).take()
    }

    pub(crate) fn is_over(&self) -> bool {
        lock(&self.session).state().is_final()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        lock(&self.session).poll_timeout()
    }

    /// Resolves when a client has done something since the last time.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Moves what is to be written to the end of `output`.
    pub(crate) fn turn(&self, output: &mut Vec<u8>) -> Turn {
        let mut session = lock(&self.session);
        session.take_transmit(output, Instant::now());
        Turn {
            state: session.state(),
            deadline: session.poll_timeout(),
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.current_state())
            .finish_non_exhaustive()
    }
}

/// A panic elsewhere left no session half changed: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
