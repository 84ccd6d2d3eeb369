//! The election ports: one link per pair of servers, and on it the newest
//! vote, as in the real driver. Of two servers the one with the larger id
//! opens the link; the other one knocks.

use super::{Dial, Event, World};
use crate::machine::{Input, Voter};
use crate::net::{ConnId, Machine, Parcel, Purpose};
use crate::queue::Micros;
use crate::setup::{server_id, server_index};
use zk_proto::quorum::Notification;
use zk_server::peer::{LinkId, PeerEvent};

impl World {
    pub(super) fn send_vote(&mut self, server: Machine, at: Micros, to: Machine, frame: Vec<u8>) {
        if to == server {
            return;
        }
        let Some(voter) = self.voter(server, to) else {
            return;
        };
        voter.waiting = Some(frame);
        if voter.conn.is_some() {
            self.write_vote(server, at, to);
        } else {
            self.dial_votes(server, to);
        }
    }

    pub(super) fn connect_voters(&mut self, server: Machine) {
        let Some(process) = &self.servers[server].process else {
            return;
        };
        for id in process.port.members() {
            let to = server_index(id);
            let is_linked = self.voter(server, to).is_some_and(|it| it.conn.is_some());
            if to != server && !is_linked {
                self.dial_votes(server, to);
            }
        }
    }

    fn voter(&mut self, server: Machine, other: Machine) -> Option<&mut Voter> {
        let process = self.servers[server].process.as_mut()?;
        process.votes.get_mut(other)
    }

    pub(super) fn dial_votes(&mut self, server: Machine, to: Machine) {
        let life = self.servers[server].life;
        let Some(voter) = self.voter(server, to) else {
            return;
        };
        if std::mem::replace(&mut voter.is_dialled, true) {
            return;
        }
        let dial = Dial {
            from: server,
            life,
            to,
            purpose: Purpose::Votes,
            link: LinkId(0),
            since: self.now,
        };
        self.dial(self.now, dial);
    }

    /// A smaller server wants a link, so it has none, whatever we think.
    pub(super) fn knocked(&mut self, dial: Dial) {
        if let Some(voter) = self.voter(dial.from, dial.to) {
            voter.is_dialled = false;
        }
        self.input(dial.to, Input::Knock(dial.from));
    }

    /// A dial came to nothing. If a smaller server is not to be reached, our
    /// link to it is dead: it asked for another.
    pub(super) fn votes_missed(&mut self, at: Micros, dial: Dial) {
        let (server, other) = (dial.from, dial.to);
        let Some(voter) = self.voter(server, other) else {
            return;
        };
        voter.is_dialled = false;
        if voter.conn.is_none() || other < server {
            voter.conn = None;
            let gone = Input::Tell(PeerEvent::VoterDisconnected(server_id(other)));
            self.queue
                .push(at, Event::Input(server, dial.life, Box::new(gone)));
        }
    }

    /// The connection is the link to the server at its other end from now on.
    pub(super) fn adopt_votes(&mut self, server: Machine, id: ConnId) {
        let Some(conn) = self.net.conns.get(&id) else {
            return;
        };
        let side = conn.side_of(server);
        let other = conn.ends[1 - side].machine;
        let Some(voter) = self.voter(server, other) else {
            return;
        };
        if other < server {
            voter.is_dialled = false;
        }
        let older = voter.conn.replace(id);
        if voter.waiting.is_none() {
            voter.waiting.clone_from(&voter.last);
        }
        if let Some(older) = older.filter(|older| *older != id) {
            self.close_side_of(server, older);
        }
        self.line(|| format!("{} has a link for votes to {}", server + 1, other + 1));
        self.tell(server, PeerEvent::VoterConnected(server_id(other)));
        self.write_vote(server, self.now, other);
    }

    fn close_side_of(&mut self, server: Machine, id: ConnId) {
        if let Some(conn) = self.net.conns.get(&id) {
            let side = conn.side_of(server);
            self.close_end(self.now, id, side);
        }
    }

    fn write_vote(&mut self, server: Machine, at: Micros, to: Machine) {
        let Some(voter) = self.voter(server, to) else {
            return;
        };
        let (Some(id), Some(frame)) = (voter.conn, voter.waiting.take()) else {
            return;
        };
        voter.last = Some(frame.clone());
        let Some(conn) = self.net.conns.get(&id) else {
            return;
        };
        let side = conn.side_of(server);
        self.put(at, id, side, Parcel::Bytes(frame));
    }

    pub(super) fn take_vote_parcel(
        &mut self,
        server: Machine,
        id: ConnId,
        side: usize,
        parcel: Parcel,
    ) {
        let Some(conn) = self.net.conns.get(&id) else {
            return;
        };
        let other = conn.ends[side].machine;
        if matches!(parcel, Parcel::Opened) {
            return self.adopt_votes(server, id);
        }
        let Some(voter) = self.voter(server, other) else {
            return;
        };
        if voter.conn != Some(id) {
            return;
        }
        match parcel {
            Parcel::Opened => {}
            Parcel::End => {
                voter.conn = None;
                self.line(|| format!("{} has no link for votes to {}", server + 1, other + 1));
                self.tell(server, PeerEvent::VoterDisconnected(server_id(other)));
            }
            Parcel::Bytes(bytes) => self.take_vote(server, other, &bytes),
        }
    }

    fn take_vote(&mut self, server: Machine, other: Machine, bytes: &[u8]) {
        let frame = Notification::split(bytes).ok().flatten();
        let decoded = frame.and_then(|(frame, _)| Notification::decode(frame).ok());
        let Some(notification) = decoded else {
            self.checker
                .fail(format!("server {} sent a vote that is none", other + 1));
            return;
        };
        let from = server_id(other);
        self.line(|| {
            let (state, leader) = (notification.state, notification.leader);
            let (zxid, epoch) = (notification.zxid, notification.peer_epoch);
            let round = notification.round;
            format!(
                "{} hears {from} is {state:?}, for {leader} at {zxid} of {epoch}, round {round}",
                server + 1
            )
        });
        self.tell(server, PeerEvent::Notification { from, notification });
    }
}
