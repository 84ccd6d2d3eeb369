//! The watched paths, each stored once, found by hash. This module does not
//! know who watches.

use super::slab::{NIL, Slab};
use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// A power of two. Each part grows alone, so that no watch waits for all
/// paths to be hashed again.
const SHARDS: usize = 64;

/// A watched path.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) text: Box<str>,
    hash: u32,
    /// First of the list of its watches.
    pub(super) head: u32,
    /// How many watches it has.
    pub(super) len: u32,
    /// How many of them are of the data side.
    pub(super) data_len: u32,
    /// Whether its watches stand in the pair index.
    pub(super) indexed: bool,
}

/// An entry of the index. The hash is kept so that growing touches no path.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    path: u32,
}

/// All watched paths.
#[derive(Debug)]
pub(super) struct Paths {
    slab: Slab<Path>,
    shards: Box<[HashTable<Entry>]>,
    hasher: FixedState,
}

impl Paths {
    pub(super) fn new(hash_seed: u64) -> Self {
        Self {
            slab: Slab::new(),
            shards: (0..SHARDS).map(|_| HashTable::new()).collect(),
            hasher: FixedState::with_seed(hash_seed),
        }
    }

    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hash(text);
        let found = |entry: &Entry| entry.hash == hash && *self.slab[entry.path].text == *text;
        self.shards[shard(hash)]
            .find(spread(hash), found)
            .map(|entry| entry.path)
    }

    /// The path's number; a new one if it was not watched.
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if let Some(path) = self.find(text) {
            return path;
        }
        let hash = self.hash(text);
        let path = self.slab.insert(Path {
            text: text.into(),
            hash,
            head: NIL,
            len: 0,
            data_len: 0,
            indexed: false,
        });
        let entry = Entry { hash, path };
        self.shards[shard(hash)].insert_unique(spread(hash), entry, |entry| spread(entry.hash));
        path
    }

    /// Forgets a path that has no watches left.
    pub(super) fn remove(&mut self, path: u32) {
        let hash = self.slab[path].hash;
        let table = &mut self.shards[shard(hash)];
        if let Ok(entry) = table.find_entry(spread(hash), |entry| entry.path == path) {
            entry.remove();
        }
        if table.is_empty() {
            *table = HashTable::new();
        }
        self.slab[path].text = Box::default();
        self.slab.release(path);
    }

    pub(super) fn get(&self, path: u32) -> &Path {
        &self.slab[path]
    }

    pub(super) fn get_mut(&mut self, path: u32) -> &mut Path {
        &mut self.slab[path]
    }

    /// The paths that are watched.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Path> {
        self.slab
            .iter()
            .map(|(_, path)| path)
            .filter(|path| path.len > 0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "32 bits are enough")]
    fn hash(&self, text: &str) -> u32 {
        self.hasher.hash_one(text) as u32
    }
}

const fn shard(hash: u32) -> usize {
    hash as usize % SHARDS
}

/// The table takes its tag from the highest bits and its bucket from the
/// lowest, of which the shard has used some.
fn spread(hash: u32) -> u64 {
    u64::from(hash)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(32)
}
