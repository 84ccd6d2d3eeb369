//! The barrier, in the layout of Curator's `DistributedBarrier`: while the
//! znode is there, all wait.

use super::{Result, patient};
use crate::{Client, CreateMode, ErrorCode};

/// A barrier that somebody sets and removes, and others wait for.
#[derive(Debug, Clone)]
pub struct Barrier {
    client: Client,
    path: String,
}

impl Barrier {
    /// A barrier at this path. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>) -> Self {
        Self {
            client,
            path: path.into(),
        }
    }

    /// Sets the barrier; it may be set already. It stays when we go.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn set(&self) -> Result<()> {
        loop {
            let mode = CreateMode::Persistent;
            match patient::create(&self.client, &self.path, None, mode).await {
                Err(crate::Error::ConnectionLoss { .. }) => self.client.connected().await?,
                Err(error) if error.code() == Some(ErrorCode::NODE_EXISTS) => return Ok(()),
                outcome => return Ok(outcome.map(drop)?),
            }
        }
    }

    /// Removes the barrier; it may be gone already. All who wait go on.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn remove(&self) -> Result<()> {
        Ok(patient::delete(&self.client, &self.path).await?)
    }

    /// Waits while the barrier is set.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn wait(&self) -> Result<()> {
        Ok(patient::until_gone(&self.client, &self.path).await?)
    }
}
