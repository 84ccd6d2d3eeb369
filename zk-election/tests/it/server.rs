//! A server under test: what it hears is written short, and what it does is
//! read as lines.

use std::time::Duration;
use zk_election::{Election, ElectionAction, ElectionConfig, OwnHistory, Vote};
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::{Notification, PeerState};
use zk_proto::{Epoch, ServerId, Zxid};

/// An ensemble out of its `server.N` and other lines.
pub(crate) fn config(lines: &[&str]) -> EnsembleConfig {
    EnsembleConfig::parse(&lines.join("\n"), false).expect("the lines are a configuration")
}

/// Servers 1 to `voters`, all with a vote.
pub(crate) fn ensemble(voters: i64) -> EnsembleConfig {
    let lines: Vec<String> = (1..=voters)
        .map(|id| format!("server.{id}=h{id}:1:2"))
        .collect();
    config(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(crate) fn own(current_epoch: u32, zxid: i64) -> OwnHistory {
    OwnHistory {
        zxid: Zxid(zxid),
        current_epoch: Epoch(current_epoch),
    }
}

/// A notification of the newest form, without a configuration.
pub(crate) fn says(
    state: PeerState,
    leader: i64,
    epoch: i64,
    zxid: i64,
    round: i64,
) -> Notification {
    Notification {
        state,
        leader: ServerId(leader),
        zxid: Zxid(zxid),
        round,
        peer_epoch: epoch,
        version: 2,
        config: None,
    }
}

pub(crate) fn vote(leader: i64, peer_epoch: i64, zxid: i64) -> Vote {
    Vote {
        peer_epoch,
        zxid: Zxid(zxid),
        leader: ServerId(leader),
    }
}

/// One server and the time.
pub(crate) struct Server {
    pub(crate) election: Election,
    pub(crate) now: Duration,
}

impl Server {
    pub(crate) fn new(me: i64, ensemble: EnsembleConfig) -> Self {
        Self::of(ElectionConfig::new(ServerId(me), ensemble))
    }

    pub(crate) fn of(config: ElectionConfig) -> Self {
        Self {
            election: Election::new(config),
            now: Duration::ZERO,
        }
    }

    pub(crate) fn start(&mut self, own: OwnHistory) -> Vec<String> {
        self.election.start(self.now, own);
        self.drain()
    }

    pub(crate) fn hears(&mut self, from: i64, notification: Notification) -> Vec<String> {
        self.election
            .handle_notification(self.now, ServerId(from), notification);
        self.drain()
    }

    pub(crate) fn loses(&mut self, server: i64) -> Vec<String> {
        self.election
            .handle_disconnected(self.now, ServerId(server));
        self.drain()
    }

    pub(crate) fn links(&mut self, server: i64) -> Vec<String> {
        self.election.handle_connected(self.now, ServerId(server));
        self.drain()
    }

    /// Lets time pass up to the next deadline: how long, and what was done.
    pub(crate) fn times_out(&mut self) -> (u64, Vec<String>) {
        let at = self.election.poll_timeout().expect("a deadline");
        let wait = (at - self.now).as_millis() as u64;
        self.now = at;
        self.election.handle_timeout(at);
        (wait, self.drain())
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    pub(crate) fn drain(&mut self) -> Vec<String> {
        let actions = std::iter::from_fn(|| self.election.poll_action());
        actions.map(|action| written(&action)).collect()
    }
}

fn written(action: &ElectionAction) -> String {
    match action {
        ElectionAction::Send { to, notification } => {
            let told = Vote {
                peer_epoch: notification.peer_epoch,
                zxid: notification.zxid,
                leader: notification.leader,
            };
            let state = notification.state;
            format!("to {to}: {}", spelled(state, told, notification.round))
        }
        ElectionAction::Connect => "connect".to_owned(),
        ElectionAction::Decide { state, vote, round } => {
            format!("decide: {}", spelled(*state, *vote, round.0))
        }
        ElectionAction::AdoptConfig(config) => format!("adopt {}", config.version),
    }
}

fn spelled(state: PeerState, vote: Vote, round: i64) -> String {
    if vote == Vote::NONE {
        return format!("{state:?} none r{round}");
    }
    let Vote {
        peer_epoch,
        zxid,
        leader,
    } = vote;
    format!("{state:?} {leader} e{peer_epoch} z{} r{round}", zxid.0)
}
