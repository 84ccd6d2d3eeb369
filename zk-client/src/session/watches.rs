//! Which watches a session has set, by the server's paths: needed to set them
//! again after a reconnect, and to know what a removal removed and which
//! watchers an event concerns. It knows these by number only.

use std::collections::BTreeMap;
use zk_proto::{EventType, Request, SetWatches, SetWatches2, Ustr, WatcherType, Zxid};

/// Paths of one setWatches are cut at this many bytes, so that a request stays
/// far below the limit of a server (`SET_WATCHES_MAX_LENGTH`).
const SET_WATCHES_BYTES: usize = 128 * 1024;

/// What a watch listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WatchKind {
    /// One shot, on a znode's data.
    Data,
    /// One shot, on a znode that was not there.
    Exist,
    /// One shot, on a znode's children.
    Child,
    /// Until removed, on a znode and its children.
    Persistent,
    /// Until removed, on a znode and all below it.
    Recursive,
}

const KINDS: [WatchKind; 5] = [
    WatchKind::Data,
    WatchKind::Exist,
    WatchKind::Child,
    WatchKind::Persistent,
    WatchKind::Recursive,
];

/// Who is told when a watch fires. The events of a session as a whole tell of
/// all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Whoever reads the events of the session.
    Everyone,
    /// One watcher of its own, by [`Session::poll_notice`](super::Session::poll_notice).
    One(WatcherId),
}

/// Names a watcher. Whoever drives the session gives the numbers, and gives
/// none twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WatcherId(pub u64);

/// Who listens to one watch of the server.
#[derive(Debug, Default)]
struct Interest {
    everyone: bool,
    watchers: Vec<WatcherId>,
}

impl Interest {
    const fn is_empty(&self) -> bool {
        !self.everyone && self.watchers.is_empty()
    }
}

/// The watches of a session. Ordered, so that a resumed session sends the same
/// bytes for the same watches.
#[derive(Debug, Default)]
pub(super) struct Watches {
    paths: [BTreeMap<String, Interest>; 5],
}

impl Watches {
    pub(super) fn set(&mut self, kind: WatchKind, path: String, listener: Listener) {
        let interest = self.paths[kind as usize].entry(path).or_default();
        match listener {
            Listener::Everyone => interest.everyone = true,
            Listener::One(id) => interest.watchers.push(id),
        }
    }

    /// One-shot watches that this event used up are forgotten; says which
    /// watchers hear of it.
    pub(super) fn fired(&mut self, event: EventType, path: &str) -> Vec<WatcherId> {
        let used_up: &[WatchKind] = match event {
            EventType::NodeCreated | EventType::NodeDataChanged => {
                &[WatchKind::Data, WatchKind::Exist]
            }
            EventType::NodeDeleted => &[WatchKind::Data, WatchKind::Exist, WatchKind::Child],
            EventType::NodeChildrenChanged => &[WatchKind::Child],
            _ => return Vec::new(),
        };
        let mut told = Vec::new();
        for kind in used_up {
            let interest = self.paths[*kind as usize].remove(path);
            told.extend(interest.into_iter().flat_map(|interest| interest.watchers));
        }
        self.add_persistent(&mut told, event, path);
        told
    }

    fn add_persistent(&self, told: &mut Vec<WatcherId>, event: EventType, path: &str) {
        if let Some(interest) = self.paths[WatchKind::Persistent as usize].get(path) {
            told.extend(&interest.watchers);
        }
        let recursive = &self.paths[WatchKind::Recursive as usize];
        // A recursive watch tells of the children themselves instead.
        if recursive.is_empty() || event == EventType::NodeChildrenChanged {
            return;
        }
        for above in path_and_ancestors(path) {
            told.extend(recursive.get(above).iter().flat_map(|i| &i.watchers));
        }
    }

    /// Forgets watches and says by which events their watchers hear of it.
    pub(super) fn remove(
        &mut self,
        path: &str,
        wanted: WatcherType,
    ) -> BTreeMap<EventType, Vec<WatcherId>> {
        let mut removed: BTreeMap<EventType, Vec<WatcherId>> = BTreeMap::new();
        for kind in KINDS.into_iter().filter(|kind| is_meant(*kind, wanted)) {
            if let Some(interest) = self.paths[kind as usize].remove(path) {
                let told = removed.entry(removal_event(kind)).or_default();
                told.extend(interest.watchers);
            }
        }
        removed
    }

    /// Forgets one watcher. A watch that nobody listens to any more is not set
    /// again after a reconnect. Says whether the watcher was there.
    pub(super) fn forget(&mut self, path: &str, id: WatcherId) -> bool {
        KINDS.into_iter().any(|kind| {
            let interests = &mut self.paths[kind as usize];
            let Some(interest) = interests.get_mut(path) else {
                return false;
            };
            let before = interest.watchers.len();
            interest.watchers.retain(|watcher| *watcher != id);
            let found = interest.watchers.len() < before;
            if interest.is_empty() {
                interests.remove(path);
            }
            found
        })
    }

    pub(super) fn is_set(&self, kind: WatchKind, path: &str) -> bool {
        self.paths[kind as usize].contains_key(path)
    }

    pub(super) fn is_any_set(&self, path: &str) -> bool {
        KINDS.into_iter().any(|kind| self.is_set(kind, path))
    }

    /// The watchers that stay when an event has come.
    pub(super) fn persistent_watchers(&self) -> Vec<WatcherId> {
        self.watchers_of(&[WatchKind::Persistent, WatchKind::Recursive])
    }

    pub(super) fn all_watchers(&self) -> Vec<WatcherId> {
        self.watchers_of(&KINDS)
    }

    fn watchers_of(&self, kinds: &[WatchKind]) -> Vec<WatcherId> {
        kinds
            .iter()
            .flat_map(|kind| self.paths[*kind as usize].values())
            .flat_map(|interest| interest.watchers.iter().copied())
            .collect()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Calls `send` with the requests that set all watches again on a new
    /// connection. The old form is used while it suffices, for old servers.
    pub(super) fn resume(&self, relative_zxid: Zxid, mut send: impl FnMut(&Request<'_>)) {
        let mut batch = Batch::new(relative_zxid);
        for kind in KINDS {
            for path in self.paths[kind as usize].keys() {
                batch.push(kind, path);
                if batch.bytes >= SET_WATCHES_BYTES {
                    send(&batch.take());
                }
            }
        }
        if batch.bytes > 0 {
            send(&batch.take());
        }
    }
}

const fn is_meant(kind: WatchKind, wanted: WatcherType) -> bool {
    match wanted {
        WatcherType::Any => true,
        WatcherType::Children => matches!(kind, WatchKind::Child),
        WatcherType::Data => matches!(kind, WatchKind::Data | WatchKind::Exist),
        WatcherType::Persistent => matches!(kind, WatchKind::Persistent),
        WatcherType::PersistentRecursive => matches!(kind, WatchKind::Recursive),
    }
}

const fn removal_event(kind: WatchKind) -> EventType {
    match kind {
        WatchKind::Data | WatchKind::Exist => EventType::DataWatchRemoved,
        WatchKind::Child => EventType::ChildWatchRemoved,
        WatchKind::Persistent | WatchKind::Recursive => EventType::PersistentWatchRemoved,
    }
}

/// `/a/b`, `/a`, `/`.
fn path_and_ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| match path.rfind('/') {
        _ if *path == "/" => None,
        Some(0) => Some("/"),
        at => at.map(|at| &path[..at]),
    })
}

/// One setWatches under construction.
struct Batch<'a> {
    relative_zxid: Zxid,
    paths: [Vec<Ustr<'a>>; 5],
    bytes: usize,
}

impl<'a> Batch<'a> {
    fn new(relative_zxid: Zxid) -> Self {
        Self {
            relative_zxid,
            paths: Default::default(),
            bytes: 0,
        }
    }

    fn push(&mut self, kind: WatchKind, path: &'a str) {
        self.paths[kind as usize].push(path.into());
        self.bytes += path.len() + 4;
    }

    fn take(&mut self) -> Request<'a> {
        self.bytes = 0;
        let [data, exist, child, persistent, recursive] = std::mem::take(&mut self.paths);
        let relative_zxid = self.relative_zxid;
        let (data, exist, child) = (Some(data), Some(exist), Some(child));
        if persistent.is_empty() && recursive.is_empty() {
            return Request::SetWatches(SetWatches {
                relative_zxid,
                data,
                exist,
                child,
            });
        }
        Request::SetWatches2(SetWatches2 {
            relative_zxid,
            data,
            exist,
            child,
            persistent: Some(persistent),
            recursive: Some(recursive),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resumed(watches: &Watches) -> Vec<(bool, [usize; 5])> {
        let len = |paths: &Option<Vec<Ustr<'_>>>| paths.as_ref().map_or(0, Vec::len);
        let mut sizes = Vec::new();
        watches.resume(Zxid(7), |request| match request {
            Request::SetWatches(r) => {
                assert_eq!(r.relative_zxid, Zxid(7));
                sizes.push((false, [len(&r.data), len(&r.exist), len(&r.child), 0, 0]));
            }
            Request::SetWatches2(r) => sizes.push((
                true,
                [
                    len(&r.data),
                    len(&r.exist),
                    len(&r.child),
                    len(&r.persistent),
                    len(&r.recursive),
                ],
            )),
            other => panic!("{other:?}"),
        });
        sizes
    }

    #[test]
    fn nothing_to_resume_sends_nothing() {
        assert_eq!(resumed(&Watches::default()), []);
    }

    #[test]
    fn one_shot_watches_use_the_old_request() {
        let mut watches = Watches::default();
        watches.set(WatchKind::Data, "/a".into(), Listener::Everyone);
        watches.set(WatchKind::Data, "/a".into(), Listener::Everyone);
        watches.set(WatchKind::Exist, "/b".into(), Listener::Everyone);
        watches.set(WatchKind::Child, "/a".into(), Listener::Everyone);
        assert_eq!(resumed(&watches), [(false, [1, 1, 1, 0, 0])]);
        watches.set(WatchKind::Recursive, "/".into(), Listener::Everyone);
        assert_eq!(resumed(&watches), [(true, [1, 1, 1, 0, 1])]);
    }

    #[test]
    fn many_watches_are_split_by_size() {
        let mut watches = Watches::default();
        for number in 0..3000 {
            watches.set(
                WatchKind::Child,
                format!("/{number:0>95}"),
                Listener::Everyone,
            );
        }
        let sizes = resumed(&watches);
        assert_eq!(sizes.len(), 3);
        assert_eq!(sizes.iter().map(|(_, n)| n[2]).sum::<usize>(), 3000);
    }

    #[test]
    fn events_use_up_one_shot_watches_only() {
        let mut watches = Watches::default();
        for kind in KINDS {
            watches.set(kind, "/a".into(), Listener::Everyone);
        }
        watches.fired(EventType::NodeDataChanged, "/a");
        assert_eq!(resumed(&watches), [(true, [0, 0, 1, 1, 1])]);
        watches.fired(EventType::NodeDeleted, "/a");
        assert_eq!(resumed(&watches), [(true, [0, 0, 0, 1, 1])]);
    }

    #[test]
    fn a_removal_names_each_kind_once() {
        let mut watches = Watches::default();
        watches.set(WatchKind::Persistent, "/a".into(), Listener::Everyone);
        watches.set(WatchKind::Recursive, "/a".into(), Listener::Everyone);
        watches.set(WatchKind::Child, "/a".into(), Listener::Everyone);
        assert!(watches.remove("/a", WatcherType::Data).is_empty());
        assert_eq!(
            watches.remove("/a", WatcherType::Any),
            BTreeMap::from([
                (EventType::ChildWatchRemoved, vec![]),
                (EventType::PersistentWatchRemoved, vec![])
            ])
        );
        assert!(watches.remove("/a", WatcherType::Any).is_empty());
    }
}
