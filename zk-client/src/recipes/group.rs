//! Group membership, in the layout of Curator's `GroupMember`: each member is
//! an ephemeral child whose name is its id and whose data say more.

use super::cache::{Cache, Extent};
use super::hold::Hold;
use super::{Result, claim, names, patient};
use crate::{Client, Stat};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Deref;

/// A group that members join, and anybody may look at.
#[derive(Debug, Clone)]
pub struct Group {
    client: Client,
    path: String,
}

/// A membership, for as long as the session lives or until it is dropped.
#[derive(Debug)]
pub struct Membership {
    hold: Hold,
}

impl Group {
    /// The group at this path. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>) -> Self {
        Self {
            client,
            path: path.into(),
        }
    }

    /// Joins with an id and what others are to know. While somebody has the
    /// id it waits: a member that was restarted may find its own former
    /// session.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn join(&self, id: &str, data: &[u8]) -> Result<Membership> {
        let path = names::join(&self.path, id);
        let hold = claim::wait(&self.client, &path, data).await?;
        Ok(Membership { hold })
    }

    /// The members by their ids, with their data.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn members(&self) -> Result<BTreeMap<String, Bytes>> {
        let mut members = BTreeMap::new();
        for id in patient::children(&self.client, &self.path).await? {
            let path = names::join(&self.path, &id);
            if let Some((data, _)) = patient::data(&self.client, &path).await? {
                members.insert(id, data.unwrap_or_default());
            }
        }
        Ok(members)
    }

    /// Follows the members as they come, change and go.
    #[must_use]
    pub fn watch(&self) -> Cache {
        Cache::start(self.client.clone(), &self.path, Extent::Children)
    }
}

impl Membership {
    /// Changes what others are to know.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn set_data(&self, data: &[u8]) -> Result<Stat> {
        let client = self.hold.place().client();
        Ok(patient::set_data(client, self.hold.path(), data).await?)
    }

    /// Leaves the group, and waits until that is certain.
    ///
    /// # Errors
    /// As [`Hold::release`].
    pub async fn leave(self) -> Result<()> {
        self.hold.release().await
    }
}

impl Deref for Membership {
    type Target = Hold;

    fn deref(&self) -> &Hold {
        &self.hold
    }
}
