//! The recipes against a server of ours within the test, with contenders that
//! are killed, paused and cut off. What Curator makes of them is in another
//! binary.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod barriers;
mod caches;
mod examples;
mod leader;
mod lock;
mod queues;
mod rwlock;
mod semaphore;
mod support;
mod values;
