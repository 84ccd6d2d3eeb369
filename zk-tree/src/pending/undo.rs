//! Taking back what a multi changed before one of its parts failed
//! (`rollbackPendingChanges`).

use super::{Pending, Record};

/// The records as they were, while somebody may want them back.
#[derive(Debug, Default)]
pub(super) struct Undo {
    active: bool,
    before: Vec<(u32, Record)>,
}

impl Undo {
    /// Called before a record changes.
    pub(super) fn note(&mut self, record: u32, records: &[Record]) {
        if self.active {
            self.before.push((record, records[record as usize]));
        }
    }
}

/// A state to which [`Pending::roll_back`] returns.
#[derive(Debug)]
pub(crate) struct Mark {
    records: usize,
    text: usize,
    lists: usize,
    ephemerals: usize,
    quota: usize,
    digest: Option<u64>,
}

impl Pending {
    /// From here on changes can be taken back. Sessions do not change inside
    /// a multi, so they are not.
    pub(crate) fn mark(&mut self) -> Mark {
        self.undo.active = true;
        self.undo.before.clear();
        Mark {
            records: self.records.len(),
            text: self.text.len(),
            lists: self.lists.len(),
            ephemerals: self.ephemerals.len(),
            quota: self.quota.len(),
            digest: self.digest,
        }
    }

    /// The changes since the last mark are to stay.
    pub(crate) fn keep(&mut self) {
        self.undo.active = false;
    }

    /// Takes back every change since `mark`.
    pub(crate) fn roll_back(&mut self, mark: &Mark) {
        self.undo.active = false;
        while let Some((record, before)) = self.undo.before.pop() {
            self.records[record as usize] = before;
        }
        for record in mark.records..self.records.len() {
            let hash = super::spread(self.records[record].hash);
            let is_it = |entry: &super::Entry| entry.record as usize == record;
            if let Ok(entry) = self.index.find_entry(hash, is_it) {
                entry.remove();
            }
        }
        self.records.truncate(mark.records);
        self.text.truncate(mark.text);
        self.lists.truncate(mark.lists);
        self.ephemerals.truncate(mark.ephemerals);
        self.quota.truncate(mark.quota);
        self.digest = mark.digest;
    }
}
