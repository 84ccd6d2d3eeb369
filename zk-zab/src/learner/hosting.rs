//! A follower that hosts observers: what becomes of theirs on its way to the
//! leader, and of the leader's answers on their way back. How an observer is
//! served is the relay's.

use super::{Learner, Stage};
use crate::action::LearnerId;
use crate::leader::{Offer, SyncTicket};
use crate::relay::{Relay, Wish};
use crate::{Packet, Txn};
use std::time::Duration;
use zk_proto::quorum::{PacketType, SessionTouch};
use zk_proto::{ServerId, Zxid};

impl Learner {
    /// Command: hosts observers from now on, as a follower in broadcast may.
    /// `recent` is the end of its log, oldest first, as much as it likes to
    /// keep for those who come late.
    pub fn host_observers(&mut self, now: Duration, mut recent: Vec<Txn>) {
        let Stage::Broadcast(history) = self.stage else {
            return;
        };
        if self.config.observer {
            return;
        }
        let offer = history.map(|_| Offer::History(self.epoch));
        recent.retain(|txn| txn.zxid <= self.committed);
        let relay = Relay::new(now, &self.config, offer, recent, self.committed);
        self.relay = Some(relay);
    }

    /// Whether it hosts observers.
    #[must_use]
    pub const fn hosts_observers(&self) -> bool {
        self.relay.is_some()
    }

    /// How many observers get every transaction from it.
    #[must_use]
    pub fn observers(&self) -> usize {
        self.relay.as_ref().map_or(0, Relay::count)
    }

    /// Takes a packet of an observer, on a connection whose number is not
    /// [`LearnerId::LEADER`]; the first one makes it known. Unknown types are
    /// ignored.
    pub fn handle_observer(&mut self, now: Duration, from: LearnerId, packet: &Packet) {
        debug_assert_ne!(from, LearnerId::LEADER, "that is the leader's connection");
        let Some(relay) = &mut self.relay else {
            return;
        };
        let wish = relay.take(now, &self.config, from, packet);
        self.drain_relay();
        match wish {
            Some(Wish::Touch(sessions)) => {
                sessions.into_iter().for_each(|session| self.touch(session));
            }
            Some(Wish::Revalidate(session)) => self.ask(Some(from), session),
            Some(Wish::Request(packet)) => self.send(packet),
            Some(Wish::Sync(packet)) => {
                self.syncs.push_back(SyncTicket::Of(from));
                self.send(packet);
            }
            None => {}
        }
    }

    /// The connection to an observer is gone.
    pub fn handle_observer_lost(&mut self, observer: LearnerId) {
        if let Some(relay) = &mut self.relay {
            relay.forget(observer);
        }
    }

    /// Bytes of a snapshot left for an observer: it has reason to be silent.
    pub fn handle_observer_progress(&mut self, now: Duration, to: LearnerId) {
        if let Some(relay) = &mut self.relay {
            relay.note_progress(now, to);
        }
    }

    /// Takes the answer to [`Action::ReadHistory`](crate::Action::ReadHistory);
    /// empty if there is none.
    pub fn handle_history(&mut self, now: Duration, to: LearnerId, disk: &[Txn]) {
        if let Some(relay) = &mut self.relay {
            relay.take_history(now, &self.config, to, disk);
            self.drain_relay();
        }
    }

    /// Sends a question about a session to the leader, of an observer's or an
    /// own client.
    pub(super) fn ask(&mut self, of: Option<LearnerId>, session: SessionTouch) {
        self.questions.push_back((session.session, of));
        let data = zk_proto::quorum::Revalidate::encode_question(session);
        self.send(Packet::with_data(PacketType::REVALIDATE, Zxid::NONE, data));
    }

    /// Passes a packet on to an observer, if it is still there.
    pub(super) fn send_to_observer(&mut self, to: LearnerId, packet: Packet) {
        if let Some(relay) = &mut self.relay {
            relay.send(to, packet);
            self.drain_relay();
        }
    }

    /// A delivered transaction is everybody's.
    pub(super) fn inform_observers(&mut self, txn: Txn, activates: Option<ServerId>) {
        if let Some(relay) = &mut self.relay {
            relay.delivered(self.heard, &self.config, txn, activates);
            self.drain_relay();
        }
    }

    /// What the relay wants comes behind all that was wanted before.
    pub(super) fn drain_relay(&mut self) {
        if let Some(relay) = &mut self.relay {
            self.out.append(&mut relay.out);
        }
    }
}
