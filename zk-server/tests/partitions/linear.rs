//! Whether the operations on one znode are linearizable: whether there is one
//! order of them, in which every answer is right and nothing comes before what
//! had been answered when it was sent (Wing and Gong's search, as Lowe made
//! it fast, over the next operation of every client).
//!
//! What was not answered may be anywhere after it was sent, or nowhere. The
//! zxids of writes say which of two came first; the search has few choices.

use crate::history::{Act, ClientId, Moment, Op, Saw, Value};
use std::collections::{BTreeMap, HashSet};
use zk_proto::Zxid;

/// More states than any history of a test has unless it is wrong.
const STATES_MAX: usize = 2_000_000;

/// Why there is no such order.
#[derive(Debug)]
pub(crate) struct Violation {
    /// What was left where the search got furthest.
    pub(crate) text: String,
}

/// Judges the operations on one znode, in any order. Plain reads are left
/// out: they may be behind.
pub(crate) fn check(ops: &[Op]) -> Result<(), Violation> {
    let mut search = Search::new(ops);
    if search.succeeds() {
        return Ok(());
    }
    Err(Violation {
        text: search.explain(),
    })
}

/// A znode, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Node {
    value: Value,
    version: i32,
    /// Known unless nobody was told.
    mzxid: Option<Zxid>,
}

/// How far an order got.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Point {
    /// For each client, how many of its operations are done.
    next: Vec<u32>,
    /// Which of the unanswered ones are.
    lost: Vec<u64>,
    node: Option<Node>,
    /// Of the last write whose zxid is known.
    zxid: Zxid,
}

struct Search<'a> {
    /// Answered operations of each client, in its order.
    clients: Vec<Vec<&'a Op>>,
    /// Writes without an answer.
    lost: Vec<&'a Op>,
    ahead: Vec<Point>,
    seen: HashSet<Point>,
    furthest: Option<Point>,
}

impl<'a> Search<'a> {
    fn new(ops: &'a [Op]) -> Self {
        let mut clients: BTreeMap<ClientId, Vec<&Op>> = BTreeMap::new();
        let mut lost = Vec::new();
        for op in ops.iter().filter(|op| op.act != Act::Read) {
            match op.is_unknown() {
                true if op.is_write() => lost.push(op),
                true => {}
                false => clients.entry(op.client).or_default().push(op),
            }
        }
        let mut clients: Vec<_> = clients.into_values().collect();
        for own in &mut clients {
            own.sort_by_key(|op| op.invoked);
        }
        lost.sort_by_key(|op| op.invoked);
        let start = Point {
            next: vec![0; clients.len()],
            lost: vec![0; lost.len().div_ceil(64)],
            node: None,
            zxid: Zxid::ZERO,
        };
        Self {
            clients,
            lost,
            ahead: vec![start],
            seen: HashSet::new(),
            furthest: None,
        }
    }

    fn succeeds(&mut self) -> bool {
        while let Some(point) = self.ahead.pop() {
            assert!(
                self.seen.len() < STATES_MAX,
                "undecided after {STATES_MAX} states"
            );
            if !self.seen.insert(point.clone()) {
                continue;
            }
            if self.candidates(&point).next().is_none() {
                return true;
            }
            self.remember(&point);
            self.advance(&point);
        }
        false
    }

    /// Pushes what may come next, the likeliest last.
    fn advance(&mut self, point: &Point) {
        let known: Vec<_> = self.candidates(point).collect();
        let deadline = self.deadline(point);
        // What changes nothing and is right now may be done now: whatever can
        // come before it can come behind it.
        let calm = known
            .iter()
            .find(|(_, op)| !op.has_written() && op.invoked <= deadline && is_right(op, point));
        if let Some((client, op)) = calm {
            let mut next = point.clone();
            next.next[*client] += 1;
            learn(op, &mut next);
            return self.ahead.push(next);
        }
        for (at, op) in self.lost.iter().enumerate() {
            if point.lost[at / 64] & (1 << (at % 64)) == 0
                && op.invoked <= deadline
                && let Some(node) = after_lost(op, point)
            {
                let mut next = point.clone();
                next.lost[at / 64] |= 1 << (at % 64);
                next.node = node;
                self.ahead.push(next);
            }
        }
        let writes = known.iter().filter(|(_, op)| op.has_written());
        let Some((client, op)) = writes.min_by_key(|(_, op)| op.zxid) else {
            return;
        };
        if op.invoked <= deadline
            && op.zxid > point.zxid
            && let Some(node) = after_write(op, point)
        {
            let mut next = point.clone();
            next.next[*client] += 1;
            next.node = node;
            next.zxid = op.zxid;
            self.ahead.push(next);
        }
    }

    /// The next operation of every client that has one.
    fn candidates(&self, point: &Point) -> impl Iterator<Item = (usize, &'a Op)> {
        let next = point.next.clone();
        let own = move |(client, ops): (usize, &Vec<&'a Op>)| {
            let op = ops.get(next[client] as usize)?;
            Some((client, *op))
        };
        self.clients.iter().enumerate().filter_map(own)
    }

    /// Nothing that was sent later can be next.
    fn deadline(&self, point: &Point) -> Moment {
        let answers = self.candidates(point).map(|(_, op)| op.answered);
        answers.min().unwrap_or(Moment::NEVER)
    }

    fn remember(&mut self, point: &Point) {
        let length = |point: &Point| point.next.iter().sum::<u32>();
        if self
            .furthest
            .as_ref()
            .is_none_or(|it| length(it) <= length(point))
        {
            self.furthest = Some(point.clone());
        }
    }

    fn explain(&self) -> String {
        let Some(point) = &self.furthest else {
            return "nothing was tried".to_owned();
        };
        let mut text = format!("with {:?}, none of these can be next:", point.node);
        for (_, op) in self.candidates(point) {
            text.push_str(&format!("\n  {op}"));
        }
        text.push_str("\nlast done:");
        for (own, next) in self.clients.iter().zip(&point.next) {
            let done = &own[..*next as usize];
            for op in done.iter().rev().take(2) {
                text.push_str(&format!("\n  {op}"));
            }
        }
        let lost = self.lost.len();
        text.push_str(&format!("\nand {lost} without an answer"));
        for op in &self.lost {
            text.push_str(&format!("\n  {op}"));
        }
        text
    }
}

/// Whether an answer of what changed nothing is right at this point.
fn is_right(op: &Op, point: &Point) -> bool {
    match (op.saw, point.node) {
        (Saw::NoNode, node) => node.is_none(),
        (Saw::NodeExists, node) => node.is_some(),
        (Saw::BadVersion, Some(node)) => {
            matches!(op.act, Act::Set(_, Some(version)) if version != node.version)
        }
        (
            Saw::Data {
                value,
                version,
                mzxid,
            },
            Some(node),
        ) => {
            (value, version) == (node.value, node.version)
                && node.mzxid.is_none_or(|known| known == mzxid)
                && (node.mzxid.is_some() || mzxid > point.zxid)
        }
        _ => false,
    }
}

/// A read tells the zxid of a write that was not answered.
fn learn(op: &Op, point: &mut Point) {
    if let (Saw::Data { mzxid, .. }, Some(node)) = (op.saw, &mut point.node) {
        node.mzxid = Some(mzxid);
        point.zxid = point.zxid.max(mzxid);
    }
}

/// The znode after a write that was answered; `None` if the answer is wrong.
fn after_write(op: &Op, point: &Point) -> Option<Option<Node>> {
    let node = changed(op, point.node)?;
    match (op.saw, node) {
        (Saw::Deleted, None) => Some(None),
        (Saw::Wrote { version }, Some(node)) if version == node.version => Some(Some(Node {
            mzxid: Some(op.zxid),
            ..node
        })),
        _ => None,
    }
}

/// The znode after a write that was not answered, if it could be done.
fn after_lost(op: &Op, point: &Point) -> Option<Option<Node>> {
    changed(op, point.node)
}

/// What a write makes of a znode, unless it fails.
fn changed(op: &Op, node: Option<Node>) -> Option<Option<Node>> {
    let written = |value, version| {
        Some(Some(Node {
            value,
            version,
            mzxid: None,
        }))
    };
    match (op.act, node) {
        (Act::Create(value), None) => written(value, 0),
        (Act::Set(value, expected), Some(node))
            if expected.is_none_or(|version| version == node.version) =>
        {
            written(value, node.version + 1)
        }
        (Act::Delete, Some(_)) => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Key;
    use zk_proto::ServerId;

    fn op(client: u32, act: Act, saw: Saw, zxid: i64, times: (u64, u64)) -> Op {
        Op {
            client: ClientId(client),
            server: ServerId(1),
            key: Key { round: 0, index: 0 },
            act,
            invoked: Moment(times.0),
            answered: if saw == Saw::Nothing {
                Moment::NEVER
            } else {
                Moment(times.1)
            },
            saw,
            zxid: Zxid(zxid),
        }
    }

    fn create(value: u64, zxid: i64, times: (u64, u64)) -> Op {
        let saw = Saw::Wrote { version: 0 };
        op(1, Act::Create(Value(value)), saw, zxid, times)
    }

    fn set(client: u32, value: u64, version: i32, zxid: i64, times: (u64, u64)) -> Op {
        let saw = Saw::Wrote { version };
        op(client, Act::Set(Value(value), None), saw, zxid, times)
    }

    fn read(client: u32, value: u64, version: i32, mzxid: i64, times: (u64, u64)) -> Op {
        let saw = Saw::Data {
            value: Value(value),
            version,
            mzxid: Zxid(mzxid),
        };
        op(client, Act::SyncRead, saw, 99, times)
    }

    #[track_caller]
    fn assert_wrong(ops: &[Op]) {
        assert!(check(ops).is_err());
    }

    #[track_caller]
    fn assert_right(ops: &[Op]) {
        if let Err(violation) = check(ops) {
            panic!("{}", violation.text);
        }
    }

    #[test]
    fn a_read_sees_what_was_acknowledged_before() {
        let begin = [create(1, 1, (0, 1)), set(1, 2, 1, 2, (2, 4))];
        let with = |last| [begin[0], begin[1], last];
        assert_right(&with(read(2, 2, 1, 2, (5, 6))));
        assert_wrong(&with(read(2, 1, 0, 1, (5, 6))));
        // While it is on its way, either will do.
        assert_right(&with(read(2, 1, 0, 1, (3, 6))));
        assert_right(&with(read(2, 2, 1, 2, (3, 6))));
    }

    #[test]
    fn reads_do_not_go_back() {
        let slow = op(1, Act::Set(Value(2), None), Saw::Nothing, 0, (2, 0));
        let begin = [create(1, 1, (0, 1)), slow];
        let with = |a, b| [begin[0], begin[1], a, b];
        assert_right(&with(read(2, 1, 0, 1, (3, 4)), read(3, 2, 1, 2, (5, 6))));
        assert_wrong(&with(read(2, 2, 1, 2, (3, 4)), read(3, 1, 0, 1, (5, 6))));
        // Nor does a version have two zxids.
        assert_wrong(&with(read(2, 2, 1, 2, (3, 4)), read(3, 2, 1, 3, (5, 6))));
    }

    #[test]
    fn unanswered_writes_fill_the_holes_and_no_others_do() {
        let begin = create(1, 1, (0, 1));
        let lost = op(2, Act::Set(Value(7), None), Saw::Nothing, 0, (2, 0));
        let later = set(1, 3, 2, 9, (10, 11));
        assert_right(&[begin, lost, later]);
        assert_wrong(&[begin, later]);
        // It was sent too late to be the first.
        let late = Op {
            invoked: Moment(12),
            ..lost
        };
        assert_wrong(&[begin, late, later]);
        // At another version it does nothing.
        let other = Op {
            act: Act::Set(Value(7), Some(5)),
            ..lost
        };
        assert_wrong(&[begin, other, later]);
    }

    #[test]
    fn refusals_must_have_been_right() {
        let begin = [create(1, 1, (0, 1)), set(1, 2, 1, 2, (2, 3))];
        let cas = |version, times| {
            op(
                2,
                Act::Set(Value(8), Some(version)),
                Saw::BadVersion,
                3,
                times,
            )
        };
        let with = |last| [begin[0], begin[1], last];
        assert_right(&with(cas(0, (4, 5))));
        assert_wrong(&with(cas(1, (4, 5))));
        let gone = op(2, Act::SyncRead, Saw::NoNode, 3, (4, 5));
        assert_wrong(&with(gone));
        let taken = op(2, Act::Create(Value(8)), Saw::NodeExists, 3, (4, 5));
        assert_right(&with(taken));
    }

    #[test]
    fn an_acknowledged_write_is_not_lost() {
        let begin = [create(1, 1, (0, 1)), set(1, 2, 1, 2, (2, 3))];
        let deleted = op(2, Act::Delete, Saw::Deleted, 3, (4, 5));
        let gone = op(3, Act::SyncRead, Saw::NoNode, 9, (6, 7));
        assert_right(&[begin[0], begin[1], deleted, gone]);
        assert_wrong(&[begin[0], begin[1], gone]);
        // The same version twice: one of the two was forgotten.
        let again = set(3, 4, 1, 8, (6, 7));
        assert_wrong(&[begin[0], begin[1], again]);
    }

    #[test]
    fn zxids_follow_time() {
        let begin = create(1, 5, (0, 1));
        assert_wrong(&[begin, set(2, 2, 1, 4, (2, 3))]);
    }
}
