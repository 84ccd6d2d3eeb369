//! Which watches hear of which event, and which are used up by it.

use super::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use zk_proto::{SetWatches, Ustr, Zxid};

const A: WatcherId = WatcherId(1);
const B: WatcherId = WatcherId(2);

fn fired(watches: &mut Watches, kind: EventType, path: &str) -> Vec<u64> {
    let mut who = Vec::new();
    watches.fire(kind, path, &mut |id| who.push(id.0));
    who.sort_unstable();
    who
}

#[test]
fn one_shots_fire_once_and_once_only() {
    let mut watches = Watches::new(0);
    watches.add(A, Some("/a"), WatchKind::Data);
    watches.add(A, Some("/a"), WatchKind::Data);
    watches.add(A, Some("/a"), WatchKind::Child);
    watches.add(B, Some("/a"), WatchKind::Data);
    assert_eq!(
        fired(&mut watches, EventType::NodeDataChanged, "/a"),
        [1, 2]
    );
    assert!(fired(&mut watches, EventType::NodeDataChanged, "/a").is_empty());
    assert_eq!(
        fired(&mut watches, EventType::NodeChildrenChanged, "/a"),
        [1]
    );
    assert!(watches.is_empty());
}

#[test]
fn a_deletion_uses_data_and_child_watches_up_at_once() {
    let mut watches = Watches::new(0);
    watches.add(A, Some("/a"), WatchKind::Data);
    watches.add(A, Some("/a"), WatchKind::Child);
    watches.add(B, Some("/a"), WatchKind::Child);
    assert_eq!(fired(&mut watches, EventType::NodeDeleted, "/a"), [1, 2]);
    assert!(watches.is_empty());
}

#[test]
fn child_watches_hear_no_creation_and_data_watches_no_children() {
    let mut watches = Watches::new(0);
    watches.add(A, Some("/a"), WatchKind::Child);
    watches.add(B, Some("/a"), WatchKind::Data);
    assert_eq!(fired(&mut watches, EventType::NodeCreated, "/a"), [2]);
    assert_eq!(
        fired(&mut watches, EventType::NodeChildrenChanged, "/a"),
        [1]
    );
}

#[test]
fn persistent_watches_stay() {
    let mut watches = Watches::new(0);
    watches.add(A, Some("/a"), WatchKind::Persistent);
    for kind in [
        EventType::NodeCreated,
        EventType::NodeDataChanged,
        EventType::NodeChildrenChanged,
        EventType::NodeDeleted,
    ] {
        assert_eq!(fired(&mut watches, kind, "/a"), [1]);
        assert!(fired(&mut watches, kind, "/a/b").is_empty());
    }
}

#[test]
fn recursive_watches_hear_everything_below_but_no_child_events() {
    let mut watches = Watches::new(0);
    watches.add(A, Some("/"), WatchKind::Recursive);
    watches.add(A, Some("/a"), WatchKind::Recursive);
    watches.add(A, Some("/a/b"), WatchKind::Data);
    watches.add(B, Some("/a"), WatchKind::Recursive);
    assert_eq!(
        fired(&mut watches, EventType::NodeDataChanged, "/a/b"),
        [1, 2]
    );
    assert_eq!(
        fired(&mut watches, EventType::NodeDataChanged, "/a"),
        [1, 2]
    );
    assert_eq!(fired(&mut watches, EventType::NodeCreated, "/ab"), [1]);
    assert_eq!(fired(&mut watches, EventType::NodeDeleted, "/"), [1]);
    assert!(fired(&mut watches, EventType::NodeChildrenChanged, "/a").is_empty());
    watches.add(B, Some("/a"), WatchKind::Persistent);
    assert_eq!(
        fired(&mut watches, EventType::NodeChildrenChanged, "/a"),
        [2]
    );
    assert_eq!(
        fired(&mut watches, EventType::NodeDataChanged, "/a"),
        [1, 2]
    );
}

#[test]
fn check_and_remove_look_at_their_kind_only() {
    let mut watches = Watches::new(0);
    watches.add(A, Some("/p"), WatchKind::Persistent);
    watches.add(A, Some("/r"), WatchKind::Recursive);
    watches.add(A, Some("/w"), WatchKind::Data);
    watches.add(A, Some("/w"), WatchKind::Child);
    let table = [
        ("/p", [false, false, true, true, false]),
        ("/r", [false, false, true, false, true]),
        ("/w", [true, true, true, false, false]),
        ("/x", [false; 5]),
    ];
    for (path, expected) in table {
        for (code, expected) in (1..).zip(expected) {
            let kind = WatcherType::from_code(code).unwrap();
            assert_eq!(
                watches.contains(A, Some(path), kind),
                expected,
                "{path} {kind:?}"
            );
            assert!(!watches.contains(B, Some(path), kind));
        }
    }
    assert!(watches.remove(A, Some("/w"), WatcherType::Data));
    assert!(!watches.remove(A, Some("/w"), WatcherType::Data));
    assert!(!watches.remove(B, Some("/w"), WatcherType::Any));
    assert!(watches.remove(A, Some("/w"), WatcherType::Any));
    assert!(!watches.remove(A, Some("/w"), WatcherType::Any));
    assert!(watches.remove(A, Some("/p"), WatcherType::Persistent));
    assert!(watches.remove(A, Some("/r"), WatcherType::PersistentRecursive));
    assert!(watches.is_empty());
}

#[test]
fn null_paths_can_be_watched_and_never_fire() {
    let mut watches = Watches::new(0);
    watches.add(A, None, WatchKind::Persistent);
    assert!(watches.contains(A, None, WatcherType::Any));
    assert!(watches.remove(A, None, WatcherType::Any));
    assert!(watches.is_empty());
}

#[test]
fn a_closed_connection_leaves_nothing() {
    let mut watches = Watches::new(0);
    for n in 0..100 {
        watches.add(A, Some(&format!("/a{n}")), WatchKind::Persistent);
        watches.add(WatcherId(100 + n), Some("/popular"), WatchKind::Child);
    }
    watches.add(A, Some("/popular"), WatchKind::Data);
    watches.add(B, Some("/a1"), WatchKind::Data);
    watches.remove_watcher(A);
    watches.remove_watcher(A);
    assert_eq!(fired(&mut watches, EventType::NodeDeleted, "/a1"), [2]);
    assert_eq!(
        fired(&mut watches, EventType::NodeDeleted, "/popular").len(),
        100
    );
    assert!(watches.is_empty());
    assert_eq!(watches.total(), 0);
}

#[test]
fn counts_are_those_of_wchs() {
    let mut watches = Watches::new(0);
    watches.add(A, Some("/a"), WatchKind::Data);
    watches.add(A, Some("/a"), WatchKind::Child);
    watches.add(A, Some("/b"), WatchKind::Child);
    watches.add(B, Some("/a"), WatchKind::Persistent);
    let summary = |connections, paths, watches| WatchSummary {
        connections,
        paths,
        watches,
    };
    assert_eq!(watches.summary(), summary(2, 1, 2));
    assert_eq!(watches.total(), 5);
    let by_path: Vec<_> = watches
        .by_path()
        .map(|(path, who)| (path, who.collect::<BTreeSet<_>>()))
        .collect();
    assert_eq!(by_path, [("/a", BTreeSet::from([A, B]))]);
    fired(&mut watches, EventType::NodeDataChanged, "/a");
    // A's data watch is used up, yet Apache goes on counting the connection.
    assert_eq!(watches.summary(), summary(2, 1, 1));
    let by_connection: BTreeMap<_, _> = watches
        .by_connection()
        .map(|(id, paths)| (id, paths.collect::<Vec<_>>()))
        .collect();
    assert_eq!(
        by_connection,
        BTreeMap::from([(A, vec![]), (B, vec!["/a"])])
    );
    assert!(watches.remove(B, Some("/a"), WatcherType::Any));
    assert_eq!(watches.summary(), summary(1, 0, 0));
    watches.remove_watcher(A);
    assert_eq!(watches.summary(), summary(0, 0, 0));
}

#[test]
fn watches_are_shown_in_turns() {
    let mut watches = Watches::new(0);
    watches.add(A, Some("/a"), WatchKind::Data);
    watches.add(A, Some("/b"), WatchKind::Recursive);
    watches.add(B, Some("/a"), WatchKind::Persistent);
    watches.add(B, Some("/c"), WatchKind::Child);
    watches.add(WatcherId(3), Some("/d"), WatchKind::Data);
    fired(&mut watches, EventType::NodeDataChanged, "/d");
    for limit in [1, 2, 100] {
        let (mut seen, mut listed) = (BTreeSet::new(), BTreeSet::new());
        let mut next = Some(0);
        while let Some(first) = next {
            next = watches.data_watches(first, limit, &mut |id, path| {
                assert!(seen.insert((id.0, path.to_owned())), "seen twice");
            });
        }
        let expected = [(1, "/a"), (1, "/b"), (2, "/a")];
        assert_eq!(seen, expected.map(|(id, path)| (id, path.into())).into());
        let mut next = Some(0);
        while let Some(first) = next {
            next = watches.listed_connections(first, limit, &mut |id| {
                assert!(listed.insert(id.0), "listed twice");
            });
        }
        assert_eq!(listed, BTreeSet::from([1, 2, 3]));
    }
    assert_eq!(watches.summary().connections, 3);
}

#[test]
fn what_changed_meanwhile_is_told_at_once() {
    let mut watches = Watches::new(0);
    let paths = |list: &[&'static str]| Some(list.iter().map(|path| Ustr::from(*path)).collect());
    let request = SetWatches {
        relative_zxid: Zxid(10),
        data: paths(&["/changed", "/gone", "/same"]),
        exist: paths(&["/new", "/missing"]),
        child: paths(&["/changed", "/gone", "/same"]),
    };
    let times = |mzxid, pzxid| NodeTimes {
        mzxid: Zxid(mzxid),
        pzxid: Zxid(pzxid),
    };
    let tree = HashMap::from([
        ("/changed", times(11, 11)),
        ("/same", times(10, 10)),
        ("/new", times(11, 11)),
    ]);
    let mut missed = Vec::new();
    let lists = WatchLists::from(&request);
    assert!(lists.is_whole);
    watches.set_again(
        A,
        &lists,
        |path| tree.get(path).copied(),
        |kind, path| {
            missed.push((kind.code(), path.to_owned()));
        },
    );
    let told = |kind, path: &str| (kind, path.to_owned());
    assert_eq!(
        missed,
        [
            told(3, "/changed"),
            told(2, "/gone"),
            told(1, "/new"),
            told(4, "/changed"),
            told(2, "/gone"),
        ]
    );
    assert_eq!(watches.total(), 3);
    assert_eq!(fired(&mut watches, EventType::NodeCreated, "/missing"), [1]);
    assert_eq!(fired(&mut watches, EventType::NodeDeleted, "/same"), [1]);
    let broken = SetWatches {
        exist: None,
        ..request
    };
    let cut = WatchLists::from(&broken);
    assert!(!cut.is_whole);
    assert_eq!((cut.data.len(), cut.child.len()), (3, 0));
}

/// The same semantics as two managers with plain maps, as Apache has them.
#[derive(Default)]
struct Model {
    data: BTreeMap<(String, u64), u8>,
    child: BTreeMap<(String, u64), u8>,
}

impl Model {
    fn add(&mut self, who: u64, path: &str, kind: WatchKind) {
        let mut set = |map: usize, bit: u8| {
            let map = if map == 0 {
                &mut self.data
            } else {
                &mut self.child
            };
            *map.entry((path.to_owned(), who)).or_default() |= bit;
        };
        match kind {
            WatchKind::Data => set(0, 1),
            WatchKind::Child => set(1, 1),
            WatchKind::Persistent => {
                set(0, 2);
                set(1, 2);
            }
            WatchKind::Recursive => set(0, 4),
        }
    }

    fn remove(&mut self, who: u64, path: &str, kind: WatcherType) -> bool {
        let (data, child) = match kind {
            WatcherType::Children => (0, 1),
            WatcherType::Data => (1, 0),
            WatcherType::Any => (7, 7),
            WatcherType::Persistent => (2, 2),
            WatcherType::PersistentRecursive => (4, 0),
        };
        let mut removed = false;
        for (map, bits) in [(&mut self.data, data), (&mut self.child, child)] {
            if let Some(flags) = map.get_mut(&(path.to_owned(), who)) {
                removed |= *flags & bits != 0;
                *flags &= !bits;
            }
            map.retain(|_, flags| *flags != 0);
        }
        removed
    }

    fn trigger(map: &mut BTreeMap<(String, u64), u8>, path: &str) -> BTreeSet<u64> {
        let mut who = BTreeSet::new();
        for ((watched, id), flags) in map.iter_mut() {
            let below = path.strip_prefix(watched.as_str());
            let above = watched == "/"
                || !watched.is_empty() && below.is_some_and(|rest| rest.starts_with('/'));
            if watched == path {
                who.insert(*id);
                *flags &= !1;
            } else if above && *flags & 4 != 0 {
                who.insert(*id);
            }
        }
        map.retain(|_, flags| *flags != 0);
        who
    }

    fn fire(&mut self, kind: EventType, path: &str) -> Vec<u64> {
        let mut who = BTreeSet::new();
        if kind != EventType::NodeChildrenChanged {
            who.extend(Self::trigger(&mut self.data, path));
        }
        if matches!(
            kind,
            EventType::NodeChildrenChanged | EventType::NodeDeleted
        ) {
            who.extend(Self::trigger(&mut self.child, path));
        }
        who.into_iter().collect()
    }
}

#[test]
fn random_histories_agree_with_a_plain_model() {
    let paths = ["/", "/a", "/b", "/a/x", "/a/y", "/a/x/1", "/ab", ""];
    for seed in 1..=40_u64 {
        let mut random = crate::test_random(seed);
        let (mut watches, mut model) = (Watches::new(seed), Model::default());
        for _ in 0..600 {
            let path = paths[random(paths.len())];
            let who = random(12) as u64 + 1;
            match random(10) {
                0..5 => {
                    let kind = [
                        WatchKind::Data,
                        WatchKind::Child,
                        WatchKind::Persistent,
                        WatchKind::Recursive,
                    ][random(4)];
                    watches.add(WatcherId(who), Some(path), kind);
                    model.add(who, path, kind);
                }
                5 => {
                    let kind = WatcherType::from_code(1 + random(5) as i32).unwrap();
                    assert_eq!(
                        watches.remove(WatcherId(who), Some(path), kind),
                        model.remove(who, path, kind),
                    );
                }
                6 if random(4) == 0 => {
                    watches.remove_watcher(WatcherId(who));
                    model.data.retain(|(_, id), _| *id != who);
                    model.child.retain(|(_, id), _| *id != who);
                }
                _ => {
                    let kind = EventType::from_code(1 + random(4) as i32).unwrap();
                    let path = if path.is_empty() { "/zz" } else { path };
                    assert_eq!(fired(&mut watches, kind, path), model.fire(kind, path));
                }
            }
            assert_eq!(watches.total(), model.data.len() + model.child.len());
            assert_eq!(watches.summary().watches, model.data.len());
        }
    }
}
