//! The double barrier, in the layout of Curator's `DistributedDoubleBarrier`:
//! each member has an ephemeral child, and whoever sees enough of them creates
//! `ready`. On leaving the lowest waits for the highest and all others for the
//! lowest, so that none is through before all have left.

use super::hold::Hold;
use super::names;
use super::place::Place;
use super::{RecipeError, Result, patient};
use crate::{Client, CreateMode, Error, ErrorCode};
use std::collections::BTreeSet;
use uuid::Uuid;

const READY: &str = "ready";

/// A barrier that a number of members pass together, into something and out of
/// it again. It may be passed again by the same members.
#[derive(Debug, Clone)]
pub struct DoubleBarrier {
    client: Client,
    path: String,
    members: usize,
}

/// A member that has entered. Dropping it counts as having left, as the
/// member's death does.
#[derive(Debug)]
pub struct Entered {
    hold: Hold,
    barrier: DoubleBarrier,
}

impl DoubleBarrier {
    /// A barrier at this path for so many members. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>, members: usize) -> Self {
        Self {
            client,
            path: path.into(),
            members,
        }
    }

    /// Waits until all members are entering. Dropping the future withdraws.
    ///
    /// # Errors
    /// When the session is over or somebody deleted the member's znode.
    pub async fn enter(&self) -> Result<Entered> {
        let own = names::join(&self.path, &Uuid::new_v4().to_string());
        // Whoever comes when the barrier is open need not be counted.
        let (ready, mut watch) = patient::watched_stat(&self.client, &self.ready()).await?;
        let mut is_open = ready.is_some();
        let place = Place::claim(&self.client, &own, b"").await?;
        let place = place.ok_or(RecipeError::OwnZnodeGone { path: own })?;
        while !is_open && !self.opens(&place).await? {
            watch.changed().await;
            let ready;
            (ready, watch) = patient::watched_stat(&self.client, &self.ready()).await?;
            is_open = ready.is_some();
        }
        let gone = place.gone();
        Ok(Entered {
            hold: Hold::new(place, gone),
            barrier: self.clone(),
        })
    }

    /// Opens the barrier if all are there.
    async fn opens(&self, own: &Place) -> Result<bool> {
        let present = self.present().await?;
        if !present.contains(own.name()) {
            return Err(RecipeError::OwnZnodeGone {
                path: own.path().to_owned(),
            });
        }
        if present.len() < self.members {
            return Ok(false);
        }
        let mode = CreateMode::Persistent;
        match patient::create(&self.client, &self.ready(), None, mode).await {
            Err(Error::ConnectionLoss { .. }) => Ok(false),
            Err(error) if error.code() != Some(ErrorCode::NODE_EXISTS) => Err(error.into()),
            _ => Ok(true),
        }
    }

    /// The znodes of those who have not left.
    async fn present(&self) -> Result<BTreeSet<String>> {
        let names = patient::children(&self.client, &self.path).await?;
        Ok(names.into_iter().filter(|name| name != READY).collect())
    }

    fn ready(&self) -> String {
        names::join(&self.path, READY)
    }

    async fn until_gone(&self, name: &str) -> Result<()> {
        let path = names::join(&self.path, name);
        Ok(patient::until_gone(&self.client, &path).await?)
    }
}

impl Entered {
    /// How our membership stands: the others go on without us once it is lost.
    #[must_use]
    pub const fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Waits until all members are leaving. Dropping the future leaves without
    /// waiting.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn leave(self) -> Result<()> {
        let Self { hold, barrier } = self;
        let own = hold.place().name().to_owned();
        // Who comes later is of another round, for which nobody here waits.
        let round = barrier.present().await?;
        let mut hold = Some(hold);
        loop {
            let present = barrier.present().await?;
            let mut present = present.intersection(&round).map(String::as_str);
            let (Some(lowest), highest) = (present.next(), present.last()) else {
                break;
            };
            match highest {
                Some(highest) if lowest == own => barrier.until_gone(highest).await?,
                _ => {
                    if let Some(hold) = hold.take() {
                        hold.release().await?;
                    }
                    if lowest != own {
                        barrier.until_gone(lowest).await?;
                    }
                }
            }
        }
        Ok(patient::delete(&barrier.client, &barrier.ready()).await?)
    }
}
