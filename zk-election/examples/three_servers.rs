//! Three servers elect a leader in memory; the leader dies, and the other two
//! elect another. A message takes a millisecond, and time is a number.

#![allow(clippy::print_stdout, reason = "the example shows what happens")]

use std::collections::BTreeMap;
use std::time::Duration;
use zk_election::{Election, ElectionAction, ElectionConfig, OwnHistory};
use zk_proto::ensemble::{EnsembleConfig, EnsembleError};
use zk_proto::quorum::{Notification, PeerState};
use zk_proto::{Epoch, ServerId, Zxid};

const DELAY: Duration = Duration::from_millis(1);

/// Everything there is: servers, messages on their way, and the time.
struct World {
    now: Duration,
    servers: BTreeMap<ServerId, Election>,
    on_the_way: Vec<(Duration, ServerId, ServerId, Notification)>,
}

impl World {
    fn new() -> Result<Self, EnsembleError> {
        let text = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nversion=0";
        let ensemble = EnsembleConfig::parse(text, false)?;
        let servers = (1..=3).map(ServerId).map(|id| {
            let config = ElectionConfig::new(id, ensemble.clone());
            (id, Election::new(config))
        });
        Ok(Self {
            now: Duration::ZERO,
            servers: servers.collect(),
            on_the_way: Vec::new(),
        })
    }

    /// Lets a server do something, then carries out what it wants.
    fn drive(&mut self, id: ServerId, step: impl FnOnce(&mut Election, Duration)) {
        let now = self.now;
        let Some(election) = self.servers.get_mut(&id) else {
            return;
        };
        step(election, now);
        while let Some(action) = election.poll_action() {
            match action {
                ElectionAction::Send { to, notification } => {
                    self.on_the_way.push((now + DELAY, id, to, notification));
                }
                ElectionAction::Decide { state, vote, .. } => {
                    let leader = vote.leader;
                    println!("{now:>6.1?}  server {id} is {state:?} under {leader}");
                }
                ElectionAction::Connect | ElectionAction::AdoptConfig(_) => {}
            }
        }
    }

    fn look(&mut self, id: ServerId) {
        let own = OwnHistory {
            zxid: Zxid(0x1_0000_0005),
            current_epoch: Epoch(1),
        };
        self.drive(id, |election, now| election.start(now, own));
    }

    /// Runs until nobody looks.
    fn run(&mut self) {
        let looks = |election: &Election| election.state() == PeerState::Looking;
        while self.servers.values().any(looks) {
            if self.on_the_way.is_empty() {
                self.pass_time();
            } else {
                let (at, from, to, notification) = self.on_the_way.remove(0);
                self.now = at;
                self.drive(to, |election, now| {
                    election.handle_notification(now, from, notification);
                });
            }
        }
    }

    fn pass_time(&mut self) {
        let deadlines = self.servers.iter();
        let deadlines = deadlines.filter_map(|(id, it)| Some((it.poll_timeout()?, *id)));
        if let Some((at, id)) = deadlines.min() {
            self.now = at;
            self.drive(id, Election::handle_timeout);
        }
    }
}

fn main() -> Result<(), EnsembleError> {
    let mut world = World::new()?;
    for id in [1, 2, 3] {
        world.look(ServerId(id));
    }
    world.run();

    println!("{:>6.1?}  server 3 dies", world.now);
    world.servers.remove(&ServerId(3));
    world
        .on_the_way
        .retain(|(_, from, ..)| *from != ServerId(3));
    for id in [1, 2] {
        // Their links to it broke, so that nobody waits for its vote.
        world.drive(ServerId(id), |election, now| {
            election.handle_disconnected(now, ServerId(3));
        });
        world.look(ServerId(id));
    }
    world.run();
    assert_eq!(world.servers[&ServerId(2)].state(), PeerState::Leading);
    Ok(())
}
