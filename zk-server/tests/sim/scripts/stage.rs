//! What scripts are written in: servers by their ids, clients by their
//! numbers, and waiting for something instead of for a while.

use crate::client::{Op, Told};
use crate::net::Machine;
use crate::queue::{MS, Micros, SECOND};
use crate::setup::Setup;
use crate::world::World;
use std::sync::atomic::{AtomicUsize, Ordering};
use zk_proto::{ErrorCode, OpCode, Response, SessionId, Xid, Zxid};

/// Longer than anything takes that a script waits for.
const PATIENCE: Micros = 150 * SECOND;

/// How many lines of a script that fails are told.
pub(crate) static LINES: AtomicUsize = AtomicUsize::new(0);

pub(super) struct Stage {
    pub(super) world: World,
}

/// An answer to a client.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) err: ErrorCode,
    /// Of what was read.
    pub(super) value: Option<u64>,
    /// Of what was written.
    pub(super) wrote: u64,
}

impl Stage {
    /// No server runs, no client is connected.
    pub(super) fn new(setup: Setup) -> Self {
        Self::with_seed(setup, 1)
    }

    pub(super) fn with_seed(setup: Setup, seed: u64) -> Self {
        let mut world = World::new(setup, seed, LINES.load(Ordering::Relaxed));
        world.keeps_answers = true;
        for client in &mut world.clients {
            client.work.be_idle();
            client.be_silent(Micros::MAX);
        }
        Self { world }
    }

    /// All servers run, and all serve.
    pub(super) fn running(setup: Setup) -> Self {
        let mut stage = Self::new(setup);
        stage.start_all();
        stage
    }

    pub(super) fn start(&mut self, id: usize) {
        self.world.start_again(id - 1);
    }

    pub(super) fn start_all(&mut self) {
        for server in 0..self.world.servers.len() {
            self.world.start_again(server);
        }
        self.wait("all serve", |world| {
            world.servers.iter().all(|server| server.serves())
        });
    }

    pub(super) fn kill(&mut self, id: usize) {
        self.world.kill(id - 1);
    }

    pub(super) fn power(&mut self, id: usize) {
        self.world.lose_power(id - 1);
    }

    pub(super) fn power_all(&mut self) {
        (1..=self.world.servers.len()).for_each(|id| self.power(id));
    }

    /// Nothing gets from one server to another.
    pub(super) fn mute(&mut self, from: usize, to: usize) {
        self.world.set_cut(from - 1, to - 1, true);
    }

    /// Nothing gets from or to a server, but its clients.
    pub(super) fn isolate(&mut self, id: usize) {
        for other in (1..=self.world.servers.len()).filter(|other| *other != id) {
            self.mute(id, other);
            self.mute(other, id);
        }
    }

    pub(super) fn heal(&mut self) {
        let machines = self.world.net.machines();
        for from in 0..machines {
            (0..machines).for_each(|to| self.world.set_cut(from, to, false));
        }
    }

    /// Lets time pass until something is so.
    #[track_caller]
    pub(super) fn wait(&mut self, what: &str, is_so: impl Fn(&World) -> bool) {
        assert!(self.comes_true(PATIENCE, is_so), "not in time: {what}");
    }

    /// Whether something gets so within a time.
    #[track_caller]
    pub(super) fn comes_true(&mut self, time: Micros, is_so: impl Fn(&World) -> bool) -> bool {
        let came = self.world.run_until_true(time, is_so);
        self.check();
        came
    }

    #[track_caller]
    pub(super) fn pass(&mut self, time: Micros) {
        self.world.run_for(time);
        self.check();
    }

    #[track_caller]
    pub(super) fn check(&self) {
        assert_eq!(self.world.checker.violation(), None);
    }

    /// Waits for a leader; its id.
    #[track_caller]
    pub(super) fn leader(&mut self) -> usize {
        self.wait("a leader", |world| world.leader().is_some());
        self.world.leader().map_or(0, |index| index + 1)
    }

    /// Some voter that does not lead.
    #[track_caller]
    pub(super) fn follower(&mut self) -> usize {
        let leader = self.leader();
        let voters = 1..=self.world.setup.voters;
        voters.rev().find(|id| *id != leader).unwrap_or(1)
    }

    pub(super) fn serves(&self, id: usize) -> bool {
        self.world.servers[id - 1].serves()
    }

    /// What a server has in its log.
    pub(super) fn logged(&self, id: usize) -> Zxid {
        self.world.servers[id - 1]
            .view()
            .map_or(Zxid::ZERO, |view| view.logged)
    }

    pub(super) fn applied(&self, id: usize) -> Zxid {
        self.world.servers[id - 1]
            .view()
            .map_or(Zxid::ZERO, |view| view.applied)
    }

    /// A client has a session at this server.
    #[track_caller]
    pub(super) fn connect(&mut self, client: usize, id: usize) -> SessionId {
        self.world.clients[client].leave(self.world.now);
        self.world.hold_client(client, id - 1);
        self.wait("a session", |world| {
            world.clients[client].server() == Some(id - 1)
        });
        self.session(client)
    }

    pub(super) fn session(&self, client: usize) -> SessionId {
        self.world.clients[client].session().unwrap_or_default()
    }

    /// A client hangs up, and is silent from then on.
    pub(super) fn hang_up(&mut self, client: usize) {
        self.world.clients[client].leave(self.world.now);
        self.world.serve_client(client);
        self.world.clients[client].be_silent(Micros::MAX);
    }

    /// A client asks for something, and the answer is not waited for.
    pub(super) fn send(&mut self, client: usize, kind: OpCode, path: &str) -> u64 {
        let seen = self.world.checker.seen;
        let op = self.world.clients[client].work.op(kind, path, seen);
        let value = op.value;
        self.send_op(client, op);
        value
    }

    pub(super) fn send_op(&mut self, client: usize, op: Op) {
        let now = self.world.now;
        let is_sent = self.world.clients[client].ask(now, op);
        assert!(is_sent, "the client has no connection");
        self.world.serve_client(client);
    }

    /// A client asks for something; the answer.
    #[track_caller]
    pub(super) fn ask(&mut self, client: usize, kind: OpCode, path: &str) -> Answer {
        self.try_ask(client, kind, path, PATIENCE)
            .expect("an answer in time")
    }

    /// The answer, if it comes in time.
    #[track_caller]
    pub(super) fn try_ask(
        &mut self,
        client: usize,
        kind: OpCode,
        path: &str,
        time: Micros,
    ) -> Option<Answer> {
        self.world.answers.clear();
        let wrote = self.send(client, kind, path);
        let is_answered = |world: &World| find(world, client, wrote).is_some();
        self.comes_true(time, is_answered);
        find(&self.world, client, wrote)
    }

    /// A write that succeeds.
    #[track_caller]
    pub(super) fn write(&mut self, client: usize, path: &str) -> Answer {
        let mut answer = self.ask(client, OpCode::SET_DATA, path);
        if answer.err == ErrorCode::NO_NODE {
            answer = self.ask(client, OpCode::CREATE, path);
        }
        assert_eq!(answer.err, ErrorCode::OK, "{path}");
        answer
    }

    /// What a client reads, wherever it is.
    #[track_caller]
    pub(super) fn read(&mut self, client: usize, path: &str) -> Option<u64> {
        self.ask(client, OpCode::GET_DATA, path).value
    }

    /// What a client reads after a sync.
    #[track_caller]
    pub(super) fn sync_read(&mut self, client: usize, path: &str) -> Option<u64> {
        self.send(client, OpCode::SYNC, "/");
        self.read(client, path)
    }

    /// Everything is mended, and in the end all servers have the same.
    #[track_caller]
    pub(super) fn end_well(&mut self) {
        self.heal();
        self.start_all();
        let client = 0;
        let leader = self.leader();
        self.connect(client, leader);
        self.write(client, "/last");
        self.wait("all have the same", World::is_converged);
        self.world.compare_all();
        self.check();
    }

    /// The op code without a body of its own.
    pub(super) fn bare(&self, client: usize, kind: OpCode) -> Op {
        self.world.clients[client].work.bare(Xid(0), kind)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for line in self.world.trace.take_lines() {
                println!("{line}");
            }
        }
    }
}

/// The answer to the request with that value.
fn find(world: &World, client: usize, wrote: u64) -> Option<Answer> {
    let machine: Machine = world.client_machine(client);
    world.answers.iter().find_map(|(to, told)| match told {
        Told::Answer { op, header, body } if *to == machine && op.value == wrote => {
            let value = match Response::decode(op.kind, body) {
                Ok(Response::Data(Some(data), _)) => data.0.first_chunk::<8>().copied(),
                _ => None,
            };
            Some(Answer {
                err: header.err,
                value: value.map(u64::from_be_bytes),
                wrote,
            })
        }
        _ => None,
    })
}

/// The usual tick of scripts.
pub(super) const TICK: Micros = 500 * MS;
