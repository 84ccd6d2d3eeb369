//! Fast leader election as a state machine.
//!
//! What is here today: the order of votes, which everything else rests on.
//! The election itself (rounds, notifications, time in; messages and a
//! decision out) comes with the ensemble, as a pure state machine: no socket,
//! no clock, no thread, so that one seed can replay a whole election.
//!
//! Nothing here pretends to elect anybody. A standalone server needs no
//! election and does not use this crate.
//!
//! ```
//! use zk_election::Vote;
//! use zk_proto::{Epoch, ServerId, Zxid};
//!
//! let mine = Vote { epoch: Epoch(2), zxid: Zxid(0x2_0000_0007), leader: ServerId(1) };
//! let theirs = Vote { epoch: Epoch(2), zxid: Zxid(0x2_0000_0009), leader: ServerId(3) };
//! assert!(theirs > mine, "the longer history wins within an epoch");
//! ```

mod vote;

pub use vote::Vote;
