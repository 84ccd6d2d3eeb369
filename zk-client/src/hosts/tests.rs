//! Rounds, pauses, and who goes where when the list changes.

use super::*;
use std::collections::{BTreeMap, HashSet};

fn host(port: u16) -> HostPort {
    HostPort {
        host: "h".into(),
        port,
    }
}

fn list(ports: &[u16]) -> Vec<HostPort> {
    ports.iter().copied().map(host).collect()
}

fn hosts(count: u16, seed: u64) -> Hosts {
    let hosts = (0..count).map(host).collect();
    Hosts::with_random(hosts, Random::with_seed(seed))
}

#[test]
fn a_round_tries_every_server_once() {
    for seed in 0..20 {
        let mut hosts = hosts(5, seed);
        let mut ports: Vec<u16> = (0..5).map(|_| hosts.next().port).collect();
        ports.sort_unstable();
        assert_eq!(ports, [0, 1, 2, 3, 4]);
    }
}

#[test]
fn clients_differ_in_order() {
    let orders: HashSet<Vec<u16>> = (0..50)
        .map(|seed| {
            let mut hosts = hosts(5, seed);
            (0..5).map(|_| hosts.next().port).collect()
        })
        .collect();
    assert!(orders.len() > 20);
}

#[test]
fn only_whole_rounds_pause_and_pauses_grow_to_a_limit() {
    let mut hosts = hosts(2, 1);
    let pauses: Vec<_> = (0..60).map(|_| hosts.failed()).collect();
    assert!(pauses.iter().step_by(2).all(Option::is_none));
    assert!(pauses[1].unwrap() <= PAUSE_MIN);
    let last = pauses[59].unwrap();
    assert!(last <= PAUSE_MAX && last >= PAUSE_MAX / 2, "{last:?}");
    hosts.succeeded();
    hosts.failed();
    assert!(hosts.failed().unwrap() <= PAUSE_MIN);
}

#[test]
fn a_preferred_server_comes_first_and_once() {
    let mut hosts = hosts(3, 1);
    hosts.prefer(host(7));
    assert_eq!(hosts.next(), host(7));
    assert_ne!(hosts.next(), host(7));
}

/// How many of many clients are at each server after a change of the list,
/// when before it they were spread evenly.
fn clients_after(before: &[u16], after: &[u16]) -> BTreeMap<u16, f64> {
    const CLIENTS: u64 = 9000;
    let mut counts: BTreeMap<u16, f64> = BTreeMap::new();
    for client in 0..CLIENTS {
        let random = Random::with_seed(client * 77);
        let mut hosts = Hosts::with_random(list(before), random);
        let mut current = hosts.next();
        hosts.succeeded();
        if hosts.update(list(after), true) {
            current = hosts.next();
        }
        *counts.entry(current.port).or_default() += after.len() as f64 / CLIENTS as f64;
    }
    counts
}

/// Each server has its share of the clients, give or take a few.
#[track_caller]
fn check(before: &[u16], after: &[u16]) {
    let counts = clients_after(before, after);
    let ports: Vec<u16> = counts.keys().copied().collect();
    assert_eq!(ports, after);
    for (port, share) in counts {
        assert!(
            (0.9..1.1).contains(&share),
            "{port} has {share} of its share"
        );
    }
}

#[test]
fn every_change_leaves_the_clients_spread() {
    check(&[1, 2, 3], &[1, 2, 3]);
    check(&[1, 2, 3], &[1, 2, 3, 4, 5]);
    check(&[1, 2, 3, 4, 5], &[1, 2, 3]);
    check(&[1, 2, 3], &[4, 5, 6]);
    check(&[1, 2, 3], &[3, 4, 5]);
    check(&[1, 2, 3], &[2, 3, 4, 5]);
    check(&[1, 2, 3, 4, 5, 6], &[5, 6, 7, 8]);
    check(&[1, 2], &[3]);
}

#[test]
fn who_moves_tries_every_server_and_then_goes_round() {
    let mut hosts = hosts(3, 5);
    hosts.next();
    assert!(hosts.update(list(&[7, 8, 9]), true));
    for _ in 0..3 {
        let tried: HashSet<u16> = (0..3).map(|_| hosts.next().port).collect();
        assert_eq!(tried, HashSet::from([7, 8, 9]));
    }
}

#[test]
fn without_a_connection_there_is_none_to_give_up() {
    let mut hosts = hosts(3, 5);
    assert!(!hosts.update(list(&[7, 8]), false));
    assert!([7, 8].contains(&hosts.next().port));
    // Again before it has arrived anywhere.
    assert!(!hosts.update(list(&[9]), false));
    assert_eq!(hosts.next().port, 9);
}
