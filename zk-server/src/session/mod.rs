//! Sessions: who is connected, how long silence may last, and when it is
//! over. This module refuses to know sockets and transactions: it says which
//! sessions expired, and the pipeline makes the closeSession.

mod ids;
mod tracker;

pub(crate) use ids::SessionIds;
pub(crate) use tracker::{Session, SessionTracker};
