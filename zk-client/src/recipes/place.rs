//! A znode of one's own: who has it waits with it in a line or holds something
//! by it, and it is deleted when he lets go of it. Does not know what it is
//! for.

use super::birth::Birth;
use super::line::Rule;
use super::names;
use super::{RecipeError, Result, patient};
use crate::{Client, CreateMode, Error, ErrorCode, Stat, Zxid};
use std::pin::Pin;
use tokio::runtime::Handle;

/// Ends when one's own znode was deleted, or the session is over.
pub(super) type Gone = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One's own znode. Dropping it deletes the znode in the background.
pub(super) struct Place {
    client: Client,
    path: String,
    stat: Stat,
    /// Whether somebody else's znode may come to have the same path.
    is_fixed: bool,
    /// Where the deletion runs.
    runtime: Handle,
    /// Nothing is left to delete.
    is_left: bool,
}

impl Place {
    /// A znode that was created by this task.
    pub(super) fn new(client: Client, path: String, stat: Stat, is_fixed: bool) -> Self {
        Self {
            client,
            path,
            stat,
            is_fixed,
            runtime: Handle::current(),
            is_left: false,
        }
    }

    /// Creates the ephemeral znode `_c_<guid>-<name>` below `parent`.
    pub(super) async fn take(
        client: &Client,
        parent: &str,
        name: &str,
        data: Option<&[u8]>,
        mode: CreateMode,
    ) -> Result<Self> {
        let birth = Birth::protected(client, parent, name, data, mode);
        Ok(birth.await?)
    }

    /// Creates an ephemeral znode of this name; `None` if there is one.
    pub(super) async fn claim(client: &Client, path: &str, data: &[u8]) -> Result<Option<Self>> {
        match Birth::fixed(client, path, data).await {
            Ok(place) => Ok(Some(place)),
            Err(error) if error.code() == Some(ErrorCode::NODE_EXISTS) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until nobody is ahead by this rule. What comes back ends when the
    /// znode is gone, and was watching since before that.
    pub(super) async fn turn(&self, rule: &Rule) -> Result<Gone> {
        let mut gone = self.gone();
        tokio::select! {
            // In this order, because the events come in theirs: who was
            // deleted himself has no turn when the one before him goes next.
            biased;
            () = &mut gone => Err(self.explain().await),
            outcome = self.wait(rule) => outcome.map(|()| gone),
        }
    }

    async fn wait(&self, rule: &Rule) -> Result<()> {
        let mut ahead = self.ahead(rule).await?;
        while let Some(nearest) = ahead.pop() {
            let nearest = names::join(self.parent(), &nearest);
            patient::until_gone(&self.client, &nearest).await?;
            // Numbers only grow, so that who was behind stays behind and the
            // list stays true but for those who left.
            if rule.admits_ahead {
                ahead = self.ahead(rule).await?;
            }
        }
        Ok(())
    }

    /// Who is ahead, the nearest last.
    pub(super) async fn ahead(&self, rule: &Rule) -> Result<Vec<String>> {
        let children = patient::children(&self.client, self.parent()).await?;
        rule.ahead(&children, self.name())
            .ok_or_else(|| self.was_deleted())
    }

    /// Watches the znode from the first poll on.
    pub(super) fn gone(&self) -> Gone {
        let (client, path) = (self.client.clone(), self.path.clone());
        Box::pin(async move {
            // That it cannot be watched any longer says as much.
            let _ = patient::until_gone(&client, &path).await;
        })
    }

    /// Why the znode is gone.
    async fn explain(&self) -> RecipeError {
        match patient::stat(&self.client, &self.path).await {
            Ok(_) => self.was_deleted(),
            Err(error) => error.into(),
        }
    }

    fn was_deleted(&self) -> RecipeError {
        RecipeError::OwnZnodeGone {
            path: self.path.clone(),
        }
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn name(&self) -> &str {
        names::name_of(&self.path)
    }

    /// The znode's Stat when it was created or found.
    pub(super) const fn stat(&self) -> &Stat {
        &self.stat
    }

    fn parent(&self) -> &str {
        names::parent_of(&self.path).unwrap_or("/")
    }

    /// Deletes the znode. Dropping this future deletes it all the same.
    pub(super) async fn leave(mut self) -> Result<()> {
        self.removal().run().await?;
        self.is_left = true;
        Ok(())
    }

    fn removal(&self) -> Removal {
        Removal {
            client: self.client.clone(),
            path: self.path.clone(),
            only_if: self.is_fixed.then_some(self.stat.czxid),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_left || self.client.state().is_final() {
            return;
        }
        let removal = self.removal();
        self.runtime.spawn(async move {
            if let Err(error) = removal.run().await {
                tracing::debug!(%error, "a znode is left to the session's end");
            }
        });
    }
}

/// The deletion of one's own znode.
struct Removal {
    client: Client,
    path: String,
    /// The creation that is meant, if the path does not tell.
    only_if: Option<Zxid>,
}

impl Removal {
    async fn run(self) -> Result<(), Error> {
        if let Some(czxid) = self.only_if {
            let stat = patient::stat(&self.client, &self.path).await?;
            if stat.is_none_or(|stat| stat.czxid != czxid) {
                return Ok(());
            }
        }
        patient::delete(&self.client, &self.path).await
    }
}
