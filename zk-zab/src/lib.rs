//! ZooKeeper's atomic broadcast as state machines for leader and learner:
//! discovery of an epoch, synchronization of histories, broadcast. They speak
//! Apache's packets, so either side may be Apache's.
//!
//! The key decision: no socket, clock, thread or disk. Packets, time and
//! finished disk work go in by method calls; packets, disk work and committed
//! transactions come out as [`Action`]s of one ordered queue. Disk work
//! carries a [`PersistToken`], and what must not be said before it is durable
//! is held inside until the token comes back: inside, an acknowledgement can
//! only be made out of a proof that the token did. The same inputs give the
//! same outputs, so a simulator can run whole ensembles of the real code.
//!
//! This crate elects nobody (that is `zk-election`) and reads no transaction:
//! a [`Txn`] is a zxid and bytes. Who wants the bytes of packets alone should
//! use `zk_proto::quorum`. Not here yet: a change of the voters while the
//! leader serves. A [`Learner`] that is told of one abdicates rather than
//! count votes by the old rule, and a [`Leader`] offers none. Learners of
//! before ZooKeeper 3.4 are refused.
//!
//! # What the caller has to do
//!
//! 1. Make a [`Leader`] or [`Learner`] of what the disk holds ([`OwnHistory`]:
//!    all of it durable, the tree with the whole log applied), one for each
//!    time that an election ends. Before that the disk work of the former
//!    role is finished (ZOOKEEPER-4712) and the tree made anew from the disk
//!    (ZOOKEEPER-2845).
//! 2. After every call drain `poll_action` and do what it says in that order,
//!    each under the condition that [`Action`] names. Then sleep until
//!    `poll_timeout`, or until something happens.
//! 3. Do disk work in order. When it is durable give the token back; the last
//!    of several is enough. When any of it fails, end the process
//!    (ZOOKEEPER-4882).
//! 4. Keep each connection an ordered stream, feed whole packets, and report
//!    its end. A learner's caller that is told to install a snapshot feeds
//!    nothing until that is done.
//! 5. On start accept a log whose last epoch is above `currentEpoch` but not
//!    above `acceptedEpoch`: the history is written before its epoch.
//! 6. Serve clients from [`Phase::Broadcast`] until [`Action::Abdicate`].
//!
//! # The loop
//!
//! An ensemble of one, whose disk is a list.
//!
//! ```
//! use std::time::Duration;
//! use zk_proto::{Epoch, ServerId, Zxid, ensemble::EnsembleConfig};
//! use zk_zab::{Action, Leader, OwnHistory, Phase, Txn, ZabConfig};
//!
//! let ensemble = EnsembleConfig::parse("server.1=localhost:2888:3888", false).unwrap();
//! let config = ZabConfig::new(ServerId(1), ensemble);
//! let own = OwnHistory {
//!     accepted_epoch: Epoch(4),
//!     current_epoch: Epoch(4),
//!     last_zxid: Zxid::new(Epoch(4), 7),
//!     committed: Zxid::ZERO,
//!     recent: Vec::new(),
//! };
//! let now = Duration::ZERO; // the time since any start
//! let mut leader = Leader::new(now, config, own);
//! let (mut disk, mut tree) = (Vec::new(), Vec::new());
//! while let Some(action) = leader.poll_action() {
//!     match action {
//!         Action::Persist { token, what } => {
//!             disk.push(what); // and fsync
//!             leader.handle_persisted(now, token);
//!         }
//!         Action::Deliver(txn) => tree.push(txn.zxid),
//!         Action::Enter(Phase::Broadcast) => {
//!             let zxid = leader.next_zxid().unwrap();
//!             let payload = "header, record, digest".into();
//!             leader.propose(now, Txn { zxid, payload }).unwrap();
//!         }
//!         Action::Enter(_) | Action::Upcall(_) => {}
//!         other => unreachable!("nobody else is there: {other:?}"),
//!     }
//! }
//! assert_eq!(tree, [Zxid::new(Epoch(5), 1)]);
//! assert_eq!(disk.len(), 3, "acceptedEpoch, currentEpoch, the transaction");
//! ```

mod action;
mod config;
mod epoch;
mod leader;
mod learner;
mod packet;
mod persist;
mod reconfig;

pub use action::{Abdication, Action, LearnerId, Persist, Phase, Refusal, Upcall};
pub use config::{OwnHistory, ZabConfig};
pub use epoch::next_epoch;
pub use leader::{Census, HistoryWindow, Leader, ProposeError, SyncPlan, SyncTicket};
pub use learner::Learner;
pub use packet::{Packet, Txn};
pub use persist::PersistToken;
pub use reconfig::ReconfigError;
