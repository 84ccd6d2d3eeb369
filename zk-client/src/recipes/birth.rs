//! How a znode of one's own comes into being although answers get lost and
//! futures get dropped: a task of its own creates it, finds it again after a
//! lost answer, and deletes it if nobody wants it any more. Does not know what
//! it is for.

use super::names::{self, Protection};
use super::patient;
use super::place::Place;
use crate::{Client, CreateMode, Error, ErrorCode, Stat};
use tokio::sync::oneshot;

/// What to create.
pub(super) struct Birth {
    client: Client,
    naming: Naming,
    data: Option<Vec<u8>>,
    mode: CreateMode,
}

/// How the znode is found again.
enum Naming {
    /// By the mark in its name, which nobody else has.
    Protected { parent: String, mark: Protection },
    /// By its owner: the name is for anybody to take.
    Fixed,
}

impl Birth {
    /// Creates `_c_<guid>-<name>` below `parent`.
    pub(super) async fn protected(
        client: &Client,
        parent: &str,
        name: &str,
        data: Option<&[u8]>,
        mode: CreateMode,
    ) -> Result<Place, Error> {
        let mark = Protection::random();
        let path = names::join(parent, &format!("{mark}{name}"));
        let parent = parent.to_owned();
        let naming = Naming::Protected { parent, mark };
        Self::new(client, naming, data, mode).start(path).await
    }

    /// Creates an ephemeral znode of this very name, or fails because it is
    /// there.
    pub(super) async fn fixed(client: &Client, path: &str, data: &[u8]) -> Result<Place, Error> {
        let birth = Self::new(client, Naming::Fixed, Some(data), CreateMode::Ephemeral);
        birth.start(path.to_owned()).await
    }

    fn new(client: &Client, naming: Naming, data: Option<&[u8]>, mode: CreateMode) -> Self {
        Self {
            client: client.clone(),
            naming,
            data: data.map(<[u8]>::to_vec),
            mode,
        }
    }

    async fn start(self, path: String) -> Result<Place, Error> {
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(self.run(path, sender));
        // Without an answer the runtime is shutting down.
        receiver.await.unwrap_or(Err(Error::Closed { sent: true }))
    }

    async fn run(self, path: String, sender: oneshot::Sender<Result<Place, Error>>) {
        let created = self.create(&path, &sender).await;
        let is_fixed = matches!(self.naming, Naming::Fixed);
        let place = created.map(|(path, stat)| Place::new(self.client, path, stat, is_fixed));
        // If nobody wants it, it is dropped here and now, and deleted with it.
        let _ = sender.send(place);
    }

    async fn create<T>(
        &self,
        path: &str,
        sender: &oneshot::Sender<T>,
    ) -> Result<(String, Stat), Error> {
        loop {
            match patient::create(&self.client, path, self.data.as_deref(), self.mode).await {
                Err(error) if patient::is_passing(&error) => {
                    if let Some(found) = self.find(path).await? {
                        return Ok(found);
                    }
                    if sender.is_closed() {
                        return Err(error);
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Looks for the znode of a creation whose answer was lost.
    async fn find(&self, path: &str) -> Result<Option<(String, Stat)>, Error> {
        // Without it a server that lags behind might not know the znode yet.
        patient::sync(&self.client, path).await?;
        let path = match &self.naming {
            Naming::Fixed => path.to_owned(),
            Naming::Protected { parent, mark } => {
                let names = patient::children(&self.client, parent).await?;
                match names.iter().find(|name| mark.marks(name)) {
                    Some(name) => names::join(parent, name),
                    None => return Ok(None),
                }
            }
        };
        let stat = patient::stat(&self.client, &path).await?;
        match stat {
            Some(stat) if stat.ephemeral_owner == self.client.session_id().0 => {
                Ok(Some((path, stat)))
            }
            Some(_) => Err(taken(path)),
            None => Ok(None),
        }
    }
}

fn taken(path: String) -> Error {
    Error::Server {
        code: ErrorCode::NODE_EXISTS,
        path,
    }
}
