//! The table of live sessions and the buckets in which they expire.
//!
//! A touch is one relaxed store of the time; nothing moves between buckets
//! until a bucket is due. Then each of its sessions either expires or goes
//! into the bucket of its last touch. Deadlines are rounded up to a whole
//! tick, so a session expires in `[timeout, timeout + tick]` after its last
//! sign of life (`ExpiryQueue`).

use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use zk_proto::SessionId;
use zk_proto::mutation::is_back;

/// One live session, shared between its connection and the tracker.
#[derive(Debug)]
pub(crate) struct Session {
    id: SessionId,
    timeout_ms: AtomicI32,
    /// Monotonic time of the last sign of life, in ms.
    heard_ms: AtomicU64,
    /// Set once a closeSession is on its way; nothing is served after it.
    closing: AtomicBool,
    /// Only this server knows it.
    local: AtomicBool,
}

impl Session {
    fn new(id: SessionId, timeout_ms: i32, now_ms: u64) -> Self {
        Self {
            id,
            timeout_ms: AtomicI32::new(timeout_ms),
            heard_ms: AtomicU64::new(now_ms),
            closing: AtomicBool::new(false),
            local: AtomicBool::new(false),
        }
    }

    pub(crate) fn id(&self) -> SessionId {
        self.id
    }

    pub(crate) fn timeout_ms(&self) -> i32 {
        self.timeout_ms.load(Ordering::Relaxed)
    }

    /// Notes a sign of life.
    pub(crate) fn touch(&self, now_ms: u64) {
        self.heard_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Monotonic time of the last sign of life, in ms.
    pub(crate) fn heard_ms(&self) -> u64 {
        self.heard_ms.load(Ordering::Relaxed)
    }

    /// No request of this session is served from now on.
    pub(crate) fn set_closing(&self) {
        self.closing.store(true, Ordering::Release);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire) && !is_back("closing_is_open")
    }

    /// Whether only this server knows it.
    pub(crate) fn is_local(&self) -> bool {
        self.local.load(Ordering::Acquire)
    }

    pub(crate) fn set_local(&self, local: bool) {
        self.local.store(local, Ordering::Release);
    }

    fn deadline(&self, tick_ms: u64) -> u64 {
        let timeout = u64::try_from(self.timeout_ms()).unwrap_or(0);
        let due = self.heard_ms() + timeout;
        (due / tick_ms + 1) * tick_ms
    }
}

/// All sessions of this server.
#[derive(Debug)]
pub(crate) struct SessionTracker {
    tick_ms: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<SessionId, Arc<Session>>,
    /// Deadline to the sessions that were due then when they were put there.
    buckets: BTreeMap<u64, Vec<SessionId>>,
}

impl State {
    fn schedule(&mut self, session: &Session, tick_ms: u64) {
        let deadline = session.deadline(tick_ms);
        self.buckets.entry(deadline).or_default().push(session.id);
    }
}

impl SessionTracker {
    pub(crate) fn new(tick_ms: u64) -> Self {
        Self {
            tick_ms: tick_ms.max(1),
            state: Mutex::new(State::default()),
        }
    }

    /// Forgets all sessions and tracks these instead, each as just heard.
    pub(crate) fn restart(&self, sessions: impl Iterator<Item = (SessionId, i32)>, now_ms: u64) {
        let mut state = self.state.lock();
        for session in state.sessions.values() {
            session.set_closing();
        }
        *state = State::default();
        for (id, timeout_ms) in sessions {
            let session = Arc::new(Session::new(id, timeout_ms, now_ms));
            state.schedule(&session, self.tick_ms);
            state.sessions.insert(id, session);
        }
    }

    /// Starts to track a session; an id that is there already is kept.
    pub(crate) fn add(&self, id: SessionId, timeout_ms: i32, now_ms: u64) -> Arc<Session> {
        let mut state = self.state.lock();
        if let Some(session) = state.sessions.get(&id) {
            return session.clone();
        }
        let session = Arc::new(Session::new(id, timeout_ms, now_ms));
        state.sessions.insert(id, session.clone());
        state.schedule(&session, self.tick_ms);
        session
    }

    /// A client came back: the session with its newly negotiated timeout, or
    /// `None` when it is gone or going.
    pub(crate) fn resume(
        &self,
        id: SessionId,
        timeout_ms: i32,
        now_ms: u64,
    ) -> Option<Arc<Session>> {
        if is_back("unknown_session_taken") {
            self.add(id, timeout_ms, now_ms);
        }
        let mut state = self.state.lock();
        let session = state.sessions.get(&id)?.clone();
        if session.is_closing() {
            return None;
        }
        session.timeout_ms.store(timeout_ms, Ordering::Relaxed);
        session.touch(now_ms);
        state.schedule(&session, self.tick_ms);
        Some(session)
    }

    /// Tracks a session that the leader vouches for, as just heard.
    pub(crate) fn adopt(&self, id: SessionId, timeout_ms: i32, now_ms: u64) -> Arc<Session> {
        self.resume(id, timeout_ms, now_ms)
            .unwrap_or_else(|| self.replace(id, timeout_ms, now_ms))
    }

    fn replace(&self, id: SessionId, timeout_ms: i32, now_ms: u64) -> Arc<Session> {
        self.remove(id);
        self.add(id, timeout_ms, now_ms)
    }

    /// The session, if it lives.
    pub(crate) fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        self.state.lock().sessions.get(&id).cloned()
    }

    /// Forgets a session whose closeSession was applied.
    pub(crate) fn remove(&self, id: SessionId) {
        let removed = self.state.lock().sessions.remove(&id);
        if let Some(session) = removed {
            session.set_closing();
        }
    }

    /// The sessions whose time is up, marked as closing.
    pub(crate) fn expire(&self, now_ms: u64) -> Vec<Arc<Session>> {
        let mut expired = Vec::new();
        let mut state = self.state.lock();
        while let Some(bucket) = state.buckets.first_entry() {
            if *bucket.key() > now_ms {
                break;
            }
            let due = bucket.remove();
            self.sort_out(&mut state, due, now_ms, &mut expired);
        }
        expired
    }

    fn sort_out(
        &self,
        state: &mut State,
        due: Vec<SessionId>,
        now_ms: u64,
        expired: &mut Vec<Arc<Session>>,
    ) {
        for id in due {
            let Some(session) = state.sessions.get(&id).cloned() else {
                continue;
            };
            if session.is_closing() {
                continue;
            }
            if session.deadline(self.tick_ms) > now_ms {
                state.schedule(&session, self.tick_ms);
            } else {
                session.set_closing();
                expired.push(session);
            }
        }
    }

    /// Those of [`SessionTracker::expire`] that only this server knows. What
    /// is due of the others is for their leader to say.
    pub(crate) fn expire_local(&self, now_ms: u64) -> Vec<Arc<Session>> {
        let mut expired = Vec::new();
        let mut state = self.state.lock();
        while let Some(bucket) = state.buckets.first_entry() {
            if *bucket.key() > now_ms {
                break;
            }
            let due = bucket.remove();
            let known = |id: &SessionId| state.sessions.get(id).is_some_and(|it| it.is_local());
            let local = due.into_iter().filter(known).collect();
            self.sort_out(&mut state, local, now_ms, &mut expired);
        }
        expired
    }

    /// When the next bucket is due, in monotonic ms.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.state.lock().buckets.keys().next().copied()
    }

    /// Sessions by deadline, for the `dump` word.
    pub(crate) fn by_deadline(&self) -> BTreeMap<u64, Vec<SessionId>> {
        let state = self.state.lock();
        let mut sets: BTreeMap<u64, Vec<SessionId>> = BTreeMap::new();
        for session in state.sessions.values() {
            let deadline = session.deadline(self.tick_ms);
            sets.entry(deadline).or_default().push(session.id);
        }
        for ids in sets.values_mut() {
            ids.sort_unstable();
        }
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SessionId = SessionId(7);

    fn ids(sessions: &[Arc<Session>]) -> Vec<SessionId> {
        sessions.iter().map(|session| session.id()).collect()
    }

    #[test]
    fn silence_beyond_the_timeout_expires_within_a_tick() {
        let tracker = SessionTracker::new(100);
        tracker.add(ID, 250, 1000);
        assert_eq!(ids(&tracker.expire(1299)), []);
        assert_eq!(ids(&tracker.expire(1300)), [ID]);
        assert_eq!(ids(&tracker.expire(9999)), [], "expires once");
    }

    #[test]
    fn a_touch_moves_the_deadline() {
        let tracker = SessionTracker::new(100);
        let session = tracker.add(ID, 250, 1000);
        session.touch(1290);
        assert_eq!(ids(&tracker.expire(1300)), []);
        assert_eq!(tracker.next_deadline(), Some(1600));
        assert_eq!(ids(&tracker.expire(1600)), [ID]);
    }

    #[test]
    fn a_learner_ends_only_what_it_alone_knows() {
        let tracker = SessionTracker::new(100);
        tracker.add(ID, 250, 1000).set_local(true);
        tracker.add(SessionId(8), 250, 1000);
        assert_eq!(ids(&tracker.expire_local(1300)), [ID]);
        assert!(tracker.get(SessionId(8)).is_some());
    }

    #[test]
    fn a_shorter_timeout_after_resuming_counts() {
        let tracker = SessionTracker::new(100);
        tracker.add(ID, 5000, 1000);
        assert!(tracker.resume(ID, 200, 1100).is_some());
        assert_eq!(ids(&tracker.expire(1400)), [ID]);
        assert!(tracker.resume(ID, 200, 1401).is_none(), "it is closing");
    }

    #[test]
    fn removed_sessions_are_unknown_and_never_expire() {
        let tracker = SessionTracker::new(100);
        tracker.add(ID, 250, 1000);
        tracker.remove(ID);
        assert!(tracker.get(ID).is_none());
        assert!(tracker.resume(ID, 250, 1001).is_none());
        assert_eq!(ids(&tracker.expire(9999)), []);
    }

    #[test]
    fn the_dump_groups_by_deadline() {
        let tracker = SessionTracker::new(100);
        tracker.add(SessionId(2), 250, 1000);
        tracker.add(SessionId(1), 250, 1010);
        let expected = BTreeMap::from([(1300, vec![SessionId(1), SessionId(2)])]);
        assert_eq!(tracker.by_deadline(), expected);
    }
}
