//! How much came from other servers and was not looked at by the peer yet.
//! Beyond a limit the ports read no more, so that a flood stays in the
//! system's buffers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Bytes above which nothing more is read.
const MAX: usize = 16 * 1024 * 1024;
/// How long a reader waits for a peer that takes nothing. Then it reads as
/// much again: a peer that is slow gets memory at that pace, and one that
/// forgets to say that it took something does not stop the ensemble.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes on their way to the peer. The peer takes everything at once, so one
/// count for all links will do.
#[derive(Debug, Default)]
pub(super) struct Unread {
    bytes: AtomicUsize,
    taken: Notify,
}

impl Unread {
    /// `count` bytes were told to the peer. Comes back when more may be read.
    pub(super) async fn add(&self, count: usize) {
        // From here on `taken` is not missed.
        let taken = self.taken.notified();
        if self.bytes.fetch_add(count, Ordering::Relaxed) + count > MAX
            && timeout(PATIENCE, taken).await.is_err()
        {
            self.taken();
        }
    }

    /// The peer has seen everything, but for what came just now.
    pub(super) fn taken(&self) {
        if self.bytes.swap(0, Ordering::Relaxed) > MAX {
            self.taken.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    #[tokio::test]
    async fn a_flood_waits_until_the_peer_took_it() {
        let unread = Unread::default();
        unread.add(MAX).await;
        let mut flood = pin!(unread.add(1));
        let is_pending = poll_fn(|cx| Poll::Ready(flood.as_mut().poll(cx).is_pending())).await;
        assert!(is_pending);
        unread.taken();
        flood.await;
        assert_eq!(unread.bytes.load(Ordering::Relaxed), 0);
        unread.add(MAX).await;
    }

    #[tokio::test]
    async fn a_peer_that_says_nothing_is_not_waited_for_for_ever() {
        let unread = Unread::default();
        unread.add(MAX + 1).await;
        assert_eq!(unread.bytes.load(Ordering::Relaxed), 0);
    }
}
