//! The read/write lock, in the layout of Curator's `InterProcessReadWriteLock`:
//! readers are `__READ__`, writers `__WRIT__`, in one line of numbers. A reader
//! waits for the writers before it, a writer for everybody before it.

use super::hold::Hold;
use super::line::{READER, Rule, WRITER};
use super::names::{self, READ, WRITE};
use super::place::Place;
use super::{Result, patient};
use crate::{Client, CreateMode};
use std::ops::Deref;

/// A lock that many readers or one writer hold, in order of arrival.
#[derive(Debug, Clone)]
pub struct ReadWriteLock {
    client: Client,
    path: String,
    data: Option<Vec<u8>>,
}

/// What a writer holds.
#[derive(Debug)]
pub struct WriteHold {
    hold: Hold,
    lock: ReadWriteLock,
}

impl ReadWriteLock {
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

    /// Waits until no writer is before us. Dropping the future leaves the
    /// line.
    ///
    /// # Errors
    /// When the session is over or somebody deleted the contender's znode.
    pub async fn read(&self) -> Result<Hold> {
        self.acquire(READ, &READER).await
    }

    /// Waits until nobody is before us. Dropping the future leaves the line.
    ///
    /// # Errors
    /// As [`ReadWriteLock::read`].
    pub async fn write(&self) -> Result<WriteHold> {
        Ok(WriteHold {
            hold: self.acquire(WRITE, &WRITER).await?,
            lock: self.clone(),
        })
    }

    /// The znodes of all who hold the lock or wait for it, in order.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn contenders(&self) -> Result<Vec<String>> {
        let children = patient::children(&self.client, &self.path).await?;
        let line = WRITER.in_order(children).into_iter();
        Ok(line.map(|name| names::join(&self.path, &name)).collect())
    }

    async fn acquire(&self, name: &str, rule: &Rule) -> Result<Hold> {
        let place = self.line_up(name, CreateMode::EphemeralSequential).await?;
        let gone = place.turn(rule).await?;
        Ok(Hold::new(place, gone))
    }

    async fn line_up(&self, name: &str, mode: CreateMode) -> Result<Place> {
        Place::take(&self.client, &self.path, name, self.data.as_deref(), mode).await
    }
}

impl WriteHold {
    /// Becomes a reader without letting another writer in between: the reader
    /// has the writer's number, as with Curator. The token is a new one, as
    /// great as its znode is young.
    ///
    /// # Errors
    /// As [`ReadWriteLock::read`]; the lock is released then.
    pub async fn downgrade(self) -> Result<Hold> {
        let Self { hold, lock } = self;
        let number = names::digits(hold.place().name(), WRITE).unwrap_or_default();
        let name = format!("{READ}{number}");
        let place = lock.line_up(&name, CreateMode::Ephemeral).await?;
        let gone = place.gone();
        hold.release().await?;
        Ok(Hold::new(place, gone))
    }

    /// As [`Hold::release`].
    ///
    /// # Errors
    /// As [`Hold::release`].
    pub async fn release(self) -> Result<()> {
        self.hold.release().await
    }
}

impl Deref for WriteHold {
    type Target = Hold;

    fn deref(&self) -> &Hold {
        &self.hold
    }
}
