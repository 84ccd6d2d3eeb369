//! Requests give the same transactions whether they are prepared one by one,
//! each after the one before was applied, or many at once.

use crate::leader::Client;
use crate::random::Random;
use crate::requests::{any_request, clients, quota_leader};
use zk_proto::txn::LoggedTxn;
use zk_proto::{ErrorCode, Request};
use zk_tree::PrepareConfig;

/// The same requests, prepared one by one and many at once, lead to the same
/// bytes; every digest is that of the tree after the transaction.
#[test]
fn many_at_once_are_as_good_as_one_by_one() {
    for seed in 1..=60 {
        let config = PrepareConfig {
            enforce_quota: seed % 3 == 0,
            ..PrepareConfig::default()
        };
        let requests = random_requests(seed, 400);
        let (single, codes) = one_by_one(&config, &requests);
        let mut random = Random(seed);
        let mut leader = quota_leader(&config);
        let mut at = 0;
        while at < requests.len() {
            let end = requests.len().min(at + 1 + random.below(50));
            for (client, request) in &requests[at..end] {
                let prepared = leader.prepare(client, request);
                let number = at + leader.outstanding.len() - 1;
                assert_eq!(prepared.error, codes[number], "seed {seed} {request:?}");
                let ours = LoggedTxn::decode(leader.outstanding.back().unwrap()).unwrap();
                let expected = LoggedTxn::decode(&single[number]).unwrap();
                assert_eq!(ours, expected, "seed {seed} {request:?}");
            }
            leader.apply_all();
            assert!(leader.pending.is_empty());
            at = end;
        }
    }
}

/// The pipeline is never empty, so that nothing can be forgotten at once.
#[test]
fn what_is_applied_is_forgotten_in_time() {
    let config = PrepareConfig::default();
    let requests = random_requests(77, 12_000);
    let (single, _) = one_by_one(&config, &requests);
    let mut leader = quota_leader(&config);
    for (number, (client, request)) in requests.iter().enumerate() {
        let _ = leader.prepare(client, request);
        let ours = leader.outstanding.back().unwrap();
        assert_eq!(*ours, single[number], "{number}: {request:?}");
        if leader.outstanding.len() > 20 {
            leader.apply_one();
        }
    }
    leader.apply_all();
    assert!(leader.pending.is_empty());
}

fn random_requests(seed: u64, count: usize) -> Vec<(Client, Request<'static>)> {
    let mut random = Random(seed);
    let clients = clients();
    (0..count)
        .map(|_| {
            let client = clients[random.below(clients.len())].clone();
            (client, any_request(&mut random))
        })
        .collect()
}

fn one_by_one(
    config: &PrepareConfig,
    requests: &[(Client, Request<'static>)],
) -> (Vec<Vec<u8>>, Vec<ErrorCode>) {
    let mut leader = quota_leader(config);
    requests
        .iter()
        .map(|(client, request)| {
            let error = leader.prepare(client, request).error;
            let payload = leader.outstanding.back().unwrap().clone();
            leader.apply_one();
            assert!(leader.pending.is_empty());
            (payload, error)
        })
        .unzip()
}
