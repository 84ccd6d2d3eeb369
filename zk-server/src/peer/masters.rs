//! From which server an observer learns: the leader, or with
//! `observerMasterPort` one of the followers
//! (`QuorumPeer.findLearnerMaster`). It refuses to know links.

use super::{LinkId, Network, PeerConfig};
use std::time::Duration;
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;

/// How often a leader is dialled (`Learner.connectToLeader`).
pub(super) const DIALS_MAX: usize = 5;
/// How long an observer looks for a follower before it turns to the leader.
/// Behind an election Apache's followers take a while to listen.
const MASTERS_TICKS: u32 = 5;

/// From which server a learner learns, and at which port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The leader, at its quorum port.
    Leader(ServerId),
    /// A follower, at the port for observers.
    Master(ServerId),
}

impl Source {
    pub(super) const fn server(self) -> ServerId {
        match self {
            Self::Leader(server) | Self::Master(server) => server,
        }
    }

    pub(super) fn dial(self, network: &mut dyn Network) -> LinkId {
        match self {
            Self::Leader(server) => network.dial(server),
            Self::Master(server) => network.dial_master(server),
        }
    }
}

/// The turn of the followers, from role to role. Their order is by chance, so
/// that observers spread over them.
#[derive(Debug, Default)]
pub(super) struct Masters {
    turn: usize,
}

impl Masters {
    /// Where to learn from next. The leader hosts no observers at that port,
    /// and is left in peace until it is late.
    pub(super) fn source(
        &mut self,
        candidates: &[ServerId],
        leader: ServerId,
        is_late: bool,
    ) -> Source {
        if candidates.is_empty() || is_late {
            return Source::Leader(leader);
        }
        let master = candidates[self.turn % candidates.len()];
        self.turn = (self.turn + 1) % candidates.len();
        Source::Master(master)
    }
}

impl PeerConfig {
    /// How long followers are dialled.
    pub(super) fn masters_limit(&self) -> Duration {
        let limit = self.tick * self.connect_limit_ticks / 2;
        limit.min(self.tick * MASTERS_TICKS)
    }

    /// The followers that may host this server.
    pub(super) fn masters(&self, leader: ServerId) -> Vec<ServerId> {
        if self.observer_masters && self.is_observer() {
            candidates(&self.members, leader, self.hash_seed)
        } else {
            Vec::new()
        }
    }
}

/// All voters but the leader, in an order of this seed.
fn candidates(members: &EnsembleConfig, leader: ServerId, seed: u64) -> Vec<ServerId> {
    let voters = members.participants().map(|member| member.id);
    let mut masters: Vec<ServerId> = voters.filter(|id| *id != leader).collect();
    masters.sort_by_key(|id| scattered(seed ^ id.0.cast_unsigned()));
    masters
}

/// Mixes the bits of a number (`splitmix64`).
const fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const LEADER: ServerId = ServerId(2);

    /// Those for an observer of voters from 1 on.
    fn masters(voters: i64, seed: u64) -> Vec<ServerId> {
        let line = |id| format!("server.{id}=host{id}:1:2\n");
        let mut text: String = (1..=voters).map(line).collect();
        text.push_str("server.99=host99:1:2:observer");
        let members = EnsembleConfig::parse(&text, false).unwrap();
        candidates(&members, LEADER, seed)
    }

    #[test]
    fn without_masters_it_is_the_leader() {
        let source = Masters::default().source(&[], LEADER, false);
        assert_eq!(source, Source::Leader(LEADER));
    }

    #[test]
    fn each_follower_has_its_turn_and_then_the_leader() {
        for voters in [2, 3, 9] {
            let (masters, mut turn) = (masters(voters, 7), Masters::default());
            let mut next = |is_late| turn.source(&masters, LEADER, is_late);
            let first: Vec<Source> = masters.iter().map(|_| next(false)).collect();
            let tried: BTreeSet<ServerId> = first.iter().map(|it| it.server()).collect();
            let all = (1..=voters).map(ServerId).filter(|id| *id != LEADER);
            assert_eq!(tried, all.collect(), "{voters}");
            assert_eq!(next(true), Source::Leader(LEADER));
            assert_eq!(next(false), first[0], "and again");
        }
    }

    #[test]
    fn observers_spread() {
        let first = |seed| masters(5, seed)[0];
        let chosen: BTreeSet<ServerId> = (0..100).map(first).collect();
        assert_eq!(chosen.len(), 4);
    }
}
