//! Compares the tree's digest with those that transactions and snapshots
//! carry, and keeps a history of it. It does not know how a digest is made.

use std::collections::VecDeque;
use zk_proto::Zxid;
use zk_proto::snapshot::SnapshotDigest;
use zk_proto::txn::{DIGEST_VERSION, TxnDigest};

/// A zxid in so many enters the history (`DataTree.DIGEST_LOG_INTERVAL`).
const LOG_INTERVAL: i64 = 128;
/// Entries of the history (`DataTree.DIGEST_LOG_LIMIT`).
const LOG_LIMIT: usize = 1024;

/// This tree is not the tree of who wrote the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestMismatch {
    /// The digest that came with the transaction or the snapshot.
    pub expected: u64,
    /// The digest of this tree.
    pub actual: u64,
}

#[derive(Debug, Default)]
pub(crate) struct DigestCheck {
    /// Set while replay repairs a fuzzy snapshot: until this zxid the tree is
    /// no tree that ever was, and is not compared. Nobody knows until when if
    /// it is zero.
    fuzzy_until: Option<SnapshotDigest>,
    /// The snapshot's own digest did not fit. Apache may write one that is a
    /// transaction behind the znodes beside it; then the next one fits.
    suspected: Option<DigestMismatch>,
    mismatches: u64,
    history: VecDeque<(Zxid, u64)>,
}

impl DigestCheck {
    /// Takes up the digest of a snapshot that was begun at `snapshot`. One
    /// from before it belongs to an earlier reign and says nothing.
    pub(crate) fn loaded(&mut self, digest: Option<SnapshotDigest>, snapshot: Zxid, actual: u64) {
        self.count_suspected();
        self.fuzzy_until = digest.filter(|it| match it.zxid {
            Zxid::ZERO => snapshot > Zxid::ZERO,
            zxid => zxid >= snapshot,
        });
        self.suspected = self.end_of_fuzziness(snapshot, actual);
    }

    /// Until when the tree is fuzzy, while it is.
    pub(crate) const fn fuzzy_until(&self) -> Option<SnapshotDigest> {
        self.fuzzy_until
    }

    /// The tree is no longer fuzzy, whatever the snapshot said.
    pub(crate) fn settle(&mut self) {
        self.fuzzy_until = None;
    }

    /// Compares after a transaction.
    pub(crate) fn applied(
        &mut self,
        zxid: Zxid,
        digest: Option<TxnDigest>,
        actual: u64,
    ) -> Option<DigestMismatch> {
        let at_the_end = self.end_of_fuzziness(zxid, actual);
        if self.fuzzy_until.is_some() {
            return None;
        }
        self.remember(zxid, actual);
        if at_the_end.is_some() {
            self.suspected = at_the_end;
            return None;
        }
        let digest = digest?;
        let mismatch = compare(digest.version, digest.tree, actual);
        if mismatch.is_none() && digest.version == DIGEST_VERSION {
            self.suspected = None;
        }
        self.count_suspected();
        self.mismatches += u64::from(mismatch.is_some());
        mismatch
    }

    /// Notes a transaction of a tree without digests: Apache's history has
    /// zeros then.
    pub(crate) fn passed(&mut self, zxid: Zxid) {
        self.remember(zxid, 0);
    }

    /// Compares once the snapshot's own digest holds; behind that zxid
    /// nothing is fuzzy, even if no transaction had it.
    fn end_of_fuzziness(&mut self, zxid: Zxid, actual: u64) -> Option<DigestMismatch> {
        let is_over = |it: &mut SnapshotDigest| it.zxid > Zxid::ZERO && zxid >= it.zxid;
        let digest = self.fuzzy_until.take_if(is_over)?;
        if zxid > digest.zxid {
            return None;
        }
        compare(digest.version, digest.tree, actual)
    }

    fn count_suspected(&mut self) {
        self.mismatches += u64::from(self.suspected.take().is_some());
    }

    fn remember(&mut self, zxid: Zxid, actual: u64) {
        if zxid.0 % LOG_INTERVAL != 0 {
            return;
        }
        if self.history.len() == LOG_LIMIT {
            self.history.pop_front();
        }
        self.history.push_back((zxid, actual));
    }

    pub(crate) fn mismatches(&self) -> u64 {
        self.mismatches + u64::from(self.suspected.is_some())
    }

    pub(crate) fn history(&self) -> impl Iterator<Item = (Zxid, u64)> {
        self.history.iter().copied()
    }
}

/// Digests of other versions are made otherwise and say nothing.
fn compare(version: i32, expected: i64, actual: u64) -> Option<DigestMismatch> {
    let expected = expected as u64;
    (version == DIGEST_VERSION && expected != actual).then_some(DigestMismatch { expected, actual })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn txn(tree: i64) -> Option<TxnDigest> {
        Some(TxnDigest {
            version: DIGEST_VERSION,
            tree,
        })
    }

    const fn snapshot(zxid: i64, tree: i64) -> Option<SnapshotDigest> {
        Some(SnapshotDigest {
            zxid: Zxid(zxid),
            version: DIGEST_VERSION,
            tree,
        })
    }

    #[test]
    fn a_fuzzy_tree_is_not_compared() {
        let mut check = DigestCheck::default();
        check.loaded(snapshot(7, 70), Zxid(5), 1);
        assert_eq!(check.applied(Zxid(6), txn(60), 1), None);
        assert_eq!(check.applied(Zxid(7), txn(70), 70), None);
        let mismatch = check.applied(Zxid(8), txn(80), 81);
        assert_eq!(mismatch.map(|it| (it.expected, it.actual)), Some((80, 81)));
        assert_eq!(check.mismatches(), 1);
    }

    #[test]
    fn fuzziness_ends_behind_a_zxid_that_no_transaction_has() {
        let mut check = DigestCheck::default();
        check.loaded(snapshot(7, 70), Zxid(5), 1);
        assert!(check.applied(Zxid(8), txn(80), 81).is_some());
    }

    #[test]
    fn fuzziness_without_an_end_ends_when_it_is_said() {
        let mut check = DigestCheck::default();
        check.loaded(snapshot(0, 0), Zxid(5), 1);
        assert_eq!(check.applied(Zxid(6), txn(60), 61), None);
        check.settle();
        assert!(check.applied(Zxid(7), txn(70), 71).is_some());
        assert_eq!(check.mismatches(), 1);
    }

    #[test]
    fn a_quiet_snapshot_is_compared_at_once() {
        let mut check = DigestCheck::default();
        check.loaded(snapshot(5, 50), Zxid(5), 51);
        assert_eq!(check.mismatches(), 1);
        check.loaded(snapshot(4, 50), Zxid(5), 51);
        check.loaded(snapshot(0, 0), Zxid(0), 51);
        assert_eq!(check.mismatches(), 1);
        assert!(check.applied(Zxid(6), txn(1), 2).is_some());
    }

    #[test]
    fn a_snapshots_digest_may_be_one_behind() {
        let mut check = DigestCheck::default();
        check.loaded(snapshot(7, 70), Zxid(5), 1);
        assert_eq!(check.applied(Zxid(7), txn(70), 80), None);
        assert_eq!(check.mismatches(), 1, "nothing has cleared it");
        assert_eq!(check.applied(Zxid(8), None, 80), None);
        assert_eq!(check.applied(Zxid(9), txn(80), 80), None);
        assert_eq!(check.mismatches(), 0);
        check.loaded(snapshot(5, 50), Zxid(5), 60);
        assert_eq!(check.mismatches(), 1);
        check.applied(Zxid(6), txn(60), 60);
        assert_eq!(check.mismatches(), 0);
    }

    #[test]
    fn a_snapshots_digest_that_never_fits_is_a_mismatch() {
        let mut check = DigestCheck::default();
        check.loaded(snapshot(7, 70), Zxid(5), 1);
        check.applied(Zxid(7), txn(70), 71);
        assert!(check.applied(Zxid(8), txn(80), 81).is_some());
        assert_eq!(check.mismatches(), 2);
    }

    #[test]
    fn other_versions_are_not_compared() {
        let mut check = DigestCheck::default();
        let old = TxnDigest {
            version: 1,
            tree: 5,
        };
        assert_eq!(check.applied(Zxid(1), Some(old), 6), None);
    }

    #[test]
    fn every_128th_digest_is_remembered() {
        let mut check = DigestCheck::default();
        for zxid in 1..=128 * 1030 {
            check.applied(Zxid(zxid), None, zxid as u64);
        }
        assert_eq!(check.history().count(), 1024);
        assert_eq!(check.history().next(), Some((Zxid(128 * 7), 128 * 7)));
    }

    #[test]
    fn without_digests_the_history_has_zeros() {
        let mut check = DigestCheck::default();
        for zxid in 1..=128 {
            check.passed(Zxid(zxid));
        }
        assert_eq!(check.history().collect::<Vec<_>>(), [(Zxid(128), 0)]);
    }
}
