//! The handle that applications hold. It encodes requests, decodes answers
//! and translates paths; the session and its driver do the rest.

mod acl;
mod reads;
mod watches;
mod writes;

pub use writes::CreateOptions;

use crate::session::{Reply, WatchChange};
use crate::shared::Shared;
use crate::{
    ConnectString, ConnectStringError, Connector, Error, Events, SessionState, StateWatch,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use zk_proto::jute::{self, Reader};
use zk_proto::{PASSWORD_LEN, Request, SessionId};

/// A session with an ensemble. Clones share it; when the last one is dropped
/// the session is closed in the background, if the runtime lives that long.
///
/// Requests of one session take effect in the order in which their futures
/// were first polled; any number may be under way. Dropping a future gives up
/// the answer, not the request.
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
    request_timeout: Option<Duration>,
}

/// Closes the session with the last client.
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.command(|session| session.close(None));
    }
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>, request_timeout: Option<Duration>) -> Self {
        Self {
            handle: Arc::new(Handle { shared }),
            request_timeout,
        }
    }

    /// The same session, with operations that fail with [`Error::Timeout`]
    /// when they took so long. The request goes on all the same: nothing of
    /// the session is given up for it.
    #[must_use]
    pub fn with_request_timeout(&self, timeout: Duration) -> Self {
        Self {
            handle: self.handle.clone(),
            request_timeout: Some(timeout),
        }
    }

    /// Connects with the settings that [`Connector`] starts with, and waits
    /// for the first connection.
    ///
    /// # Errors
    /// When `connect_string` is none, or as [`Client::connected`].
    pub async fn connect(connect_string: &str) -> Result<Self, Error> {
        let (client, _) = Connector::new(connect_string)?.start();
        client.connected().await?;
        Ok(client)
    }

    /// Waits until a server serves the session. There is no limit but the
    /// caller's: without a server it waits for one.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn connected(&self) -> Result<(), Error> {
        let mut state = self.shared().state();
        let arrived = state
            .wait_for(|state| state.is_connected() || state.is_final())
            .await
            .map(|state| *state);
        match arrived {
            Ok(state) if state.is_connected() => Ok(()),
            Ok(SessionState::Expired) => Err(Error::SessionExpired { sent: false }),
            Ok(SessionState::AuthFailed) => Err(Error::AuthFailed { sent: false }),
            _ => Err(Error::Closed { sent: false }),
        }
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        *self.shared().state().borrow()
    }

    /// The session's id; [`SessionId::NONE`] before the first connection.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.shared().session_id()
    }

    /// With [`Client::session_id`], what [`Connector::resume`] asks for. Who has
    /// it can do whatever this client can.
    #[must_use]
    pub fn session_password(&self) -> [u8; PASSWORD_LEN] {
        self.shared().session_password()
    }

    /// The session's timeout: as negotiated, before that as asked for.
    #[must_use]
    pub fn session_timeout(&self) -> Duration {
        self.shared().timeout()
    }

    /// The events from now on, for one more listener.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(self.shared().subscribe())
    }

    /// Other servers from now on, as when the ensemble was reconfigured. The
    /// connection may move to another of them, in the background, so that all
    /// get their share of the clients (`ZooKeeper.updateServerList`); requests
    /// that are then under way fail with [`Error::ConnectionLoss`]. The chroot
    /// stays; the string has the same or none.
    ///
    /// # Errors
    /// When it is no connect string, or has another chroot.
    pub fn update_servers(&self, connect_string: &str) -> Result<(), Error> {
        let servers: ConnectString = connect_string.parse()?;
        if let Some(chroot) = servers.chroot
            && !self.shared().chroot().is(&chroot)
        {
            return Err(ConnectStringError::OtherChroot(chroot).into());
        }
        self.shared().set_servers(servers.hosts);
        Ok(())
    }

    /// Ends the session, with its ephemeral znodes, and waits for it.
    ///
    /// # Errors
    /// None today; closing what is closed or expired succeeds.
    pub async fn close(&self) -> Result<(), Error> {
        let (waiter, answer) = oneshot::channel();
        self.shared().command(|session| session.close(Some(waiter)));
        outcome(answer).await.map(drop)
    }

    /// The states of the session from now on: connected, suspended, expired...
    #[must_use]
    pub fn state_changes(&self) -> StateWatch {
        StateWatch {
            receiver: self.shared().subscribe_states(),
            shared: self.share(),
        }
    }

    const fn request_timeout(&self) -> Option<Duration> {
        self.request_timeout
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// For what may outlive the clients without keeping the session open.
    fn share(&self) -> Arc<Shared> {
        self.handle.shared.clone()
    }

    /// Sends a request; it is on its way when this returns. `path` is the
    /// client's, for errors.
    fn call<'a>(
        &self,
        request: &Request<'_>,
        watch: Option<WatchChange>,
        path: &'a str,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + use<'a> {
        let (waiter, answer) = oneshot::channel();
        let submitted = self
            .shared()
            .command(|session| session.submit(request, watch, waiter));
        let limit = self.request_timeout;
        async move {
            submitted?;
            let reply = within(limit, outcome(answer)).await?;
            if reply.err.is_ok() {
                return Ok(reply);
            }
            Err(Error::Server {
                code: reply.err,
                path: path.to_owned(),
            })
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("session_id", &self.session_id())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// The answer, or the end of the runtime that would have brought it.
async fn outcome(answer: oneshot::Receiver<Result<Reply, Error>>) -> Result<Reply, Error> {
    answer.await.unwrap_or(Err(Error::Closed { sent: true }))
}

/// The answer, unless it takes too long.
async fn within(
    limit: Option<Duration>,
    outcome: impl Future<Output = Result<Reply, Error>>,
) -> Result<Reply, Error> {
    match limit {
        None => outcome.await,
        Some(limit) => tokio::time::timeout(limit, outcome)
            .await
            .unwrap_or(Err(Error::Timeout)),
    }
}

/// Decodes an answer's record.
fn decode<'a, T>(
    reply: &'a Reply,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, jute::Error>,
) -> Result<T, Error> {
    read(&mut Reader::new(&reply.body)).map_err(Error::Decode)
}
