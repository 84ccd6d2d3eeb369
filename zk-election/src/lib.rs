//! Fast leader election as a state machine: notifications and time in,
//! notifications and a decision out.
//!
//! The voters of an ensemble tell one another whom they would have lead, and
//! change their minds for whoever has the newer epoch, the longer history or
//! the higher id, until a quorum is of one opinion. Messages are those of
//! Apache's `FastLeaderElection`, so that both kinds of servers vote together.
//!
//! The key decision: there is no socket, clock, thread or randomness in here.
//! Everything that happens to an [`Election`] is an argument of one of its
//! methods, and all it does comes out of one queue, so that one seed replays
//! an election. Safety does not rest on it either: that a leader has all that
//! was committed follows from how the votes are ordered, and that there is
//! one leader an epoch from zk-zab. What an election owes is to agree, soon.
//! Who runs a server and not a simulator wants zk-server instead.
//!
//! # The caller's duties
//!
//! 1. When this server has no leader, call [`Election::start`] with what is
//!    *on disk*: last logged transaction and `currentEpoch`.
//! 2. Hand over every notification with the id of the server at the other end
//!    of the link, [`Election::handle_notification`]; also after a decision,
//!    as late servers are waiting for answers.
//! 3. After every call carry out [`Election::poll_action`] until it is empty,
//!    in order. Then wait until [`Election::poll_timeout`], and no longer.
//! 4. [`ElectionAction::Send`] is the newest word to that server: drop an
//!    older one that is still queued, dial if there is no link, and do not
//!    retry. [`ElectionAction::Connect`] dials everybody who is not linked.
//! 5. Tell when links come and go, [`Election::handle_connected`] and
//!    [`Election::handle_disconnected`]. It is a matter of speed only: with
//!    it the survivors of a dead leader do not wait for its vote.
//! 6. On [`ElectionAction::Decide`] take up the role. When it is over, for
//!    whatever reason, begin at 1.
//! 7. Once synchronized with the leader call [`Election::settle`] with the
//!    decision's vote and the new epoch in it; and [`Election::reconfigure`]
//!    when the members change, or are about to.
//! 8. On [`ElectionAction::AdoptConfig`] write the configuration down.
//!
//! # The loop
//!
//! Three servers in memory, and links without delay.
//!
//! ```
//! use std::{collections::VecDeque, time::Duration};
//! use zk_election::{Election, ElectionAction, ElectionConfig, OwnHistory};
//! use zk_proto::{Epoch, ServerId, Zxid, ensemble::EnsembleConfig};
//!
//! let text = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nversion=0";
//! let ensemble = EnsembleConfig::parse(text, false)?;
//! let now = Duration::ZERO;
//! let (mut network, mut leaders) = (VecDeque::new(), Vec::new());
//! let mut servers: Vec<Election> = (1..=3)
//!     .map(|id| Election::new(ElectionConfig::new(ServerId(id), ensemble.clone())))
//!     .collect();
//! let mut drain = |me: ServerId, election: &mut Election, network: &mut VecDeque<_>| {
//!     while let Some(action) = election.poll_action() {
//!         match action {
//!             ElectionAction::Send { to, notification } => network.push_back((me, to, notification)),
//!             ElectionAction::Decide { vote, .. } => leaders.push(vote.leader),
//!             ElectionAction::Connect | ElectionAction::AdoptConfig(_) => {}
//!         }
//!     }
//!     // A driver with a clock waits until `election.poll_timeout()` here.
//! };
//! for (id, election) in (1..).zip(&mut servers) {
//!     let own = OwnHistory { zxid: Zxid(7 - id), current_epoch: Epoch(0) };
//!     election.start(now, own);
//!     drain(ServerId(id), election, &mut network);
//! }
//! while let Some((from, to, notification)) = network.pop_front() {
//!     let election = &mut servers[to.0 as usize - 1];
//!     election.handle_notification(now, from, notification);
//!     drain(to, election, &mut network);
//! }
//! assert_eq!(leaders, [ServerId(1); 3], "it has the longest history");
//! # Ok::<(), zk_proto::ensemble::EnsembleError>(())
//! ```
//!
//! # Where it differs from Apache
//!
//! * The finalize wait has one deadline, is skipped when every voter agrees
//!   or is known to be away, and what arrives meanwhile is noted, not dropped.
//! * A new vote that is worse than ours is answered, and what lookers said
//!   within the second before we looked is remembered: both save a wait for
//!   the next repetition.
//! * A looking server tells observers what it votes for, not what the last
//!   election came to; and an observer does not decide by votes for a leader
//!   that is known to be away.
//! * A newer configuration begins a new round if others vote under it, not if
//!   addresses or observers changed.
//! * A server that goes looking takes back that it followed or led.
//! * Who has no vote answers nobody, and settled servers that have no vote are
//!   not answered: in Apache such two may answer each other without end.
//! * A server without weight supports the best of those that have some.

mod action;
mod ballots;
mod config;
mod early;
mod election;
mod electorate;
mod outside;
mod pace;
mod vote;

pub use action::ElectionAction;
pub use config::ElectionConfig;
pub use election::Election;
pub use vote::{OwnHistory, Round, Vote};
