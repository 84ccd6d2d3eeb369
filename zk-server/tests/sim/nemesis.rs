//! Who breaks things: faults at random times, and their ends. It refuses to
//! know what follows.

use crate::disk::Trip;
use crate::net::Machine;
use crate::profile::Fault;
use crate::queue::{MS, Micros, SECOND};
use crate::rng::Rng;
use crate::world::World;

/// The usual price of a flush, in µs.
const FLUSH: u64 = 100;

/// Something that is to be mended.
#[derive(Debug, Clone, Copy)]
enum Mend {
    Cut(Machine, Machine),
    SlowNet(Machine),
    Disk(Machine),
}

pub(crate) struct Nemesis {
    weights: Vec<(Fault, u64)>,
    rng: Rng,
    /// Between two faults, at most.
    pause_max: Micros,
    /// How long one lasts, at most.
    last_max: Micros,
    mends: Vec<(Micros, Mend)>,
}

impl Nemesis {
    pub(crate) fn new(weights: Vec<(Fault, u64)>, tick_ms: u64, mut rng: Rng) -> Self {
        let tick = tick_ms * MS;
        Self {
            weights,
            pause_max: tick * rng.pick(&[6, 12, 24]),
            last_max: tick * rng.pick(&[3, 10, 30]),
            rng,
            mends: Vec::new(),
        }
    }

    /// Breaks things until then.
    pub(crate) fn run(&mut self, world: &mut World, until: Micros) {
        let mut next = world.now + self.rng.below(self.pause_max);
        while world.now < until && world.checker.violation().is_none() {
            let mend = self.mends.iter().map(|(at, _)| *at).min();
            let at = mend.unwrap_or(Micros::MAX).min(next).min(until);
            world.run_until(at);
            self.mend_due(world);
            if world.now >= next {
                self.strike(world);
                next = world.now + self.rng.skewed(50 * MS, self.pause_max);
            }
        }
    }

    /// Everything is well again, as far as it is up to the world.
    pub(crate) fn make_peace(&mut self, world: &mut World) {
        for (_, mend) in std::mem::take(&mut self.mends) {
            self.mend(world, mend);
        }
        for server in 0..world.servers.len() {
            let control = world.servers[server].disk.control();
            control.set_full(false);
            control.set_flush_cost(FLUSH);
            control.disarm();
            world.resume(server);
            if !world.servers[server].is_running() {
                world.start_again(server);
            }
        }
    }

    fn mend_due(&mut self, world: &mut World) {
        let (due, later): (Vec<_>, Vec<_>) =
            self.mends.iter().partition(|(at, _)| *at <= world.now);
        self.mends = later;
        for (_, mend) in due {
            self.mend(world, mend);
        }
    }

    fn mend(&self, world: &mut World, mend: Mend) {
        match mend {
            Mend::Cut(from, to) => world.set_cut(from, to, false),
            Mend::SlowNet(machine) => world.net.set_slow(machine, 0),
            Mend::Disk(server) => {
                let control = world.servers[server].disk.control();
                control.set_full(false);
                control.set_flush_cost(FLUSH);
            }
        }
    }

    fn draw(&mut self) -> Option<Fault> {
        let total = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut at = self.rng.below(total);
        for (fault, weight) in &self.weights {
            if at < *weight {
                return Some(*fault);
            }
            at -= weight;
        }
        None
    }

    fn strike(&mut self, world: &mut World) {
        let Some(fault) = self.draw() else {
            return;
        };
        if self.rng.per_mille(700) {
            // Faults hit where much is on its way.
            world.hurry_clients();
            let delay = self.rng.skewed(100, 30 * MS);
            world.run_for(delay);
        }
        let server = self.victim(world);
        match fault {
            Fault::Kill => self.end(world, server, World::kill),
            Fault::Power => self.end(world, server, World::lose_power),
            Fault::Trip => self.arm(world, server, Trip::Crash),
            Fault::Error => self.arm(world, server, Trip::Error),
            Fault::Full => self.worsen_disk(world, server, |control, _| control.set_full(true)),
            Fault::SlowDisk => self.worsen_disk(world, server, |control, rng| {
                control.set_flush_cost(rng.skewed(MS, 2 * SECOND));
            }),
            Fault::Pause => {
                let time = self.duration();
                world.note(|| format!("pause {} for {} ms", server + 1, time / MS));
                world.pause(server, time);
            }
            Fault::Jump => self.jump(world, server),
            Fault::Isolate => self.isolate(world, server),
            Fault::Split => self.split(world),
            Fault::OneWay => self.one_way(world, server),
            Fault::Reset => self.reset(world, server),
            Fault::SlowNet => {
                let added = self.rng.skewed(MS, SECOND);
                world.note(|| format!("{} sends {added} us late", server + 1));
                world.net.set_slow(server, added);
                self.mend_later(world, Mend::SlowNet(server));
            }
            Fault::Silence => self.silence(world),
            Fault::Wipe => self.wipe(world, server),
            Fault::All => self.end_all(world),
        }
    }

    /// Often the leader.
    fn victim(&mut self, world: &World) -> Machine {
        let any = self.rng.index(world.servers.len());
        match world.leader() {
            Some(leader) if self.rng.per_mille(400) => leader,
            _ => any,
        }
    }

    fn duration(&mut self) -> Micros {
        self.rng.skewed(20 * MS, self.last_max)
    }

    fn mend_later(&mut self, world: &World, mend: Mend) {
        let at = world.now + self.duration();
        self.mends.push((at, mend));
    }

    fn end(&mut self, world: &mut World, server: Machine, end: fn(&mut World, Machine)) {
        if !world.servers[server].is_running() {
            return;
        }
        world.note(|| format!("end {}", server + 1));
        end(world, server);
        let pause = self.duration();
        world.restart_in(server, pause);
    }

    fn arm(&mut self, world: &mut World, server: Machine, trip: Trip) {
        let mut after = self.rng.skewed(1, 40);
        if self.rng.per_mille(300) {
            // It comes back, and trips while it recovers and catches up.
            self.end(world, server, World::kill);
            after = self.rng.skewed(1, 150);
        }
        world.note(|| format!("arm {trip:?} at {} after {after} operations", server + 1));
        world.servers[server].disk.control().arm(trip, after);
    }

    fn worsen_disk(
        &mut self,
        world: &mut World,
        server: Machine,
        worsen: impl FnOnce(&crate::disk::Control, &mut Rng),
    ) {
        world.note(|| format!("a bad disk at {}", server + 1));
        worsen(world.servers[server].disk.control(), &mut self.rng);
        self.mend_later(world, Mend::Disk(server));
    }

    fn jump(&mut self, world: &mut World, server: Machine) {
        let far = self.rng.pick(&[1_000, 3_600_000, 315_360_000_000]);
        let by = if self.rng.coin() { far } else { -far };
        world.note(|| format!("the wall clock of {} jumps by {by} ms", server + 1));
        world.servers[server].wall_off_ms += by;
    }

    /// Cuts both ways, or one.
    fn cut(&mut self, world: &mut World, from: Machine, to: Machine, until: Micros) {
        if from != to {
            world.set_cut(from, to, true);
            self.mends.push((until, Mend::Cut(from, to)));
        }
    }

    /// Clients beside the server stay with it, or not.
    fn isolate(&mut self, world: &mut World, server: Machine) {
        let until = world.now + self.duration();
        let with_clients = self.rng.coin();
        world.note(|| format!("isolate {}", server + 1));
        let others = if with_clients {
            world.net.machines()
        } else {
            world.servers.len()
        };
        for other in 0..others {
            self.cut(world, server, other, until);
            self.cut(world, other, server, until);
        }
    }

    fn split(&mut self, world: &mut World) {
        let until = world.now + self.duration();
        let sides: Vec<bool> = (0..world.net.machines()).map(|_| self.rng.coin()).collect();
        world.note(|| format!("split {sides:?}"));
        for from in 0..sides.len() {
            for to in 0..sides.len() {
                if sides[from] != sides[to] {
                    self.cut(world, from, to, until);
                }
            }
        }
    }

    /// Deaf, mute, or some paths only.
    fn one_way(&mut self, world: &mut World, server: Machine) {
        let until = world.now + self.duration();
        let kind = self.rng.below(3);
        world.note(|| format!("one-way cuts of kind {kind} at {}", server + 1));
        for other in 0..world.servers.len() {
            match kind {
                0 => self.cut(world, server, other, until),
                1 => self.cut(world, other, server, until),
                _ if self.rng.coin() => {
                    let from = self.rng.index(world.servers.len());
                    self.cut(world, from, other, until);
                }
                _ => {}
            }
        }
    }

    fn reset(&mut self, world: &mut World, server: Machine) {
        let all = self.rng.coin();
        world.note(|| format!("reset connections of {}", server + 1));
        for conn in world.net.of(server) {
            if all || self.rng.per_mille(300) {
                world.reset(conn);
            }
        }
    }

    fn silence(&mut self, world: &mut World) {
        let client = self.rng.index(world.clients.len());
        let time = world.clients[client].timeout() * self.rng.range(1, 5) / 2;
        world.note(|| format!("client {client} hangs for {} ms", time / MS));
        world.clients[client].be_silent(world.now + time);
    }

    /// What one server had may be needed by nobody then: all others have it.
    fn wipe(&mut self, world: &mut World, server: Machine) {
        let last = world.checker.reference.last();
        let has_all = |index: usize| {
            let server = &world.servers[index];
            let view = server
                .view()
                .filter(|_| server.is_live() && server.serves());
            view.is_some_and(|view| {
                view.logged == last && view.current_epoch == view.accepted_epoch
            })
        };
        let epoch = |index: usize| world.servers[index].view().map(|view| view.accepted_epoch);
        let mut servers = 0..world.servers.len();
        let is_well = servers.all(|it| has_all(it) && epoch(it) == epoch(server));
        if !is_well {
            return;
        }
        world.note(|| format!("wipe {}", server + 1));
        world.wipe(server);
        let pause = self.duration();
        world.restart_in(server, pause);
    }

    fn end_all(&mut self, world: &mut World) {
        world.note(|| "end all".to_owned());
        let power = self.rng.coin();
        for server in 0..world.servers.len() {
            if power {
                world.lose_power(server);
            } else {
                world.kill(server);
            }
            let pause = self.duration();
            world.restart_in(server, pause);
        }
    }
}
