//! setWatches: a client that was away names what it watched; what changed
//! meanwhile is told at once, the rest is watched again
//! (`DataTree.setWatches`).

use super::{WatchKind, WatcherId, Watches};
use zk_proto::{EventType, SetWatches, SetWatches2, Ustr, Zxid};

/// The lists of a setWatches or setWatches2 up to the first null one, at which
/// Apache stumbles when it has served those before it.
#[derive(Clone, Copy, Debug)]
pub struct WatchLists<'r, 'a> {
    /// Whether none of them is null; else the answer is `MARSHALLING_ERROR`.
    pub is_whole: bool,
    /// Last zxid that the client saw.
    pub since: Zxid,
    /// Paths with data watches on znodes that existed.
    pub data: &'r [Ustr<'a>],
    /// Paths with data watches on znodes that did not exist.
    pub exist: &'r [Ustr<'a>],
    /// Paths with child watches.
    pub child: &'r [Ustr<'a>],
    /// Paths with persistent watches.
    pub persistent: &'r [Ustr<'a>],
    /// Paths with recursive watches.
    pub recursive: &'r [Ustr<'a>],
}

/// When a znode last changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeTimes {
    /// Its data.
    pub mzxid: Zxid,
    /// Its children.
    pub pzxid: Zxid,
}

impl<'r, 'a> From<&'r SetWatches<'a>> for WatchLists<'r, 'a> {
    fn from(request: &'r SetWatches<'a>) -> Self {
        let lists = [&request.data, &request.exist, &request.child];
        let ([data, exist, child], is_whole) = up_to_null(lists);
        Self {
            is_whole,
            since: request.relative_zxid,
            data,
            exist,
            child,
            persistent: &[],
            recursive: &[],
        }
    }
}

impl<'r, 'a> From<&'r SetWatches2<'a>> for WatchLists<'r, 'a> {
    fn from(request: &'r SetWatches2<'a>) -> Self {
        let ([data, exist, child, persistent, recursive], is_whole) = up_to_null([
            &request.data,
            &request.exist,
            &request.child,
            &request.persistent,
            &request.recursive,
        ]);
        Self {
            is_whole,
            since: request.relative_zxid,
            data,
            exist,
            child,
            persistent,
            recursive,
        }
    }
}

type List<'a> = Option<Vec<Ustr<'a>>>;

/// The lists, empty from the first null one on, and whether there was none.
fn up_to_null<'r, 'a, const N: usize>(lists: [&'r List<'a>; N]) -> ([&'r [Ustr<'a>]; N], bool) {
    let mut is_whole = true;
    let lists = lists.map(|list| match list {
        Some(list) if is_whole => list.as_slice(),
        _ => {
            is_whole = false;
            &[]
        }
    });
    (lists, is_whole)
}

impl Watches {
    /// Sets the watches of a client that came back. `node` looks a znode up;
    /// `missed` is told of each change since then, in the order of the lists,
    /// and that watch counts as used up. These events go out with zxid -1,
    /// unseen by ACLs.
    pub fn set_again(
        &mut self,
        watcher: WatcherId,
        lists: &WatchLists<'_, '_>,
        node: impl Fn(&str) -> Option<NodeTimes>,
        mut missed: impl FnMut(EventType, &str),
    ) {
        let since = lists.since;
        let mut settle = |path: &str, event: Option<EventType>, kind| match event {
            Some(event) => missed(event, path),
            None => self.add(watcher, Some(path), kind),
        };
        for path in lists.data {
            settle(path, data_event(node(path), since), WatchKind::Data);
        }
        for path in lists.exist {
            let event = node(path).map(|_| EventType::NodeCreated);
            settle(path, event, WatchKind::Data);
        }
        for path in lists.child {
            settle(path, child_event(node(path), since), WatchKind::Child);
        }
        for path in lists.persistent {
            settle(path, None, WatchKind::Persistent);
        }
        for path in lists.recursive {
            settle(path, None, WatchKind::Recursive);
        }
    }
}

fn data_event(node: Option<NodeTimes>, since: Zxid) -> Option<EventType> {
    match node {
        None => Some(EventType::NodeDeleted),
        Some(node) => (node.mzxid > since).then_some(EventType::NodeDataChanged),
    }
}

fn child_event(node: Option<NodeTimes>, since: Zxid) -> Option<EventType> {
    match node {
        None => Some(EventType::NodeDeleted),
        Some(node) => (node.pzxid > since).then_some(EventType::NodeChildrenChanged),
    }
}
