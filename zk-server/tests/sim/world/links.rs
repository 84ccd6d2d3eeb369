//! Connections between machines as they are made, used and lost.

use super::{Dial, Event, World};
use crate::machine::Input;
use crate::net::{Conn, ConnId, End, EndState, Machine, Parcel, Pipe, Purpose};
use crate::queue::{Micros, SECOND};
use std::net::SocketAddr;
use zk_server::peer::{LinkId, PeerEvent};

/// How long a dial may take (`cnxTimeout`).
const DIAL_TIMEOUT: Micros = 5 * SECOND;

impl World {
    /// A dial leaves.
    pub(super) fn dial(&mut self, at: Micros, dial: Dial) {
        let at = at + self.net.delay(dial.from, dial.to);
        self.queue.push(at, Event::Dial(Box::new(dial)));
    }

    /// A dial reaches the other machine, or would.
    pub(super) fn dialled(&mut self, dial: Dial) {
        let (from, to) = (dial.from, dial.to);
        if !self.is_wanted(&dial) {
            return;
        }
        let is_answered = self.net.is_reachable(from, to) && self.servers[to].is_on;
        if is_answered && self.servers[to].is_running() {
            return self.connect(dial);
        }
        let back = self.now + self.net.delay(to, from);
        if is_answered || self.now >= dial.since + DIAL_TIMEOUT {
            return self.missed(back, dial);
        }
        // The kernel tries again, after 1 s, 2 s and so on.
        let next = self.now + (self.now - dial.since).max(SECOND);
        let next = next.min(dial.since + DIAL_TIMEOUT);
        self.queue.push(next, Event::Dial(Box::new(dial)));
    }

    /// Whether the one who dialled still lives and waits.
    fn is_wanted(&self, dial: &Dial) -> bool {
        if !self.is_server(dial.from) {
            let client = &self.clients[dial.from - self.servers.len()];
            return client.is_dialling() && client.dials() == dial.life;
        }
        let machine = &self.servers[dial.from];
        let process = machine
            .process
            .as_ref()
            .filter(|_| machine.life == dial.life);
        match dial.purpose {
            Purpose::Quorum => process.is_some_and(|it| it.dialled.contains(&dial.link)),
            Purpose::Votes => process.is_some_and(|it| it.votes[dial.to].is_dialled),
            Purpose::Client => false,
        }
    }

    /// Nobody is there.
    fn missed(&mut self, at: Micros, dial: Dial) {
        let (from, life) = (dial.from, dial.life);
        match dial.purpose {
            Purpose::Quorum => {
                let gone = Input::Tell(PeerEvent::Disconnected(dial.link));
                self.queue
                    .push(at, Event::Input(from, life, Box::new(gone)));
            }
            Purpose::Votes => self.votes_missed(at, dial),
            Purpose::Client => self.queue.push(at, Event::ClientRefused(from)),
        }
    }

    fn connect(&mut self, dial: Dial) {
        let (from, to) = (dial.from, dial.to);
        if dial.purpose == Purpose::Votes && to > from {
            return self.knocked(dial);
        }
        let life = self.servers[to].life;
        let Some(process) = &mut self.servers[to].process else {
            return;
        };
        let handle = match dial.purpose {
            Purpose::Quorum => process.port.new_link().0,
            Purpose::Votes | Purpose::Client => 0,
        };
        let end = |machine, life, handle| End {
            machine,
            life,
            state: EndState::Open,
            handle,
        };
        let id = self.net.add(Conn {
            purpose: dial.purpose,
            ends: [end(from, dial.life, dial.link.0), end(to, life, handle)],
            pipes: [Pipe::default(), Pipe::default()],
        });
        self.put(self.now, id, 1, Parcel::Opened);
        match dial.purpose {
            Purpose::Quorum => {
                let link = LinkId(handle);
                if let Some(process) = &mut self.servers[to].process {
                    process.links.push((link, id));
                }
                let remote = SocketAddr::from(([10, 0, 0, from as u8 + 1], 40_000));
                let accepted = Input::Tell(PeerEvent::Accepted { link, remote });
                self.input(to, accepted);
            }
            Purpose::Votes => self.input(to, Input::AdoptVotes(id)),
            Purpose::Client => self.input(to, Input::AcceptClient(id)),
        }
    }

    /// Puts a parcel on its way from one end.
    pub(super) fn put(&mut self, at: Micros, id: ConnId, side: usize, parcel: Parcel) {
        let Some(conn) = self.net.conns.get(&id) else {
            return;
        };
        let (from, to) = (conn.ends[side].machine, conn.ends[1 - side].machine);
        let at = at + self.net.delay(from, to);
        let Some(conn) = self.net.conns.get_mut(&id) else {
            return;
        };
        let pipe = &mut conn.pipes[side];
        let at = pipe.put(at, parcel);
        if !pipe.is_scheduled {
            pipe.is_scheduled = true;
            self.queue.push(at, Event::Arrive(id, side));
        }
    }

    /// What is at the head of a pipe arrives, unless the way is cut: then it
    /// waits for its end.
    pub(super) fn arrive(&mut self, id: ConnId, side: usize) {
        let Some(conn) = self.net.conns.get_mut(&id) else {
            return;
        };
        conn.pipes[side].is_scheduled = false;
        let (from, to) = (conn.ends[side].machine, conn.ends[1 - side].machine);
        if self.net.is_cut(from, to) {
            return;
        }
        self.arrive_first(id, side);
        self.schedule(id, side, self.now);
    }

    fn arrive_first(&mut self, id: ConnId, side: usize) {
        let Some(conn) = self.net.conns.get_mut(&id) else {
            return;
        };
        let Some(parcel) = conn.pipes[side].take(self.now) else {
            return;
        };
        let purpose = conn.purpose;
        let to = &conn.ends[1 - side];
        if to.state != EndState::Open {
            return;
        }
        let (machine, life) = (to.machine, to.life);
        let parcel = self.cut_in_pieces(id, side, purpose, parcel);
        self.note_parcel(id, side, &parcel);
        if self.is_server(machine) {
            debug_assert_eq!(self.servers[machine].life, life, "the end would be dead");
            self.input(machine, Input::Parcel(id, side, parcel));
        } else {
            self.client_parcel(machine, id, side, parcel);
        }
    }

    fn note_parcel(&mut self, id: ConnId, side: usize, parcel: &Parcel) {
        self.trace.number(id * 2 + side as u64);
        if let Parcel::Bytes(bytes) = parcel {
            self.trace.bytes(bytes);
            self.sender_hears(id, side, bytes.len());
        }
    }

    /// Streams are cut anywhere. Votes are told one by one.
    fn cut_in_pieces(
        &mut self,
        id: ConnId,
        side: usize,
        purpose: Purpose,
        parcel: Parcel,
    ) -> Parcel {
        let Parcel::Bytes(mut bytes) = parcel else {
            return parcel;
        };
        if purpose != Purpose::Votes
            && let Some(rest) = self.net.split(&mut bytes)
            && let Some(conn) = self.net.conns.get_mut(&id)
        {
            conn.pipes[side].put_back(self.now + 10, Parcel::Bytes(rest));
        }
        Parcel::Bytes(bytes)
    }

    /// The sender's kernel has fewer bytes to keep.
    fn sender_hears(&mut self, id: ConnId, side: usize, count: usize) {
        let Some(conn) = self.net.conns.get(&id) else {
            return;
        };
        let end = &conn.ends[side];
        if conn.purpose != Purpose::Quorum || end.state != EndState::Open {
            return;
        }
        let (machine, link) = (end.machine, LinkId(end.handle));
        if let Some(process) = &self.servers[machine].process {
            process.port.arrived(link, count);
        }
        if self.backlog_factor > 1 {
            let life = self.servers[machine].life;
            let drained = Input::Tell(PeerEvent::Drained(link));
            self.queue
                .push(self.now, Event::Input(machine, life, Box::new(drained)));
        }
    }

    /// The next arrival of a pipe.
    pub(super) fn schedule(&mut self, id: ConnId, side: usize, from: Micros) {
        let Some(conn) = self.net.conns.get_mut(&id) else {
            return;
        };
        let pipe = &mut conn.pipes[side];
        if let Some(at) = pipe.next_at().filter(|_| !pipe.is_scheduled) {
            pipe.is_scheduled = true;
            self.queue.push(at.max(from), Event::Arrive(id, side));
        }
    }

    /// A server gets what came on a connection.
    pub(super) fn take_parcel(&mut self, server: Machine, id: ConnId, side: usize, parcel: Parcel) {
        let Some(conn) = self.net.conns.get_mut(&id) else {
            return;
        };
        let end = &mut conn.ends[1 - side];
        if end.state != EndState::Open {
            return;
        }
        if matches!(parcel, Parcel::End) {
            end.state = EndState::Closed;
        }
        let (purpose, link) = (conn.purpose, LinkId(end.handle));
        match purpose {
            Purpose::Quorum => self.take_link_parcel(server, id, link, parcel),
            Purpose::Votes => self.take_vote_parcel(server, id, side, parcel),
            Purpose::Client => self.take_client_parcel(server, id, parcel),
        }
        self.net.forget_if_over(id);
    }

    fn take_link_parcel(&mut self, server: Machine, id: ConnId, link: LinkId, parcel: Parcel) {
        let Some(process) = &mut self.servers[server].process else {
            return;
        };
        let event = match parcel {
            Parcel::Opened => {
                process.dialled.remove(&link);
                process.links.push((link, id));
                PeerEvent::Connected(link)
            }
            Parcel::Bytes(bytes) => PeerEvent::Received { link, bytes },
            Parcel::End => {
                process.links.retain(|(known, _)| *known != link);
                process.port.forget(link);
                PeerEvent::Disconnected(link)
            }
        };
        self.tell(server, event);
    }

    pub(super) fn send_on_link(
        &mut self,
        server: Machine,
        at: Micros,
        link: LinkId,
        bytes: Vec<u8>,
    ) {
        if let Some((id, side)) = self.find_link(server, link) {
            self.put(at, id, side, Parcel::Bytes(bytes));
        }
    }

    fn find_link(&self, server: Machine, link: LinkId) -> Option<(ConnId, usize)> {
        let process = self.servers[server].process.as_ref()?;
        let (_, id) = process.links.iter().find(|(known, _)| *known == link)?;
        let conn = self.net.conns.get(id)?;
        Some((*id, conn.side_of(server)))
    }

    /// Who is at the other end of a link.
    pub(super) fn other_end(&self, server: Machine, link: LinkId) -> Option<Machine> {
        let (id, side) = self.find_link(server, link)?;
        let conn = self.net.conns.get(&id)?;
        Some(conn.ends[1 - side].machine)
    }

    /// A server closes its end: what it sent before still arrives.
    pub(super) fn close_link(&mut self, server: Machine, at: Micros, link: LinkId) {
        let found = self.find_link(server, link);
        if let Some(process) = &mut self.servers[server].process {
            process.dialled.remove(&link);
            process.links.retain(|(known, _)| *known != link);
        }
        if let Some((id, side)) = found {
            self.close_end(at, id, side);
        }
    }

    pub(super) fn close_end(&mut self, at: Micros, id: ConnId, side: usize) {
        self.put(at, id, side, Parcel::End);
        if let Some(conn) = self.net.conns.get_mut(&id) {
            conn.ends[side].state = EndState::Closed;
        }
        self.net.forget_if_over(id);
    }

    /// A connection breaks: both ends are told, each as soon as it can be.
    pub(crate) fn reset(&mut self, id: ConnId) {
        for side in 0..2 {
            if self.rng.coin()
                && let Some(conn) = self.net.conns.get_mut(&id)
            {
                conn.pipes[side].lose();
            }
            self.put(self.now, id, side, Parcel::End);
        }
    }

    /// Nothing gets from one machine to another, or does again. What waits
    /// for that comes after the kernel tries again.
    pub(crate) fn set_cut(&mut self, from: Machine, to: Machine, is_cut: bool) {
        self.net.set_cut(from, to, is_cut);
        if is_cut {
            return;
        }
        for id in self.net.of(from) {
            let Some(conn) = self.net.conns.get(&id) else {
                continue;
            };
            let side = conn.side_of(from);
            if conn.ends[1 - side].machine == to {
                let again = self.rng.skewed(1_000, SECOND);
                self.schedule(id, side, self.now + again);
            }
        }
    }
}
