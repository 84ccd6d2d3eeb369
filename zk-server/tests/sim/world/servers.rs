//! Servers' processes: what reaches them, their steps, and what they want of
//! the world then.

use super::{Dial, Event, World};
use crate::machine::{Input, Process, Server, Voter, set_hands};
use crate::net::{Machine, Purpose};
use crate::port::{Port, Wish};
use crate::queue::{MS, Micros};
use crate::setup::server_index;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use zk_proto::quorum::{PacketType, QuorumPacket};
use zk_server::host::Host;
use zk_server::peer::PeerEvent;
use zk_server::{Hands, ServerError};

/// What a step takes apart from the disk.
const STEP_COST: Micros = 15;

impl World {
    /// Starts a server's process, if its disk lets it.
    pub(crate) fn start(&mut self, server: Machine) {
        if self.servers[server].is_running() {
            return;
        }
        let seed = self.rng.next();
        let machine = &mut self.servers[server];
        machine.is_on = true;
        machine.restart_at = None;
        machine.life += 1;
        let hands = Hands::default();
        set_hands(&hands, self.now, machine.wall_off_ms);
        let port = Port::new(machine.disk.control().clone(), self.backlog_factor);
        let started = boot(machine, &port, &hands, seed);
        self.checker.disks[server] = machine.disk.files().clone();
        let host = match started {
            Ok(host) => host,
            Err(error) => return self.could_not_start(server, &error.to_string()),
        };
        let view = host.view();
        self.stats.restarts += 1;
        let voters = self.servers.len();
        self.servers[server].process = Some(Process {
            host,
            port,
            hands,
            clients: Vec::new(),
            links: Vec::new(),
            dialled: BTreeSet::new(),
            votes: (0..voters).map(|_| Voter::default()).collect(),
            busy_until: self.now,
            wake: None,
            is_paused: false,
            held: VecDeque::new(),
            view,
        });
        self.line(|| {
            let (logged, accepted) = (view.logged, view.accepted_epoch);
            let current = view.current_epoch;
            format!(
                "{} starts    log {logged} epochs {accepted} {current}",
                server + 1
            )
        });
        self.checker.restarted(server, &view);
        self.after_step(server, Ok(()));
    }

    /// Whether a server would start with the files that it has; nothing comes
    /// of it.
    pub(crate) fn try_to_start(&mut self, server: Machine) -> Result<(), String> {
        let machine = &self.servers[server];
        let port = Port::new(machine.disk.control().clone(), 1);
        let hands = Hands::default();
        set_hands(&hands, self.now, machine.wall_off_ms);
        let started = boot(machine, &port, &hands, 1);
        started.map(drop).map_err(|error| error.to_string())
    }

    /// It may only fail to start because its disk fails.
    fn could_not_start(&mut self, server: Machine, error: &str) {
        let files = self.servers[server].disk.names();
        self.line(|| format!("{} cannot start: {error}: {files:?}", server + 1));
        let control = self.servers[server].disk.control();
        let has_excuse = control.is_dead() || control.take_tripped().is_some() || control.is_full();
        if !has_excuse {
            self.checker
                .fail(format!("S34: server {} cannot start: {error}", server + 1));
        }
        let is_dead = self.servers[server].disk.control().is_dead();
        if is_dead {
            self.lose_power(server);
        }
        self.restart_in(server, 500 * MS);
    }

    /// Something reaches a process.
    pub(super) fn input(&mut self, server: Machine, input: Input) {
        let Some(process) = &mut self.servers[server].process else {
            return;
        };
        if process.is_paused {
            process.held.push_back(input);
            return;
        }
        self.take_input(server, input);
    }

    fn take_input(&mut self, server: Machine, input: Input) {
        match input {
            Input::Tell(event) => self.tell(server, event),
            Input::AcceptClient(conn) => self.accept_client(server, conn),
            Input::AdoptVotes(conn) => self.adopt_votes(server, conn),
            Input::Knock(from) => self.dial_votes(server, from),
            Input::Parcel(conn, side, parcel) => self.take_parcel(server, conn, side, parcel),
        }
    }

    pub(super) fn tell(&mut self, server: Machine, event: PeerEvent) {
        if let Some(process) = &mut self.servers[server].process {
            process.host.handle(event);
            self.wake(server, self.now);
        }
    }

    /// Has a server looked at by then.
    pub(super) fn wake(&mut self, server: Machine, at: Micros) {
        let machine = &mut self.servers[server];
        let Some(process) = &mut machine.process else {
            return;
        };
        let at = at.max(process.busy_until);
        if process.wake.is_none_or(|wake| at < wake) {
            process.wake = Some(at);
            self.queue.push(at, Event::Step(server, machine.life));
        }
    }

    pub(super) fn step_if_due(&mut self, server: Machine, life: u32) {
        let machine = &mut self.servers[server];
        let is_same = machine.life == life;
        let Some(process) = machine.process.as_mut().filter(|_| is_same) else {
            return;
        };
        if process.wake != Some(self.now) || process.is_paused {
            return;
        }
        process.wake = None;
        self.step(server);
    }

    fn step(&mut self, server: Machine) {
        self.stats.steps += 1;
        self.servers[server].set_clock(self.now);
        let machine = &mut self.servers[server];
        let Some(process) = &mut machine.process else {
            return;
        };
        machine.disk.control().take_cost();
        let stepped = process.host.step();
        self.after_step(server, stepped.map_err(|error| error.to_string()));
    }

    /// Carries out what a step asked for, and looks at what it left.
    fn after_step(&mut self, server: Machine, stepped: Result<(), String>) {
        let machine = &mut self.servers[server];
        let Some(process) = &mut machine.process else {
            return;
        };
        let cost = machine.disk.control().take_cost();
        let before = process.view;
        process.view = process.host.view();
        process.busy_until = self.now + STEP_COST + cost;
        let view = process.view;
        let (packets, wishes) = (process.port.take_packets(), process.port.take_wishes());
        for (link, packet) in packets {
            self.note_packet(server, &packet);
            if let Some(cut) = self.checker.packet(server, &packet)
                && let Some(learner) = self.other_end(server, link)
            {
                self.checker.may_cut(learner, cut);
            }
        }
        let is_flushed = stepped.is_ok() && !self.servers[server].disk.control().is_dead();
        self.checker.stepped(server, &view, is_flushed);
        self.note_view(server, &before, &view);
        for (at, wish) in wishes {
            self.grant(server, self.now + at, wish);
        }
        let is_dead = self.servers[server].disk.control().is_dead();
        if !is_dead {
            self.send_to_clients(server, self.now + cost);
        }
        match stepped {
            _ if is_dead => self.trip(server),
            Err(error) => {
                let files = self.servers[server].disk.names();
                self.line(|| format!("{} ends      {error}: {files:?}", server + 1));
                self.end_process(server);
                let pause = self.rng.skewed(100 * MS, 5_000 * MS);
                self.restart_in(server, pause);
            }
            Ok(()) => {
                self.check_error_was_noticed(server);
                self.wake_for_timeout(server);
            }
        }
    }

    /// The rarer packets between servers.
    fn note_packet(&mut self, server: Machine, bytes: &[u8]) {
        let Some((packet, _)) = QuorumPacket::split(bytes, bytes.len()).ok().flatten() else {
            return;
        };
        let (kind, zxid) = (packet.kind, packet.zxid);
        let is_common = matches!(
            kind,
            PacketType::PING
                | PacketType::PROPOSAL
                | PacketType::INFORM
                | PacketType::COMMIT
                | PacketType::ACK
                | PacketType::REQUEST
                | PacketType::SYNC
        );
        if !is_common && kind.name().is_some() {
            self.line(|| format!("{} sends {kind:?} {zxid}", server + 1));
        }
    }

    /// A failed write or flush of the log or of an epoch ends the process.
    fn check_error_was_noticed(&mut self, server: Machine) {
        let Some(tripped) = self.servers[server].disk.control().take_tripped() else {
            return;
        };
        let path = tripped.path.display().to_string();
        let matters = path.contains("/log.") || path.contains("Epoch");
        if matters && matches!(tripped.call, "flush" | "sync" | "grow" | "write_all") {
            let call = tripped.call;
            self.checker.fail(format!(
                "S10: server {} goes on after a failed {call} of {path}",
                server + 1
            ));
        }
    }

    fn wake_for_timeout(&mut self, server: Machine) {
        let Some(process) = &self.servers[server].process else {
            return;
        };
        let due = process.host.poll_timeout();
        let is_ready = process.host.has_input();
        let at = due.map(|due| {
            let us = due.as_nanos().div_ceil(1000);
            Micros::try_from(us).unwrap_or(Micros::MAX)
        });
        let at = if is_ready { Some(self.now) } else { at };
        if let Some(at) = at {
            self.wake(server, at.max(self.now + 1));
        }
    }

    fn note_view(
        &mut self,
        server: Machine,
        before: &zk_server::host::View,
        view: &zk_server::host::View,
    ) {
        self.trace.number(server as u64);
        self.trace.number(view.applied.0 as u64);
        self.trace.number(view.logged.0 as u64);
        self.trace.number(view.digest);
        if before.role != view.role || before.epoch != view.epoch {
            self.line(|| {
                let (role, epoch) = (view.role, view.epoch.map_or(0, |epoch| epoch.0));
                let (logged, applied) = (view.logged, view.applied);
                format!(
                    "{} {role:<9} epoch {epoch} log {logged} applied {applied}",
                    server + 1
                )
            });
        } else if before.logged != view.logged || before.applied != view.applied {
            self.line(|| {
                format!(
                    "{} log {} applied {}",
                    server + 1,
                    view.logged,
                    view.applied
                )
            });
        }
    }

    fn grant(&mut self, server: Machine, at: Micros, wish: Wish) {
        match wish {
            Wish::Vote { to, frame } => self.send_vote(server, at, server_index(to), frame),
            Wish::ConnectVoters => self.connect_voters(server),
            Wish::Dial { link, server: to } => {
                let machine = &mut self.servers[server];
                let life = machine.life;
                if let Some(process) = &mut machine.process {
                    process.dialled.insert(link);
                }
                let to = server_index(to);
                self.line(|| format!("{} dials {}", server + 1, to + 1));
                self.dial(
                    at,
                    Dial {
                        from: server,
                        life,
                        to,
                        purpose: Purpose::Quorum,
                        link,
                        since: at,
                    },
                );
            }
            Wish::Bytes { link, bytes } => self.send_on_link(server, at, link, bytes),
            Wish::Close { link } => self.close_link(server, at, link),
        }
    }

    /// A process stands still, and what reaches it waits.
    pub(crate) fn pause(&mut self, server: Machine, time: Micros) {
        if let Some(process) = &mut self.servers[server].process
            && !process.is_paused
        {
            process.is_paused = true;
            self.queue.push(self.now + time, Event::Resume(server));
        }
    }

    pub(crate) fn resume(&mut self, server: Machine) {
        self.servers[server].set_clock(self.now);
        let Some(process) = &mut self.servers[server].process else {
            return;
        };
        if !process.is_paused {
            return;
        }
        process.is_paused = false;
        process.wake = None;
        self.line(|| format!("{} resumes", server + 1));
        while let Some(input) = self.next_held(server) {
            self.take_input(server, input);
        }
        self.wake(server, self.now);
    }

    fn next_held(&mut self, server: Machine) -> Option<Input> {
        self.servers[server].process.as_mut()?.held.pop_front()
    }
}

fn boot(machine: &Server, port: &Port, hands: &Hands, seed: u64) -> Result<Host, ServerError> {
    Host::start(
        &machine.config,
        Arc::new(machine.disk.clone()),
        Box::new(port.clone()),
        hands.clone(),
        seed,
    )
}
