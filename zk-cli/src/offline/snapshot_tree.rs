//! A snapshot in memory, as far as the tools look at it: paths, numbers and
//! sizes, and who is whose child.

use super::java_set;
use crate::error::CliError;
use std::collections::HashMap;
use std::path::Path;
use zk_log::{Compression, FileStorage, LogError, SnapshotEnd, SnapshotItem, SnapshotReader};
use zk_proto::snapshot::{NodeEntry, SessionEntry};
use zk_proto::{EphemeralType, StatPersisted, Zxid};

/// The znodes of a snapshot; the first is the root, parents come before their
/// children.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) sessions: Vec<SessionEntry>,
    /// What stands at the end, or why it cannot be trusted. What was read
    /// before is there all the same.
    pub(super) end: Option<Result<SnapshotEnd, String>>,
}

#[derive(Debug)]
pub(super) struct Node {
    /// "" for the root.
    pub(super) path: Box<str>,
    pub(super) stat: StatPersisted,
    pub(super) length: usize,
    /// Only if it was asked for.
    pub(super) data: Option<Box<[u8]>>,
    /// Indices, in the file's order.
    pub(super) children: Vec<usize>,
}

impl Node {
    /// What stands behind the last slash.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// The path, with that of the root written out.
    pub(super) fn shown_path(&self) -> &str {
        match &*self.path {
            "" => "/",
            path => path,
        }
    }
}

impl Tree {
    /// Reads a snapshot; a damaged one as far as it goes.
    pub(super) fn read(path: &Path, with_data: bool) -> Result<Self, CliError> {
        let mut reader = open(path)?;
        let mut tree = Self::default();
        let mut index = HashMap::new();
        let end = loop {
            match reader.next() {
                Ok(SnapshotItem::Session(session)) => tree.sessions.push(session),
                Ok(SnapshotItem::Acl(_)) => {}
                Ok(SnapshotItem::Node(node)) => {
                    if let Err(what) = tree.add(&node, with_data, &mut index) {
                        break Err(what);
                    }
                }
                Ok(SnapshotItem::End(end)) => break Ok(end),
                Err(error) => break Err(error.to_string()),
            }
        };
        match (tree.nodes.is_empty(), end) {
            (true, Err(what)) => Err(CliError::new(what)),
            (_, end) => {
                tree.end = Some(end);
                Ok(tree)
            }
        }
    }

    fn add(
        &mut self,
        entry: &NodeEntry<'_>,
        with_data: bool,
        index: &mut HashMap<Box<str>, usize>,
    ) -> Result<(), String> {
        let path: Box<str> = entry.path.as_str().into();
        let at = self.nodes.len();
        if let Some((parent, _)) = path.rsplit_once('/') {
            let parent = index
                .get(parent)
                .ok_or_else(|| format!("{path} stands before its parent"))?;
            self.nodes[*parent].children.push(at);
        } else if at != 0 {
            return Err(format!("{path:?} is no path"));
        }
        let data = entry.data.as_ref().map(|data| data.0);
        self.nodes.push(Node {
            path: path.clone(),
            stat: entry.stat,
            length: data.map_or(0, <[u8]>::len),
            data: data.filter(|_| with_data).map(Into::into),
            children: Vec::new(),
        });
        index.insert(path, at);
        Ok(())
    }

    /// Puts all children into the order of Java's hash sets.
    pub(super) fn order_as_java(&mut self) {
        for at in 0..self.nodes.len() {
            let children = std::mem::take(&mut self.nodes[at].children);
            let order = java_set::strings(children.iter().map(|&child| self.nodes[child].name()));
            self.nodes[at].children = order.into_iter().map(|at| children[at]).collect();
        }
    }

    /// The znodes below `start`, itself first: each with how deep it lies.
    pub(super) fn depth_first(&self, start: usize) -> impl Iterator<Item = (usize, &Node)> {
        let mut stack = vec![(0, start)];
        std::iter::from_fn(move || {
            let (depth, at) = stack.pop()?;
            let node = self.nodes.get(at)?;
            stack.extend(node.children.iter().rev().map(|&child| (depth + 1, child)));
            Some((depth, node))
        })
    }

    /// For every znode how many lie below it, and the bytes of it and them.
    pub(super) fn totals(&self) -> Vec<Totals> {
        let mut totals: Vec<_> = self
            .nodes
            .iter()
            .map(|node| Totals {
                descendants: 0,
                bytes: node.length as u64,
            })
            .collect();
        for at in (0..self.nodes.len()).rev() {
            for &child in &self.nodes[at].children {
                let below = totals[child];
                totals[at].descendants += below.descendants + 1;
                totals[at].bytes += below.bytes;
            }
        }
        totals
    }

    /// The ephemerals of each session.
    pub(super) fn ephemerals(&self) -> HashMap<i64, usize> {
        let mut counts = HashMap::new();
        for node in &self.nodes {
            let owner = EphemeralType::from_owner(node.stat.ephemeral_owner, true);
            if let EphemeralType::Normal(session) = owner {
                *counts.entry(session).or_default() += 1;
            }
        }
        counts
    }

    /// An error if the end was not as it should be.
    pub(super) fn check_end(&self) -> Result<(), CliError> {
        match &self.end {
            Some(Err(what)) => Err(CliError::new(what.clone())),
            _ => Ok(()),
        }
    }
}

/// What lies below a znode.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) descendants: u64,
    pub(super) bytes: u64,
}

/// Opens a snapshot under any name; a name that is none of a snapshot's
/// stands for no zxid.
pub(super) fn open(path: &Path) -> Result<SnapshotReader, CliError> {
    let name = super::file_name(path);
    let ending = |compression: &Compression| {
        *compression != Compression::Plain && name.ends_with(compression.ending())
    };
    let compression = Compression::ALL.into_iter().find(ending);
    let zxid = super::zxid_of_name(path).unwrap_or(Zxid::ZERO);
    let compression = compression.unwrap_or_default();
    SnapshotReader::open_as(&FileStorage, path, zxid, compression)
        .map_err(|error: LogError| CliError::new(error.to_string()))
}
