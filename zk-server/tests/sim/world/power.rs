//! Processes and machines that end and begin again.

use super::{Event, World};
use crate::disk::SimDisk;
use crate::net::{EndState, Machine, Parcel};
use crate::queue::{MS, Micros, SECOND};

impl World {
    /// The process ends as by SIGKILL; its machine goes on, and tells the
    /// others.
    pub(crate) fn kill(&mut self, server: Machine) {
        if !self.servers[server].is_running() {
            return;
        }
        self.line(|| format!("{} is killed", server + 1));
        self.end_process(server);
    }

    /// The process is gone, its files are as it left them.
    pub(super) fn end_process(&mut self, server: Machine) {
        let machine = &mut self.servers[server];
        // What it had mapped is written when it goes.
        machine.process = None;
        machine.disk = machine.disk.process_ended();
        self.bury(server);
        for conn in self.net.of(server) {
            self.say_end(server, conn, MS);
        }
    }

    /// The machine loses power: what was not flushed may be lost, and nobody
    /// is told.
    pub(crate) fn lose_power(&mut self, server: Machine) {
        self.line(|| format!("{} loses power", server + 1));
        let mut rng = self.rng.fork();
        let style = rng.below(4);
        let machine = &mut self.servers[server];
        let disk = machine.disk.power_lost(&mut |choices| match style {
            0 => 0,
            1 => choices - 1,
            _ => rng.index(choices),
        });
        machine.disk = disk;
        machine.process = None;
        machine.is_on = false;
        self.lose_what_waits(server);
        self.bury(server);
    }

    /// What could not leave a machine goes with it.
    fn lose_what_waits(&mut self, server: Machine) {
        for id in self.net.of(server) {
            let Some(conn) = self.net.conns.get_mut(&id) else {
                continue;
            };
            let side = conn.side_of(server);
            let other = conn.ends[1 - side].machine;
            if self.net.is_cut(server, other)
                && let Some(conn) = self.net.conns.get_mut(&id)
            {
                conn.pipes[side].lose();
            }
        }
    }

    /// The disk is gone, and another one is there.
    pub(crate) fn wipe(&mut self, server: Machine) {
        self.lose_power(server);
        self.servers[server].disk = SimDisk::new();
        self.checker.wiped(server);
    }

    /// The armed operation of its disk was reached.
    pub(super) fn trip(&mut self, server: Machine) {
        let tripped = self.servers[server].disk.control().take_tripped();
        self.line(|| format!("{} crashes at {tripped:?}", server + 1));
        if self.rng.coin() {
            self.lose_power(server);
        } else {
            self.end_process(server);
        }
        let pause = self.rng.skewed(100 * MS, 8 * SECOND);
        self.restart_in(server, pause);
    }

    pub(crate) fn restart_in(&mut self, server: Machine, pause: Micros) {
        let at = self.now + pause;
        self.servers[server].restart_at = Some(at);
        self.queue.push(at, Event::Restart(server));
    }

    pub(super) fn restart_if_due(&mut self, server: Machine) {
        if self.servers[server].restart_at == Some(self.now) {
            self.start_again(server);
        }
    }

    /// Starts a server, and lets those hear of it who still believe in its
    /// former life.
    pub(crate) fn start_again(&mut self, server: Machine) {
        let was_off = !self.servers[server].is_on;
        self.start(server);
        if was_off {
            for conn in self.net.of(server) {
                self.say_end(server, conn, SECOND);
            }
        }
    }

    /// All ends of the connections of a process are dead.
    fn bury(&mut self, server: Machine) {
        self.checker.disks[server] = self.servers[server].disk.files().clone();
        for id in self.net.of(server) {
            let Some(conn) = self.net.conns.get_mut(&id) else {
                continue;
            };
            let side = conn.side_of(server);
            conn.ends[side].state = EndState::Dead;
            self.net.forget_if_over(id);
        }
    }

    /// The kernel tells the other end of a dead one.
    fn say_end(&mut self, server: Machine, id: u64, late: Micros) {
        let Some(conn) = self.net.conns.get(&id) else {
            return;
        };
        let side = conn.side_of(server);
        if conn.ends[side].state == EndState::Dead {
            let late = self.rng.below(late);
            self.put(self.now + late, id, side, Parcel::End);
        }
    }
}
