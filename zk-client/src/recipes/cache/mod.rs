//! Part of the tree, kept here and kept up to date, as Curator's
//! `CuratorCache` does: what is there comes as created, then it is said that
//! this was all, then the changes come as they happen.

mod follower;
mod nodes;

pub use nodes::CachedNode;

use crate::Client;
use follower::Follower;
use nodes::Nodes;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Which znodes a cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The znode at the path.
    Node,
    /// Its children, and not itself.
    Children,
    /// Itself and all below.
    Tree,
}

/// What became of a cached znode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheEvent {
    /// It is there, now or since before the cache.
    Created(CachedNode),
    /// Its data were set.
    Changed {
        /// As it was known last; changes in between may have been left out.
        before: CachedNode,
        /// As it is.
        now: CachedNode,
    },
    /// It is gone; as it was known last.
    Deleted(CachedNode),
    /// All that was there at the beginning has been told.
    Initialized,
}

/// Znodes that follow those of the ensemble. The znode at the path need not
/// exist, and may come and go.
///
/// A cache lags behind the ensemble a little, and behind a lost connection
/// until there is one again. Events wait without a limit: who has a cache
/// should read them, or have [`Cache::quiet`].
#[derive(Debug)]
pub struct Cache {
    nodes: Arc<Nodes>,
    events: mpsc::UnboundedReceiver<CacheEvent>,
    task: JoinHandle<()>,
}

impl Cache {
    /// Begins to follow.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(client: Client, path: impl Into<String>, extent: Extent) -> Self {
        let nodes = Arc::new(Nodes::default());
        let (sender, events) = mpsc::unbounded_channel();
        let follower = Follower::new(client, path.into(), extent, nodes.clone(), sender);
        Self {
            nodes,
            events,
            task: tokio::spawn(follower.run()),
        }
    }

    /// The next event; `None` when the session is over. Dropping the future
    /// loses nothing.
    ///
    /// Parents are created before their children and deleted after them; the
    /// events of one znode come in their order.
    pub async fn next(&mut self) -> Option<CacheEvent> {
        self.events.recv().await
    }

    /// Waits until all that was there at the beginning is here, leaving out
    /// the events before; false if the session was over first.
    pub async fn initialized(&mut self) -> bool {
        while let Some(event) = self.next().await {
            if event == CacheEvent::Initialized {
                return true;
            }
        }
        false
    }

    /// The same without events from now on.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.events.close();
        while self.events.try_recv().is_ok() {}
        self
    }

    /// The znode at this path, if it is there and cached.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<CachedNode> {
        self.nodes.get(path)
    }

    /// All znodes, in the order of their paths.
    #[must_use]
    pub fn nodes(&self) -> Vec<CachedNode> {
        self.nodes.all()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.task.abort();
    }
}
