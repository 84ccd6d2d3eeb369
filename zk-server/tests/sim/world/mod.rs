//! The simulated world: machines, what is between them, and time. One thread,
//! one queue of events, one seed. It refuses to know why anything breaks:
//! that is `nemesis`, or a script.

mod clients;
mod links;
mod power;
mod servers;
mod votes;

use crate::check::{Checker, compare_trees};
use crate::client::Client;
use crate::machine::{Input, Server};
use crate::net::{ConnId, Machine, Net, Purpose};
use crate::queue::{MS, Micros, Queue, SECOND};
use crate::rng::Rng;
use crate::setup::{Setup, server_id};
use crate::trace::Trace;
use zk_server::peer::LinkId;

/// When the machines were started, long before: monotonic clocks do not begin
/// with zero.
const START: Micros = 1_000 * SECOND;

/// Something that happens at its time.
#[derive(Debug)]
enum Event {
    /// A server has something to do, if it still means to then.
    Step(Machine, u32),
    /// The first parcel of a pipe arrives.
    Arrive(ConnId, usize),
    Dial(Box<Dial>),
    /// Something reaches a process, unless it is another one by then.
    Input(Machine, u32, Box<Input>),
    Client(Machine),
    /// A client's dial came to nothing.
    ClientRefused(Machine),
    Restart(Machine),
    Resume(Machine),
}

/// A connection that is asked for.
#[derive(Debug, Clone, Copy)]
struct Dial {
    from: Machine,
    life: u32,
    to: Machine,
    purpose: Purpose,
    link: LinkId,
    since: Micros,
}

/// Numbers about a run.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Stats {
    pub(crate) events: u64,
    pub(crate) steps: u64,
    pub(crate) answers: u64,
    pub(crate) writes: u64,
    pub(crate) reads: u64,
    pub(crate) watch_events: u64,
    pub(crate) expired: u64,
    pub(crate) restarts: u64,
    pub(crate) faults: u64,
}

pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) now: Micros,
    queue: Queue<Event>,
    pub(crate) net: Net,
    pub(crate) servers: Vec<Server>,
    pub(crate) clients: Vec<Client>,
    /// When each client is looked at next.
    client_wakes: Vec<Micros>,
    pub(crate) checker: Checker,
    pub(crate) trace: Trace,
    pub(crate) stats: Stats,
    rng: Rng,
    /// What a byte on its way counts for who asks for a backlog.
    backlog_factor: usize,
    /// Answers to the requests of scripts.
    pub(crate) answers: Vec<(Machine, crate::client::Told)>,
    pub(crate) keeps_answers: bool,
}

impl World {
    pub(crate) fn new(setup: Setup, seed: u64, lines_max: usize) -> Self {
        let mut rng = Rng::new(seed);
        let servers = (0..setup.servers()).map(|index| {
            let config = setup.config(index);
            Server::new(server_id(index), config)
        });
        let servers: Vec<Server> = servers.collect();
        let machines = setup.servers() + setup.clients;
        let net = Net::new(machines, setup.delay, rng.fork());
        let clients = (setup.servers()..machines).map(|machine| {
            let ticks = rng.range(4, 12);
            let timeout_ms = setup.tick_ms * ticks;
            Client::new(machine, setup.servers(), timeout_ms, rng.fork())
        });
        let clients: Vec<Client> = clients.collect();
        let mut world = Self {
            checker: Checker::new(&setup),
            client_wakes: vec![Micros::MAX; clients.len()],
            backlog_factor: rng.pick(&[1, 1, 1, 200, 5_000]),
            now: START,
            queue: Queue::new(),
            net,
            servers,
            clients,
            trace: Trace::new(lines_max),
            stats: Stats::default(),
            rng,
            setup,
            answers: Vec::new(),
            keeps_answers: false,
        };
        for (index, server) in world.servers.iter().enumerate() {
            world.checker.disks[index] = server.disk.files().clone();
        }
        for client in 0..world.clients.len() {
            world.wake_client(client);
        }
        world
    }

    /// Lets time pass, until then or until something is wrong.
    pub(crate) fn run_until(&mut self, until: Micros) {
        while self.checker.violation().is_none() {
            let Some((at, event)) = self.queue.pop(until) else {
                self.now = self.now.max(until);
                break;
            };
            debug_assert!(at >= self.now, "time never goes back");
            self.now = at;
            self.stats.events += 1;
            self.happen(event);
        }
    }

    pub(crate) fn run_for(&mut self, time: Micros) {
        self.run_until(self.now + time);
    }

    /// Lets time pass until something is so; whether it was in time.
    pub(crate) fn run_until_true(
        &mut self,
        patience: Micros,
        is_so: impl Fn(&Self) -> bool,
    ) -> bool {
        let deadline = self.now + patience;
        while self.now < deadline && self.checker.violation().is_none() {
            if is_so(self) {
                return true;
            }
            let until = (self.now + 20 * MS).min(deadline);
            self.run_until(until);
        }
        is_so(self)
    }

    fn happen(&mut self, event: Event) {
        self.trace.number(self.now);
        match event {
            Event::Step(server, life) => self.step_if_due(server, life),
            Event::Arrive(conn, side) => self.arrive(conn, side),
            Event::Dial(dial) => self.dialled(*dial),
            Event::Input(server, life, input) => {
                if self.servers[server].life == life {
                    self.input(server, *input);
                }
            }
            Event::Client(machine) => self.client_turn(machine),
            Event::ClientRefused(machine) => self.client_refused(machine),
            Event::Restart(server) => self.restart_if_due(server),
            Event::Resume(server) => self.resume(server),
        }
    }

    fn line(&mut self, line: impl FnOnce() -> String) {
        self.trace.line(self.now, line);
    }

    /// Notes what a script or a nemesis does.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        self.stats.faults += 1;
        self.line(|| format!("** {}", line()));
    }

    /// Whether a machine is a server's.
    pub(crate) fn is_server(&self, machine: Machine) -> bool {
        machine < self.servers.len()
    }

    /// The server that leads and serves, if it is one.
    pub(crate) fn leader(&self) -> Option<Machine> {
        let leads = |index: &Machine| self.servers[*index].leads();
        let leaders = (0..self.servers.len()).filter(leads);
        leaders.max_by_key(|index| self.servers[*index].view().and_then(|view| view.epoch))
    }

    /// Whether all servers run and serve, and show the same.
    pub(crate) fn is_converged(&self) -> bool {
        let shown = |server: &Server| {
            let view = server.view().filter(|_| server.is_live())?;
            (view.role != "looking").then_some((view.applied, view.digest))
        };
        let first = shown(&self.servers[0]);
        first.is_some() && self.servers.iter().all(|server| shown(server) == first)
    }

    /// Compares all trees that can be compared, with all that is in them.
    pub(crate) fn compare_all(&mut self) {
        let reference = &self.checker.reference.tree;
        let mut found = None;
        for server in &self.servers {
            let Some(process) = &server.process else {
                continue;
            };
            let difference = process
                .host
                .with_tree(|tree| compare_trees(reference, tree));
            let mismatches = process.host.with_tree(zk_tree::DataTree::digest_mismatches);
            if let Some(difference) = difference {
                found = Some(format!("I21: server {}: {difference}", server.id));
            } else if mismatches > 0 {
                let id = server.id;
                found = Some(format!("I21: server {id} met {mismatches} wrong digests"));
            }
        }
        if let Some(found) = found {
            self.checker.fail(found);
        }
    }
}
