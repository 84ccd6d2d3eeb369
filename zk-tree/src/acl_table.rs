//! Access control lists, each stored once and counted
//! (`ReferenceCountedACLCache`). What a list permits is decided elsewhere.

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;
use zk_proto::snapshot::OPEN_ACL_INDEX;
use zk_proto::{Acl, Id, Perms, Ustr};

/// Number of a list in a tree's table. Local to one tree: the same list may
/// have other numbers elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AclIndex(pub(crate) u32);

impl AclIndex {
    /// No list at all, which opens the znode to everyone.
    pub const OPEN: Self = Self(0);

    /// The number in snapshots; -1 for [`AclIndex::OPEN`].
    #[must_use]
    pub const fn stored(self) -> i64 {
        match self.0 {
            0 => OPEN_ACL_INDEX,
            index => index as i64,
        }
    }
}

static OPEN_LIST: [Acl<'static>; 1] = [Acl {
    perms: Perms::ALL,
    id: Id {
        scheme: Some(Ustr(Cow::Borrowed("world"))),
        id: Some(Ustr(Cow::Borrowed("anyone"))),
    },
}];

/// A list that permits nothing to anyone. A znode gets it whose list is not
/// in the snapshot; the log behind the snapshot holds the right one.
pub(crate) static CLOSED_LIST: [Acl<'static>; 1] = [Acl {
    perms: Perms(0),
    id: Id {
        scheme: Some(Ustr(Cow::Borrowed("world"))),
        id: Some(Ustr(Cow::Borrowed("anyone"))),
    },
}];

/// An access control list of a tree.
#[derive(Debug, Clone, Copy)]
pub struct AclRef<'a> {
    index: AclIndex,
    entries: &'a [Acl<'static>],
    open: bool,
}

impl<'a> AclRef<'a> {
    /// The entries. `world:anyone` with all permissions where a znode has no
    /// list; may be empty.
    #[must_use]
    pub const fn entries(&self) -> &'a [Acl<'static>] {
        self.entries
    }

    /// Whether everybody may do everything, so that no entry need be looked
    /// at. An empty list is open, too.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Its number in the tree's table.
    #[must_use]
    pub const fn index(&self) -> AclIndex {
        self.index
    }
}

impl PartialEq for AclRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

#[derive(Debug)]
struct Entry {
    list: Arc<[Acl<'static>]>,
    /// Znodes that have this list; 0 for an entry that may be used again.
    uses: usize,
    open: bool,
}

/// Every list that a znode has, by number and by content.
#[derive(Debug)]
pub(crate) struct AclTable {
    /// Entry `i` has the number `i + 1`.
    entries: Vec<Entry>,
    free: Vec<AclIndex>,
    by_list: HashTable<AclIndex>,
    hasher: FixedState,
    /// The list that was asked for last: often it is the next one, too.
    last: AclIndex,
}

impl AclTable {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            by_list: HashTable::new(),
            hasher: FixedState::with_seed(seed),
            last: AclIndex::OPEN,
        }
    }

    /// Lists in use.
    pub(crate) fn len(&self) -> usize {
        self.by_list.len()
    }

    pub(crate) fn get(&self, index: AclIndex) -> AclRef<'_> {
        match self.entry(index) {
            None => AclRef {
                index,
                entries: &OPEN_LIST,
                open: true,
            },
            Some(entry) => AclRef {
                index,
                entries: &entry.list,
                open: entry.open,
            },
        }
    }

    /// The list itself, to compare it later by its address; `None` for
    /// [`AclIndex::OPEN`].
    pub(crate) fn list(&self, index: AclIndex) -> Option<&Arc<[Acl<'static>]>> {
        self.entry(index).map(|entry| &entry.list)
    }

    /// Every list in use with its number, in order of the numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AclIndex, &Arc<[Acl<'static>]>)> {
        (1u32..)
            .zip(&self.entries)
            .filter(|(_, entry)| entry.uses > 0)
            .map(|(index, entry)| (AclIndex(index), &entry.list))
    }

    /// The number of `list`, counting one use more.
    pub(crate) fn acquire(&mut self, list: Option<&[Acl<'_>]>) -> AclIndex {
        let Some(list) = list else {
            return AclIndex::OPEN;
        };
        let index = match self.find(list) {
            Some(index) => index,
            None => self.add(list),
        };
        self.entry_mut(index).uses += 1;
        self.last = index;
        index
    }

    /// Counts one use more of a number that is in use.
    pub(crate) fn acquire_again(&mut self, index: AclIndex) {
        if index != AclIndex::OPEN {
            self.entry_mut(index).uses += 1;
        }
    }

    /// Counts one use less, and forgets the list after the last one.
    pub(crate) fn release(&mut self, index: AclIndex) {
        if index == AclIndex::OPEN {
            return;
        }
        let entry = self.entry_mut(index);
        assert!(entry.uses > 0, "a list is released once a use");
        entry.uses -= 1;
        if entry.uses == 0 {
            self.forget(index);
        }
    }

    fn find(&self, list: &[Acl<'_>]) -> Option<AclIndex> {
        if self.list(self.last).is_some_and(|last| **last == *list) {
            return Some(self.last);
        }
        self.by_list
            .find(self.hasher.hash_one(list), |&index| {
                self.list(index).is_some_and(|known| **known == *list)
            })
            .copied()
    }

    fn add(&mut self, list: &[Acl<'_>]) -> AclIndex {
        let entry = Entry {
            list: list.iter().cloned().map(Acl::into_owned).collect(),
            uses: 0,
            open: list.is_empty() || list.contains(&OPEN_LIST[0]),
        };
        let index = match self.free.pop() {
            Some(index) => {
                *self.entry_mut(index) = entry;
                index
            }
            None => {
                self.entries.push(entry);
                AclIndex(u32::try_from(self.entries.len()).expect("lists are fewer than znodes"))
            }
        };
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.by_list
            .insert_unique(hasher.hash_one(list), index, |index| {
                hasher.hash_one(&*entries[index.0 as usize - 1].list)
            });
        index
    }

    fn forget(&mut self, index: AclIndex) {
        let entry = self.entry_mut(index);
        let list = std::mem::replace(&mut entry.list, Arc::from([]));
        self.by_list
            .find_entry(self.hasher.hash_one(&*list), |&other| other == index)
            .expect("every list is found by its content")
            .remove();
        self.free.push(index);
        if self.last == index {
            self.last = AclIndex::OPEN;
        }
    }

    fn entry(&self, index: AclIndex) -> Option<&Entry> {
        self.entries.get((index.0 as usize).checked_sub(1)?)
    }

    fn entry_mut(&mut self, index: AclIndex) -> &mut Entry {
        &mut self.entries[index.0 as usize - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_only() -> [Acl<'static>; 1] {
        [Acl::new(Perms::READ, "world", "anyone")]
    }

    #[test]
    fn one_list_has_one_number_until_its_last_use() {
        let mut table = AclTable::new(1);
        let open = table.acquire(Some(&[Acl::open()]));
        let read = table.acquire(Some(&read_only()));
        assert_ne!(open, read);
        assert_eq!(table.acquire(Some(&read_only())), read);
        table.release(read);
        assert_eq!(table.get(read).entries(), read_only());
        table.release(read);
        assert_eq!(table.len(), 1);
        let other = table.acquire(Some(&[]));
        assert_eq!(other, read, "numbers are used again");
        assert_eq!(table.iter().count(), 2);
    }

    #[test]
    fn openness_is_known_without_looking() {
        let mut table = AclTable::new(1);
        let open = table.acquire(Some(&[Acl::open()]));
        let read = table.acquire(Some(&read_only()));
        let empty = table.acquire(Some(&[]));
        assert!(table.get(AclIndex::OPEN).is_open() && table.get(open).is_open());
        assert!(table.get(empty).is_open() && !table.get(read).is_open());
        assert_eq!(table.acquire(None), AclIndex::OPEN);
        assert_eq!(table.get(AclIndex::OPEN).entries(), [Acl::open()]);
        assert_eq!((AclIndex::OPEN.stored(), read.stored()), (-1, 2));
    }
}
