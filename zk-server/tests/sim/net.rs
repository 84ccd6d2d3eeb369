//! Cables, switches and kernels between machines: connections as pairs of
//! ordered pipes, cut and healed paths, delays. It refuses to know who talks
//! to whom and why.

use crate::queue::{MS, Micros};
use crate::rng::Rng;
use std::collections::{BTreeMap, VecDeque};

/// A machine: a server's or a client's.
pub(crate) type Machine = usize;

/// A connection, never used twice.
pub(crate) type ConnId = u64;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Between a learner, which dialled, and a leader.
    Quorum,
    /// Votes.
    Votes,
    /// Of a client, which dialled.
    Client,
}

/// How one end of a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndState {
    Open,
    /// Closed by its own process: nothing more is told there.
    Closed,
    /// Its process is gone, and the other end may not know.
    Dead,
}

#[derive(Debug)]
pub(crate) struct End {
    pub(crate) machine: Machine,
    /// Which life of the machine's process.
    pub(crate) life: u32,
    pub(crate) state: EndState,
    /// By which number the process knows it.
    pub(crate) handle: u64,
}

/// Something on its way.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// The connection is there.
    Opened,
    Bytes(Vec<u8>),
    /// Nothing more comes.
    End,
}

/// One direction of a connection. What goes in comes out in order.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    parcels: VecDeque<(Micros, Parcel)>,
    last_at: Micros,
    /// Whether an arrival is in the queue of events.
    pub(crate) is_scheduled: bool,
}

impl Pipe {
    /// Puts a parcel in that arrives at `at`, or when those before it have.
    pub(crate) fn put(&mut self, at: Micros, parcel: Parcel) -> Micros {
        self.last_at = self.last_at.max(at);
        self.parcels.push_back((self.last_at, parcel));
        self.last_at
    }

    /// What has arrived by now.
    pub(crate) fn take(&mut self, now: Micros) -> Option<Parcel> {
        let (at, _) = self.parcels.front()?;
        if *at > now {
            return None;
        }
        self.parcels.pop_front().map(|(_, parcel)| parcel)
    }

    /// Puts back what was not taken.
    pub(crate) fn put_back(&mut self, at: Micros, parcel: Parcel) {
        self.parcels.push_front((at, parcel));
    }

    /// What is on its way is lost, but for the answer to a dial.
    pub(crate) fn lose(&mut self) {
        self.parcels
            .retain(|(_, parcel)| matches!(parcel, Parcel::Opened));
    }

    pub(crate) fn next_at(&self) -> Option<Micros> {
        self.parcels.front().map(|(at, _)| *at)
    }
}

#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) purpose: Purpose,
    /// The one that dialled, and the other.
    pub(crate) ends: [End; 2],
    /// From the end of that number to the other.
    pub(crate) pipes: [Pipe; 2],
}

impl Conn {
    /// Which end a process holds.
    pub(crate) fn side_of(&self, machine: Machine) -> usize {
        usize::from(self.ends[1].machine == machine)
    }
}

/// All machines, and what is between them.
pub(crate) struct Net {
    pub(crate) conns: BTreeMap<ConnId, Conn>,
    last_conn: ConnId,
    /// `cut[a][b]`: nothing gets from a to b.
    cut: Vec<Vec<bool>>,
    /// The usual delay from a to b.
    delay: Vec<Vec<Micros>>,
    /// What is added to it at most, by chance.
    jitter: Micros,
    /// Added to all that a machine sends.
    slow: Vec<Micros>,
    rng: Rng,
}

impl Net {
    pub(crate) fn new(machines: usize, base: Option<Micros>, mut rng: Rng) -> Self {
        let any = rng.pick(&[50, 200, 500, 2 * MS, 10 * MS]);
        let base = base.unwrap_or(any);
        let delays = (0..machines).map(|_| {
            let row = (0..machines).map(|_| rng.range(base / 2, base * 2));
            row.collect::<Vec<_>>()
        });
        Self {
            delay: delays.collect(),
            conns: BTreeMap::new(),
            last_conn: 0,
            cut: vec![vec![false; machines]; machines],
            jitter: base,
            slow: vec![0; machines],
            rng,
        }
    }

    pub(crate) fn machines(&self) -> usize {
        self.cut.len()
    }

    pub(crate) fn add(&mut self, conn: Conn) -> ConnId {
        self.last_conn += 1;
        self.conns.insert(self.last_conn, conn);
        self.last_conn
    }

    /// How long the next message takes from one machine to another.
    pub(crate) fn delay(&mut self, from: Machine, to: Machine) -> Micros {
        let jitter = self.rng.below(self.jitter);
        self.delay[from][to] + jitter + self.slow[from] + 1
    }

    pub(crate) fn is_cut(&self, from: Machine, to: Machine) -> bool {
        self.cut[from][to]
    }

    /// Whether a handshake gets through.
    pub(crate) fn is_reachable(&self, from: Machine, to: Machine) -> bool {
        !self.cut[from][to] && !self.cut[to][from]
    }

    pub(crate) fn set_cut(&mut self, from: Machine, to: Machine, is_cut: bool) {
        if from != to {
            self.cut[from][to] = is_cut;
        }
    }

    pub(crate) fn set_slow(&mut self, machine: Machine, added: Micros) {
        self.slow[machine] = added;
    }

    /// The connections of one process.
    pub(crate) fn of(&self, machine: Machine) -> Vec<ConnId> {
        let touches = |conn: &Conn| conn.ends.iter().any(|end| end.machine == machine);
        let found = self.conns.iter().filter(|(_, conn)| touches(conn));
        found.map(|(id, _)| *id).collect()
    }

    /// Forgets a connection that neither end knows any more.
    pub(crate) fn forget_if_over(&mut self, id: ConnId) {
        let is_over = |conn: &Conn| conn.ends.iter().all(|end| end.state != EndState::Open);
        if self.conns.get(&id).is_some_and(is_over) {
            self.conns.remove(&id);
        }
    }

    /// Splits a parcel of bytes now and then, as streams are.
    pub(crate) fn split(&mut self, bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
        let may_split = bytes.len() > 1 && self.rng.per_mille(30);
        may_split.then(|| {
            let at = 1 + self.rng.index(bytes.len() - 1);
            bytes.split_off(at)
        })
    }
}
