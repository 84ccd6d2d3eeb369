//! How many messages one after the other an election takes. Time stands
//! still: whatever needs a deadline does not happen.

use crate::server::{ensemble, own};
use std::time::Duration;
use zk_election::{Election, ElectionAction, ElectionConfig};
use zk_proto::ServerId;
use zk_proto::quorum::{Notification, PeerState};

type Sent = (ServerId, ServerId, Notification);

struct Trip {
    servers: Vec<Election>,
    sent: Vec<Sent>,
}

impl Trip {
    /// So many servers, of which the last ones are never heard of.
    fn new(voters: i64, dead: i64) -> Self {
        let ids = (1..=voters - dead).map(ServerId);
        let server = |id| Election::new(ElectionConfig::new(id, ensemble(voters)));
        Self {
            servers: ids.map(server).collect(),
            sent: Vec::new(),
        }
    }

    fn start(&mut self, id: i64) {
        let server = &mut self.servers[id as usize - 1];
        server.start(Duration::ZERO, own(1, 5));
        self.drain(ServerId(id));
    }

    fn drain(&mut self, from: ServerId) {
        while let Some(action) = self.servers[from.0 as usize - 1].poll_action() {
            if let ElectionAction::Send { to, notification } = action {
                self.sent.push((from, to, notification));
            }
        }
    }

    /// Lets everything arrive that was sent so far.
    fn hop(&mut self) {
        for (from, to, what) in std::mem::take(&mut self.sent) {
            if let Some(server) = self.servers.get_mut(to.0 as usize - 1) {
                server.handle_notification(Duration::ZERO, from, what);
                self.drain(to);
            }
        }
    }

    fn lose(&mut self, dead: i64) {
        for id in 1..=self.servers.len() as i64 {
            let server = &mut self.servers[id as usize - 1];
            server.handle_disconnected(Duration::ZERO, ServerId(dead));
            self.drain(ServerId(id));
        }
    }

    fn is_over(&self) -> bool {
        let looks = |it: &Election| it.state() == PeerState::Looking;
        !self.servers.iter().any(looks)
    }
}

#[test]
fn healthy_servers_elect_in_one_round_trip() {
    for voters in [3, 5, 7] {
        let mut trip = Trip::new(voters, 0);
        for id in 1..=voters {
            trip.start(id);
        }
        trip.hop();
        assert!(!trip.is_over());
        trip.hop();
        assert!(trip.is_over(), "{voters} voters");
    }
}

/// In whichever order they notice.
#[test]
fn survivors_of_a_leader_elect_in_one_round_trip() {
    for order in [[1, 2], [2, 1]] {
        let mut trip = Trip::new(3, 1);
        for server in &mut trip.servers {
            server.start(Duration::ZERO, own(1, 5));
            while server.poll_action().is_some() {}
            let vote = server.vote();
            server.settle(
                PeerState::Following,
                zk_election::Vote {
                    leader: ServerId(3),
                    ..vote
                },
            );
        }
        trip.lose(3);
        trip.start(order[0]);
        trip.hop();
        trip.start(order[1]);
        trip.hop();
        trip.hop();
        assert!(trip.is_over(), "{order:?}");
    }
}
