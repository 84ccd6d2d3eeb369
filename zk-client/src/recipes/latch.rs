//! The leader latch, in the layout of Curator's `LeaderLatch`: a participant
//! stands from the beginning to the end, and asks or is told whether it leads.
//! Its znodes are `latch-`, their data the participants' ids.

use super::election::{Participant, participants};
use super::hold::{Hold, Standing};
use super::line::LATCHED;
use super::names::{self, LATCH};
use super::place::Place;
use super::{RecipeError, Result, patient};
use crate::{Client, CreateMode};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// A participant of an election who stands until it is closed or dropped.
///
/// It does not lead while the connection is down, leads again when the session
/// went on, and stands anew when somebody deleted its znode. With the session
/// it ends.
#[derive(Debug)]
pub struct LeaderLatch {
    client: Client,
    path: String,
    leads: watch::Receiver<bool>,
    /// Asks the task to leave the line, and to say so.
    closing: mpsc::Sender<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl LeaderLatch {
    /// Stands for leadership at this path from now on, with the id by which
    /// others know us.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(client: Client, path: impl Into<String>, id: impl Into<String>) -> Self {
        let path = path.into();
        let (sender, leads) = watch::channel(false);
        let (closing, requests) = mpsc::channel(1);
        let stand = Stand {
            client: client.clone(),
            path: path.clone(),
            id: id.into(),
            leads: sender,
        };
        Self {
            client,
            path,
            leads,
            closing,
            task: tokio::spawn(stand.run(requests)),
        }
    }

    /// Whether it leads and the connection is up.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        // The task may not have heard yet of what the session knows.
        *self.leads.borrow() && self.client.state() == crate::SessionState::Connected
    }

    /// Waits until it leads.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn until_leader(&self) -> Result<()> {
        self.until(true).await
    }

    /// Waits until it does not lead; at once if it does not.
    ///
    /// # Errors
    /// When the session is over.
    pub async fn until_not_leader(&self) -> Result<()> {
        self.until(false).await
    }

    async fn until(&self, wanted: bool) -> Result<()> {
        let mut leads = self.leads.clone();
        if leads.wait_for(|leads| *leads == wanted).await.is_ok() {
            return Ok(());
        }
        // The task ends before the latch only with the session.
        self.client.connected().await?;
        Ok(())
    }

    /// All who lead or stand, in the order in which they come to lead.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn participants(&self) -> Result<Vec<Participant>> {
        let children = patient::children(&self.client, &self.path).await?;
        let line = LATCHED.in_order(children).into_iter();
        let paths = line.map(|name| names::join(&self.path, &name)).collect();
        participants(&self.client, paths).await
    }

    /// Stands no longer, and waits until that is certain. Dropping the latch
    /// does the same in the background.
    pub async fn close(self) {
        let (sender, answer) = oneshot::channel();
        if self.closing.send(sender).await.is_ok() {
            let _ = answer.await;
        }
    }
}

impl Drop for LeaderLatch {
    fn drop(&mut self) {
        // The znode goes with the task.
        self.task.abort();
    }
}

/// The task behind a latch.
struct Stand {
    client: Client,
    path: String,
    id: String,
    leads: watch::Sender<bool>,
}

impl Stand {
    /// Stands again and again, until asked to leave or the session is over.
    async fn run(self, mut requests: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut hold = None;
        let request = tokio::select! {
            request = requests.recv() => request,
            error = self.stand(&mut hold) => {
                tracing::debug!(path = self.path, %error, "a leader latch ended");
                None
            }
        };
        self.leads.send_replace(false);
        if let Some(hold) = hold {
            // If it fails the session is over, and the znode with it.
            let _ = Hold::release(hold).await;
        }
        if let Some(request) = request {
            let _ = request.send(());
        }
    }

    async fn stand(&self, hold: &mut Option<Hold>) -> RecipeError {
        loop {
            match self.win().await {
                Ok(leadership) => self.lead(hold.insert(leadership)).await,
                Err(RecipeError::OwnZnodeGone { .. }) => {}
                Err(error) => return error,
            }
            *hold = None;
        }
    }

    async fn win(&self) -> Result<Hold> {
        let (id, mode) = (self.id.as_bytes(), CreateMode::EphemeralSequential);
        let place = Place::take(&self.client, &self.path, LATCH, Some(id), mode).await?;
        let gone = place.turn(&LATCHED).await?;
        Ok(Hold::new(place, gone))
    }

    /// Says whether it leads, until the leadership is lost.
    async fn lead(&self, hold: &Hold) {
        let mut standing = hold.standing();
        while standing != Standing::Lost {
            self.leads.send_replace(standing == Standing::Held);
            let before = standing;
            standing = hold.until(|now| now != before).await;
        }
        self.leads.send_replace(false);
    }
}
