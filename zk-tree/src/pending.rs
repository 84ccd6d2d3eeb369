//! What was proposed and is not applied yet (`outstandingChanges`,
//! `ChangeRecord`): the state that each touched znode will have once all of
//! it is applied, and the tree's digest then.
//!
//! Entries are the latest state of their path, so one that has been applied
//! meanwhile is still right, and may be forgotten at any later time. Which
//! changes are legal is not known here.

mod sweep;
mod undo;

use crate::{AclIndex, DataTree, NodeRef, digest};
use foldhash::quality::FixedState;
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;
use std::sync::Arc;
use undo::Undo;
use zk_proto::{Acl, EphemeralType, SessionId, StatPersisted, Zxid};

/// With fewer entries than this there is no hurry to forget some.
const SWEEP_MIN: usize = 4096;

/// Capacity that is kept when everything is forgotten.
const KEPT_MAX: usize = 1 << 16;

/// Where a znode's access control list is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AclSource {
    /// In the tree's table.
    Tree(AclIndex),
    /// Among the pending lists.
    Pending(u32),
}

/// A znode as it will be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeState {
    pub(crate) stat: StatPersisted,
    pub(crate) children: u32,
    pub(crate) data_len: usize,
    /// [`digest::content_crc`]; 0 where the digest leaves the znode out.
    pub(crate) content_crc: u32,
    pub(crate) acl: AclSource,
}

impl NodeState {
    fn of(node: NodeRef<'_>) -> Self {
        Self {
            stat: node.stored(),
            children: node.num_children() as u32,
            data_len: node.data_len(),
            content_crc: node.content_crc(),
            acl: AclSource::Tree(node.acl_index()),
        }
    }

    /// Its part of the tree's digest.
    fn digest(&self) -> u64 {
        digest::node_digest(self.content_crc, &self.stat)
    }
}

/// What [`Pending::find`] found, with the place where to put a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    hash: u32,
    record: Option<u32>,
    /// `None` when there will be no such znode.
    pub(crate) state: Option<NodeState>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    path_start: usize,
    path_len: usize,
    hash: u32,
    zxid: Zxid,
    state: Option<NodeState>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    record: u32,
}

/// What will become of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SessionChange {
    Opened,
    Closing,
}

/// A change of what a quota counts.
#[derive(Clone, Debug)]
struct QuotaChange {
    zxid: Zxid,
    prefix: Box<str>,
    count: i64,
    bytes: i64,
}

/// The changes that were prepared and not applied yet.
#[derive(Debug)]
pub struct Pending {
    index: HashTable<Entry>,
    records: Vec<Record>,
    /// The paths of the records.
    text: String,
    lists: Vec<Arc<[Acl<'static>]>>,
    /// Records that were an ephemeral's at some time.
    ephemerals: Vec<u32>,
    sessions: HashMap<SessionId, (Zxid, SessionChange), FixedState>,
    quota: Vec<QuotaChange>,
    /// The digest after everything; the tree's own while nothing changes it.
    digest: Option<u64>,
    last_zxid: Zxid,
    /// Length beyond which it is time to forget what is applied.
    sweep_at: usize,
    undo: Undo,
    /// Room for names with numbers behind.
    pub(crate) name: String,
    hasher: FixedState,
}

impl Pending {
    /// Nothing pending. The seed keeps clients from choosing paths that
    /// collide.
    #[must_use]
    pub fn new(hash_seed: u64) -> Self {
        Self {
            index: HashTable::new(),
            records: Vec::new(),
            text: String::new(),
            lists: Vec::new(),
            ephemerals: Vec::new(),
            sessions: HashMap::with_hasher(FixedState::with_seed(hash_seed)),
            quota: Vec::new(),
            digest: None,
            last_zxid: Zxid(i64::MIN),
            sweep_at: SWEEP_MIN,
            undo: Undo::default(),
            name: String::new(),
            hasher: FixedState::with_seed(hash_seed),
        }
    }

    /// Whether the tree is all there is to know.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.sessions.is_empty() && self.digest.is_none()
    }

    /// Says that the tree has applied everything up to `zxid`. Free of cost
    /// when that was all; else entries are forgotten now and then.
    pub fn applied(&mut self, zxid: Zxid) {
        if zxid >= self.last_zxid {
            self.clear();
        } else if self.len() > self.sweep_at {
            self.sweep(zxid);
        }
    }

    /// Everything that takes memory.
    fn len(&self) -> usize {
        let lists = self.lists.len() + self.ephemerals.len() + self.quota.len();
        self.records.len() + self.sessions.len() + lists
    }

    /// Forgets everything: what was prepared will never be applied, or has
    /// been.
    pub fn clear(&mut self) {
        if self.index.capacity() > KEPT_MAX || self.text.capacity() > 64 * KEPT_MAX {
            let seed_kept = self.hasher.clone();
            *self = Self {
                hasher: seed_kept.clone(),
                sessions: HashMap::with_hasher(seed_kept),
                ..Self::new(0)
            };
            return;
        }
        self.index.clear();
        self.records.clear();
        self.text.clear();
        self.lists.clear();
        self.ephemerals.clear();
        self.sessions.clear();
        self.quota.clear();
        self.digest = None;
        self.last_zxid = Zxid(i64::MIN);
        self.sweep_at = SWEEP_MIN;
    }

    /// The znode at `path` as it will be. "" and "/" are one.
    #[inline]
    pub(crate) fn find(&self, tree: &DataTree, path: &str) -> Seen {
        let path = key(path);
        let hash = self.hash(path);
        match self.find_record(hash, path) {
            Some(record) => Seen {
                hash,
                record: Some(record),
                state: self.records[record as usize].state,
            },
            None => Seen {
                hash,
                record: None,
                state: tree.get(path).map(NodeState::of),
            },
        }
    }

    /// Makes `state` what the znode at `path` will be.
    pub(crate) fn put(
        &mut self,
        tree: &DataTree,
        path: &str,
        seen: &Seen,
        state: Option<NodeState>,
        zxid: Zxid,
    ) {
        self.change_digest(tree, path, seen.state, state);
        let record = match seen.record {
            Some(record) => {
                self.undo.note(record, &self.records);
                let entry = &mut self.records[record as usize];
                entry.state = state;
                entry.zxid = zxid;
                record
            }
            None => self.push(key(path), seen.hash, state, zxid),
        };
        if state.is_some_and(|state| is_ephemeral(tree, &state)) {
            self.ephemerals.push(record);
        }
        self.last_zxid = self.last_zxid.max(zxid);
    }

    /// The tree's digest after everything that is pending.
    pub(crate) fn digest(&self, tree: &DataTree) -> u64 {
        self.digest.unwrap_or_else(|| tree.digest())
    }

    /// The entries of a list, and whether it opens the znode to everyone.
    pub(crate) fn acl<'r>(
        &'r self,
        tree: &'r DataTree,
        source: AclSource,
    ) -> (&'r [Acl<'static>], bool) {
        match source {
            AclSource::Pending(list) => (&self.lists[list as usize], false),
            AclSource::Tree(index) => {
                let acl = tree.acl(index);
                (acl.entries(), acl.is_open())
            }
        }
    }

    /// Keeps a list for [`Pending::acl`].
    pub(crate) fn keep_acl(&mut self, acl: &[Acl<'_>]) -> AclSource {
        if is_open(acl) {
            return AclSource::Tree(AclIndex::OPEN);
        }
        if self.lists.last().is_none_or(|last| **last != *acl) {
            self.lists
                .push(acl.iter().cloned().map(Acl::into_owned).collect());
        }
        AclSource::Pending(self.lists.len() as u32 - 1)
    }

    /// What was decided of a session and is not applied yet.
    pub(crate) fn session(&self, session: SessionId) -> Option<SessionChange> {
        if self.sessions.is_empty() {
            return None;
        }
        self.sessions.get(&session).map(|(_, change)| *change)
    }

    pub(crate) fn put_session(&mut self, session: SessionId, change: SessionChange, zxid: Zxid) {
        self.sessions.insert(session, (zxid, change));
        self.last_zxid = self.last_zxid.max(zxid);
    }

    /// The ephemerals that a session will have, sorted.
    pub(crate) fn ephemerals(&self, tree: &DataTree, session: SessionId) -> Vec<String> {
        let mut paths = tree.ephemerals(session);
        if self.records.is_empty() {
            return paths;
        }
        let owned = |state: &NodeState| state.stat.ephemeral_owner == session.0;
        paths.retain(|path| self.find(tree, path).state.as_ref().is_some_and(owned));
        for record in &self.ephemerals {
            let record = &self.records[*record as usize];
            if record.state.as_ref().is_some_and(owned) {
                paths.push(self.path(record).to_owned());
            }
        }
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Notes that what the quota of `prefix` counts will change.
    pub(crate) fn put_quota(&mut self, prefix: &str, count: i64, bytes: i64, zxid: Zxid) {
        self.quota.push(QuotaChange {
            zxid,
            prefix: prefix.into(),
            count,
            bytes,
        });
    }

    /// The sum of the changes that the tree has not counted yet.
    pub(crate) fn quota(&self, tree: &DataTree, prefix: &str) -> (i64, i64) {
        self.quota
            .iter()
            .filter(|change| change.zxid > tree.last_zxid() && *change.prefix == *prefix)
            .fold((0, 0), |(count, bytes), change| {
                (count + change.count, bytes + change.bytes)
            })
    }

    fn change_digest(
        &mut self,
        tree: &DataTree,
        path: &str,
        before: Option<NodeState>,
        after: Option<NodeState>,
    ) {
        if !tree.is_digested(path) {
            return;
        }
        let part = |state: Option<NodeState>| state.map_or(0, |state| state.digest());
        let sum = self.digest(tree);
        self.digest = Some(sum.wrapping_sub(part(before)).wrapping_add(part(after)));
    }

    fn push(&mut self, path: &str, hash: u32, state: Option<NodeState>, zxid: Zxid) -> u32 {
        let record = u32::try_from(self.records.len()).expect("pending changes fit in memory");
        self.records.push(Record {
            path_start: self.text.len(),
            path_len: path.len(),
            hash,
            zxid,
            state,
        });
        self.text.push_str(path);
        self.index
            .insert_unique(spread(hash), Entry { hash, record }, |entry| {
                spread(entry.hash)
            });
        record
    }

    fn find_record(&self, hash: u32, path: &str) -> Option<u32> {
        if self.records.is_empty() {
            return None;
        }
        let is_it = |entry: &Entry| {
            entry.hash == hash && self.path(&self.records[entry.record as usize]) == path
        };
        self.index
            .find(spread(hash), is_it)
            .map(|entry| entry.record)
    }

    fn path(&self, record: &Record) -> &str {
        &self.text[record.path_start..record.path_start + record.path_len]
    }

    #[expect(clippy::cast_possible_truncation, reason = "32 bits are enough")]
    fn hash(&self, path: &str) -> u32 {
        self.hasher.hash_one(path) as u32
    }
}

fn is_open(acl: &[Acl<'_>]) -> bool {
    matches!(acl, [only] if *only == Acl::open())
}

fn is_ephemeral(tree: &DataTree, state: &NodeState) -> bool {
    matches!(
        tree.kind(state.stat.ephemeral_owner),
        EphemeralType::Normal(_)
    )
}

/// Java's tree knows the root by two names, which are one here.
fn key(path: &str) -> &str {
    if path == "/" { "" } else { path }
}

const fn spread(hash: u32) -> u64 {
    (hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests;
