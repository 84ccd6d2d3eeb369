//! Messages on their way. It loses, delays, reorders and repeats them, and
//! does not read them.

use super::Chance;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use zk_proto::ServerId;
use zk_proto::quorum::Notification;

pub(crate) struct Message {
    pub(crate) from: ServerId,
    pub(crate) to: ServerId,
    pub(crate) what: Notification,
}

pub(crate) struct Network {
    on_the_way: BTreeMap<(Duration, u64), Message>,
    sent: u64,
    /// From, to.
    cuts: BTreeSet<(ServerId, ServerId)>,
    delay_max_us: u64,
    /// When the last message of each link arrives, if links keep order.
    ordered: Option<BTreeMap<(ServerId, ServerId), Duration>>,
    pub(crate) loss_percent: u64,
    late_percent: u64,
}

impl Network {
    pub(crate) fn new(delay_max_ms: u64, ordered: bool) -> Self {
        Self {
            on_the_way: BTreeMap::new(),
            sent: 0,
            cuts: BTreeSet::new(),
            delay_max_us: delay_max_ms * 1000,
            ordered: ordered.then(BTreeMap::new),
            loss_percent: 0,
            late_percent: 0,
        }
    }

    pub(crate) fn send(&mut self, chance: &mut Chance, now: Duration, message: Message) {
        if self.is_cut(message.from, message.to) || chance.percent(self.loss_percent) {
            return;
        }
        if chance.percent(self.late_percent) {
            let repeated = Message {
                what: message.what.clone(),
                ..message
            };
            self.put(now + Duration::from_millis(chance.below(700)), repeated);
        }
        let delay = Duration::from_micros(chance.between(100, self.delay_max_us));
        let mut at = now + delay;
        if let Some(last) = &mut self.ordered {
            let last = last.entry((message.from, message.to)).or_default();
            at = at.max(*last);
            *last = at;
        }
        self.put(at, message);
    }

    fn put(&mut self, at: Duration, message: Message) {
        self.sent += 1;
        self.on_the_way.insert((at, self.sent), message);
    }

    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.on_the_way.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn take(&mut self) -> Option<Message> {
        self.on_the_way.pop_first().map(|(_, message)| message)
    }

    pub(crate) fn is_cut(&self, from: ServerId, to: ServerId) -> bool {
        self.cuts.contains(&(from, to))
    }

    /// One way only.
    pub(crate) fn cut(&mut self, from: ServerId, to: ServerId) {
        self.late_percent = 10;
        self.cuts.insert((from, to));
    }

    /// Two sides that do not hear one another.
    pub(crate) fn split(&mut self, chance: &mut Chance, all: &[ServerId]) {
        let sides: Vec<(ServerId, bool)> = all.iter().map(|id| (*id, chance.percent(50))).collect();
        for (a, side) in &sides {
            let others = sides.iter().filter(|(_, other)| other != side);
            self.cuts.extend(others.map(|(b, _)| (*a, *b)));
        }
    }

    /// As good as new, but for what is on its way.
    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        self.loss_percent = 0;
        self.late_percent = 0;
    }
}
