//! The task that keeps a cache up to date: it reads all there is, then what
//! its watch names, and all again after each lost connection, because the
//! watch does not tell what happened meanwhile.

use super::nodes::Nodes;
use super::{CacheEvent, CachedNode, Extent};
use crate::recipes::{names, patient};
use crate::{AddWatchMode, Client, Error, Event, KeeperState, Stat};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use zk_proto::EventType;

/// The task's state.
pub(super) struct Follower {
    client: Client,
    root: String,
    extent: Extent,
    nodes: Arc<Nodes>,
    events: mpsc::UnboundedSender<CacheEvent>,
}

impl Follower {
    pub(super) fn new(
        client: Client,
        root: String,
        extent: Extent,
        nodes: Arc<Nodes>,
        events: mpsc::UnboundedSender<CacheEvent>,
    ) -> Self {
        Self {
            client,
            root,
            extent,
            nodes,
            events,
        }
    }

    /// Follows until the session is over or the cache is dropped.
    pub(super) async fn run(self) {
        if let Err(error) = self.follow().await {
            tracing::debug!(path = self.root, %error, "a cache ended");
        }
    }

    async fn follow(&self) -> Result<(), Error> {
        let mode = match self.extent {
            Extent::Node => AddWatchMode::Persistent,
            Extent::Children | Extent::Tree => AddWatchMode::PersistentRecursive,
        };
        let mut watch = patient::watch(&self.client, &self.root, mode).await?;
        self.read_all().await?;
        self.tell(CacheEvent::Initialized);
        while let Some(event) = watch.next().await {
            self.learn(event).await?;
        }
        Ok(())
    }

    async fn learn(&self, event: Event) -> Result<(), Error> {
        match (event.kind, event.path) {
            (EventType::None, _) if event.state == KeeperState::SyncConnected => {
                self.read_all().await
            }
            (EventType::NodeCreated | EventType::NodeDataChanged, Some(path))
                if self.covers(&path) =>
            {
                self.read(&path).await.map(drop)
            }
            (EventType::NodeDeleted, Some(path)) => {
                self.nodes
                    .remove(&path, event.zxid)
                    .into_iter()
                    .for_each(|event| self.tell(event));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Parents before children, so that they are told in that order.
    async fn read_all(&self) -> Result<(), Error> {
        let mut present = BTreeSet::new();
        let mut rest = vec![self.root.clone()];
        while let Some(path) = rest.pop() {
            let is_listed = self.is_listed(&path);
            let may_have_children = if self.covers(&path) {
                let stat = self.read(&path).await?;
                present.extend(stat.map(|_| path.clone()));
                stat.is_some_and(|stat| stat.num_children > 0)
            } else {
                true
            };
            if is_listed && may_have_children {
                let children = patient::children(&self.client, &path).await?;
                rest.extend(children.iter().map(|name| names::join(&path, name)));
            }
        }
        for event in self.nodes.keep(&present) {
            self.tell(event);
        }
        Ok(())
    }

    /// Reads a znode, and tells what is new about it.
    async fn read(&self, path: &str) -> Result<Option<Stat>, Error> {
        // The watch tells if it is gone.
        let Some((data, stat)) = patient::data(&self.client, path).await? else {
            return Ok(None);
        };
        let node = CachedNode {
            path: path.to_owned(),
            data: data.unwrap_or_default(),
            stat,
        };
        for event in self.nodes.put(node) {
            self.tell(event);
        }
        Ok(Some(stat))
    }

    /// Whether a znode belongs into the cache.
    fn covers(&self, path: &str) -> bool {
        match self.extent {
            Extent::Node => path == self.root,
            Extent::Children => names::parent_of(path) == Some(&self.root),
            Extent::Tree => true,
        }
    }

    /// Whether a znode's children do.
    fn is_listed(&self, path: &str) -> bool {
        match self.extent {
            Extent::Node => false,
            Extent::Children => path == self.root,
            Extent::Tree => true,
        }
    }

    fn tell(&self, event: CacheEvent) {
        // Who wants no events still has the znodes.
        let _ = self.events.send(event);
    }
}
