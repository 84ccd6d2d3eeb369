//! Random transactions, applied to the tree and to its twin.

use crate::random::Leader;
use crate::twin::Twin;
use zk_proto::SessionId;
use zk_proto::txn::LoggedTxn;
use zk_tree::{DataTree, ExpiryRule, ExpiryScan, Outcome, TreeConfig};

pub(crate) const CONFIG: TreeConfig = TreeConfig {
    hash_seed: 0x5eed,
    extended_types: true,
    digest: true,
};

#[test]
fn the_tree_is_its_twin_after_every_transaction() {
    for seed in 0..40 {
        let mut leader = Leader::new(seed);
        leader.is_old = seed % 2 == 0;
        let mut tree = DataTree::new(CONFIG);
        for step in 0..400 {
            let payload = leader.propose().to_vec();
            let txn = LoggedTxn::decode(&payload).unwrap();
            let applied = tree.apply(&txn, &mut |_| {});
            assert_eq!(
                applied.digest_mismatch, None,
                "seed {seed} step {step}: {txn:?}"
            );
            compare(
                &tree,
                &leader.twin,
                &format!("seed {seed} step {step}: {txn:?}"),
            );
        }
    }
}

/// Logs are replayed over trees that are ahead of them, so old transactions
/// come again.
#[test]
fn transactions_that_come_again_do_to_both_the_same() {
    for seed in 0..40 {
        let mut leader = Leader::new(seed);
        leader.is_old = seed % 2 == 0;
        let mut tree = DataTree::new(CONFIG);
        for step in 0..200 {
            leader.propose();
            let again = leader.random.below(leader.log.len());
            for index in [leader.log.len() - 1, again] {
                let mut txn = LoggedTxn::decode(&leader.log[index]).unwrap();
                txn.digest = None;
                tree.apply(&txn, &mut |_| {});
                if index == again {
                    leader.twin.apply(&txn);
                }
            }
            compare(
                &tree,
                &leader.twin,
                &format!("seed {seed} step {step}, {again} again"),
            );
        }
    }
}

fn compare(tree: &DataTree, twin: &Twin, what: &str) {
    assert_eq!(tree.digest(), twin.digest(), "{what}");
    let twin = twin.clone().with_quotas_counted();
    Twin::of(tree).assert_is(&twin, what);
    assert_eq!(tree.node_count(), twin.nodes.len() + 1, "{what}");
    compare_derived(tree, &twin, what);
}

/// What the tree keeps beside its znodes.
fn compare_derived(tree: &DataTree, twin: &Twin, what: &str) {
    let mut ephemerals = 0;
    for session in 0x1000..0x1003 {
        let paths = twin.ephemerals(session);
        ephemerals += paths.len();
        assert_eq!(tree.ephemerals(SessionId(session)), paths, "{what}");
    }
    assert_eq!(tree.ephemeral_count(), ephemerals, "{what}");
    for path in ["", "/a", "/a/b", "/é"] {
        let below = twin
            .nodes
            .contains_key(path)
            .then(|| twin.below(path).count());
        assert_eq!(tree.count_descendants(path), below, "{what}");
    }
    let mut lists: Vec<_> = twin
        .nodes
        .values()
        .filter_map(|node| node.acl.as_ref())
        .collect();
    lists.sort();
    lists.dedup();
    assert_eq!(tree.acl_count(), lists.len(), "{what}");
    let size: usize = twin
        .nodes
        .iter()
        .map(|(path, node)| path.encode_utf16().count() + node.data.as_ref().map_or(0, Vec::len))
        .sum();
    assert_eq!(tree.data_size(), size as i64 + 1, "{what}");
    compare_expired(tree, twin, what);
}

fn compare_expired(tree: &DataTree, twin: &Twin, what: &str) {
    let now = 1_002_000;
    let mut expected: Vec<&String> = twin
        .nodes
        .iter()
        .filter(|(path, _)| twin.children(path).next().is_none())
        .filter(|(_, node)| match node.stat.ephemeral_owner {
            i64::MIN => node.stat.cversion > 0 || now - node.stat.mtime > 500,
            owner if owner as u64 >> 56 == 0xff => now - node.stat.mtime > 100,
            _ => false,
        })
        .map(|(path, _)| path)
        .collect();
    expected.sort();
    let mut expired = tree.expired(now, usize::MAX, 500);
    expired.sort();
    let rule = ExpiryRule {
        now_ms: now,
        max_never_used_ms: 500,
    };
    let (mut scan, mut scanned) = (ExpiryScan::default(), Vec::new());
    while !scan.is_done() {
        scanned.extend(tree.scan_expired(&mut scan, 2, rule));
    }
    scanned.sort();
    assert_eq!(scanned, expired, "{what}");
    assert_eq!(expired.iter().collect::<Vec<_>>(), expected, "{what}");
    assert_eq!(
        tree.expired(now, 1, 500).len(),
        expected.len().min(1),
        "{what}"
    );
}

#[test]
fn valid_transactions_meet_no_error() {
    let mut leader = Leader::new(99);
    let mut tree = DataTree::new(CONFIG);
    for _ in 0..2000 {
        let payload = leader.propose().to_vec();
        let txn = LoggedTxn::decode(&payload).unwrap();
        let carried = match &txn.txn {
            zk_proto::txn::Txn::Error(code) => *code,
            _ => zk_proto::ErrorCode::OK,
        };
        let outcome = tree.apply(&txn, &mut |_| {}).outcome;
        assert_eq!(outcome.error_code(), carried, "{txn:?}");
        assert_ne!(outcome, Outcome::Error(zk_proto::ErrorCode::OK));
    }
    assert!(tree.node_count() > 20, "the test does something");
}
