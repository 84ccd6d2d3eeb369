//! The semaphore, in the layout of Curator's `InterProcessSemaphoreV2`: the
//! leases are children of `leases`, and who holds the lock at `locks` is the
//! next to get one. Only he watches the leases.

use super::hold::Hold;
use super::lock::Lock;
use super::names::{self, LEASE};
use super::place::Place;
use super::{RecipeError, Result, patient};
use crate::{Client, CreateMode};

/// Leases of which no more than a number are out at a time, given in order of
/// arrival.
///
/// The number is not stored: all contenders must use the same.
#[derive(Debug, Clone)]
pub struct Semaphore {
    lock: Lock,
    leases: String,
    max_leases: usize,
    data: Option<Vec<u8>>,
}

impl Semaphore {
    /// A semaphore at this path. Nothing is sent yet; the path is created with
    /// the first contender.
    #[must_use]
    pub fn new(client: Client, path: &str, max_leases: usize) -> Self {
        Self {
            lock: Lock::new(client, names::join(path, "locks")),
            leases: names::join(path, "leases"),
            max_leases,
            data: None,
        }
    }

    /// The same with these data in the lease's znode, for people to read.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Waits for a lease. Dropping the future leaves the line.
    ///
    /// # Errors
    /// When the session is over or somebody deleted the contender's znode.
    pub async fn acquire(&self) -> Result<Hold> {
        let turn = self.lock.acquire().await?;
        let place = self.lease().await?;
        let gone = place.gone();
        self.until_free(&place).await?;
        turn.release().await?;
        Ok(Hold::new(place, gone))
    }

    /// Takes a lease if one is left and nobody waits.
    ///
    /// # Errors
    /// As [`Semaphore::acquire`].
    pub async fn try_acquire(&self) -> Result<Option<Hold>> {
        let Some(turn) = self.lock.try_acquire().await? else {
            return Ok(None);
        };
        let place = self.lease().await?;
        let is_free = self.is_free(&self.lease_names().await?, &place)?;
        let hold = match is_free {
            true => {
                let gone = place.gone();
                Some(Hold::new(place, gone))
            }
            false => {
                place.leave().await?;
                None
            }
        };
        turn.release().await?;
        Ok(hold)
    }

    /// How many leases are out, counting the one that the next in line has
    /// its eyes on.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn leases(&self) -> Result<usize> {
        Ok(self.lease_names().await?.len())
    }

    async fn lease_names(&self) -> Result<Vec<String>> {
        Ok(patient::children(self.lock.client(), &self.leases).await?)
    }

    async fn lease(&self) -> Result<Place> {
        let (client, data) = (self.lock.client(), self.data.as_deref());
        let mode = CreateMode::EphemeralSequential;
        Place::take(client, &self.leases, LEASE, data, mode).await
    }

    async fn until_free(&self, place: &Place) -> Result<()> {
        loop {
            let answer = patient::watched_children(self.lock.client(), &self.leases).await?;
            let (names, watch) = answer.ok_or_else(|| gone(place))?;
            if self.is_free(&names, place)? {
                return Ok(());
            }
            watch.changed().await;
        }
    }

    fn is_free(&self, names: &[String], place: &Place) -> Result<bool> {
        if !names.iter().any(|name| name == place.name()) {
            return Err(gone(place));
        }
        Ok(names.len() <= self.max_leases)
    }
}

fn gone(place: &Place) -> RecipeError {
    RecipeError::OwnZnodeGone {
        path: place.path().to_owned(),
    }
}
