//! Znodes from anywhere into a tree: in multis, many on their way at a time,
//! parents before their children. The session keeps their order, so a child
//! never arrives before its parent.

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{FuturesOrdered, StreamExt};
use std::sync::Arc;
use zk_client::{Acl, Client, CreateMode, CreateOptions, Error, ErrorCode, Op};

/// A znode to be made.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) path: String,
    pub(super) data: Option<Bytes>,
    pub(super) acl: Vec<Acl<'static>>,
    pub(super) kind: Kind,
}

/// What a client can make; ephemerals belong to their session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Persistent,
    Container,
    /// With a time to live, in ms.
    Ttl(i64),
}

/// What to do with a znode that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Refuse,
    Skip,
    Overwrite,
}

/// Znodes in a multi.
const BATCH: usize = 256;
/// Bytes in a multi; a server takes 1 MiB.
const BATCH_BYTES: usize = 400 << 10;
/// Multis on their way.
const FLIGHTS: usize = 4;

type Flight = (Arc<Vec<Node>>, Result<(), Error>);

/// Makes znodes.
pub(super) struct Writer {
    client: Client,
    existing: Existing,
    batch: Vec<Node>,
    batch_bytes: usize,
    flights: FuturesOrdered<BoxFuture<'static, Flight>>,
    written: u64,
}

impl Node {
    fn options(&self) -> CreateOptions<'_> {
        let options = match self.kind {
            Kind::Persistent => CreateOptions::default(),
            Kind::Container => CreateOptions::new(CreateMode::Container),
            Kind::Ttl(ttl_ms) => CreateOptions::with_ttl(CreateMode::PersistentTtl, ttl_ms),
        };
        match self.acl.is_empty() {
            true => options,
            false => options.acl(&self.acl),
        }
    }

    /// About how many bytes it takes in a request.
    fn size(&self) -> usize {
        let acl: usize = self.acl.iter().map(|acl| acl.id.id().len() + 24).sum();
        self.path.len() + self.data.as_ref().map_or(0, Bytes::len) + acl + 32
    }
}

impl Writer {
    pub(super) fn new(client: &Client, existing: Existing) -> Self {
        Self {
            client: client.clone(),
            existing,
            batch: Vec::new(),
            batch_bytes: 0,
            flights: FuturesOrdered::new(),
            written: 0,
        }
    }

    /// Takes a znode, whose parent is there or was taken before.
    pub(super) async fn add(&mut self, node: Node) -> Result<(), Error> {
        let size = node.size();
        if self.batch.len() == BATCH || self.batch_bytes + size > BATCH_BYTES {
            self.send().await?;
        }
        self.batch_bytes += size;
        self.batch.push(node);
        Ok(())
    }

    /// Waits until all are made; answers how many.
    pub(super) async fn finish(mut self) -> Result<u64, Error> {
        self.send().await?;
        while !self.flights.is_empty() {
            self.land().await?;
        }
        Ok(self.written)
    }

    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    async fn send(&mut self) -> Result<(), Error> {
        if self.batch.is_empty() {
            return Ok(());
        }
        if self.flights.len() == FLIGHTS {
            self.land().await?;
        }
        let nodes = Arc::new(std::mem::take(&mut self.batch));
        self.batch_bytes = 0;
        let client = self.client.clone();
        // They leave, like they land, in the order in which they are pushed.
        self.flights.push_back(Box::pin(async move {
            let made = create_all(&client, &nodes).await;
            (nodes, made)
        }));
        Ok(())
    }

    async fn land(&mut self) -> Result<(), Error> {
        let Some((nodes, made)) = self.flights.next().await else {
            return Ok(());
        };
        match made {
            Ok(()) => {}
            Err(error) if self.existing != Existing::Refuse && is_in_the_way(&error) => {
                self.one_by_one(&nodes).await?;
            }
            Err(error) => return Err(error),
        }
        self.written += nodes.len() as u64;
        Ok(())
    }

    /// What is there already is skipped or set.
    async fn one_by_one(&self, nodes: &[Node]) -> Result<(), Error> {
        let creates = nodes.iter().map(|node| create(&self.client, node));
        let created = join_all(creates).await;
        let mut there = Vec::new();
        for (node, created) in nodes.iter().zip(created) {
            match created {
                Err(error) if error.code() == Some(ErrorCode::NODE_EXISTS) => there.push(node),
                created => created?,
            }
        }
        if self.existing == Existing::Overwrite {
            let sets = there.into_iter().map(|node| overwrite(&self.client, node));
            for set in join_all(sets).await {
                set?;
            }
        }
        Ok(())
    }
}

/// Whether making znodes one by one may do better: a multi found one that is
/// there, or lacked one that an earlier multi did not make.
fn is_in_the_way(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(ErrorCode::NODE_EXISTS | ErrorCode::NO_NODE)
    )
}

async fn create_all(client: &Client, nodes: &[Node]) -> Result<(), Error> {
    if let [node] = nodes {
        return create(client, node).await;
    }
    let ops: Vec<Op<'_>> = nodes
        .iter()
        .map(|node| Op::Create(&node.path, node.data.as_deref(), node.options()))
        .collect();
    client.multi(&ops).await.map(drop)
}

async fn create(client: &Client, node: &Node) -> Result<(), Error> {
    let data = node.data.as_deref();
    let created = client.create(&node.path, data, &node.options()).await;
    created.map(drop)
}

async fn overwrite(client: &Client, node: &Node) -> Result<(), Error> {
    let data = node.data.as_deref();
    client.set_data(&node.path, data, -1).await?;
    if !node.acl.is_empty() {
        client.set_acl(&node.path, &node.acl, -1).await?;
    }
    Ok(())
}
