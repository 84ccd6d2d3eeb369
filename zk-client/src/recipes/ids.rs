//! Unique numbers and names out of the numbers that servers give to sequential
//! znodes.

use super::names;
use super::place::Place;
use super::{RecipeError, Result, patient};
use crate::{Client, CreateMode, Error};

/// A source of numbers that nobody else gets, each greater than those before.
#[derive(Debug, Clone)]
pub struct UniqueIds {
    client: Client,
    path: String,
    prefix: String,
}

impl UniqueIds {
    /// The source at this path, for names with this prefix, such as `job-`.
    /// Sources of different prefixes below one path share their numbers.
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            client,
            path: path.into(),
            prefix: prefix.into(),
        }
    }

    /// Draws a number, and leaves no znode behind. Numbers may be left out.
    /// Behind 2,147,483,647 come negative ones.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn draw(&self) -> Result<i32> {
        self.keep_path().await?;
        let mode = CreateMode::EphemeralSequential;
        let place = Place::take(&self.client, &self.path, &self.prefix, None, mode).await?;
        let number = names::number(place.name(), &self.prefix);
        place.leave().await?;
        number.ok_or_else(|| self.no_number())
    }

    /// Creates a znode of a name of its own, `<prefix><ten digits>`, that stays
    /// until it is deleted; answers its path.
    ///
    /// # Errors
    /// [`RecipeError::InDoubt`] when the answer was lost: such a znode may be
    /// there, and its name says nothing of whose it is. See [`Error`].
    pub async fn register(&self, data: &[u8]) -> Result<String> {
        self.keep_path().await?;
        let path = names::join(&self.path, &self.prefix);
        let mode = CreateMode::PersistentSequential;
        match patient::create(&self.client, &path, Some(data), mode).await {
            Ok((path, _)) => Ok(path),
            Err(Error::ConnectionLoss { .. }) => Err(RecipeError::InDoubt { path }),
            Err(error) => Err(error.into()),
        }
    }

    /// The numbers are the parent's; a container that the servers remove would
    /// begin again with 0.
    async fn keep_path(&self) -> Result<()> {
        Ok(patient::ensure(&self.client, &self.path, CreateMode::Persistent).await?)
    }

    fn no_number(&self) -> RecipeError {
        RecipeError::Data {
            path: self.path.clone(),
            problem: "numbered in another way than servers do".to_owned(),
        }
    }
}
