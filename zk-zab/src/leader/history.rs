//! What a learner is sent so that its history becomes the leader's: a pure
//! function of the learner's last zxid and the leader's history
//! (`LearnerHandler.syncFollower`). It sends nothing and reads no disk.

use crate::Txn;
use crate::packet::{base, follows, is_base};
use std::collections::VecDeque;
use zk_proto::mutation::is_back;
use zk_proto::{Epoch, Zxid};

/// How a learner gets the leader's history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncPlan {
    /// It keeps what it has and gets what is behind `after`.
    Diff {
        /// The last zxid that it will have.
        to: Zxid,
        /// Its last zxid.
        after: Zxid,
    },
    /// It cuts what is behind `to`, and gets what the leader has there.
    Truncate {
        /// The last zxid that it keeps.
        to: Zxid,
    },
    /// It gets everything anew.
    Snapshot {
        /// The last zxid of that.
        at: Zxid,
    },
}

/// A plan, or that the disk has to be read for one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decision {
    Plan(SyncPlan),
    ReadDisk {
        /// Where the window begins.
        through: Zxid,
    },
}

/// The end of a leader's committed history, without holes.
#[derive(Debug)]
pub struct HistoryWindow {
    txns: VecDeque<Txn>,
    /// The last transaction, also when `txns` is empty.
    last: Zxid,
    /// What counts as processed: `last`, or the base of an epoch that has no
    /// transaction yet.
    committed: Zxid,
    /// How many transactions are kept.
    len_max: usize,
}

impl HistoryWindow {
    /// The longest part of `recent` that ends with `last` and has no holes: a
    /// hole would be passed on to every learner (ZOOKEEPER-4925).
    #[must_use]
    pub fn new(recent: Vec<Txn>, last: Zxid, len_max: usize) -> Self {
        let mut txns: VecDeque<Txn> = recent.into();
        if txns.back().is_none_or(|txn| txn.zxid != last) {
            txns.clear();
        }
        let pairs = 1..txns.len();
        let hole = pairs
            .rev()
            .find(|&at| !follows(txns[at - 1].zxid, txns[at].zxid))
            .filter(|_| !is_back("memory_with_holes"));
        let surplus = txns.len().saturating_sub(len_max);
        txns.drain(..hole.unwrap_or(0).max(surplus));
        let committed = last;
        Self {
            txns,
            last,
            committed,
            len_max,
        }
    }

    /// What counts as processed.
    #[must_use]
    pub const fn committed(&self) -> Zxid {
        self.committed
    }

    /// Begins an epoch, which is a place in the history of its own.
    pub(crate) const fn begin_epoch(&mut self, epoch: Epoch) {
        self.committed = base(epoch);
    }

    /// Appends what was just committed.
    pub(crate) fn push(&mut self, txn: Txn) {
        debug_assert!(follows(self.committed, txn.zxid), "{txn:?} leaves a hole");
        self.committed = txn.zxid;
        self.last = txn.zxid;
        self.txns.push_back(txn);
        if self.txns.len() > self.len_max {
            self.txns.pop_front();
        }
    }

    fn min(&self) -> Zxid {
        self.txns.front().map_or(self.committed, |txn| txn.zxid)
    }

    fn max(&self) -> Zxid {
        self.txns.back().map_or(self.committed, |txn| txn.zxid)
    }

    /// What a learner with this last zxid gets.
    pub(crate) fn plan(&self, peer: Zxid) -> Decision {
        let (min, max) = (self.min(), self.max());
        let plan = if peer == self.committed {
            let (to, after) = (peer, peer);
            SyncPlan::Diff { to, after }
        } else if peer > max && !is_base(peer) && is_back("nothing_is_cut") {
            let (to, after) = (max, peer);
            SyncPlan::Diff { to, after }
        } else if peer > max && !is_base(peer) {
            SyncPlan::Truncate { to: max }
        } else if peer == Zxid::ZERO && is_back("empty_gets_a_diff") {
            let (to, after) = (max, peer);
            SyncPlan::Diff { to, after }
        } else if peer < min {
            return Decision::ReadDisk { through: min };
        } else if peer <= max {
            self.plan_by(peer, self.txns.iter())
        } else {
            self.snapshot()
        };
        Decision::Plan(plan)
    }

    /// What it gets when the disk has been read: part of the log, from a
    /// transaction at or before the learner's last one. Only what has no hole
    /// and joins the window is used (ZOOKEEPER-2846).
    pub(crate) fn plan_with_disk(&self, peer: Zxid, disk: &[Txn]) -> SyncPlan {
        if let Decision::Plan(plan) = self.plan(peer) {
            return plan;
        }
        let reaches_back = disk.first().is_some_and(|txn| txn.zxid <= peer);
        let whole = disk.windows(2).all(|it| follows(it[0].zxid, it[1].zxid));
        if is_back("disk_diff_with_holes") {
            let (to, after) = (self.committed, peer);
            return SyncPlan::Diff { to, after };
        }
        if !reaches_back || !whole || !self.joins(disk) {
            return self.snapshot();
        }
        let min = self.first_kept();
        let before = disk.iter().filter(|txn| txn.zxid < min);
        self.plan_by(peer, before.chain(&self.txns))
    }

    /// Whether the window goes on where the disk's part ends.
    fn joins(&self, disk: &[Txn]) -> bool {
        let end = disk.last().map(|txn| txn.zxid);
        match self.txns.front() {
            Some(first) => {
                end.is_some_and(|end| end >= first.zxid || end.next() == Some(first.zxid))
            }
            None => end >= Some(self.last),
        }
    }

    /// Where the window begins; behind the last committed, if it is empty: the
    /// log may hold more than is committed.
    fn first_kept(&self) -> Zxid {
        let behind = Zxid(self.last.0 + 1);
        self.txns.front().map_or(behind, |txn| txn.zxid)
    }

    fn plan_by<'a>(&self, peer: Zxid, list: impl Iterator<Item = &'a Txn>) -> SyncPlan {
        let (to, after) = (self.max().max(self.last), peer);
        let diff = SyncPlan::Diff { to, after };
        let mut before = None;
        for zxid in list.map(|txn| txn.zxid) {
            if zxid < peer {
                before = Some(zxid);
            } else if zxid == peer || is_base(peer) || is_back("foreign_zxid_gets_a_diff") {
                return diff;
            } else {
                // The learner's last one is none of ours, and the epoch says
                // whether the one before it is in the learner's log.
                let same_epoch = before.filter(|_| zxid.epoch() == peer.epoch());
                return same_epoch.map_or(self.snapshot(), |to| SyncPlan::Truncate { to });
            }
        }
        if is_base(peer) { diff } else { self.snapshot() }
    }

    const fn snapshot(&self) -> SyncPlan {
        SyncPlan::Snapshot { at: self.committed }
    }

    /// The transactions behind a zxid: those of the disk, then the window.
    pub(crate) fn behind(&self, after: Zxid, disk: &[Txn]) -> Vec<Txn> {
        let min = self.first_kept();
        let disk = disk.iter().filter(|txn| txn.zxid < min);
        let all = disk.chain(&self.txns);
        all.filter(|txn| txn.zxid > after).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn txn(zxid: i64) -> Txn {
        let payload = bytes::Bytes::new();
        let zxid = Zxid(zxid);
        Txn { zxid, payload }
    }

    fn txns(zxids: &[i64]) -> Vec<Txn> {
        zxids.iter().copied().map(txn).collect()
    }

    fn diff(to: i64, after: i64) -> SyncPlan {
        let (to, after) = (Zxid(to), Zxid(after));
        SyncPlan::Diff { to, after }
    }

    const fn trunc(to: i64) -> SyncPlan {
        SyncPlan::Truncate { to: Zxid(to) }
    }

    const fn snap(at: i64) -> SyncPlan {
        SyncPlan::Snapshot { at: Zxid(at) }
    }

    const E5: i64 = 5 << 32;
    const E6: i64 = 6 << 32;
    const E7: i64 = 7 << 32;

    /// A window 5.8 5.9 6.1 6.2, in epoch 7.
    fn window() -> HistoryWindow {
        let recent = txns(&[E5 + 8, E5 + 9, E6 + 1, E6 + 2]);
        let mut window = HistoryWindow::new(recent, Zxid(E6 + 2), 500);
        window.begin_epoch(Epoch(7));
        window
    }

    #[test]
    fn the_window_decides() {
        let cases = [
            (E7, diff(E7, E7), "in step"),
            (E6 + 2, diff(E6 + 2, E6 + 2), "all but the epoch"),
            (E5 + 9, diff(E6 + 2, E5 + 9), "in the list"),
            (E5 + 8, diff(E6 + 2, E5 + 8), "the first of the list"),
            (E6, diff(E6 + 2, E6), "an epoch's base within the list"),
            (E6 + 9, trunc(E6 + 2), "newer than all"),
            (
                E5 + 10,
                snap(E7),
                "S18: not ours, and the next is of another epoch",
            ),
            (E7 + 4, trunc(E6 + 2), "newer, of an epoch that has nothing"),
            (8 << 32, snap(E7), "a base above everything"),
        ];
        for (peer, plan, why) in cases {
            assert_eq!(window().plan(Zxid(peer)), Decision::Plan(plan), "{why}");
        }
        let read = Decision::ReadDisk {
            through: Zxid(E5 + 8),
        };
        for peer in [0, 1, E5, E5 + 7] {
            assert_eq!(window().plan(Zxid(peer)), read, "{peer:x}");
        }
    }

    #[test]
    fn truncation_goes_to_the_one_before() {
        let recent = txns(&[E5 + 8, E5 + 9, E6 + 1, E6 + 2]);
        let mut window = HistoryWindow::new(recent, Zxid(E6 + 2), 500);
        let list = txns(&[E5 + 1, E5 + 2, E5 + 5]);
        assert_eq!(window.plan_by(Zxid(E5 + 3), list.iter()), trunc(E5 + 2));
        assert_eq!(window.plan_by(Zxid(E5), list[1..].iter()), diff(E6 + 2, E5));
        assert_eq!(window.plan_by(Zxid(E5 + 1), list[1..].iter()), snap(E6 + 2));
        assert_eq!(
            window.plan(Zxid(E6 + 2)),
            Decision::Plan(diff(E6 + 2, E6 + 2))
        );
        window.begin_epoch(Epoch(7));
        assert_eq!(window.plan(Zxid(E6 + 3)), Decision::Plan(trunc(E6 + 2)));
    }

    #[test]
    fn the_disk_serves_what_it_can_prove() {
        let plan = |peer, disk: &[i64]| window().plan_with_disk(Zxid(peer), &txns(disk));
        let whole: Vec<i64> = (E5 + 3..=E5 + 8).collect();
        assert_eq!(plan(E5 + 4, &whole), diff(E6 + 2, E5 + 4));
        assert_eq!(
            plan(E5 + 4, &whole[..5]),
            diff(E6 + 2, E5 + 4),
            "ends right before"
        );
        assert_eq!(
            plan(E5 + 4, &whole[..4]),
            snap(E7),
            "S14: a hole before the window"
        );
        assert_eq!(
            plan(E5 + 4, &[E5 + 4, E5 + 6, E5 + 7]),
            snap(E7),
            "S14: a hole within"
        );
        assert_eq!(plan(E5 + 2, &whole), snap(E7), "does not reach back");
        assert_eq!(plan(E5 + 2, &[]), snap(E7), "nothing there");
        let before: Vec<i64> = [1].into_iter().chain(E5 + 1..=E5 + 8).collect();
        assert_eq!(plan(E5, &before), diff(E6 + 2, E5), "an epoch's base");
        assert_eq!(plan(2, &before), snap(E7), "S18, on disk");
        assert_eq!(plan(0, &whole), snap(E7));
        let sent = window().behind(Zxid(E5 + 6), &txns(&whole));
        let sent: Vec<i64> = sent.iter().map(|txn| txn.zxid.0).collect();
        assert_eq!(sent, [E5 + 7, E5 + 8, E5 + 9, E6 + 1, E6 + 2]);
    }

    #[test]
    fn an_empty_window_knows_its_end() {
        let mut window = HistoryWindow::new(Vec::new(), Zxid(E5 + 3), 500);
        assert_eq!(
            window.plan(Zxid(E5 + 3)),
            Decision::Plan(diff(E5 + 3, E5 + 3))
        );
        assert_eq!(window.plan(Zxid(E5 + 4)), Decision::Plan(trunc(E5 + 3)));
        window.begin_epoch(Epoch(6));
        let disk = txns(&[E5 + 1, E5 + 2, E5 + 3]);
        let plan = |peer, disk: &[Txn]| window.plan_with_disk(Zxid(peer), disk);
        assert_eq!(plan(E5 + 2, &disk), diff(E5 + 3, E5 + 2).normal(E6));
        assert_eq!(plan(E5 + 2, &disk[..2]), snap(E6), "the end is missing");
        assert_eq!(
            plan(0, &[]),
            snap(E6),
            "S15: an empty server gets everything"
        );
        let empty = HistoryWindow::new(Vec::new(), Zxid(0), 500);
        assert_eq!(empty.plan(Zxid(0)), Decision::Plan(diff(0, 0)));
    }

    #[test]
    fn what_the_log_has_beyond_the_committed_is_not_history() {
        let window = HistoryWindow::new(Vec::new(), Zxid(E5 + 2), 500);
        let disk = txns(&[E5 + 1, E5 + 2, E5 + 3]);
        let sent = window.behind(Zxid(E5 + 1), &disk);
        assert_eq!(sent, txns(&[E5 + 2]));
    }

    impl SyncPlan {
        /// With an empty window Apache names the base of the epoch.
        fn normal(self, base: i64) -> Self {
            match self {
                Self::Diff { after, .. } => diff(base, after.0),
                other => other,
            }
        }
    }

    #[test]
    fn holes_and_surplus_are_left_out() {
        let zxids = |window: &HistoryWindow| -> Vec<i64> {
            window.txns.iter().map(|txn| txn.zxid.0).collect()
        };
        let last = Zxid(E6 + 2);
        let holed = txns(&[E5 + 1, E5 + 3, E6 + 1, E6 + 2]);
        let window = HistoryWindow::new(holed.clone(), last, 500);
        assert_eq!(zxids(&window), [E5 + 3, E6 + 1, E6 + 2], "S9");
        assert_eq!(zxids(&HistoryWindow::new(holed, last, 1)), [E6 + 2]);
        let elsewhere = HistoryWindow::new(txns(&[E5 + 1]), last, 500);
        assert!(
            zxids(&elsewhere).is_empty(),
            "it does not end where the log ends"
        );
        let mut window = HistoryWindow::new(Vec::new(), Zxid(E5), 2);
        (1..=3).for_each(|at| window.push(txn(E5 + at)));
        assert_eq!(zxids(&window), [E5 + 2, E5 + 3]);
        assert_eq!(window.committed(), Zxid(E5 + 3));
    }
}
