//! Watches as somebody listens to them: removed, given up, told of. What a
//! watcher is, the session does not know.

use super::{Phase, Session, WatchChange, WatchKind, WatcherId};
use crate::Event;
use zk_proto::{
    ErrorCode, EventType, KeeperState, OpCode, Request, WatcherEvent, WatcherRequest, WatcherType,
    Zxid,
};

impl<W> Session<W> {
    /// Forgets watches without asking a server, as one does when there is
    /// none. Says whether there were any.
    pub fn remove_watches_locally(&mut self, watcher_type: WatcherType, path: &str) -> bool {
        let removed = self.watches.remove(path, watcher_type);
        let any = !removed.is_empty();
        for (kind, watchers) in removed {
            let event = Event {
                kind,
                state: self.told,
                path: Some(path.to_owned()),
                zxid: Zxid::NONE,
            };
            self.tell(watchers, event);
        }
        any
    }

    /// A watcher at this path listens no more. The server's registration of a
    /// watch of one shot is left to fire in vain.
    pub fn forget_watcher(&mut self, path: &str, id: WatcherId) {
        if !self.watches.forget(path, id) {
            self.forget_call(id);
        }
    }

    /// The same for a watch that stays; with its last watcher the server is
    /// asked to remove it.
    pub fn forget_persistent(&mut self, kind: WatchKind, path: &str, id: WatcherId) {
        let at_server = self.watches.forget(path, id) && self.phase == Phase::Up;
        let will_be = self.forget_call(id);
        let is_wanted = self.watches.is_set(kind, path) || self.is_being_set(Some(kind), path);
        if (at_server || will_be) && !is_wanted {
            self.release(persistent_type(kind), kind, path);
        }
    }

    /// The request of a watcher that did not wait for its answer. Says whether
    /// there is one.
    fn forget_call(&mut self, id: WatcherId) -> bool {
        let mut calls = self.in_flight.iter_mut().chain(&mut self.waiting);
        let call = calls.find(|call| call.is_for(id));
        call.map(|call| call.watch = None).is_some()
    }

    fn is_being_set(&self, kind: Option<WatchKind>, path: &str) -> bool {
        let mut calls = self.in_flight.iter().chain(&self.waiting);
        calls.any(|call| call.sets_watch(kind, path))
    }

    fn release(&mut self, watcher_type: WatcherType, kind: WatchKind, path: &str) {
        if self.closing || self.state.is_final() {
            return;
        }
        let request = Request::RemoveWatches(WatcherRequest {
            path: Some(path.into()),
            watcher_type: watcher_type.code(),
        });
        let change =
            (watcher_type != WatcherType::Any).then(|| WatchChange::Release(kind, path.to_owned()));
        self.enqueue(&request, change, None)
            .expect("the path of a watch was encoded before");
    }

    pub(super) fn change_watches(&mut self, change: WatchChange, op: OpCode, err: ErrorCode) {
        match change {
            WatchChange::Set(kind, path, listener) if err.is_ok() => {
                self.watches.set(kind, path, listener);
            }
            WatchChange::Set(_, path, listener)
                if op == OpCode::EXISTS && err == ErrorCode::NO_NODE =>
            {
                self.watches.set(WatchKind::Exist, path, listener);
            }
            WatchChange::Remove(watcher_type, path) if err.is_ok() => {
                self.remove_watches_locally(watcher_type, &path);
            }
            WatchChange::Release(kind, path) => self.released(kind, &path, err),
            WatchChange::Set(..) | WatchChange::Remove(..) => {}
        }
    }

    fn released(&mut self, kind: WatchKind, path: &str, err: ErrorCode) {
        let is_done = err.is_ok() || err == ErrorCode::NO_WATCHER;
        if !is_done && !self.watches.is_any_set(path) && !self.is_being_set(None, path) {
            self.release(WatcherType::Any, kind, path);
        }
    }

    pub(super) fn handle_notification(&mut self, zxid: Zxid, event: &WatcherEvent<'_>) {
        let (Some(kind), Some(state)) = (
            EventType::from_code(event.event_type),
            KeeperState::from_code(event.state),
        ) else {
            tracing::warn!(?event, "an event of an unknown kind is dropped");
            return;
        };
        let path = event.path.as_ref().map(|path| path.as_str().to_owned());
        let watchers = match &path {
            Some(path) => self.watches.fired(kind, path),
            None => Vec::new(),
        };
        let event = Event {
            kind,
            state,
            path,
            zxid,
        };
        self.tell(watchers, event);
    }

    /// An event, if the state is not the one that was told last.
    pub(super) fn tell_state(&mut self) {
        let state = self.state.keeper_state();
        if self.told == state {
            return;
        }
        self.told = state;
        let watchers = match self.state.is_final() {
            true => self.watches.all_watchers(),
            false => self.watches.persistent_watchers(),
        };
        self.tell(watchers, Event::of_state(state));
    }

    fn tell(&mut self, watchers: Vec<WatcherId>, event: Event) {
        let notices = watchers.into_iter().map(|id| (id, event.clone()));
        self.notices.extend(notices);
        self.events.push_back(event);
    }
}

const fn persistent_type(kind: WatchKind) -> WatcherType {
    match kind {
        WatchKind::Recursive => WatcherType::PersistentRecursive,
        _ => WatcherType::Persistent,
    }
}
