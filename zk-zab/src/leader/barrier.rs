//! Syncs: each waits until all that was proposed before it is committed, and
//! until a quorum has answered a ping that left after it came. Only the
//! second makes a read after it linearizable: a leader that was replaced
//! without knowing cannot answer. (Apache waits for the first alone.)

use super::{Leader, Stage};
use crate::Packet;
use crate::action::{LearnerId, Upcall};
use std::collections::VecDeque;
use zk_proto::Zxid;
use zk_proto::mutation::is_back;
use zk_proto::quorum::PacketType;

/// Whose sync it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncTicket {
    /// A client's of the leader itself; the number is the caller's own.
    Own(u64),
    /// A learner's, which gets SYNC in the order of its requests.
    Of(LearnerId),
}

#[derive(Debug)]
struct Waiting {
    ticket: SyncTicket,
    /// What has to be committed.
    after: Zxid,
    /// The round of pings that has to be answered.
    round: u64,
}

/// The syncs that wait, and the rounds of pings that prove leadership.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    waiting: VecDeque<Waiting>,
    /// The last round that was sent.
    round: u64,
}

impl Barrier {
    pub(super) const fn next_round(&mut self) -> u64 {
        self.round += 1;
        self.round
    }

    /// Whether somebody waits for a round that has not begun.
    fn wants_round(&self) -> bool {
        self.waiting.back().is_some_and(|it| it.round > self.round)
    }
}

impl Leader {
    /// Command: a sync. When it is done, its learner is sent SYNC, or
    /// [`Upcall::Synced`] tells the caller.
    pub fn sync(&mut self, ticket: SyncTicket) {
        if self.stage != Stage::Broadcast {
            return;
        }
        let round = self.barrier.round + 1;
        let after = self.last_proposed;
        self.barrier.waiting.push_back(Waiting {
            ticket,
            after,
            round,
        });
        self.prove_again();
        self.release_syncs();
    }

    /// How many syncs are not answered yet.
    #[must_use]
    pub fn pending_syncs(&self) -> usize {
        self.barrier.waiting.len()
    }

    /// Begins the next round of pings when somebody waits for one and the
    /// last is answered: however many syncs there are, one round is on its
    /// way.
    pub(super) fn prove_again(&mut self) {
        if self.barrier.wants_round() && self.is_proved(self.barrier.round) {
            self.ping_all();
        }
    }

    fn is_proved(&self, round: u64) -> bool {
        if is_back("sync_without_proof") {
            return true;
        }
        let answered = |id| self.voter_has(id, true, |it| it.answered >= round);
        self.quorums.is_quorum(answered)
    }

    /// Releases syncs in the order in which they came.
    pub(super) fn release_syncs(&mut self) {
        while let Some(next) = self.barrier.waiting.front() {
            if next.round > self.barrier.round
                || next.after > self.committed()
                || !self.is_proved(next.round)
            {
                break;
            }
            if let Some(done) = self.barrier.waiting.pop_front() {
                self.answer_sync(done.ticket);
            }
        }
    }

    fn answer_sync(&mut self, ticket: SyncTicket) {
        match ticket {
            SyncTicket::Own(number) => self.upcall(Upcall::Synced(number)),
            SyncTicket::Of(to) => self.send(to, Packet::bare(PacketType::SYNC, Zxid::ZERO)),
        }
    }
}
