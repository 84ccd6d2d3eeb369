//! Watches over a tree that changes. That single histories are those of
//! Apache is tested in `wire_replay`.

use crate::leader::TREE;
use crate::random::Random;
use crate::requests::{any_request, create, delete, set_data};
use crate::server::{Packet, Server};
use std::collections::BTreeSet;
use zk_proto::{ErrorCode, EventType, Id, Request, SessionId, Ustr};
use zk_tree::{NodeTimes, PrepareConfig, WatchKind, WatchLists, WatcherId};

const WRITER: WatcherId = WatcherId(0);
const PRESENT: WatcherId = WatcherId(1);
const AWAY: WatcherId = WatcherId(2);
const PATHS: [&str; 6] = ["/", "/a", "/a/b", "/a/b/q", "/b", "/é"];

fn server(watchers: u64) -> Server {
    let mut server = Server::new(TREE, PrepareConfig::default());
    for id in 0..=watchers {
        server.connect(WatcherId(id), SessionId(1 + id as i64), 4000);
    }
    server
}

/// What a connection was told since the last call.
fn events(server: &mut Server, id: WatcherId) -> Vec<(EventType, String)> {
    let sent = std::mem::take(&mut server.connections.get_mut(&id).unwrap().sent);
    sent.into_iter()
        .map(|packet| match packet {
            Packet::Event(kind, path, _) => (kind, path),
            other => panic!("{other:?} is no event"),
        })
        .collect()
}

/// A client that goes away and comes back hears of exactly those watches of
/// which one who stayed heard events meanwhile.
#[test]
fn who_was_away_misses_nothing() {
    for seed in 1..=40 {
        let mut random = Random(seed);
        let mut server = server(2);
        let present = server.connections.get_mut(&PRESENT).unwrap();
        present.identities.push(Id::new("super", ""));
        for path in PATHS {
            server
                .watches
                .add(PRESENT, Some(path), WatchKind::Persistent);
        }
        for round in 0..20 {
            write(&mut server, &mut random, 4);
            events(&mut server, PRESENT);
            let since = server.tree.last_zxid();
            let (there, missing): (Vec<&str>, Vec<&str>) = PATHS
                .iter()
                .partition(|path| server.tree.get(path).is_some());
            write(&mut server, &mut random, 4);
            let heard = events(&mut server, PRESENT);

            let there: Vec<Ustr<'_>> = there.into_iter().map(Ustr::from).collect();
            let missing: Vec<Ustr<'_>> = missing.into_iter().map(Ustr::from).collect();
            let mut told = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
            let none: &[Ustr<'_>] = &[];
            for (which, told) in told.iter_mut().enumerate() {
                let lists = WatchLists {
                    is_whole: true,
                    since,
                    data: if which == 0 { &there } else { none },
                    exist: if which == 1 { &missing } else { none },
                    child: if which == 2 { &there } else { none },
                    persistent: &[],
                    recursive: &[],
                };
                let tree = &server.tree;
                let node = |path: &str| {
                    tree.get(path).map(|node| NodeTimes {
                        mzxid: node.stored().mzxid,
                        pzxid: node.stored().pzxid,
                    })
                };
                server.watches.set_again(AWAY, &lists, node, |_, path| {
                    assert!(told.insert(path.to_owned()), "one event a watch");
                });
            }
            server.watches.remove_watcher(AWAY);

            let context = format!("seed {seed} round {round}: {heard:?}");
            let heard_of = |path: &str, kinds: &[EventType]| {
                heard
                    .iter()
                    .any(|(kind, at)| at == path && kinds.contains(kind))
            };
            use EventType::{NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted};
            for path in there.iter().map(|path| path.as_str()) {
                let data = [NodeCreated, NodeDeleted, NodeDataChanged];
                assert_eq!(
                    told[0].contains(path),
                    heard_of(path, &data),
                    "{path} {context}"
                );
                let child = [NodeCreated, NodeDeleted, NodeChildrenChanged];
                assert_eq!(
                    told[2].contains(path),
                    heard_of(path, &child),
                    "{path} {context}"
                );
            }
            for path in missing.iter().map(|path| path.as_str()) {
                let is_there = server.tree.get(path).is_some();
                assert_eq!(told[1].contains(path), is_there, "{path} {context}");
            }
        }
    }
}

/// Some writes, of which those may fail that may.
fn write(server: &mut Server, random: &mut Random, count: usize) {
    for _ in 0..count {
        let request = any_request(random);
        if request != Request::CloseSession {
            let _ = server.write(WRITER, 0, &request);
        }
    }
}

#[test]
fn each_of_a_thousand_is_told_once() {
    let mut server = server(1000);
    assert!(server.write(WRITER, 0, &create("/a", 1)).is_ok());
    for id in 1..=1000 {
        server
            .watches
            .add(WatcherId(id), Some("/a"), WatchKind::Data);
        server
            .watches
            .add(WatcherId(id), Some("/a"), WatchKind::Child);
    }
    assert!(server.write(WRITER, 0, &Request::CloseSession).is_ok());
    for id in 1..=1000 {
        let told = events(&mut server, WatcherId(id));
        assert_eq!(told, [(EventType::NodeDeleted, "/a".to_owned())]);
    }
    assert!(server.watches.is_empty());
}

/// One-shot watches that an ACL keeps silent are used up all the same.
#[test]
fn silence_uses_a_watch_up() {
    let mut server = server(2);
    server
        .connections
        .get_mut(&PRESENT)
        .unwrap()
        .identities
        .clear();
    let secret = zk_proto::Acl::new(zk_proto::Perms::ALL, "ip", "127.0.0.1");
    server.watches.add(PRESENT, Some("/s"), WatchKind::Data);
    server.watches.add(AWAY, Some("/s"), WatchKind::Data);
    let request = crate::requests::create_with("/s", secret);
    assert!(server.write(WRITER, 0, &request).is_ok());
    assert!(events(&mut server, PRESENT).is_empty());
    assert_eq!(events(&mut server, AWAY).len(), 1);
    assert!(server.watches.is_empty());
}

#[test]
fn failed_writes_are_told_to_nobody() {
    let mut server = server(1);
    server.watches.add(PRESENT, Some("/"), WatchKind::Recursive);
    for (request, error) in [
        (create("/no/x", 0), ErrorCode::NO_NODE),
        (set_data("/x", b"", -1), ErrorCode::NO_NODE),
        (delete("/zookeeper", -1), ErrorCode::BAD_ARGUMENTS),
    ] {
        assert_eq!(server.write(WRITER, 0, &request), Err(error));
    }
    assert!(events(&mut server, PRESENT).is_empty());
}
