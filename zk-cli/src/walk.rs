//! Walks over a subtree, without recursion: depth costs memory only.

use crate::paths::child;
use std::collections::VecDeque;
use zk_client::{Client, Error, ErrorCode};

/// A walk in the order of Apache's `visitSubTreeDFS`: a znode, then all its
/// children in order, then the same for each child.
pub(crate) struct Walk<'a> {
    client: &'a Client,
    watch: bool,
    /// Next to be visited.
    ready: VecDeque<String>,
    /// Visited, but not listed yet; the next one last.
    to_list: Vec<String>,
}

impl<'a> Walk<'a> {
    /// A walk that starts at `root`, which must exist. With `watch` it leaves
    /// one-shot watches where it passes.
    pub(crate) async fn start(client: &'a Client, root: &str, watch: bool) -> Result<Self, Error> {
        client.get_data(root, watch).await?;
        Ok(Self {
            client,
            watch,
            ready: VecDeque::from([root.to_owned()]),
            to_list: vec![root.to_owned()],
        })
    }

    /// The next path.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            if let Some(path) = self.ready.pop_front() {
                return Ok(Some(path));
            }
            let Some(path) = self.to_list.pop() else {
                return Ok(None);
            };
            self.list(&path).await?;
        }
    }

    async fn list(&mut self, path: &str) -> Result<(), Error> {
        let mut names = match self.client.get_children(path, self.watch).await {
            Ok(names) => names,
            // It went away since it was seen.
            Err(error) if error.code() == Some(ErrorCode::NO_NODE) => return Ok(()),
            Err(error) => return Err(error),
        };
        names.sort_unstable();
        self.ready
            .extend(names.iter().map(|name| child(path, name)));
        self.to_list.extend(self.ready.iter().rev().cloned());
        Ok(())
    }
}

/// All paths of a subtree, parents before children.
pub(crate) async fn list(client: &Client, root: &str) -> Result<Vec<String>, Error> {
    let mut paths = vec![root.to_owned()];
    let mut listed = 0;
    while listed < paths.len() {
        let names = client.get_children(&paths[listed], false).await?;
        let parent = paths[listed].clone();
        paths.extend(names.iter().map(|name| child(&parent, name)));
        listed += 1;
    }
    Ok(paths)
}
