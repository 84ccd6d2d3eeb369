//! The write path: one queue, one thread, one order.
//!
//! `inbox` collects what the connections submit; `core` decides, without
//! clock, disk or socket, what each item becomes; `thread` drives it: prepare
//! the batch, append and flush it, apply it, answer.

mod applier;
mod core;
mod delivery;
mod inbox;
mod progress;
mod reply;
mod stage;
mod tally;
mod thread;

pub(crate) use self::core::{Core, ReconfigRules};
pub(crate) use applier::{Applier, close_session, lacks_auth};
pub(crate) use inbox::{Batch, Inbox, InboxGuard, Item, Origin, Taken};
pub(crate) use reply::authenticate;
pub(crate) use stage::{Stage, Subject};
pub(crate) use thread::{Pipeline, SnapshotPolicy};
