//! A value that many read and change, in the layout of Curator's `SharedValue`:
//! a persistent znode's data, changed under its version.

use super::{RecipeError, Result, patient};
use crate::{Client, CreateMode, Error, ErrorCode, Stat, Zxid};
use bytes::Bytes;

/// A value in a znode, with compare-and-set.
#[derive(Debug, Clone)]
pub struct SharedValue {
    client: Client,
    path: String,
    seed: Vec<u8>,
}

/// A value as it was at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// The znode's version with this value.
    pub version: i32,
    /// The transaction that set it.
    pub zxid: Zxid,
}

impl<T> Versioned<T> {
    /// Another value of the same time.
    pub(super) fn with<U>(&self, value: U) -> Versioned<U> {
        Versioned {
            value,
            version: self.version,
            zxid: self.zxid,
        }
    }

    const fn of(value: T, stat: &Stat) -> Self {
        Self {
            value,
            version: stat.version,
            zxid: stat.mzxid,
        }
    }
}

impl SharedValue {
    /// The value at this path, `seed` if there is none yet. Nothing is sent
    /// yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>, seed: impl Into<Vec<u8>>) -> Self {
        Self {
            client,
            path: path.into(),
            seed: seed.into(),
        }
    }

    /// The value; it is created if it is not there.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn get(&self) -> Result<Versioned<Bytes>> {
        loop {
            if let Some((data, stat)) = patient::data(&self.client, &self.path).await? {
                return Ok(Versioned::of(data.unwrap_or_default(), &stat));
            }
            self.plant().await?;
        }
    }

    /// Creates the znode, unless somebody else does.
    async fn plant(&self) -> Result<()> {
        let (seed, mode) = (Some(&self.seed[..]), CreateMode::Persistent);
        match patient::create(&self.client, &self.path, seed, mode).await {
            Err(Error::ConnectionLoss { .. }) => Ok(self.client.connected().await?),
            Err(error) if error.code() != Some(ErrorCode::NODE_EXISTS) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Sets the value, whatever it was.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn set(&self, value: &[u8]) -> Result<Versioned<()>> {
        loop {
            match self.client.set_data(&self.path, Some(value), -1).await {
                Ok(stat) => return Ok(Versioned::of((), &stat)),
                // To set it twice to the same is to set it.
                Err(Error::ConnectionLoss { .. }) => self.client.connected().await?,
                Err(error) if error.code() == Some(ErrorCode::NO_NODE) => self.plant().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sets the value if nobody did since `before`; `None` if somebody did.
    ///
    /// # Errors
    /// [`RecipeError::InDoubt`] when the answer was lost and it cannot be told
    /// whose the value is; see [`crate::Error`].
    pub async fn compare_and_set<T>(
        &self,
        before: &Versioned<T>,
        value: &[u8],
    ) -> Result<Option<Versioned<()>>> {
        loop {
            let outcome = self
                .client
                .set_data(&self.path, Some(value), before.version);
            match outcome.await {
                Ok(stat) => return Ok(Some(Versioned::of((), &stat))),
                Err(error) if error.code() == Some(ErrorCode::BAD_VERSION) => return Ok(None),
                Err(error) if error.code() == Some(ErrorCode::NO_NODE) => return Ok(None),
                Err(Error::ConnectionLoss { sent }) => {
                    if sent && self.was_overtaken(before.version, value).await? {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// After a lost answer: whether somebody else certainly changed the value,
    /// and we did not; `false` if nobody did.
    async fn was_overtaken(&self, version: i32, value: &[u8]) -> Result<bool> {
        patient::sync(&self.client, &self.path).await?;
        let Some((data, stat)) = patient::data(&self.client, &self.path).await? else {
            return Err(self.in_doubt());
        };
        let next = version.wrapping_add(1);
        match stat.version {
            now if now == version => Ok(false),
            now if now == next && data.as_deref().unwrap_or_default() != value => Ok(true),
            _ => Err(self.in_doubt()),
        }
    }

    fn in_doubt(&self) -> RecipeError {
        RecipeError::InDoubt {
            path: self.path.clone(),
        }
    }

    /// Waits until the value is another than it was at the time of `known`, and
    /// answers the latest; what was in between is left out.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn changed<T>(&self, known: &Versioned<T>) -> Result<Versioned<Bytes>> {
        loop {
            let answer = patient::watched_data(&self.client, &self.path).await?;
            let Some((data, stat, watch)) = answer else {
                return self.get().await;
            };
            if stat.mzxid != known.zxid {
                return Ok(Versioned::of(data.unwrap_or_default(), &stat));
            }
            watch.changed().await;
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }
}
