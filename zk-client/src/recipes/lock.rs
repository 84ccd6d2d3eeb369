//! The exclusive lock, in the layout of Curator's `InterProcessMutex`: below
//! the lock's path each contender has an ephemeral `_c_<guid>-lock-<number>`,
//! the one with the lowest number holds the lock, and each other watches the
//! one before it. Unlike Curator's it does not count reentrance: a second
//! acquisition is a second contender.

use super::hold::Hold;
use super::line::EXCLUSIVE;
use super::names::{self, LOCK};
use super::place::Place;
use super::{Result, patient};
use crate::{Client, CreateMode};

/// A lock that one at a time holds, in order of arrival.
///
/// ```no_run
/// # async fn example(client: zk_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use zk_client::recipes::Lock;
///
/// let lock = Lock::new(client, "/locks/report");
/// let hold = lock.acquire().await?;
/// tokio::select! {
///     () = write_report(hold.token()) => hold.release().await?,
///     standing = hold.lost() => eprintln!("stopped: the lock is {standing:?}"),
/// }
/// # Ok(())
/// # }
/// # async fn write_report(_: zk_client::recipes::FencingToken) {}
/// ```
#[derive(Debug, Clone)]
pub struct Lock {
    client: Client,
    path: String,
    data: Option<Vec<u8>>,
}

impl Lock {
    /// A lock at this path. Nothing is sent yet; the path is created with the
    /// first contender.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>) -> Self {
        Self {
            client,
            path: path.into(),
            data: None,
        }
    }

    /// The same with these data in the contender's znode, for people to read.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Waits for the lock. There is no limit but the caller's: dropping the
    /// future, as `tokio::time::timeout` does, leaves the line.
    ///
    /// # Errors
    /// When the session is over or somebody deleted the contender's znode.
    pub async fn acquire(&self) -> Result<Hold> {
        let place = self.line_up().await?;
        let gone = place.turn(&EXCLUSIVE).await?;
        Ok(Hold::new(place, gone))
    }

    /// Takes the lock if nobody holds it or waits for it.
    ///
    /// # Errors
    /// As [`Lock::acquire`].
    pub async fn try_acquire(&self) -> Result<Option<Hold>> {
        let place = self.line_up().await?;
        if place.ahead(&EXCLUSIVE).await?.is_empty() {
            let gone = place.turn(&EXCLUSIVE).await?;
            return Ok(Some(Hold::new(place, gone)));
        }
        place.leave().await?;
        Ok(None)
    }

    /// The znodes of the holder and of those who wait, in order.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn contenders(&self) -> Result<Vec<String>> {
        let children = patient::children(&self.client, &self.path).await?;
        let line = EXCLUSIVE.in_order(children).into_iter();
        Ok(line.map(|name| names::join(&self.path, &name)).collect())
    }

    async fn line_up(&self) -> Result<Place> {
        let mode = CreateMode::EphemeralSequential;
        Place::take(&self.client, &self.path, LOCK, self.data.as_deref(), mode).await
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }
}
