//! A server of an ensemble, without sockets, threads and clocks of its own.
//!
//! What happens goes in as [`PeerEvent`]s, clients' requests and the time;
//! what is to be done on the network comes out through [`Network`].

mod event;
mod network;

pub use event::PeerEvent;
pub use network::{LinkId, Network};
