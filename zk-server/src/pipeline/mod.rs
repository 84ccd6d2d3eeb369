//! The write path: one queue, one thread, one order.
//!
//! `inbox` collects what the connections submit; `core` decides, without
//! clock, disk or socket, what each item becomes; `thread` drives it: prepare
//! the batch, append and flush it, apply it, answer.

mod core;
mod delivery;
mod inbox;
mod progress;
mod reply;
mod stage;
mod tally;
mod thread;

pub(crate) use self::core::Core;
pub(crate) use inbox::{Inbox, InboxGuard};
pub(crate) use thread::{Pipeline, SnapshotPolicy};
