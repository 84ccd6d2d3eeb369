//! ZooKeeper's atomic broadcast as state machines for leader and learner.
//!
//! What is here today: the choice of a new epoch, the first step of
//! discovery. Discovery, synchronization and broadcast come with the
//! ensemble, without socket, clock or thread: packets, time and finished disk
//! work in; packets and disk work out.
//!
//! Nothing here pretends to replicate anything. A standalone server is an
//! ensemble of one whose own append is the quorum, and does not use this
//! crate.
//!
//! ```
//! use zk_proto::Epoch;
//!
//! let accepted = [Epoch(3), Epoch(5), Epoch(4)];
//! assert_eq!(zk_zab::next_epoch(accepted), Some(Epoch(6)));
//! ```

mod epoch;

pub use epoch::next_epoch;
