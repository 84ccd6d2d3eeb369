//! What a scenario asks for: which request comes next, on which znode.
//!
//! Choices come from a seeded generator, so that every server is asked the same. It knows
//! nothing of when requests are sent.

use super::fleet::Answered;
use super::session::{Kind, Session};
use super::wire;
use crate::error::Result;

/// Which operations a scenario is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mix {
    /// getData of 100 bytes.
    Read,
    /// setData of 100 bytes.
    Write,
    /// Nine reads to a write.
    Mostly,
    /// An ephemeral sequential create, and a delete when it is answered.
    Ephemeral,
    /// A create of one znode after another, each once.
    Create,
    /// Nothing but pings.
    Ping,
}

/// Makes requests; frames are built once.
#[derive(Debug)]
pub(super) struct Requests {
    mix: Mix,
    nodes: u32,
    /// The znode that is created next.
    next: u32,
    random: u64,
    get: Vec<u8>,
    set: Vec<u8>,
    create: Vec<u8>,
    create_ephemeral: Vec<u8>,
    delete: Vec<u8>,
    ping: Vec<u8>,
}

impl Requests {
    /// Requests about znodes numbered from 0.
    pub(super) fn new(mix: Mix, nodes: u32) -> Self {
        Self {
            mix,
            nodes,
            next: 0,
            random: 0x9e37_79b9_7f4a_7c15,
            get: wire::get(false),
            set: wire::set(),
            create: wire::create(&wire::node_path(0)),
            create_ephemeral: wire::create_ephemeral(),
            delete: wire::delete_ephemeral(),
            ping: wire::ping(),
        }
    }

    /// Queues the next request. False when there is none left.
    pub(super) fn send(&mut self, session: &mut Session, since: u64) -> bool {
        match self.mix {
            Mix::Read => self.send_get(session, since),
            Mix::Write => self.send_set(session, since),
            Mix::Mostly => self.send_mostly(session, since),
            Mix::Ephemeral => {
                session.send(&self.create_ephemeral, Kind::CreateEphemeral, since);
            }
            Mix::Create => return self.send_create(session, since),
            Mix::Ping => {
                session.send(&self.ping, Kind::Ping, since);
            }
        }
        true
    }

    /// Queues what belongs to an answer. False if nothing does.
    pub(super) fn follow(&self, session: &mut Session, answered: &Answered<'_>) -> Result<bool> {
        if answered.kind != Kind::CreateEphemeral {
            return Ok(false);
        }
        let path = wire::created_path(answered.body)?;
        let frame = session.send(&self.delete, Kind::Delete, answered.now);
        wire::set_path(frame, path);
        Ok(true)
    }

    fn send_mostly(&mut self, session: &mut Session, since: u64) {
        if self.below(10) == 0 {
            self.send_set(session, since);
        } else {
            self.send_get(session, since);
        }
    }

    fn send_get(&mut self, session: &mut Session, since: u64) {
        let node = self.below(self.nodes);
        wire::set_node(session.send(&self.get, Kind::Get, since), node);
    }

    fn send_set(&mut self, session: &mut Session, since: u64) {
        let node = self.below(self.nodes);
        wire::set_node(session.send(&self.set, Kind::Set, since), node);
    }

    fn send_create(&mut self, session: &mut Session, since: u64) -> bool {
        if self.next == self.nodes {
            return false;
        }
        wire::set_node(session.send(&self.create, Kind::Create, since), self.next);
        self.next += 1;
        true
    }

    /// A number below the bound, by xorshift and a multiplication instead of a division.
    fn below(&mut self, bound: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (((self.random >> 32) * u64::from(bound)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_repeat_and_reach_every_znode() {
        let choices = || {
            let mut requests = Requests::new(Mix::Read, 10);
            std::array::from_fn::<_, 200, _>(|_| requests.below(10))
        };
        assert_eq!(choices(), choices());
        assert!((0..10).all(|node| choices().contains(&node)));
    }
}
