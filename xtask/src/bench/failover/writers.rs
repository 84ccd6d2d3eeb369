//! Clients that write all the time and note when each write was acknowledged.
//!
//! Each has a session of its own and one write on its way; a lost connection is made again at
//! once, to the next server that is to be tried. They know nothing of faults.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::bench::wire;
use crate::client::{Living, Request, Roamer, Trouble};
use crate::error::{Error, Result};

/// Two a server.
const CLIENTS: usize = 6;

/// Between two writes of a client: often enough that what lies between two acknowledgements is
/// a gap, and not so often that the servers have nothing else to do.
const PACE: Duration = Duration::from_millis(2);

/// Longer than a server needs to notice that it has lost its leader.
const PATIENCE: Duration = Duration::from_secs(20);

/// What every session asks for, in milliseconds.
const TIMEOUT_MS: i32 = 30_000;

/// Clients that write until they are told to stop.
#[derive(Debug)]
pub(super) struct Writers {
    living: Arc<Living>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    /// When writes were acknowledged, in the order of the acknowledgements but for the moment
    /// between a clock's reading and the lock.
    acknowledged: Mutex<Vec<Instant>>,
}

/// The longest time without an acknowledged write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) length: Duration,
    /// Acknowledged at last, or now if the gap is still open.
    pub(super) end: Instant,
}

impl Writers {
    /// Starts the clients, spread over the servers.
    pub(super) fn start(servers: &[SocketAddr]) -> Self {
        let living = Living::new(servers);
        let shared = Arc::new(Shared::default());
        let threads = (0..CLIENTS).map(|place| {
            let roamer = Roamer::new(Arc::clone(&living), place, TIMEOUT_MS, PATIENCE);
            let shared = Arc::clone(&shared);
            thread::spawn(move || write(roamer, place, &shared))
        });
        Self {
            threads: threads.collect(),
            living: Arc::clone(&living),
            shared,
        }
    }

    /// Lets no client connect to a server any more. Those that are on it stay.
    pub(super) fn avoid(&self, server: SocketAddr) {
        self.living.set(server, false);
    }

    /// How many writes were acknowledged.
    pub(super) fn count(&self) -> usize {
        self.shared.acknowledged().len()
    }

    /// The longest gap that ended after a moment or is still open.
    pub(super) fn longest_gap(&self, since: Instant) -> Gap {
        longest_gap(&self.shared.acknowledged(), since, Instant::now())
    }

    /// When the first write after a moment was acknowledged.
    pub(super) fn first_after(&self, moment: Instant) -> Option<Instant> {
        let acknowledged = self.shared.acknowledged();
        let after = acknowledged.iter().filter(|at| **at > moment);
        after.min().copied()
    }

    /// Stops the clients. An answer that must not be is an error.
    pub(super) fn stop(mut self) -> Result<()> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            ended.map_err(|_| Error::wrong("a client ended early"))??;
        }
        Ok(())
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// The list; a client that panicked does not make it wrong.
    fn acknowledged(&self) -> MutexGuard<'_, Vec<Instant>> {
        let locked = self.acknowledged.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(mut roamer: Roamer, place: usize, shared: &Shared) -> Result<()> {
    let node = wire::node_path(u32::try_from(place).unwrap_or(0));
    let request = Request::set(&node, &[b'w'; wire::DATA_BYTES], -1);
    while !shared.stopping.load(Ordering::Relaxed) {
        let written = if roamer.is_connected() {
            roamer.call(&request).map(Some)
        } else {
            roamer.connect().map(|()| None)
        };
        match written {
            Ok(None) | Err(Trouble::Lost(_)) => {}
            Ok(Some(reply)) if reply.err == 0 => {
                shared.acknowledged().push(Instant::now());
                thread::sleep(PACE);
            }
            Ok(Some(reply)) => {
                let sentence = format!("a write failed with error {}", reply.err);
                return Err(Error::wrong(sentence));
            }
            Err(Trouble::Expired) => roamer.forget(),
            Err(Trouble::Wrong(error)) => return Err(error),
        }
    }
    // A session that is left over would expire during the next measurement.
    let _ = roamer.call(&Request::close());
    Ok(())
}

fn longest_gap(acknowledged: &[Instant], since: Instant, now: Instant) -> Gap {
    let before = acknowledged.iter().filter(|at| **at <= since).max();
    let mut ends: Vec<_> = acknowledged
        .iter()
        .copied()
        .filter(|at| *at > since)
        .collect();
    ends.sort_unstable();
    ends.push(now);
    let mut begin = before.copied().unwrap_or(since);
    let gaps = ends.into_iter().map(|end| {
        let length = end.saturating_duration_since(begin);
        begin = end;
        Gap { length, end }
    });
    let longest = gaps.max_by_key(|gap| gap.length);
    longest.expect("the present ends a gap at least")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_spans_the_moment_of_the_fault_and_may_be_open() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let acknowledged = [at(0), at(90), at(100), at(150), at(160), at(300)];
        let gap = |since, now| {
            let gap = longest_gap(&acknowledged, at(since), at(now));
            (gap.length.as_millis(), (gap.end - begin).as_millis())
        };
        assert_eq!(gap(120, 301), (140, 300));
        assert_eq!(gap(120, 500), (200, 500));
        assert_eq!(gap(300, 310), (10, 310));
        assert_eq!(gap(155, 301), (140, 300));
        let none = longest_gap(&[], at(10), at(30));
        assert_eq!(none.length.as_millis(), 20);
    }
}
