//! How to connect: the knobs, and the start of the driver.

use crate::chroot::Chroot;
use crate::driver;
use crate::hosts::Hosts;
use crate::session::{Session, SessionConfig};
use crate::shared::Shared;
use crate::{Client, ConnectString, ConnectStringError, Events, SessionId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zk_proto::PASSWORD_LEN;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Settings of a session to come.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use zk_client::Connector;
///
/// let (client, mut events) = Connector::new("zk1,zk2,zk3/app")?
///     .session_timeout(Duration::from_secs(10))
///     .start();
/// client.connected().await?;
/// let event = events.next().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Connector {
    servers: ConnectString,
    session_timeout: Duration,
    connect_timeout: Option<Duration>,
    request_timeout: Option<Duration>,
    read_only: bool,
    max_answer_bytes: usize,
    resumed: Option<(SessionId, [u8; PASSWORD_LEN])>,
}

impl Connector {
    /// Settings for the servers of `connect_string`:
    /// `host[:port][,host[:port]...][/chroot]`.
    ///
    /// # Errors
    /// When it is no connect string. Names are resolved later.
    pub fn new(connect_string: &str) -> Result<Self, ConnectStringError> {
        Ok(Self {
            servers: connect_string.parse()?,
            session_timeout: DEFAULT_TIMEOUT,
            connect_timeout: None,
            request_timeout: None,
            read_only: false,
            max_answer_bytes: DEFAULT_ANSWER_BYTES,
            resumed: None,
        })
    }

    /// How long the ensemble keeps the session without hearing of it; 30 s if
    /// not set. Servers clamp it, by default to 2 to 20 of their ticks. Short
    /// ones free locks early, long ones survive long pauses.
    #[must_use]
    pub const fn session_timeout(mut self, timeout: Duration) -> Self {
        self.session_timeout = timeout;
        self
    }

    /// How long one server may take to accept a connection, and then to
    /// answer the handshake; if not set, the session's timeout divided by the
    /// number of servers.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// How long an operation may take, waiting for a connection included; if
    /// not set, as long as the session lives. See
    /// [`Client::with_request_timeout`].
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = Some(timeout);
        self
    }

    /// Goes on with a session of another client, known by its
    /// [`Client::session_id`] and [`Client::session_password`]: its ephemeral
    /// znodes become this client's, its watches do not. The other client must
    /// not be connected any more, or the two take the session from each other
    /// for ever. If the session is gone, this one expires at once.
    #[must_use]
    pub const fn resume(mut self, id: SessionId, password: [u8; PASSWORD_LEN]) -> Self {
        self.resumed = Some((id, password));
        self
    }

    /// Whether a server that lost its quorum will do, for reads; no if not
    /// set. While such a server serves the session, one with a quorum is
    /// looked for.
    #[must_use]
    pub const fn read_only(mut self, allowed: bool) -> Self {
        self.read_only = allowed;
        self
    }

    /// The longest answer to accept, in bytes; 64 MiB if not set. Servers
    /// limit requests, but a list of children can be longer than any request.
    #[must_use]
    pub const fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// Starts the session; the first connection is made in the background.
    /// The events start with it.
    ///
    /// # Panics
    /// Outside a tokio runtime with time and I/O.
    #[must_use]
    pub fn start(self) -> (Client, Events) {
        let hosts = Hosts::new(self.servers.hosts);
        let config = SessionConfig {
            timeout: self.session_timeout,
            read_only: self.read_only,
            max_answer_bytes: self.max_answer_bytes,
        };
        let now = Instant::now();
        let session = match self.resumed {
            Some((id, password)) => Session::resume(config, id, password, now),
            None => Session::new(config, now),
        };
        let shared = Arc::new(Shared::new(session, Chroot::new(self.servers.chroot)));
        let events = Events(shared.subscribe());
        tokio::spawn(driver::run(shared.clone(), hosts, self.connect_timeout));
        (Client::new(shared, self.request_timeout), events)
    }
}
