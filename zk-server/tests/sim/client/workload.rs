//! What a client asks for: bursts of a few requests, then a while of nothing.
//! It refuses to know what comes of them.

use super::Op;
use crate::queue::{MS, Micros, SECOND};
use crate::rng::Rng;
use std::collections::HashMap;
use zk_proto::{OpCode, Xid, Zxid};

const KEYS: u64 = 6;

/// One client's work.
pub(crate) struct Workload {
    /// In front of the numbers of its values, so that each is written once.
    writer: u64,
    values: u64,
    next: Micros,
    /// Its pace: between two bursts, at most.
    pause_max: Micros,
    is_idle: bool,
    /// Versions that it saw last.
    versions: HashMap<String, i32>,
    ephemerals: u64,
}

impl Workload {
    pub(super) fn new(writer: u64, rng: &mut Rng) -> Self {
        Self {
            writer: writer << 32,
            values: 0,
            next: rng.below(SECOND),
            pause_max: rng.pick(&[16 * SECOND, 32 * SECOND, 64 * SECOND]),
            is_idle: false,
            versions: HashMap::new(),
            ephemerals: 0,
        }
    }

    /// From now on it asks for nothing by itself.
    pub(crate) fn be_idle(&mut self) {
        self.is_idle = true;
    }

    pub(crate) fn due(&self) -> Micros {
        if self.is_idle { Micros::MAX } else { self.next }
    }

    /// A burst is due at that time, if not before.
    pub(crate) fn hurry(&mut self, at: Micros) {
        self.next = self.next.min(at);
    }

    /// A new session has nothing.
    pub(super) fn start_over(&mut self) {
        self.ephemerals += 1000;
    }

    pub(crate) fn note_version(&mut self, path: &str, version: i32) {
        match self.versions.get_mut(path) {
            Some(known) => *known = version,
            None => {
                self.versions.insert(path.to_owned(), version);
            }
        }
    }

    /// A request without anything.
    pub(crate) fn bare(&self, xid: Xid, kind: OpCode) -> Op {
        Op {
            xid,
            kind,
            path: String::new(),
            value: 0,
            version: -1,
            watch: false,
            is_strict: false,
            seen: Zxid::ZERO,
        }
    }

    pub(crate) fn op(&mut self, kind: OpCode, path: impl Into<String>, seen: Zxid) -> Op {
        self.values += 1;
        Op {
            path: path.into(),
            value: self.writer + self.values,
            seen,
            ..self.bare(Xid(0), kind)
        }
    }

    pub(super) fn burst(
        &mut self,
        now: Micros,
        rng: &mut Rng,
        may_ask: bool,
        seen: Zxid,
    ) -> Vec<Op> {
        self.next = now + rng.skewed(200 * MS, self.pause_max);
        if !may_ask {
            return Vec::new();
        }
        let mut ops = Vec::new();
        for _ in 0..rng.skewed(1, 8) {
            self.draw(rng, seen, &mut ops);
        }
        ops
    }

    fn draw(&mut self, rng: &mut Rng, seen: Zxid, ops: &mut Vec<Op>) {
        let key = format!("/k{}", rng.below(KEYS));
        match rng.below(100) {
            0..25 => ops.push(self.op(OpCode::SET_DATA, key, seen)),
            25..40 => {
                let version = self.guess(rng, &key);
                let op = self.op(OpCode::SET_DATA, key, seen);
                ops.push(Op { version, ..op });
            }
            40..48 => ops.push(self.op(OpCode::CREATE, key, seen)),
            48..52 => {
                let version = self.guess(rng, &key);
                let op = self.op(OpCode::DELETE, key, seen);
                ops.push(Op { version, ..op });
            }
            52..64 => {
                let watch = rng.per_mille(300);
                let op = self.op(OpCode::GET_DATA, key, seen);
                ops.push(Op { watch, ..op });
            }
            64..78 => {
                ops.push(self.op(OpCode::SYNC, "/", seen));
                let op = self.op(OpCode::GET_DATA, key, seen);
                let is_strict = true;
                ops.push(Op { is_strict, ..op });
            }
            78..86 => {
                let version = self.guess(rng, "/p");
                let op = self.op(OpCode::MULTI, "/p", seen);
                ops.push(Op { version, ..op });
            }
            86..92 => self.ephemeral(rng, seen, ops),
            92..96 => ops.push(self.op(OpCode::CREATE, "/q/n-", seen)),
            96 if rng.per_mille(300) => self.end_session(rng, seen, ops),
            _ => {
                let other = rng.pick(&["/p", "/pb", "/e", "/q"]);
                let op = self.op(OpCode::CREATE, other, seen);
                ops.push(op);
            }
        }
    }

    /// A version to ask for: any, the last one that was seen, or one off.
    fn guess(&self, rng: &mut Rng, path: &str) -> i32 {
        let known = self.versions.get(path).copied().unwrap_or(0);
        match rng.below(10) {
            0 => -1,
            1 => known + 1,
            2 => (known - 1).max(0),
            _ => known,
        }
    }

    /// The end of the session, between requests that may come too late.
    fn end_session(&mut self, rng: &mut Rng, seen: Zxid, ops: &mut Vec<Op>) {
        self.ephemeral(rng, seen, ops);
        ops.push(self.op(OpCode::CLOSE_SESSION, "", seen));
        for _ in 0..rng.below(3) {
            self.ephemeral(rng, seen, ops);
        }
    }

    fn ephemeral(&mut self, rng: &mut Rng, seen: Zxid, ops: &mut Vec<Op>) {
        let number = self.ephemerals;
        let path = |number| format!("/e/{}-{number}", self.writer >> 32);
        let (newest, next) = (path(number), path(number + 1));
        let op = match rng.below(4) {
            0 | 1 => {
                self.ephemerals += 1;
                self.op(OpCode::CREATE, next, seen)
            }
            2 => self.op(OpCode::GET_DATA, newest, seen),
            _ => self.op(OpCode::DELETE, newest, seen),
        };
        ops.push(op);
    }
}
