//! Requests of this server's own clients on their way through the ensemble:
//! each waits for its turn behind the earlier ones of its connection, and is
//! answered when its transaction is applied, its sync is done, or nothing is
//! before it any more. It refuses to know who decides.

use crate::pipeline::{Applier, Item, Origin};
use crate::shared::Shared;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use zk_proto::txn::LoggedTxn;
use zk_proto::{ErrorCode, OpCode, Zxid};
use zk_tree::{DataTree, WatcherId};

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nobody has looked at it: whether its session lives is being asked.
    Unstaged,
    /// The leader's word on its session.
    Resuming,
    /// Its transaction, which comes after this zxid.
    Txn { after: Zxid },
    /// The end of a sync, by its ticket.
    Sync(u64),
    /// Nothing but those before it; it is served from the tree.
    InOrder,
    /// As before; the end of a session that only this server knows.
    EndLocal,
    /// As before; this is the answer.
    Refused(ErrorCode),
    /// As before; this is the answer to an auth request.
    Auth(ErrorCode),
}

impl Turn {
    const fn has_come(self) -> bool {
        matches!(
            self,
            Self::InOrder | Self::EndLocal | Self::Refused(_) | Self::Auth(_)
        )
    }
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) item: Item,
    /// Of what is served or staged later; empty for the others.
    pub(super) body: Vec<u8>,
    pub(super) turn: Turn,
}

/// All requests that are not answered yet, by connection.
pub(super) struct Clients {
    shared: Arc<Shared>,
    pub(super) applier: Applier,
    queues: BTreeMap<WatcherId, VecDeque<Waiting>>,
    /// Whose sync a ticket is.
    tickets: BTreeMap<u64, WatcherId>,
    last_ticket: u64,
}

impl Clients {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            applier: Applier::new(shared.clone()),
            shared,
            queues: BTreeMap::new(),
            tickets: BTreeMap::new(),
            last_ticket: 0,
        }
    }

    /// Whether what comes of this connection cannot be staged yet: a write
    /// behind a sync could be done before it.
    pub(super) fn is_held_back(&self, conn: WatcherId) -> bool {
        let last = self.queues.get(&conn).and_then(VecDeque::back);
        last.is_some_and(|it| matches!(it.turn, Turn::Resuming | Turn::Sync(_) | Turn::Unstaged))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// A ticket for a sync of this connection.
    pub(super) fn ticket(&mut self, conn: WatcherId) -> u64 {
        self.last_ticket += 1;
        self.tickets.insert(self.last_ticket, conn);
        self.last_ticket
    }

    /// Puts a request behind the others of its connection; if there are none
    /// and its turn has come it is answered.
    pub(super) fn put(&mut self, waiting: Waiting, now_ms: u64) {
        let Some(conn) = client_of(&waiting.item).map(|conn| conn.id()) else {
            return;
        };
        let queue = self.queues.entry(conn).or_default();
        let is_first = queue.is_empty();
        let has_come = waiting.turn.has_come();
        queue.push_back(waiting);
        if is_first && has_come {
            let shared = self.shared.clone();
            self.advance(&shared.tree.read(), conn, now_ms);
        }
    }

    /// Answers what heads the queue as long as its turn has come.
    fn advance(&mut self, tree: &DataTree, conn: WatcherId, now_ms: u64) {
        let Some(queue) = self.queues.get_mut(&conn) else {
            return;
        };
        while let Some(waiting) = queue.pop_front_if(|it| it.turn.has_come()) {
            let item = &waiting.item;
            match waiting.turn {
                Turn::InOrder => {
                    self.applier
                        .serve_in_order(tree, item, &waiting.body, now_ms);
                }
                Turn::Refused(code) => self.applier.refuse(item, tree.last_zxid(), code, now_ms),
                Turn::EndLocal => self.applier.end_local(item, tree.last_zxid(), now_ms),
                Turn::Auth(code) => self.applier.answer_auth(item, code, now_ms),
                Turn::Unstaged | Turn::Resuming | Turn::Txn { .. } | Turn::Sync(_) => {}
            }
            self.shared.inbox.settle(1);
        }
        if queue.is_empty() {
            self.queues.remove(&conn);
        }
    }

    /// Applies a transaction and answers the request that it comes from, if
    /// that waits here.
    pub(super) fn apply(&mut self, tree: &mut DataTree, txn: &LoggedTxn<'_>, now_ms: u64) {
        let conn = self.waiting_for(txn);
        let queue = conn.and_then(|conn| self.queues.get_mut(&conn));
        let waiting = queue.and_then(VecDeque::pop_front);
        let item = waiting.as_ref().map(|waiting| &waiting.item);
        self.applier.apply(tree, txn, item, now_ms);
        if let Some(conn) = conn {
            self.shared.inbox.settle(1);
            self.advance(tree, conn, now_ms);
        }
    }

    /// The connection whose first request this transaction answers.
    fn waiting_for(&self, txn: &LoggedTxn<'_>) -> Option<WatcherId> {
        if self.queues.is_empty() {
            return None;
        }
        let header = &txn.header;
        let conn = self.shared.conns.of_session(header.client_id)?.id();
        let first = self.queues.get(&conn)?.front()?;
        let Turn::Txn { after } = first.turn else {
            return None;
        };
        let is_its = first.item.xid.0 == header.cxid
            && header.zxid > after
            && (first.item.op == header.kind || !same_kind_only(header.kind));
        is_its.then_some(conn)
    }

    /// A sync is done. Takes the requests that were held back behind it.
    pub(super) fn synced(&mut self, ticket: u64, now_ms: u64) -> VecDeque<Waiting> {
        let Some(conn) = self.tickets.remove(&ticket) else {
            return VecDeque::new();
        };
        let Some(queue) = self.queues.get_mut(&conn) else {
            return VecDeque::new();
        };
        let Some(at) = queue.iter().position(|it| it.turn == Turn::Sync(ticket)) else {
            return VecDeque::new();
        };
        queue[at].turn = Turn::InOrder;
        let behind = queue.split_off(at + 1);
        let shared = self.shared.clone();
        self.advance(&shared.tree.read(), conn, now_ms);
        behind
    }

    /// Takes all requests of a connection whose first one asked to resume:
    /// that one, and those that were held back behind it.
    pub(super) fn resumed(&mut self, conn: WatcherId) -> VecDeque<Waiting> {
        self.queues.remove(&conn).unwrap_or_default()
    }

    /// The connections that wait for the leader's word on a session.
    pub(super) fn resuming(&self) -> impl Iterator<Item = &Waiting> {
        let firsts = self.queues.values().filter_map(VecDeque::front);
        firsts.filter(|it| it.turn == Turn::Resuming)
    }

    /// Forgets the requests of connections that have ended.
    pub(super) fn sweep(&mut self) {
        let (shared, mut gone) = (&self.shared, 0);
        self.queues.retain(|conn, queue| {
            let lives = shared.conns.get(*conn).is_some();
            gone += if lives { 0 } else { queue.len() };
            lives
        });
        let queues = &self.queues;
        self.tickets.retain(|_, conn| queues.contains_key(conn));
        shared.inbox.settle(gone);
    }

    /// The role is over. Whether what waits happened nobody can tell: the
    /// connections end without an answer.
    pub(super) fn end_all(&mut self) {
        let waiting = self.queues.values().map(VecDeque::len).sum();
        self.queues.clear();
        self.tickets.clear();
        self.shared.inbox.settle(waiting);
        for conn in self.shared.conns.all() {
            conn.close();
        }
        self.applier.flush();
    }
}

/// The connection of a client's request.
pub(super) fn client_of(item: &Item) -> Option<&Arc<crate::conn::Conn>> {
    match &item.origin {
        Origin::Client(conn) | Origin::Resuming(conn) => Some(conn),
        Origin::Expired(_) | Origin::Server => None,
    }
}

/// Whether a transaction of this kind answers requests of the same kind
/// alone. Creates may become one another, and anything may fail.
const fn same_kind_only(kind: OpCode) -> bool {
    matches!(
        kind,
        OpCode::SET_DATA | OpCode::SET_ACL | OpCode::MULTI | OpCode::CLOSE_SESSION
    )
}
