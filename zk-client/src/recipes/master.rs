//! Master election in its simplest form: who creates the znode is the master,
//! and everybody else watches that one znode and tries again when it goes.
//! There is no order among those who wait, and all of them wake up: for more
//! than a few candidates there is the election with a line.

use super::claim;
use super::hold::Hold;
use super::{Result, patient};
use crate::{Client, OneshotWatch};
use bytes::Bytes;

/// A mastership that is an ephemeral znode, such as `/master` with the
/// master's address as data.
#[derive(Debug, Clone)]
pub struct MasterElection {
    client: Client,
    path: String,
    data: Vec<u8>,
}

impl MasterElection {
    /// An election at this path, with what the others are to read there if it
    /// is won. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self {
            client,
            path: path.into(),
            data: data.into(),
        }
    }

    /// Waits to be the master, until the hold is released or lost. Dropping
    /// the future withdraws.
    ///
    /// # Errors
    /// When the session is over, or the znode cannot be created for another
    /// reason.
    pub async fn win(&self) -> Result<Hold> {
        claim::wait(&self.client, &self.path, &self.data).await
    }

    /// Becomes the master if there is none.
    ///
    /// # Errors
    /// As [`MasterElection::win`].
    pub async fn try_win(&self) -> Result<Option<Hold>> {
        claim::attempt(&self.client, &self.path, &self.data).await
    }

    /// What the master wrote, with a watch that tells when it changes; `None`
    /// if there is no master.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn master(&self) -> Result<Option<(Bytes, OneshotWatch)>> {
        let answer = patient::watched_data(&self.client, &self.path).await?;
        Ok(answer.map(|(data, _, watch)| (data.unwrap_or_default(), watch)))
    }
}
