//! Clients in the world: their connections, and what they are told.

use super::{Dial, Event, World};
use crate::check::history;
use crate::client::{Told, Want};
use crate::net::{ConnId, EndState, Machine, Parcel, Purpose};
use crate::queue::{MS, Micros};
use std::net::SocketAddr;
use zk_proto::{OpCode, Response, Zxid};
use zk_server::host::ClientLink;
use zk_server::peer::LinkId;

impl World {
    pub(crate) fn client_machine(&self, client: usize) -> Machine {
        self.servers.len() + client
    }

    fn client_index(&self, machine: Machine) -> usize {
        machine - self.servers.len()
    }

    /// Has a client looked at when it is due.
    pub(crate) fn wake_client(&mut self, index: usize) {
        let at = self.clients[index].due().max(self.now);
        if at < self.client_wakes[index] {
            self.client_wakes[index] = at;
            let machine = self.client_machine(index);
            self.queue.push(at, Event::Client(machine));
        }
    }

    pub(super) fn client_turn(&mut self, machine: Machine) {
        let index = self.client_index(machine);
        if self.client_wakes[index] > self.now {
            return;
        }
        self.client_wakes[index] = Micros::MAX;
        let seen = self.checker.seen;
        self.clients[index].turn(self.now, seen);
        self.serve_client(index);
    }

    /// Some clients ask for something soon.
    pub(crate) fn hurry_clients(&mut self) {
        for index in 0..self.clients.len() {
            if self.rng.coin() {
                continue;
            }
            let at = self.now + self.rng.below(5 * MS);
            self.clients[index].work.hurry(at);
            self.wake_client(index);
        }
    }

    /// A client works no more by itself, and goes to one server only.
    pub(crate) fn hold_client(&mut self, index: usize, server: Machine) {
        let client = &mut self.clients[index];
        client.work.be_idle();
        client.be_silent(0);
        client.pinned = Some(server);
        if client.server() != Some(server) {
            client.leave(self.now);
        }
        self.serve_client(index);
    }

    /// A client writes something.
    pub(crate) fn ask_to_write(&mut self, index: usize, kind: OpCode, path: &str) {
        let seen = self.checker.seen;
        let client = &mut self.clients[index];
        let op = client.work.op(kind, path, seen);
        client.ask(self.now, op);
        self.serve_client(index);
    }

    /// Carries out what a client wants.
    pub(crate) fn serve_client(&mut self, index: usize) {
        let machine = self.client_machine(index);
        for want in self.clients[index].take_wants() {
            match want {
                Want::Dial(to) => {
                    let life = self.clients[index].dials();
                    let dial = Dial {
                        from: machine,
                        life,
                        to,
                        purpose: Purpose::Client,
                        link: LinkId(0),
                        since: self.now,
                    };
                    self.dial(self.now, dial);
                }
                Want::Send(id, bytes) => self.put(self.now, id, 0, Parcel::Bytes(bytes)),
                Want::Close(id) => self.close_end(self.now, id, 0),
            }
        }
        self.wake_client(index);
    }

    pub(super) fn client_refused(&mut self, machine: Machine) {
        let index = self.client_index(machine);
        if self.clients[index].is_dialling() {
            self.clients[index].lost(self.now);
            self.serve_client(index);
        }
    }

    pub(super) fn client_parcel(
        &mut self,
        machine: Machine,
        id: ConnId,
        side: usize,
        parcel: Parcel,
    ) {
        let index = self.client_index(machine);
        match parcel {
            Parcel::Opened if self.clients[index].is_dialling() => {
                self.clients[index].connected(self.now, id);
            }
            Parcel::Opened => self.close_end(self.now, id, 1 - side),
            Parcel::Bytes(bytes) if self.clients[index].has(id) => {
                let told = self.clients[index].receive(self.now, &bytes);
                for told in told {
                    self.client_told(index, told);
                }
            }
            Parcel::Bytes(_) => {}
            Parcel::End => {
                if let Some(conn) = self.net.conns.get_mut(&id) {
                    conn.ends[1 - side].state = EndState::Closed;
                }
                if self.clients[index].has(id) {
                    self.clients[index].lost(self.now);
                }
                self.net.forget_if_over(id);
            }
        }
        self.serve_client(index);
    }

    /// Compares what a client was told with what is so.
    fn client_told(&mut self, index: usize, told: Told) {
        match &told {
            Told::Session(session) => {
                self.line(|| format!("c{index} has session {session}"));
            }
            Told::Expired(session) => {
                self.stats.expired += 1;
                self.line(|| format!("c{index} lost session {session}"));
                self.checker.session_ended(*session);
            }
            Told::Nonsense(what) => self.checker.fail(format!("C3: client {index} got {what}")),
            Told::Event { path, kind } => self.check_event(index, path, *kind),
            Told::Answer { .. } => self.check_answer(index, &told),
        }
        if self.keeps_answers {
            let machine = self.client_machine(index);
            self.answers.push((machine, told));
        }
    }

    fn check_event(&mut self, index: usize, path: &str, kind: i32) {
        self.stats.watch_events += 1;
        self.line(|| format!("c{index} event {kind} {path}"));
        let Some(since) = self.clients[index].watches.remove(path) else {
            return self.checker.fail(format!(
                "C8: client {index} got an event of {path} without a watch"
            ));
        };
        if self.checker.reference.next_change(path, since).is_none() {
            self.checker.fail(format!(
                "C8: client {index} got an event of {path}, which has not changed since {since}"
            ));
        }
    }

    fn check_answer(&mut self, index: usize, told: &Told) {
        let Told::Answer { op, header, body } = told else {
            return;
        };
        self.stats.answers += 1;
        if op.kind != OpCode::PING {
            self.line(|| {
                let (err, zxid) = (header.err, header.zxid);
                let (kind, path, value) = (op.kind, &op.path, op.value);
                let version = op.version;
                format!("c{index} {kind:?} {path} {value:x} v{version}: {err} at {zxid}")
            });
        }
        let client = &mut self.clients[index];
        let before = client.last_zxid;
        if header.zxid > Zxid::ZERO {
            client.last_zxid = before.max(header.zxid);
        }
        if header.zxid > Zxid::ZERO && header.zxid < before && op.kind != OpCode::PING {
            let what = format!("C4: client {index} was at {before}, and got {header:?}");
            return self.checker.fail(what);
        }
        match Response::decode(op.kind, body) {
            Ok(Response::Stat(stat) | Response::Data(_, stat)) if header.err.is_ok() => {
                client.work.note_version(&op.path, stat.version);
            }
            _ => {}
        }
        if op.kind == OpCode::GET_DATA {
            self.stats.reads += 1;
        } else if header.err.is_ok() && op.value > 0 && op.kind != OpCode::SYNC {
            self.stats.writes += 1;
            self.clients[index].writes += 1;
        }
        self.check_missed_events(index, header.zxid);
        if op.watch && header.err.is_ok() {
            // The first one counts until it fires.
            let watches = &mut self.clients[index].watches;
            watches.entry(op.path.clone()).or_insert(header.zxid);
        }
        if let Some(problem) = history::problem(&self.checker.reference, op, header, body) {
            self.checker.fail(format!(
                "C2: client {index} asked {op:?} and got {header:?}: {problem}"
            ));
        }
        self.checker.seen = self.checker.seen.max(header.zxid);
    }

    /// An answer must not show what a watch did not tell before.
    fn check_missed_events(&mut self, index: usize, shown: Zxid) {
        for (path, since) in &self.clients[index].watches {
            let change = self.checker.reference.next_change(path, *since);
            if let Some(change) = change.filter(|change| *change <= shown) {
                self.checker.fail(format!(
                    "C7: client {index} sees {shown} and was not told that {path} changed at {change}, which it watches since {since}"
                ));
                return;
            }
        }
    }

    /// A client connects to a server's process.
    pub(super) fn accept_client(&mut self, server: Machine, id: ConnId) {
        let Some(conn) = self.net.conns.get_mut(&id) else {
            return;
        };
        let client = conn.ends[0].machine;
        let Some(process) = &mut self.servers[server].process else {
            return;
        };
        let remote = SocketAddr::from(([10, 0, 1, client as u8], 50_000));
        match process.host.connect(remote) {
            Some(link) => {
                conn.ends[1].handle = link.0;
                process.clients.push((link, id));
            }
            None => self.close_end(self.now, id, 1),
        }
    }

    /// A client's bytes reach a server.
    pub(super) fn take_client_parcel(&mut self, server: Machine, id: ConnId, parcel: Parcel) {
        self.servers[server].set_clock(self.now);
        let Some(process) = &mut self.servers[server].process else {
            return;
        };
        let known = process.clients.iter().find(|(_, known)| *known == id);
        let Some((link, _)) = known.copied() else {
            return;
        };
        match parcel {
            Parcel::Opened => {}
            Parcel::Bytes(bytes) => {
                process.host.client_bytes(link, &bytes);
                self.send_to_client(server, self.now, link, id);
                self.wake(server, self.now);
            }
            Parcel::End => {
                process.host.disconnect(link);
                process.clients.retain(|(known, _)| *known != link);
            }
        }
    }

    /// Whatever a server has for its clients leaves.
    pub(super) fn send_to_clients(&mut self, server: Machine, at: Micros) {
        let mut next = 0;
        while let Some(process) = &self.servers[server].process {
            let Some((link, id)) = process.clients.get(next).copied() else {
                break;
            };
            if self.send_to_client(server, at, link, id) {
                next += 1;
            }
        }
    }

    /// `false` if that was the end of the connection.
    fn send_to_client(
        &mut self,
        server: Machine,
        at: Micros,
        link: ClientLink,
        id: ConnId,
    ) -> bool {
        let Some(process) = &mut self.servers[server].process else {
            return false;
        };
        let output = process.host.output(link);
        if output.closed {
            process.clients.retain(|(known, _)| *known != link);
        }
        if !output.bytes.is_empty() {
            self.put(at, id, 1, Parcel::Bytes(output.bytes));
        }
        if output.closed {
            self.close_end(at, id, 1);
        }
        !output.closed
    }
}
