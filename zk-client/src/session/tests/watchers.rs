//! Who hears of which event, and when the server is asked to forget a watch.

use super::*;

const ME: WatcherId = WatcherId(1);
const YOU: WatcherId = WatcherId(2);

impl Pair {
    /// Sets a watch on /a for one watcher; the request's xid is `xid`.
    fn watch_for(&mut self, kind: WatchKind, id: WatcherId, xid: i32) {
        self.ask(kind, id);
        self.sent();
        self.answer(xid, 1, ErrorCode::OK).unwrap();
        self.answers();
    }

    fn ask(&mut self, kind: WatchKind, id: WatcherId) {
        let change = WatchChange::Set(kind, "/a".into(), Listener::One(id));
        self.session.submit(&sync(), Some(change), "w").unwrap();
    }

    fn notices(&mut self) -> Vec<(u64, EventType, KeeperState)> {
        std::iter::from_fn(|| self.session.poll_notice())
            .map(|(id, event)| (id.0, event.kind, event.state))
            .collect()
    }

    fn removals(&mut self) -> Vec<i32> {
        let frames = self.sent();
        let types = frames.iter().map(|frame| {
            let (header, body) = RequestHeader::split(frame).unwrap();
            match Request::decode(header.op, body).unwrap() {
                Request::RemoveWatches(request) => request.watcher_type,
                other => panic!("{other:?}"),
            }
        });
        types.collect()
    }
}

const UP: KeeperState = KeeperState::SyncConnected;

#[test]
fn watchers_of_one_path_hear_once_each() {
    let mut pair = Pair::connected();
    pair.watch_for(WatchKind::Data, ME, 1);
    pair.watch_for(WatchKind::Data, YOU, 2);
    pair.notify(EventType::NodeDataChanged, "/b");
    assert_eq!(pair.notices(), []);
    pair.notify(EventType::NodeDataChanged, "/a");
    let expected = [1, 2].map(|id| (id, EventType::NodeDataChanged, UP));
    assert_eq!(pair.notices(), expected);
    pair.notify(EventType::NodeDataChanged, "/a");
    assert_eq!(pair.notices(), []);
}

#[test]
fn an_event_before_the_answer_is_another_watchs() {
    let mut pair = Pair::connected();
    pair.ask(WatchKind::Data, ME);
    pair.sent();
    pair.notify(EventType::NodeDataChanged, "/a");
    pair.answer(1, 1, ErrorCode::OK).unwrap();
    assert_eq!(pair.notices(), []);
    pair.notify(EventType::NodeDeleted, "/a");
    assert_eq!(pair.notices(), [(1, EventType::NodeDeleted, UP)]);
}

#[test]
fn a_stream_hears_of_its_part_of_the_tree() {
    let mut pair = Pair::connected();
    pair.watch_for(WatchKind::Persistent, ME, 1);
    pair.watch_for(WatchKind::Recursive, YOU, 2);
    pair.notify(EventType::NodeChildrenChanged, "/a");
    pair.notify(EventType::NodeCreated, "/a/b/c");
    pair.notify(EventType::NodeCreated, "/ab");
    let expected = [
        (1, EventType::NodeChildrenChanged, UP),
        (2, EventType::NodeCreated, UP),
    ];
    assert_eq!(pair.notices(), expected);
}

#[test]
fn streams_hear_of_the_connection_and_all_of_the_end() {
    let mut pair = Pair::connected();
    pair.watch_for(WatchKind::Child, ME, 1);
    pair.watch_for(WatchKind::Recursive, YOU, 2);
    pair.session.handle_disconnected();
    pair.sent();
    pair.connect();
    let states = |id, states: &[KeeperState]| -> Vec<_> {
        let event = |state: &KeeperState| (id, EventType::None, *state);
        states.iter().map(event).collect()
    };
    assert_eq!(pair.notices(), states(2, &[KeeperState::Disconnected, UP]));
    pair.session.handle_disconnected();
    pair.notices();
    pair.pass(12_000).unwrap();
    let mut told = pair.notices();
    told.sort_unstable_by_key(|notice| notice.0);
    let expired = [KeeperState::Expired];
    assert_eq!(told, [states(1, &expired), states(2, &expired)].concat());
}

#[test]
fn a_watch_that_nobody_wants_is_not_set_again() {
    let mut pair = Pair::connected();
    pair.watch_for(WatchKind::Data, ME, 1);
    pair.session.forget_watcher("/a", ME);
    assert!(pair.sent().is_empty());
    pair.ask(WatchKind::Data, YOU);
    pair.session.forget_watcher("/a", YOU);
    pair.sent();
    pair.answer(2, 1, ErrorCode::OK).unwrap();
    pair.notify(EventType::NodeDataChanged, "/a");
    assert_eq!(pair.notices(), []);
    pair.session.handle_disconnected();
    pair.connect();
    assert!(pair.sent().is_empty());
}

#[test]
fn the_last_stream_takes_the_servers_watch_with_it() {
    let mut pair = Pair::connected();
    pair.watch_for(WatchKind::Recursive, ME, 1);
    pair.watch_for(WatchKind::Recursive, YOU, 2);
    let kind = WatchKind::Recursive;
    pair.session.forget_persistent(kind, "/a", ME);
    assert!(pair.sent().is_empty());
    pair.session.forget_persistent(kind, "/a", YOU);
    assert_eq!(pair.removals(), [WatcherType::PersistentRecursive.code()]);
    pair.answer(3, 1, ErrorCode::OK).unwrap();
    assert!(pair.sent().is_empty());
    assert!(pair.watch_events().is_empty());
}

#[test]
fn a_stream_in_the_making_keeps_the_servers_watch() {
    let mut pair = Pair::connected();
    pair.watch_for(WatchKind::Persistent, ME, 1);
    pair.ask(WatchKind::Persistent, YOU);
    pair.sent();
    let kind = WatchKind::Persistent;
    pair.session.forget_persistent(kind, "/a", ME);
    assert!(pair.sent().is_empty());
    // It was given up before its answer came.
    pair.session.forget_persistent(kind, "/a", YOU);
    assert_eq!(pair.removals(), [WatcherType::Persistent.code()]);
}

#[test]
fn an_old_server_is_asked_in_the_old_way() {
    let mut pair = Pair::connected();
    pair.watch_for(WatchKind::Persistent, ME, 1);
    pair.session
        .forget_persistent(WatchKind::Persistent, "/a", ME);
    pair.sent();
    pair.answer(2, 1, ErrorCode::MARSHALLING_ERROR).unwrap();
    assert_eq!(pair.removals(), [WatcherType::Any.code()]);
    pair.answer(3, 1, ErrorCode::MARSHALLING_ERROR).unwrap();
    assert!(pair.sent().is_empty());
}

#[test]
fn the_old_way_spares_other_watches() {
    let mut pair = Pair::connected();
    pair.watch_for(WatchKind::Persistent, ME, 1);
    pair.session
        .forget_persistent(WatchKind::Persistent, "/a", ME);
    pair.ask(WatchKind::Data, YOU);
    pair.sent();
    pair.answer(2, 1, ErrorCode::MARSHALLING_ERROR).unwrap();
    assert!(pair.sent().is_empty());
}
