//! Who is told of which change (`WatchManager`, `WatchStats`,
//! `PathParentIterator`).
//!
//! One value stands for Apache's two managers, of data and of child watches:
//! for a path and a connection there is one watch with a set of kinds. Paths
//! are taken as clients send them, without validation; only those that name
//! znodes ever fire. It does not know the tree, ACLs or sockets: whether an
//! event may be seen is for who delivers it.

mod kinds;
mod paths;
mod report;
mod set_watches;
mod slab;
mod walk;

pub use kinds::WatchKind;
pub use report::WatchSummary;
pub use set_watches::{NodeTimes, WatchLists};

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use kinds::Kinds;
use paths::Paths;
use slab::{NIL, Slab};
use std::hash::BuildHasher;
use zk_proto::{EventType, WatcherType};

/// A connection, by a number that the caller chose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WatcherId(pub u64);

/// Beyond this many watches on a path they are found by hash.
const WALKED_MAX: u32 = 8;

/// One connection on one path: a member of two lists.
#[derive(Clone, Copy, Debug)]
struct Watch {
    path: u32,
    watcher: u32,
    path_next: u32,
    path_prev: u32,
    watcher_next: u32,
    watcher_prev: u32,
    kinds: Kinds,
}

/// A connection that watches something, or was listed by [`Watches::summary`]
/// because it did.
#[derive(Debug)]
struct Watcher {
    id: WatcherId,
    head: u32,
    len: u32,
    data_len: u32,
    /// Set by a data watch and cleared when the last of them is removed on
    /// request, not when it fires: Apache counts connections so.
    listed: bool,
    /// The event that it was last told of.
    event: u64,
}

/// The watches of all connections of a server.
///
/// About 105 bytes and the path for a watch that is alone on its path, 40 for
/// each further one.
#[derive(Debug)]
pub struct Watches {
    paths: Paths,
    watches: Slab<Watch>,
    watchers: Slab<Watcher>,
    by_id: HashTable<u32>,
    /// Watches of paths with more than [`WALKED_MAX`] of them.
    pairs: HashTable<u32>,
    hasher: FixedState,
    len: usize,
    recursive_len: usize,
    event: u64,
    totals: report::Totals,
}

impl Watches {
    /// No watches. The seed keeps clients from choosing paths that collide.
    #[must_use]
    pub fn new(hash_seed: u64) -> Self {
        Self {
            paths: Paths::new(hash_seed),
            watches: Slab::new(),
            watchers: Slab::new(),
            by_id: HashTable::new(),
            pairs: HashTable::new(),
            hasher: FixedState::with_seed(hash_seed),
            len: 0,
            recursive_len: 0,
            event: 0,
            totals: report::Totals::default(),
        }
    }

    /// Whether no event can reach anybody.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets a watch. A null path is taken as "null", which no znode is called
    /// and which is what Apache prints for it.
    pub fn add(&mut self, watcher: WatcherId, path: Option<&str>, kind: WatchKind) {
        let path = self.paths.intern(path.unwrap_or("null"));
        let watcher = self.intern_watcher(watcher);
        let watch = match self.find(path, watcher) {
            Some(watch) => watch,
            None => self.link(path, watcher),
        };
        let kinds = self.watches[watch].kinds.with(kind.into());
        self.set_kinds(watch, kinds);
        if kinds.has_data() {
            self.watchers[watcher].listed = true;
        }
    }

    /// Whether the connection has such a watch on the path (checkWatches).
    #[must_use]
    pub fn contains(&self, watcher: WatcherId, path: Option<&str>, kind: WatcherType) -> bool {
        self.find_named(watcher, path)
            .is_some_and(|watch| self.watches[watch].kinds.intersects(kind.into()))
    }

    /// Removes such a watch of the connection on the path (removeWatches);
    /// whether there was one.
    pub fn remove(&mut self, watcher: WatcherId, path: Option<&str>, kind: WatcherType) -> bool {
        let Some(watch) = self.find_named(watcher, path) else {
            return false;
        };
        let Watch { kinds, watcher, .. } = self.watches[watch];
        if !kinds.intersects(kind.into()) {
            return false;
        }
        let left = kinds.without(kind.into());
        self.set_kinds(watch, left);
        if kinds.has_data() && self.watchers[watcher].data_len == 0 {
            self.watchers[watcher].listed = false;
        }
        self.unlink_if_empty(watch);
        self.forget_if_idle(watcher);
        true
    }

    /// Removes everything of a connection, in time proportional to it.
    pub fn remove_watcher(&mut self, watcher: WatcherId) {
        let Some(slot) = self.find_watcher(watcher) else {
            return;
        };
        while self.watchers[slot].head != NIL {
            let watch = self.watchers[slot].head;
            self.set_kinds(watch, Kinds::NONE);
            self.unlink_if_empty(watch);
        }
        self.watchers[slot].listed = false;
        self.forget_if_idle(slot);
    }

    /// Tells `deliver` of each connection that a change of `path` concerns,
    /// once, and uses one-shot watches up.
    ///
    /// A created or deleted znode is two events: `NodeCreated` or
    /// `NodeDeleted` of its path, then `NodeChildrenChanged` of its parent
    /// ("/" for the root).
    pub fn fire(&mut self, kind: EventType, path: &str, deliver: &mut impl FnMut(WatcherId)) {
        let concerned = Kinds::of_event(kind);
        if self.len == 0 || concerned == Kinds::NONE {
            return;
        }
        self.event += 1;
        if let Some(found) = self.paths.find(path) {
            self.fire_on(found, concerned, deliver);
        }
        if self.recursive_len > 0 && concerned.intersects(Kinds::RECURSIVE) {
            for ancestor in walk::ancestors(path) {
                if let Some(found) = self.paths.find(ancestor) {
                    self.fire_on(found, Kinds::RECURSIVE, deliver);
                }
            }
        }
    }

    fn fire_on(&mut self, path: u32, concerned: Kinds, deliver: &mut impl FnMut(WatcherId)) {
        let used_up = concerned.one_shots();
        let mut next = self.paths.get(path).head;
        while next != NIL {
            let number = next;
            let watch = self.watches[number];
            next = watch.path_next;
            if !watch.kinds.intersects(concerned) {
                continue;
            }
            let watcher = &mut self.watchers[watch.watcher];
            if watcher.event != self.event {
                watcher.event = self.event;
                deliver(watcher.id);
            }
            if watch.kinds.intersects(used_up) {
                self.set_kinds(number, watch.kinds.without(used_up));
                self.unlink_if_empty(number);
                self.forget_if_idle(watch.watcher);
            }
        }
    }

    fn find_named(&self, watcher: WatcherId, path: Option<&str>) -> Option<u32> {
        let path = self.paths.find(path.unwrap_or("null"))?;
        self.find(path, self.find_watcher(watcher)?)
    }

    /// The watch of a connection on a path: by walking a short list, else by
    /// hash.
    fn find(&self, path: u32, watcher: u32) -> Option<u32> {
        let entry = self.paths.get(path);
        if entry.indexed {
            let is_it = |watch: &u32| {
                let watch = &self.watches[*watch];
                watch.path == path && watch.watcher == watcher
            };
            return self
                .pairs
                .find(self.hash_pair(path, watcher), is_it)
                .copied();
        }
        walk::list(entry.head, |watch| self.watches[watch].path_next)
            .find(|watch| self.watches[*watch].watcher == watcher)
    }

    fn find_watcher(&self, id: WatcherId) -> Option<u32> {
        let is_it = |watcher: &u32| self.watchers[*watcher].id == id;
        self.by_id.find(self.hasher.hash_one(id), is_it).copied()
    }

    fn intern_watcher(&mut self, id: WatcherId) -> u32 {
        if let Some(watcher) = self.find_watcher(id) {
            return watcher;
        }
        let watcher = self.watchers.insert(Watcher {
            id,
            head: NIL,
            len: 0,
            data_len: 0,
            listed: false,
            event: 0,
        });
        let Self {
            by_id,
            watchers,
            hasher,
            ..
        } = self;
        by_id.insert_unique(hasher.hash_one(id), watcher, |watcher| {
            hasher.hash_one(watchers[*watcher].id)
        });
        watcher
    }

    fn hash_pair(&self, path: u32, watcher: u32) -> u64 {
        self.hasher.hash_one((path, watcher))
    }

    /// A watch without kinds, at the head of both lists.
    fn link(&mut self, path: u32, watcher: u32) -> u32 {
        let (path_next, watcher_next) = (self.paths.get(path).head, self.watchers[watcher].head);
        let watch = self.watches.insert(Watch {
            path,
            watcher,
            path_next,
            path_prev: NIL,
            watcher_next,
            watcher_prev: NIL,
            kinds: Kinds::NONE,
        });
        if path_next != NIL {
            self.watches[path_next].path_prev = watch;
        }
        if watcher_next != NIL {
            self.watches[watcher_next].watcher_prev = watch;
        }
        let entry = self.paths.get_mut(path);
        entry.head = watch;
        entry.len += 1;
        let (indexed, len) = (entry.indexed, entry.len);
        self.watchers[watcher].head = watch;
        self.watchers[watcher].len += 1;
        self.len += 1;
        if indexed {
            self.index_pair(watch);
        } else if len > WALKED_MAX {
            self.index_path(path);
        }
        watch
    }

    /// Puts all watches of a path that became popular into the pair index,
    /// where they stay until it has none.
    fn index_path(&mut self, path: u32) {
        self.paths.get_mut(path).indexed = true;
        let mut next = self.paths.get(path).head;
        while next != NIL {
            self.index_pair(next);
            next = self.watches[next].path_next;
        }
    }

    fn index_pair(&mut self, watch: u32) {
        let Self {
            pairs,
            watches,
            hasher,
            ..
        } = self;
        let hash = |watch: &u32| {
            let watch = &watches[*watch];
            hasher.hash_one((watch.path, watch.watcher))
        };
        pairs.insert_unique(hash(&watch), watch, hash);
    }

    /// Changes the kinds of a watch and every count that depends on them.
    fn set_kinds(&mut self, watch: u32, kinds: Kinds) {
        let Watch {
            path,
            watcher,
            kinds: before,
            ..
        } = self.watches[watch];
        self.watches[watch].kinds = kinds;
        self.totals.change(before, kinds);
        match (before.has_data(), kinds.has_data()) {
            (false, true) => {
                self.watchers[watcher].data_len += 1;
                let entry = self.paths.get_mut(path);
                entry.data_len += 1;
                self.totals.data_paths += usize::from(entry.data_len == 1);
            }
            (true, false) => {
                self.watchers[watcher].data_len -= 1;
                let entry = self.paths.get_mut(path);
                entry.data_len -= 1;
                self.totals.data_paths -= usize::from(entry.data_len == 0);
            }
            _ => {}
        }
        let recursive = |kinds: Kinds| usize::from(kinds.intersects(Kinds::RECURSIVE));
        self.recursive_len += recursive(kinds);
        self.recursive_len -= recursive(before);
    }

    /// Takes a watch that has no kinds out of both lists, and its path out of
    /// the table if it was the last.
    fn unlink_if_empty(&mut self, number: u32) {
        let watch = self.watches[number];
        if watch.kinds != Kinds::NONE {
            return;
        }
        if self.paths.get(watch.path).indexed {
            self.unindex_pair(number);
        }
        match watch.path_prev {
            NIL => self.paths.get_mut(watch.path).head = watch.path_next,
            prev => self.watches[prev].path_next = watch.path_next,
        }
        if watch.path_next != NIL {
            self.watches[watch.path_next].path_prev = watch.path_prev;
        }
        match watch.watcher_prev {
            NIL => self.watchers[watch.watcher].head = watch.watcher_next,
            prev => self.watches[prev].watcher_next = watch.watcher_next,
        }
        if watch.watcher_next != NIL {
            self.watches[watch.watcher_next].watcher_prev = watch.watcher_prev;
        }
        self.watches.release(number);
        self.len -= 1;
        self.watchers[watch.watcher].len -= 1;
        let entry = self.paths.get_mut(watch.path);
        entry.len -= 1;
        if entry.len == 0 {
            self.paths.remove(watch.path);
        }
    }

    fn unindex_pair(&mut self, number: u32) {
        let Watch { path, watcher, .. } = self.watches[number];
        let hash = self.hash_pair(path, watcher);
        if let Ok(entry) = self.pairs.find_entry(hash, |watch| *watch == number) {
            entry.remove();
        }
        if self.pairs.is_empty() {
            self.pairs = HashTable::new();
        }
    }

    /// Forgets a connection that watches nothing and is not listed.
    fn forget_if_idle(&mut self, slot: u32) {
        let watcher = &self.watchers[slot];
        if watcher.len > 0 || watcher.listed {
            return;
        }
        let hash = self.hasher.hash_one(watcher.id);
        if let Ok(entry) = self.by_id.find_entry(hash, |watcher| *watcher == slot) {
            entry.remove();
        }
        self.watchers.release(slot);
    }
}

#[cfg(test)]
mod tests;
