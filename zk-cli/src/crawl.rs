//! A subtree read as fast as the session allows: many requests are on their
//! way at any time, and no more of the subtree is held than what is being
//! read and what is known to come. Parents come before their children; the
//! order of siblings means nothing.

use crate::paths::{below, child};
use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{FuturesOrdered, StreamExt};
use zk_client::{Acl, Client, Error, ErrorCode, ReadOp, ReadResult, Stat};

/// What to read of each znode besides its Stat.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    pub(crate) data: bool,
    pub(crate) acl: bool,
}

/// A znode that was read.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) path: String,
    pub(crate) stat: Stat,
    pub(crate) data: Option<Bytes>,
    pub(crate) acl: Vec<Acl<'static>>,
    /// Names, sorted.
    pub(crate) children: Vec<String>,
}

/// Znodes asked for at a time.
const BATCH: usize = 128;
/// Data asked for at a time should be about this much.
const BATCH_BYTES: usize = 1 << 20;
/// Batches on their way.
const FLIGHTS: usize = 4;

type Batch = Vec<(String, Result<Found, Error>)>;

/// A walk over a subtree.
pub(crate) struct Crawl {
    client: Client,
    root: String,
    wanted: Wanted,
    /// Levels below the root that are read.
    deepest: usize,
    /// Left out, with everything below it.
    without: Option<&'static str>,
    to_read: Vec<String>,
    flights: FuturesOrdered<BoxFuture<'static, Batch>>,
    batch: usize,
    /// Znodes that nobody may read here.
    refused: Vec<String>,
}

impl Crawl {
    /// A walk over `root` and what lies below it.
    pub(crate) fn new(client: &Client, root: &str, wanted: Wanted) -> Self {
        Self {
            client: client.clone(),
            root: root.to_owned(),
            wanted,
            deepest: usize::MAX,
            without: None,
            to_read: vec![root.to_owned()],
            flights: FuturesOrdered::new(),
            batch: 16,
            refused: Vec::new(),
        }
    }

    /// Leaves out what belongs to ZooKeeper itself.
    pub(crate) fn without_system(mut self) -> Self {
        self.without = Some("/zookeeper");
        self
    }

    /// Reads so many levels below the root, and no more.
    pub(crate) fn no_deeper(mut self, levels: usize) -> Self {
        self.deepest = levels;
        self
    }

    /// Some more znodes; `None` when all were read.
    ///
    /// # Errors
    /// Of the root and of the session. A znode that went away meanwhile is
    /// none, one that may not be read is noted.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Found>>, Error> {
        loop {
            self.take_off();
            let Some(batch) = self.flights.next().await else {
                return Ok(None);
            };
            let found = self.land(batch)?;
            if !found.is_empty() {
                return Ok(Some(found));
            }
        }
    }

    /// All that is left, for subtrees that fit into memory.
    pub(crate) async fn all(&mut self) -> Result<Vec<Found>, Error> {
        let mut all = Vec::new();
        while let Some(mut found) = self.next().await? {
            all.append(&mut found);
        }
        Ok(all)
    }

    /// Znodes that were not read since an access control list forbids it.
    pub(crate) fn refused(&self) -> &[String] {
        &self.refused
    }

    fn take_off(&mut self) {
        while self.flights.len() < FLIGHTS && !self.to_read.is_empty() {
            let start = self.to_read.len().saturating_sub(self.batch);
            let mut paths = self.to_read.split_off(start);
            paths.reverse();
            let flight = read_all(self.client.clone(), paths, self.wanted);
            self.flights.push_back(Box::pin(flight));
        }
    }

    fn land(&mut self, batch: Batch) -> Result<Vec<Found>, Error> {
        let mut all = Vec::with_capacity(batch.len());
        for (path, found) in batch {
            match found {
                Ok(found) => {
                    self.note_children(&found);
                    all.push(found);
                }
                Err(error) if path == self.root => return Err(error),
                Err(error) => match error.code() {
                    Some(ErrorCode::NO_NODE) => {}
                    Some(ErrorCode::NO_AUTH) => self.refused.push(path),
                    _ => return Err(error),
                },
            }
        }
        self.adapt(&all);
        Ok(all)
    }

    fn note_children(&mut self, found: &Found) {
        let level = below(&self.root, &found.path).matches('/').count();
        if level >= self.deepest {
            return;
        }
        let names = found.children.iter().rev();
        let paths = names.map(|name| child(&found.path, name));
        let without = self.without;
        self.to_read
            .extend(paths.filter(|path| Some(path.as_str()) != without));
    }

    /// Large data is asked for in small batches.
    fn adapt(&mut self, found: &[Found]) {
        let bytes: usize = found
            .iter()
            .map(|found| found.data.as_ref().map_or(0, Bytes::len))
            .sum();
        let average = bytes / found.len().max(1);
        self.batch = (BATCH_BYTES / average.max(1)).clamp(1, BATCH);
    }
}

async fn read_all(client: Client, paths: Vec<String>, wanted: Wanted) -> Batch {
    let (contents, acls) = tokio::join!(
        contents(&client, &paths, wanted.data),
        acls(&client, &paths, wanted.acl),
    );
    let contents = match contents {
        Ok(contents) => contents,
        Err(error) => {
            return paths
                .into_iter()
                .map(|path| (path, Err(error.clone())))
                .collect();
        }
    };
    let children = contents.iter().zip(&paths).map(|(content, path)| {
        let has_children = matches!(content, Ok((_, stat)) if stat.num_children > 0);
        names(&client, path, has_children)
    });
    let children = join_all(children).await;
    let parts = contents.into_iter().zip(acls).zip(children);
    paths
        .into_iter()
        .zip(parts)
        .map(|(path, ((content, acl), children))| {
            let found = found(&path, content, acl, children);
            (path, found)
        })
        .collect()
}

fn found(
    path: &str,
    content: Result<(Option<Bytes>, Stat), Error>,
    acl: Result<Vec<Acl<'static>>, Error>,
    children: Result<Vec<String>, Error>,
) -> Result<Found, Error> {
    let (data, stat) = content?;
    Ok(Found {
        path: path.to_owned(),
        stat,
        data,
        acl: acl?,
        children: children?,
    })
}

type Content = Result<(Option<Bytes>, Stat), Error>;

async fn contents(
    client: &Client,
    paths: &[String],
    with_data: bool,
) -> Result<Vec<Content>, Error> {
    if !with_data {
        let stats = paths.iter().map(|path| stat(client, path));
        return Ok(join_all(stats).await);
    }
    let ops: Vec<ReadOp<'_>> = paths.iter().map(|path| ReadOp::Data(path)).collect();
    let results = client.multi_read(&ops).await?;
    let contents = results.into_iter().map(|result| match result? {
        ReadResult::Data(data, stat) => Ok((data, stat)),
        ReadResult::Children(_) => Ok((None, Stat::default())),
    });
    Ok(contents.collect())
}

async fn stat(client: &Client, path: &str) -> Content {
    match client.exists(path, false).await? {
        Some(stat) => Ok((None, stat)),
        None => Err(Error::Server {
            code: ErrorCode::NO_NODE,
            path: path.to_owned(),
        }),
    }
}

async fn acls(
    client: &Client,
    paths: &[String],
    wanted: bool,
) -> Vec<Result<Vec<Acl<'static>>, Error>> {
    let acls = paths.iter().map(async |path| match wanted {
        true => client.get_acl(path).await.map(|(acl, _)| acl),
        false => Ok(Vec::new()),
    });
    join_all(acls).await
}

async fn names(client: &Client, path: &str, wanted: bool) -> Result<Vec<String>, Error> {
    if !wanted {
        return Ok(Vec::new());
    }
    let mut names = client.get_children(path, false).await?;
    names.sort_unstable();
    Ok(names)
}
