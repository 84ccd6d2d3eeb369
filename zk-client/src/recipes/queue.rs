//! Queues, in the layouts of Curator's `SimpleDistributedQueue` (`qn-`) and
//! `DistributedPriorityQueue` (`queue-`, the priority, and items in Curator's
//! frame). An item is a persistent sequential znode; who takes it deletes it.

use super::{RecipeError, Result, item, names, patient};
use crate::{Client, CreateMode, Error, ErrorCode, OneshotWatch};
use bytes::Bytes;

const FIFO: &str = "qn-";
const PRIORITY: &str = "queue-";

/// A queue from which the oldest item is taken first.
#[derive(Debug, Clone)]
pub struct Queue {
    items: Items,
}

/// A queue from which the item of the lowest priority number is taken first,
/// among equals the oldest.
#[derive(Debug, Clone)]
pub struct PriorityQueue {
    items: Items,
}

impl Queue {
    /// The queue at this path. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>) -> Self {
        Self {
            items: Items::new(client, path.into(), FIFO),
        }
    }

    /// Puts an item behind all others.
    ///
    /// # Errors
    /// [`RecipeError::InDoubt`] when the answer was lost and the item may be
    /// in the queue; see [`Error`].
    pub async fn push(&self, data: &[u8]) -> Result<()> {
        self.items.put(FIFO, data).await
    }

    /// Takes the first item if there is one.
    ///
    /// # Errors
    /// [`RecipeError::TakenInDoubt`] with the item when the answer was lost and
    /// another one may have it too; see [`Error`].
    pub async fn try_pop(&self) -> Result<Option<Bytes>> {
        let (names, _) = self.items.list(false).await?;
        self.items.take_first(names).await
    }

    /// Waits for the first item and takes it. All who wait on an empty queue
    /// hear of a new item, and one of them gets it. Dropping the future while
    /// the item is being taken loses the item.
    ///
    /// # Errors
    /// As [`Queue::try_pop`].
    pub async fn pop(&self) -> Result<Bytes> {
        self.items.pop().await
    }

    /// The first item, which stays.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn peek(&self) -> Result<Option<Bytes>> {
        self.items.peek().await
    }

    /// The number of items.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn len(&self) -> Result<usize> {
        Ok(self.items.list(false).await?.0.len())
    }

    /// Whether there is no item.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.len().await? == 0)
    }
}

impl PriorityQueue {
    /// The queue at this path. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, path: impl Into<String>) -> Self {
        Self {
            items: Items::new(client, path.into(), PRIORITY),
        }
    }

    /// Puts an item behind all others of its priority, before all of higher
    /// numbers.
    ///
    /// # Errors
    /// As [`Queue::push`].
    pub async fn push(&self, data: &[u8], priority: i32) -> Result<()> {
        let prefix = format!("{PRIORITY}{}", priority_digits(priority));
        self.items.put(&prefix, &item::encode(data)).await
    }

    /// Takes the first item if there is one. If Curator put several items into
    /// one znode they come as one list.
    ///
    /// # Errors
    /// [`RecipeError::Data`] when it is in no known form (it is taken all the
    /// same); otherwise as [`Queue::try_pop`].
    pub async fn try_pop(&self) -> Result<Option<Vec<Bytes>>> {
        let (names, _) = self.items.list(false).await?;
        let taken = self.items.take_first(names).await?;
        taken.map(|data| self.decoded(&data)).transpose()
    }

    /// Waits for the first item and takes it.
    ///
    /// # Errors
    /// As [`PriorityQueue::try_pop`].
    pub async fn pop(&self) -> Result<Vec<Bytes>> {
        let data = self.items.pop().await?;
        self.decoded(&data)
    }

    /// The number of znodes with items.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn len(&self) -> Result<usize> {
        Ok(self.items.list(false).await?.0.len())
    }

    /// Whether there is no item.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.len().await? == 0)
    }

    fn decoded(&self, data: &Bytes) -> Result<Vec<Bytes>> {
        item::decode(data).map_err(|problem| RecipeError::Data {
            path: self.items.path.clone(),
            problem: problem.to_owned(),
        })
    }
}

/// Priorities in an order that is that of text
/// (`DistributedPriorityQueue.priorityToString`).
fn priority_digits(priority: i32) -> String {
    let sign = if priority < 0 { '0' } else { '1' };
    format!("{sign}{priority:08X}")
}

/// The znodes of a queue.
#[derive(Debug, Clone)]
struct Items {
    client: Client,
    path: String,
    prefix: &'static str,
}

impl Items {
    const fn new(client: Client, path: String, prefix: &'static str) -> Self {
        Self {
            client,
            path,
            prefix,
        }
    }

    async fn put(&self, prefix: &str, data: &[u8]) -> Result<()> {
        let path = names::join(&self.path, prefix);
        let mode = CreateMode::PersistentSequential;
        match patient::create(&self.client, &path, Some(data), mode).await {
            Ok(_) => Ok(()),
            Err(Error::ConnectionLoss { .. }) => Err(RecipeError::InDoubt { path }),
            Err(error) => Err(error.into()),
        }
    }

    async fn pop(&self) -> Result<Bytes> {
        loop {
            let (names, watch) = self.list(true).await?;
            if let Some(item) = self.take_first(names).await? {
                return Ok(item);
            }
            if let Some(watch) = watch {
                watch.changed().await;
            }
        }
    }

    async fn peek(&self) -> Result<Option<Bytes>> {
        let (names, _) = self.list(false).await?;
        for name in names {
            let path = names::join(&self.path, &name);
            if let Some((data, _)) = patient::data(&self.client, &path).await? {
                return Ok(Some(data.unwrap_or_default()));
            }
        }
        Ok(None)
    }

    /// The items in order. With a watch the queue is created if it is missing.
    async fn list(&self, watches: bool) -> Result<(Vec<String>, Option<OneshotWatch>)> {
        let (mut names, watch) = match watches {
            true => self.watched_names().await?,
            false => (patient::children(&self.client, &self.path).await?, None),
        };
        names.retain(|name| name.starts_with(self.prefix));
        names.sort_unstable();
        Ok((names, watch))
    }

    async fn watched_names(&self) -> Result<(Vec<String>, Option<OneshotWatch>)> {
        loop {
            if let Some((names, watch)) =
                patient::watched_children(&self.client, &self.path).await?
            {
                return Ok((names, Some(watch)));
            }
            patient::ensure(&self.client, &self.path, CreateMode::Container).await?;
        }
    }

    async fn take_first(&self, names: Vec<String>) -> Result<Option<Bytes>> {
        for name in names {
            let path = names::join(&self.path, &name);
            let Some((data, _)) = patient::data(&self.client, &path).await? else {
                continue;
            };
            let data = data.unwrap_or_default();
            match self.delete(&path).await {
                Ok(true) => return Ok(Some(data)),
                Ok(false) => {}
                Err(Error::ConnectionLoss { .. }) => {
                    return Err(RecipeError::TakenInDoubt { path, data });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Whether we deleted it, and nobody else.
    async fn delete(&self, path: &str) -> Result<bool, Error> {
        let mut is_in_doubt = false;
        loop {
            match self.client.delete(path, -1).await {
                Ok(()) => return Ok(true),
                Err(Error::ConnectionLoss { sent }) => {
                    is_in_doubt |= sent;
                    self.client.connected().await?;
                }
                Err(error) if error.code() == Some(ErrorCode::NO_NODE) => {
                    return match is_in_doubt {
                        true => Err(Error::ConnectionLoss { sent: true }),
                        false => Ok(false),
                    };
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_sort_as_text() {
        let digits: Vec<String> = [i32::MIN, -1, 0, 5, i32::MAX].map(priority_digits).into();
        assert_eq!(
            digits,
            [
                "080000000",
                "0FFFFFFFF",
                "100000000",
                "100000005",
                "17FFFFFFF"
            ]
        );
        assert!(digits.is_sorted());
    }
}
