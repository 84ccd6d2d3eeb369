//! Leader election, in the layout of Curator's `LeaderSelector`: the lock's,
//! with the participants' ids as data. The lock's order is the election's.

use super::hold::Hold;
use super::lock::Lock;
use super::{Result, patient};
use crate::Client;

/// An election of one leader after the other, in order of candidature.
///
/// ```no_run
/// # async fn example(client: zk_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use zk_client::recipes::LeaderElection;
///
/// let election = LeaderElection::new(client, "/election", "host1:2223");
/// loop {
///     let leadership = election.win().await?;
///     tokio::select! {
///         () = lead() => leadership.release().await?,
///         _ = leadership.lost() => {}
///     }
/// }
/// # }
/// # async fn lead() {}
/// ```
#[derive(Debug, Clone)]
pub struct LeaderElection {
    client: Client,
    lock: Lock,
}

/// One who leads or waits to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The id that it goes by.
    pub id: String,
    /// Its znode.
    pub path: String,
    /// Whether it is the first, which leads or is about to.
    pub is_leader: bool,
}

impl LeaderElection {
    /// An election at this path, with the id by which others know us. Nothing
    /// is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            lock: Lock::new(client.clone(), path).with_data(id.into()),
            client,
        }
    }

    /// Stands and waits to be the leader, until the hold is released or lost.
    /// Dropping the future withdraws.
    ///
    /// # Errors
    /// When the session is over or somebody deleted the candidate's znode.
    pub async fn win(&self) -> Result<Hold> {
        self.lock.acquire().await
    }

    /// All who lead or stand, in the order in which they come to lead.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn participants(&self) -> Result<Vec<Participant>> {
        participants(&self.client, self.lock.contenders().await?).await
    }

    /// The id of who leads.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn leader(&self) -> Result<Option<String>> {
        let participants = self.participants().await?;
        Ok(participants.into_iter().next().map(|first| first.id))
    }
}

/// Those of the znodes of a line that are still there.
pub(super) async fn participants(client: &Client, line: Vec<String>) -> Result<Vec<Participant>> {
    let mut participants = Vec::with_capacity(line.len());
    for path in line {
        let Some((data, _)) = patient::data(client, &path).await? else {
            continue;
        };
        participants.push(Participant {
            id: String::from_utf8_lossy(&data.unwrap_or_default()).into_owned(),
            path,
            is_leader: participants.is_empty(),
        });
    }
    Ok(participants)
}
