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
//! a [`Txn`] is a zxid and bytes, of which it looks only whether they change
//! the members of the ensemble. Who wants the bytes of packets alone should
//! use `zk_proto::quorum`. Learners of before ZooKeeper 3.4 are refused.
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
//! # When the members change
//!
//! A reconfiguration is a transaction that is proposed and committed like
//! others, but for its quorum: from it on the old and the new voters have to
//! hold everything, and once it is committed the new ones alone. A leader
//! that may not lead the new members names one that may, and leaves when the
//! others have. For the caller that means:
//!
//! 1. Know what holds and what may. [`ZabConfig::ensemble`] is the newest of
//!    what was last told by [`Upcall::Reconfigured`], and what
//!    `/zookeeper/config` said before the last reconfiguration of the log:
//!    there is one at a time, so that another one behind it proves that it was
//!    committed. [`ZabConfig::next`] is what the log's last reconfiguration
//!    says ([`Txn::reconfiguration`]), if that is newer. The log counts for
//!    more than files beside it: what was cut out of it is no next one. An
//!    election needs both, too. Who is no member has no vote.
//! 2. At the leader check a request against [`Leader::ensemble`],
//!    [`Leader::next_ensemble`] and [`Leader::is_quorum_synced`], and propose
//!    it with [`Leader::propose_reconfig`].
//! 3. On [`Upcall::Proposed`] write the configuration down as the next one,
//!    tell the election of it, and dial who is new.
//! 4. On [`Upcall::Ensemble`] forget what was proposed before it: the
//!    leader's history takes the place of this server's. What it says is the
//!    next one, if it is newer than what holds.
//! 5. On [`Upcall::Reconfigured`] write the configuration down for good,
//!    before the next action is carried out; tell the election; drop a next
//!    one that is not newer. [`Leader::next_zxid`] may be `None` from then on.
//! 6. On [`Abdication::Reconfigured`] take the role that the new members give
//!    this server, an observer's if they say so: lead if it is named itself,
//!    follow who is named, or have an election if nobody is or nothing comes
//!    of it. Connections are closed behind what was sent on them.
//!
//! # Observers at followers
//!
//! A follower may host observers ([`Learner::host_observers`], Apache's
//! `ObserverMaster`), from [`Phase::Broadcast`] to the end of its role. It
//! sends them what it delivers, and nothing that is only proposed; what they
//! ask for goes to the leader among what this server asks for, and the answers
//! go back in the order of the questions. An observer that has more than its
//! new host knows to be committed waits there until that has it, too. The
//! caller feeds their packets with [`Learner::handle_observer`], and carries
//! out [`Action::StreamSnapshot`] and [`Action::ReadHistory`] as a leader's
//! does. An observer's caller notices no difference.
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
mod relay;

pub use action::{Abdication, Action, LearnerId, Persist, Phase, Refusal, Upcall};
pub use config::{OwnHistory, ZabConfig};
pub use epoch::next_epoch;
pub use leader::{Census, HistoryWindow, Leader, ProposeError, SyncPlan, SyncTicket};
pub use learner::Learner;
pub use packet::{Packet, Txn};
pub use persist::PersistToken;
pub use reconfig::ReconfigError;
