//! The invariants, after every event. `docs/simulation.md` says which check
//! stands for which of them. It refuses to change anything.

pub(crate) mod history;
pub(crate) mod reference;
mod trees;

pub(crate) use trees::compare_trees;

use crate::setup::{Setup, server_id};
use reference::{Broken, Reference};
use std::collections::{BTreeMap, BTreeSet};
use zk_log::MemStorage;
use zk_proto::ensemble::QuorumSystem;
use zk_proto::quorum::{PacketType, QuorumPacket};
use zk_proto::txn::LoggedTxn;
use zk_proto::{Epoch, ServerId, SessionId, Zxid};
use zk_server::host::View;

/// What a server has said and shown, over all its lives.
#[derive(Debug, Default, Clone)]
struct Ghost {
    /// The highest proposal of its log that it acknowledged.
    acked: Zxid,
    accepted: Epoch,
    current: Epoch,
    /// Its log, all of it flushed.
    logged: Zxid,
    /// How far a leader told it to go back.
    cut: Option<Zxid>,
    /// The epoch whose leader it said that it is.
    claimed: Option<Epoch>,
    /// What was compared last, and found equal.
    compared: Option<(Zxid, u64)>,
}

impl Ghost {
    /// Whether its disk has everything up to there, as far as can be told. Who
    /// took over an epoch has all that was committed before it.
    fn holds(&self, zxid: Zxid) -> bool {
        let before = Zxid::new(self.current, 0);
        self.logged.max(self.acked).max(before) >= zxid
    }
}

pub(crate) struct Checker {
    pub(crate) reference: Reference,
    quorums: QuorumSystem,
    ghosts: Vec<Ghost>,
    /// What each server has on its disk, running or not.
    pub(crate) disks: Vec<MemStorage>,
    /// Who leads an epoch, once it serves.
    leaders: BTreeMap<Epoch, usize>,
    /// The highest zxid that a client was shown.
    pub(crate) seen: Zxid,
    /// Sessions whose clients were told that they are over, before they were.
    early_ends: BTreeSet<SessionId>,
    /// Epochs that a server established in the step at hand.
    established: Vec<(usize, Epoch)>,
    violation: Option<String>,
}

impl Checker {
    pub(crate) fn new(setup: &Setup) -> Self {
        let config = setup.config(0);
        Self {
            reference: Reference::new(),
            quorums: config.ensemble.members.quorum_system(),
            ghosts: vec![Ghost::default(); setup.servers()],
            disks: vec![MemStorage::new(); setup.servers()],
            leaders: BTreeMap::new(),
            seen: Zxid::ZERO,
            early_ends: BTreeSet::new(),
            established: Vec::new(),
            violation: None,
        }
    }

    pub(crate) fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// The first violation counts: what follows may only follow from it.
    pub(crate) fn fail(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// How many leaders there were.
    pub(crate) fn leaders(&self) -> usize {
        self.leaders.len()
    }

    /// A server lost everything, on purpose.
    pub(crate) fn wiped(&mut self, server: usize) {
        self.ghosts[server] = Ghost::default();
    }

    /// A packet that a server put on a link. Returns how far the one at its
    /// other end may have to go back.
    pub(crate) fn packet(&mut self, server: usize, bytes: &[u8]) -> Option<Zxid> {
        // Snapshots go over links, too: only what is a packet from its first
        // byte to its last is one.
        let Ok(Some((packet, length))) = QuorumPacket::split(bytes, bytes.len()) else {
            return None;
        };
        if length != bytes.len() {
            return None;
        }
        match packet.kind {
            PacketType::PROPOSAL | PacketType::INFORM => {
                let txn = LoggedTxn::decode(packet.data());
                if txn.is_ok_and(|txn| txn.header.zxid == packet.zxid)
                    && let Err(what) = self.reference.note_proposal(packet.zxid, packet.data())
                {
                    self.fail(format!("I4: {what}"));
                }
            }
            PacketType::ACK if packet.zxid.counter() > 0 => self.acked(server, packet.zxid),
            PacketType::ACK => self.took_over(server, packet.zxid.epoch()),
            PacketType::UPTODATE => {
                let claimed = self.ghosts[server].claimed;
                self.established
                    .extend(claimed.map(|epoch| (server, epoch)));
            }
            PacketType::TRUNC | PacketType::SNAP => return Some(packet.zxid),
            PacketType::LEADERINFO => {
                self.ghosts[server].claimed = Some(packet.zxid.epoch());
                self.promised(server, packet.zxid.epoch());
            }
            _ => {}
        }
        None
    }

    /// A leader tells a server to go back, which it may do and then crash.
    pub(crate) fn may_cut(&mut self, server: usize, to: Zxid) {
        let cut = &mut self.ghosts[server].cut;
        *cut = Some(cut.map_or(to, |before| before.min(to)));
    }

    fn acked(&mut self, server: usize, zxid: Zxid) {
        let ghost = &mut self.ghosts[server];
        ghost.acked = ghost.acked.max(zxid);
    }

    /// It acknowledged NEWLEADER.
    fn took_over(&mut self, server: usize, epoch: Epoch) {
        let ghost = &mut self.ghosts[server];
        ghost.current = ghost.current.max(epoch);
    }

    fn promised(&mut self, server: usize, epoch: Epoch) {
        let ghost = &mut self.ghosts[server];
        ghost.accepted = ghost.accepted.max(epoch);
    }

    /// A server was started again: all that it ever promised is there, and
    /// all that it flushed.
    pub(crate) fn restarted(&mut self, server: usize, view: &View) {
        let ghost = &mut self.ghosts[server];
        ghost.compared = None;
        let flushed = ghost.acked.max(ghost.logged);
        let is_cut = ghost.cut.take().is_some_and(|to| view.logged >= to);
        let (current, accepted) = (ghost.current, ghost.accepted);
        ghost.logged = view.logged;
        if is_cut {
            ghost.acked = ghost.acked.min(view.logged);
        }
        let id = server_id(server);
        if view.logged < flushed && !is_cut {
            let logged = view.logged;
            self.fail(format!(
                "I17: server {id} had {flushed} on its disk, and has {logged} after a restart"
            ));
        }
        if view.current_epoch < current || view.accepted_epoch < accepted {
            self.fail(format!(
                "I15: server {id} had epochs {accepted}, {current}, and has {}, {} after a restart",
                view.accepted_epoch, view.current_epoch
            ));
        }
        if view.logged.epoch() > view.current_epoch {
            self.fail(format!(
                "I15: server {id} recovered {} in epoch {}",
                view.logged, view.current_epoch
            ));
        }
    }

    /// What a server shows after a step. One that ended with its process has
    /// flushed nothing.
    pub(crate) fn stepped(&mut self, server: usize, view: &View, is_flushed: bool) {
        if let Some(breach) = view.breach {
            self.fail(format!("I14: server {} met {breach}", server_id(server)));
        }
        if is_flushed {
            self.check_epochs(server, view);
        }
        for (server, epoch) in std::mem::take(&mut self.established) {
            self.note_leader(server, epoch, view);
        }
        if view.role == "leader" {
            match view.epoch {
                Some(epoch) => self.note_leader(server, epoch, view),
                None => self.fail(format!("I10: server {} leads no epoch", server_id(server))),
            }
        }
        if is_flushed {
            self.note_log(server, view);
        }
        if view.committed > self.reference.last() {
            self.advance(server, view.committed);
        }
        self.look(server, view);
    }

    /// A server that serves shows nothing but the history.
    fn look(&mut self, server: usize, view: &View) {
        if view.role == "looking" {
            self.ghosts[server].compared = None;
            return;
        }
        let shown = (view.applied, view.digest);
        if self.ghosts[server].compared == Some(shown) {
            return;
        }
        self.ghosts[server].compared = Some(shown);
        if view.applied > self.reference.last() {
            self.advance(server, view.applied);
        }
        self.compare(server, view);
    }

    fn check_epochs(&mut self, server: usize, view: &View) {
        let ghost = &mut self.ghosts[server];
        let (accepted, current) = (view.accepted_epoch, view.current_epoch);
        let went_back = accepted < ghost.accepted || current < ghost.current;
        if went_back || current > accepted {
            let before = (ghost.accepted, ghost.current);
            self.fail(format!(
                "I15: server {} has epochs {accepted}, {current} after {before:?}",
                server_id(server)
            ));
        }
        let ghost = &mut self.ghosts[server];
        ghost.accepted = accepted;
        ghost.current = current;
    }

    /// A log gets shorter only by what nobody committed.
    fn note_log(&mut self, server: usize, view: &View) {
        let ghost = &mut self.ghosts[server];
        let before = ghost.logged;
        ghost.logged = view.logged;
        if view.logged >= before {
            return;
        }
        ghost.acked = ghost.acked.min(view.logged);
        let last = self.reference.last().min(before);
        if last > view.logged && self.reference.digest_at(last).is_some() {
            let after = view.logged;
            self.fail(format!(
                "I20: server {} cut its log from {before} to {after}, and {last} is committed",
                server_id(server)
            ));
        }
    }

    /// A server leads an epoch, with a quorum that has its history.
    fn note_leader(&mut self, server: usize, epoch: Epoch, view: &View) {
        match self.leaders.get(&epoch) {
            Some(known) if *known == server => return,
            Some(known) => {
                let (one, two) = (server_id(*known), server_id(server));
                return self.fail(format!("I2: {one} and {two} lead epoch {epoch}"));
            }
            None => {}
        }
        self.leaders.insert(epoch, server);
        // It may have proposed something already.
        let before = self.ghosts[server].logged;
        let base = if view.logged.epoch() < epoch {
            view.logged
        } else {
            before
        };
        let base = self.reference.resolve(base).unwrap_or(base);
        self.reference.note_established(epoch, base);
        // One that stood still may find the acknowledgements that it waited
        // for, while there is a later epoch: nothing of its own counts then.
        if base < self.reference.last() && epoch > self.reference.last().epoch() {
            let last = self.reference.last();
            self.fail(format!(
                "I9: server {} leads epoch {epoch} from {base}, and {last} is committed",
                server_id(server)
            ));
        }
    }

    /// A server delivered more than any before it.
    fn advance(&mut self, server: usize, to: Zxid) {
        let id = server_id(server);
        let Some(to) = self.reference.resolve(to) else {
            return self.fail(format!("I10: server {id} serves {to}, of no epoch"));
        };
        if to <= self.reference.last() {
            return;
        }
        let holders = (0..self.ghosts.len()).filter(|it| self.ghosts[*it].holds(to));
        let holders: BTreeSet<ServerId> = holders.map(server_id).collect();
        if !self.quorums.is_quorum(&holders) {
            self.fail(format!(
                "I12: server {id} delivered {to}, which only {holders:?} hold"
            ));
        }
        let mut advanced = self.reference.advance(to);
        for disk in 0..self.disks.len() {
            // A leader without followers tells nobody but its log.
            if let Err(Broken::Unseen(from)) = advanced {
                self.reference.read_log(&self.disks[disk], from);
                advanced = self.reference.advance(to);
            }
        }
        match advanced {
            Ok(()) => {}
            Err(broken @ Broken::Lost { .. }) => self.fail(format!("I9: {broken}")),
            Err(broken) => self.fail(format!("I6: server {id} delivered {to}: {broken}")),
        }
    }

    fn compare(&mut self, server: usize, view: &View) {
        let id = server_id(server);
        match self.reference.digest_at(view.applied) {
            Some(digest) if digest == view.digest => {}
            Some(_) => self.fail(format!(
                "I21: server {id} has another tree at {}",
                view.applied
            )),
            None => self.fail(format!(
                "I3: server {id} serves {}, which is none of the history",
                view.applied
            )),
        }
    }

    /// A session's client was told that it is over.
    pub(crate) fn session_ended(&mut self, session: SessionId) {
        if session != SessionId::NONE && self.reference.closed_at(session).is_none() {
            self.early_ends.insert(session);
        }
    }

    /// Long after everything was quiet: nobody is told of an end that does
    /// not come, and no session without a client lives on.
    pub(crate) fn check_sessions(&mut self, held: &BTreeSet<SessionId>) {
        let living: Vec<SessionId> = self.reference.tree.sessions().map(|(id, _)| id).collect();
        for session in living {
            if self.early_ends.contains(&session) {
                self.fail(format!("I24: session {session} was told to be over"));
            }
            if !held.contains(&session) {
                self.fail(format!("I24: session {session} lives on without a client"));
            }
        }
        let owners: Vec<SessionId> = self.reference.tree.sessions_with_ephemerals().collect();
        for owner in owners {
            if self.reference.tree.session_timeout(owner).is_none() {
                self.fail(format!("I25: session {owner} is over and has ephemerals"));
            }
        }
    }
}
