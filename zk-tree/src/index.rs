//! Finds a znode's number by the hash of its path. It holds neither paths nor
//! znodes: whether a number is the right one, the caller says.
//!
//! Many small tables instead of one: each grows on its own, so that no write
//! waits for a million entries to move. The hash is kept beside the number,
//! so that growing touches no znode.

use crate::node::NodeId;
use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};

const SHARD_BITS: u32 = 8;

/// The part of a path's hash that is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PathHash(u32);

impl PathHash {
    const fn shard(self) -> usize {
        (self.0 >> (32 - SHARD_BITS)) as usize
    }

    /// Spread over 64 bits: tables use the low and the highest ones.
    const fn spread(self) -> u64 {
        (self.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[derive(Debug)]
struct Entry {
    hash: PathHash,
    id: NodeId,
}

#[derive(Debug)]
pub(crate) struct PathIndex {
    hasher: FixedState,
    shards: Box<[HashTable<Entry>]>,
}

impl PathIndex {
    /// An empty index. Who does not know `seed` cannot choose paths that
    /// collide.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            hasher: FixedState::with_seed(seed),
            shards: (0..1 << SHARD_BITS).map(|_| HashTable::new()).collect(),
        }
    }

    pub(crate) fn hash(&self, path: &str) -> PathHash {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(path.as_bytes());
        PathHash((hasher.finish() >> 32) as u32)
    }

    /// The number with this hash that `is_it` accepts.
    pub(crate) fn find(
        &self,
        hash: PathHash,
        mut is_it: impl FnMut(NodeId) -> bool,
    ) -> Option<NodeId> {
        self.shards[hash.shard()]
            .find(hash.spread(), |entry| entry.hash == hash && is_it(entry.id))
            .map(|entry| entry.id)
    }

    /// Adds a number that is not there.
    pub(crate) fn insert(&mut self, hash: PathHash, id: NodeId) {
        self.shards[hash.shard()].insert_unique(hash.spread(), Entry { hash, id }, |entry| {
            entry.hash.spread()
        });
    }

    /// Removes a number that is there.
    pub(crate) fn remove(&mut self, hash: PathHash, id: NodeId) {
        self.shards[hash.shard()]
            .find_entry(hash.spread(), |entry| entry.id == id)
            .expect("every znode is in the index")
            .remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in() {
        let mut index = PathIndex::new(7);
        for id in 0..5000 {
            index.insert(index.hash(&format!("/{id}")), NodeId(id));
        }
        for id in (0..5000).step_by(2) {
            index.remove(index.hash(&format!("/{id}")), NodeId(id));
        }
        for id in 0..5000 {
            let found = index.find(index.hash(&format!("/{id}")), |it| it == NodeId(id));
            assert_eq!(found, (id % 2 == 1).then_some(NodeId(id)));
        }
    }

    #[test]
    fn equal_hashes_are_told_apart_by_the_caller() {
        let mut index = PathIndex::new(7);
        let hash = index.hash("/a");
        index.insert(hash, NodeId(1));
        index.insert(hash, NodeId(2));
        index.remove(hash, NodeId(1));
        assert_eq!(index.find(hash, |_| true), Some(NodeId(2)));
    }
}
