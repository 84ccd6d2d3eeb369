//! Gives a session a socket and a clock. It carries bytes and time, and does
//! not look into either: what they mean is the session's business.

use crate::chroot::Chroot;
use crate::hosts::Hosts;
use crate::listeners::Listeners;
use crate::session::{ConnectionError, Reply, Session, SessionState};
use crate::{Error, Event};
use bytes::BytesMut;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use zk_proto::SessionId;

/// The way back to who waits for an answer.
pub(crate) type Waiter = oneshot::Sender<Result<Reply, Error>>;

const READ_BYTES: usize = 16 * 1024;

/// What the clients of a session and its driver have in common.
pub(crate) struct Shared {
    session: Mutex<Session<Waiter>>,
    /// Told when the session has something to write or is over.
    wake: Notify,
    state: watch::Sender<SessionState>,
    subscribers: Mutex<Vec<mpsc::UnboundedSender<Event>>>,
    state_subscribers: Mutex<Vec<mpsc::UnboundedSender<SessionState>>>,
    listeners: Mutex<Listeners>,
    chroot: Chroot,
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

    fn is_over(&self) -> bool {
        lock(&self.session).state().is_final()
    }

    /// Pauses until the session's next deadline; for ever if there is none.
    async fn deadline(&self) {
        let at = lock(&self.session).poll_timeout();
        match at {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
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

/// Connects, serves, and connects again until the session is over.
pub(crate) async fn run(shared: Arc<Shared>, mut hosts: Hosts, connect_timeout: Duration) {
    while !shared.is_over() {
        let stream = tokio::select! {
            () = until_over(&shared) => break,
            stream = connect(&mut hosts, connect_timeout) => stream,
        };
        let pause = match stream {
            Ok(stream) => serve_and_report(&shared, &mut hosts, stream).await,
            Err(error) => {
                tracing::debug!(%error, "no connection");
                hosts.failed()
            }
        };
        if let Some(pause) = pause {
            shared.update(Session::handle_unreachable);
            tokio::select! {
                () = until_over(&shared) => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// While there is no connection: lets deadlines pass and waits for the end.
async fn until_over(shared: &Shared) {
    while !shared.is_over() {
        tokio::select! {
            () = shared.wake.notified() => {}
            () = shared.deadline() => {
                // Without a connection the only deadline is the session's end.
                let _ = shared.update(|session| session.handle_timeout(Instant::now()));
            }
        }
    }
}

/// Names are resolved anew each time: servers move.
async fn connect(hosts: &mut Hosts, timeout: Duration) -> io::Result<TcpStream> {
    let host = hosts.next();
    tracing::debug!(%host, "connecting");
    let attempt = TcpStream::connect((host.host.as_str(), host.port));
    let stream = tokio::time::timeout(timeout, attempt).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Serves one connection to its end; says how long to pause after it.
async fn serve_and_report(
    shared: &Shared,
    hosts: &mut Hosts,
    stream: TcpStream,
) -> Option<Duration> {
    shared.update(|session| session.handle_connected(Instant::now()));
    let ended = serve(shared, stream).await;
    let was_connected = shared.state.borrow().is_connected();
    match ended {
        Err(error) if !shared.is_over() => tracing::warn!(%error, "a connection broke"),
        _ => tracing::debug!("a connection ended"),
    }
    shared.update(Session::handle_disconnected);
    if was_connected {
        hosts.succeeded();
        return None;
    }
    hosts.failed()
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Session(#[from] ConnectionError),
}

async fn serve(shared: &Shared, mut stream: TcpStream) -> Result<(), Ended> {
    let (mut reader, mut writer) = stream.split();
    let mut input = BytesMut::with_capacity(READ_BYTES);
    let mut output = Vec::new();
    let mut written = 0;
    loop {
        lock(&shared.session).take_transmit(&mut output, Instant::now());
        if shared.is_over() {
            return Ok(());
        }
        tokio::select! {
            read = reader.read_buf(&mut input) => {
                if read? == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                shared.update(|session| session.handle_input(&mut input, Instant::now()))?;
                input.reserve(READ_BYTES);
            }
            wrote = writer.write(&output[written..]), if written < output.len() => {
                written += wrote?;
                if written == output.len() {
                    output.clear();
                    written = 0;
                }
            }
            () = shared.wake.notified() => {}
            () = shared.deadline() => {
                shared.update(|session| session.handle_timeout(Instant::now()))?;
            }
        }
    }
}
