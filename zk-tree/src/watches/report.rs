//! What operators are shown: the four-letter words wchs, wchp and wchc, and
//! the count in mntr. Apache's words show its data manager alone; so do
//! these.

use super::kinds::Kinds;
use super::{WatcherId, Watches, walk};

/// Counts for wchs (`WatchesSummary`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchSummary {
    /// Connections that have data watches, or had some that fired.
    pub connections: usize,
    /// Paths with data watches.
    pub paths: usize,
    /// Pairs of a connection and a path with data watches.
    pub watches: usize,
}

/// Counts that are kept along.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Totals {
    data: usize,
    child: usize,
    pub(super) data_paths: usize,
}

impl Totals {
    pub(super) fn change(&mut self, before: Kinds, after: Kinds) {
        self.data += usize::from(after.has_data());
        self.data -= usize::from(before.has_data());
        self.child += usize::from(after.has_child());
        self.child -= usize::from(before.has_child());
    }
}

impl Watches {
    /// `zk_watch_count`: pairs of a connection and a path, counted once for
    /// data and once for child watches. Persistent ones are both.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.totals.data + self.totals.child
    }

    /// The counts of wchs.
    #[must_use]
    pub fn summary(&self) -> WatchSummary {
        WatchSummary {
            connections: self.watchers.iter().filter(|(_, of)| of.listed).count(),
            paths: self.totals.data_paths,
            watches: self.totals.data,
        }
    }

    /// Shows data watches, one after the other, to whom collects them for
    /// wchp and wchc in turns short enough for a lock: at most `limit` places
    /// from `first` on, 0 at the beginning. Returns where the next turn
    /// begins, if there is one.
    ///
    /// What changes between two turns may be seen or not, or twice.
    pub fn data_watches(
        &self,
        first: u32,
        limit: u32,
        visit: &mut impl FnMut(WatcherId, &str),
    ) -> Option<u32> {
        let (part, next) = self.watches.part(first, limit);
        for watch in part.iter().filter(|watch| watch.kinds.has_data()) {
            let watcher = &self.watchers[watch.watcher];
            visit(watcher.id, &self.paths.get(watch.path).text);
        }
        next
    }

    /// Shows the connections of [`WatchSummary::connections`] in turns, as
    /// [`Watches::data_watches`] does.
    pub fn listed_connections(
        &self,
        first: u32,
        limit: u32,
        visit: &mut impl FnMut(WatcherId),
    ) -> Option<u32> {
        let (part, next) = self.watchers.part(first, limit);
        for watcher in part.iter().filter(|watcher| watcher.listed) {
            visit(watcher.id);
        }
        next
    }

    /// The paths with data watches and who has them (wchp), in no order.
    pub fn by_path(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = WatcherId>)> {
        self.paths
            .iter()
            .filter(|path| path.data_len > 0)
            .map(|path| {
                let watches = walk::list(path.head, |watch| self.watches[watch].path_next)
                    .filter(|watch| self.watches[*watch].kinds.has_data())
                    .map(|watch| self.watchers[self.watches[watch].watcher].id);
                (&*path.text, watches)
            })
    }

    /// The connections of [`WatchSummary::connections`] and the paths of
    /// their data watches (wchc), in no order.
    pub fn by_connection(&self) -> impl Iterator<Item = (WatcherId, impl Iterator<Item = &str>)> {
        self.by_id
            .iter()
            .map(|watcher| &self.watchers[*watcher])
            .filter(|watcher| watcher.listed)
            .map(|watcher| {
                let paths = walk::list(watcher.head, |watch| self.watches[watch].watcher_next)
                    .filter(|watch| self.watches[*watch].kinds.has_data())
                    .map(|watch| &*self.paths.get(self.watches[watch].path).text);
                (watcher.id, paths)
            })
    }
}
