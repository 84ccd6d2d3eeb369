//! All client connections, by number, by session and by address.

use super::Conn;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use zk_proto::SessionId;
use zk_tree::WatcherId;

/// Why a connection was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// `maxClientCnxns` of this address.
    PerAddress(usize),
    /// `maxCnxns` in all.
    Total(usize),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerAddress(max) => write!(f, "its address has {max} connections already"),
            Self::Total(max) => write!(f, "there are {max} connections already"),
        }
    }
}

/// The connections that are open.
#[derive(Debug)]
pub(crate) struct ConnTable {
    state: Mutex<State>,
    /// `maxClientCnxns`; 0 for no limit.
    max_per_address: usize,
    /// `maxCnxns`; 0 for no limit.
    max_total: usize,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    conns: HashMap<WatcherId, Arc<Conn>>,
    by_session: HashMap<SessionId, Arc<Conn>>,
    by_address: HashMap<IpAddr, usize>,
}

impl ConnTable {
    pub(crate) fn new(max_per_address: usize, max_total: usize) -> Self {
        Self {
            state: Mutex::new(State::default()),
            max_per_address,
            max_total,
        }
    }

    /// Takes a connection that `make` builds, if the limits allow it.
    pub(crate) fn admit(
        &self,
        address: IpAddr,
        make: impl FnOnce(WatcherId) -> Conn,
    ) -> Result<Arc<Conn>, Refused> {
        let mut state = self.state.lock();
        if self.max_total > 0 && state.conns.len() >= self.max_total {
            return Err(Refused::Total(self.max_total));
        }
        let count = state.by_address.entry(address).or_default();
        if self.max_per_address > 0 && *count >= self.max_per_address {
            return Err(Refused::PerAddress(self.max_per_address));
        }
        *count += 1;
        state.next += 1;
        let conn = Arc::new(make(WatcherId(state.next)));
        state.conns.insert(conn.id(), conn.clone());
        Ok(conn)
    }

    /// Forgets a connection that ended.
    pub(crate) fn remove(&self, conn: &Conn) {
        let mut state = self.state.lock();
        if state.conns.remove(&conn.id()).is_none() {
            return;
        }
        let session = conn.session_id();
        if state
            .by_session
            .get(&session)
            .is_some_and(|owner| owner.id() == conn.id())
        {
            state.by_session.remove(&session);
        }
        let address = conn.remote().ip();
        if let Some(count) = state.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                state.by_address.remove(&address);
            }
        }
    }

    pub(crate) fn get(&self, id: WatcherId) -> Option<Arc<Conn>> {
        self.state.lock().conns.get(&id).cloned()
    }

    /// Makes `conn` the connection of `session`; returns the one before it.
    pub(crate) fn own(&self, session: SessionId, conn: &Arc<Conn>) -> Option<Arc<Conn>> {
        self.state.lock().by_session.insert(session, conn.clone())
    }

    pub(crate) fn of_session(&self, session: SessionId) -> Option<Arc<Conn>> {
        self.state.lock().by_session.get(&session).cloned()
    }

    /// All connections, in the order in which they came.
    pub(crate) fn all(&self) -> Vec<Arc<Conn>> {
        let mut all: Vec<_> = self.state.lock().conns.values().cloned().collect();
        all.sort_unstable_by_key(|conn| conn.id().0);
        all
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().conns.len()
    }
}
