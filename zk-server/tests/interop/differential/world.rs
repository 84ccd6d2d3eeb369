//! Both servers, the clients of both, and the comparison of what they say.

use super::call::Call;
use super::canon::{Kind, Line, Sessions};
use super::journal::Journal;
use super::known::Known;
use super::tally::Tally;
use crate::support::link::{Incoming, Link};
use crate::support::rng::Rng;
use crate::support::twins::Twins;
use std::collections::HashSet;
use zk_proto::{ErrorCode, MultiResult, OpCode, Response, SessionId, jute};

/// A session as its client remembers it.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) id: SessionId,
    pub(crate) password: Vec<u8>,
}

/// One client, which does everything twice.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) links: Option<[Link; 2]>,
    pub(crate) tickets: Option<[Ticket; 2]>,
    next_xid: i32,
}

/// Everything that a run holds.
pub(crate) struct World {
    pub(crate) twins: Twins,
    pub(crate) rng: Rng,
    pub(crate) clients: Vec<Client>,
    pub(crate) sessions: Sessions,
    pub(crate) known: Known,
    /// Paths that have a quota.
    pub(crate) quotas: Vec<String>,
    /// Quotas begin behind so many operations.
    pub(crate) quotas_from: u64,
    /// Most requests in one piece.
    pub(crate) burst_max: usize,
    pub(crate) journal: Journal,
    pub(crate) tally: Tally,
    /// Transactions that end a session: the order of their events is free.
    closings: HashSet<i64>,
    /// The last zxid that was heard of.
    pub(crate) zxid: i64,
    /// Requests and other things done so far.
    pub(crate) operations: u64,
}

impl World {
    pub(crate) fn new(twins: Twins, seed: u64, clients: usize) -> Self {
        Self {
            twins,
            rng: Rng::new(seed),
            clients: (0..clients).map(|_| Client::default()).collect(),
            sessions: Sessions::default(),
            known: Known::default(),
            quotas: Vec::new(),
            quotas_from: 0,
            burst_max: usize::MAX,
            journal: Journal::new(seed),
            tally: Tally::default(),
            closings: HashSet::new(),
            zxid: 0,
            operations: 0,
        }
    }

    /// New connections of a client; what it had is dropped.
    pub(crate) fn dial(&mut self, client: usize) {
        let links = self
            .twins
            .each()
            .each_ref()
            .map(|process| Link::open(process.address()));
        self.clients[client].links = Some(links);
    }

    /// Sends the calls in one piece to both servers, and compares everything
    /// that comes until the last one is answered. Returns Apache's answers;
    /// fewer than calls if it closed the connection.
    pub(crate) fn burst(&mut self, client: usize, calls: &[Call]) -> Vec<Vec<u8>> {
        self.operations += u64::try_from(calls.len()).expect("few");
        let xids = self.send(client, calls);
        let ours = self.collect(client, 1, calls);
        let theirs = self.collect(client, 0, calls);
        self.learn_closings(calls, &theirs.lines);
        let what = xids.iter().zip(calls);
        let what = what.map(|(xid, call)| format!("xid {xid}: {}", call.describe()));
        let what: Vec<_> = what.collect();
        self.compare(client, &what.join("\n  "), &theirs.lines, &ours.lines);
        if theirs
            .lines
            .last()
            .is_some_and(|line| line.kind == Kind::End)
        {
            self.clients[client].links = None;
        }
        for (call, answer) in calls.iter().zip(&theirs.answers) {
            self.learn(call, answer);
        }
        theirs.answers
    }

    fn send(&mut self, client: usize, calls: &[Call]) -> Vec<i32> {
        let client = &mut self.clients[client];
        let mut bytes = Vec::new();
        let mut xids = Vec::new();
        for call in calls {
            client.next_xid += 1;
            let xid = call.xid.unwrap_or(client.next_xid);
            xids.push(xid);
            bytes.extend(crate::support::link::framed(&call.payload(xid)));
        }
        for link in client.links.as_mut().expect("a connected client") {
            link.send(&bytes);
        }
        xids
    }

    fn collect(&mut self, client: usize, side: usize, calls: &[Call]) -> Collected {
        let link = &mut self.clients[client].links.as_mut().expect("connected")[side];
        let mut collected = Collected::default();
        for call in calls {
            if !collected.until_answer(link, &self.sessions, side, call) {
                return collected;
            }
        }
        if collected.ends(calls) {
            collected.until_closed(link, &self.sessions, side);
        }
        collected
    }

    fn learn_closings(&mut self, calls: &[Call], lines: &[Line]) {
        let answers = lines.iter().filter_map(|line| match line.kind {
            Kind::Answer { zxid, .. } => Some(zxid),
            _ => None,
        });
        for (call, zxid) in calls.iter().zip(answers) {
            if call.op == OpCode::CLOSE_SESSION {
                self.closings.insert(zxid);
            }
        }
    }

    /// Sessions that expired between two zxids.
    pub(crate) fn closed_between(&mut self, before: i64, after: i64) {
        self.closings.extend(before..=after);
    }

    /// Events of a session's end come in any order.
    fn ordered(&self, lines: &[Line]) -> Vec<Line> {
        let mut lines = lines.to_vec();
        let free =
            |line: &Line| matches!(line.kind, Kind::Event(zxid) if self.closings.contains(&zxid));
        for run in lines.chunk_by_mut(|a, b| free(a) && a.kind == b.kind) {
            if run.len() > 1 {
                run.sort_by(|a, b| a.text.cmp(&b.text));
            }
        }
        lines
    }

    /// Fails if the servers did not say the same.
    pub(crate) fn compare(&mut self, client: usize, what: &str, theirs: &[Line], ours: &[Line]) {
        self.journal.note(format!("client {client}:\n  {what}"));
        if let Some(Kind::Answer { zxid, .. }) = theirs.last().map(|line| line.kind) {
            self.zxid = self.zxid.max(zxid);
        }
        for line in theirs {
            match line.kind {
                Kind::Event(_) => self.tally.events += 1,
                Kind::End => self.tally.closed += 1,
                Kind::Answer { .. } => {}
            }
        }
        let (theirs, ours) = (self.ordered(theirs), self.ordered(ours));
        if theirs == ours {
            return;
        }
        let report = self
            .journal
            .report(self.operations, &text(&theirs), &text(&ours));
        panic!("{}\n{report}", self.twins.logs());
    }

    fn learn(&mut self, call: &Call, answer: &[u8]) {
        let mut reader = jute::Reader::new(answer);
        let Ok(header) = reader.read::<zk_proto::ReplyHeader>() else {
            return;
        };
        self.tally.count(call.op, header.err);
        if header.err == ErrorCode::NO_NODE
            && let Some(path) = &call.path
        {
            self.known.remove(path);
        }
        if !header.err.is_ok() {
            return;
        }
        if watches(call)
            && let Some(path) = &call.path
        {
            self.known.watch(path);
        }
        match Response::decode(call.op, reader.remaining()) {
            Ok(Response::Path(Some(path))) if call.op == OpCode::CREATE => self.add(&path),
            Ok(Response::PathStat(Some(path), _)) => self.add(&path),
            Ok(Response::Empty) => self.gone(call),
            Ok(Response::Multi(results)) => self.learn_multi(call, &results),
            _ => {}
        }
    }

    fn add(&mut self, path: &str) {
        if !path.starts_with("/zookeeper/quota/") {
            self.known.add(path);
        }
    }

    fn gone(&mut self, call: &Call) {
        for path in &call.deletes {
            self.known.remove(path);
        }
    }

    fn learn_multi(&mut self, call: &Call, results: &[MultiResult<'_>]) {
        if results
            .iter()
            .any(|result| matches!(result, MultiResult::Error(_)))
        {
            return;
        }
        for result in results {
            if let MultiResult::Create(path) | MultiResult::Create2(path, _) = result {
                self.add(path);
            }
        }
        self.gone(call);
    }
}

fn watches(call: &Call) -> bool {
    match call.op {
        OpCode::GET_DATA | OpCode::EXISTS | OpCode::GET_CHILDREN | OpCode::GET_CHILDREN2 => {
            call.body.last() == Some(&1)
        }
        op => op == OpCode::ADD_WATCH,
    }
}

fn text(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.text.clone()).collect()
}

/// What one server sent.
#[derive(Debug, Default)]
struct Collected {
    lines: Vec<Line>,
    answers: Vec<Vec<u8>>,
}

impl Collected {
    /// Reads up to the answer; `false` if there was none.
    fn until_answer(
        &mut self,
        link: &mut Link,
        sessions: &Sessions,
        side: usize,
        call: &Call,
    ) -> bool {
        loop {
            let payload = match link.next() {
                Incoming::Frame(payload) => payload,
                Incoming::Closed => {
                    self.lines.push(Line::closed());
                    return false;
                }
                Incoming::Silence => {
                    self.lines.push(Line::silence());
                    return false;
                }
            };
            let line = sessions.line(side, call, &payload);
            let is_answer = matches!(line.kind, Kind::Answer { .. });
            self.lines.push(line);
            if is_answer {
                self.answers.push(payload);
                return true;
            }
        }
    }

    fn until_closed(&mut self, link: &mut Link, sessions: &Sessions, side: usize) {
        let nothing = Call::raw(OpCode(0), Vec::new());
        while self.until_answer(link, sessions, side, &nothing) {}
    }

    /// Whether the last answer is one behind which the server closes.
    fn ends(&self, calls: &[Call]) -> bool {
        let Some(Line {
            kind: Kind::Answer { zxid, err },
            ..
        }) = self.lines.last()
        else {
            return false;
        };
        let is_close = calls
            .last()
            .is_some_and(|call| call.op == OpCode::CLOSE_SESSION);
        // Known operations that are switched off have a zxid, and do not end it.
        let is_unknown = *err == ErrorCode::UNIMPLEMENTED && *zxid == -1;
        is_close || is_unknown || *err == ErrorCode::AUTH_FAILED
    }
}
