//! Faults in their time: how long they last, and what happens meanwhile.

use super::{Run, SERVES_WITHIN, Window};
use crate::history::Moment;
use crate::shapes::{Afterwards, Fault, Shape};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

impl Run {
    /// Breaks things for as long as it takes, which is bounded.
    pub(super) fn fault(&mut self, shape: &Shape, fault: &Fault) -> Window {
        let begin = self.board.clock.now();
        self.site.make(fault);
        let broken = self.board.clock.now();
        let limit = self.plan.limit();
        let hold = limit + limit / 2 + Duration::from_millis(self.rng.below(400) as u64);
        match fault.afterwards {
            Afterwards::Nothing => self.hold(shape, fault, broken, hold),
            Afterwards::Restart => {}
            Afterwards::Storm => self.storm(limit * 3),
            Afterwards::Swizzle => self.swizzle(limit * 4),
        }
        Window {
            begin,
            broken,
            end: self.board.clock.now(),
        }
    }

    /// Waits until those that can serve do, and some time more.
    fn hold(&self, shape: &Shape, fault: &Fault, broken: Moment, hold: Duration) {
        let serving = fault.serving(self.site.ids()).unwrap_or_default();
        if !serving.is_empty() {
            let what = format!("{}: some of {serving:?} takes writes", shape.name);
            self.expect(SERVES_WITHIN, &what, |state| {
                let since = |id| state.served.get(id).is_some_and(|at| *at > broken);
                serving.iter().any(since)
            });
        }
        let left = hold.saturating_sub(self.board.clock.now().since(broken));
        // A fault lasts; only a failure ends it earlier.
        self.board.wait(left, |_| false);
    }

    /// kill -9, again and again, also of those that have just been started.
    fn storm(&mut self, length: Duration) {
        let end = Instant::now() + length;
        while Instant::now() < end {
            let id = self.rng.pick(self.site.ids());
            self.site.server(id).kill();
            self.linger(200);
            self.site.start(id);
            self.linger(300);
        }
    }

    /// Everything at once, and nothing for long.
    fn swizzle(&mut self, length: Duration) {
        let end = Instant::now() + length;
        while Instant::now() < end {
            let id = self.rng.pick(self.site.ids());
            match self.rng.below(8) {
                0..=2 => self.cut_some(),
                3 => self.site.cut(&BTreeSet::new()),
                4 if self.site.server(id).is_running() => self.site.server(id).kill(),
                5 if self.site.server(id).is_running() && !self.site.server(id).is_paused() => {
                    self.site.server(id).pause();
                }
                _ => self.site.resume_or_start(id),
            }
            self.linger(500);
        }
    }

    /// Cuts a random third of all links.
    fn cut_some(&mut self) {
        let ids = self.site.ids().to_vec();
        let links = ids.iter().flat_map(|a| ids.iter().map(|b| (*a, *b)));
        let links = links.filter(|(a, b)| a != b && self.rng.below(3) == 0);
        let links = links.collect();
        self.site.cut(&links);
    }

    fn linger(&mut self, most_ms: usize) {
        let time = Duration::from_millis(self.rng.below(most_ms) as u64);
        self.board.wait(time, |_| false);
    }
}
