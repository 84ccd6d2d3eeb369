//! What a server may say only once its disk holds it. Acknowledgements are
//! made out of a [`Durable`], and only [`Promises`] makes one of those, when
//! the disk work that it was tied to is done. It does not know the disk, nor
//! what the work was.

use crate::OwnHistory;
use std::collections::VecDeque;
use zk_proto::Epoch;
use zk_proto::mutation::is_back;

/// Names a piece of disk work. Work is done in the order it was asked for,
/// so that a finished token finishes all before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PersistToken(u64);

impl PersistToken {
    /// Its place in the order, from 1.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Something that the disk of this server holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Durable<T>(T);

impl<T: Copy> Durable<T> {
    pub(crate) const fn what(self) -> T {
        self.0
    }

    /// The same promise in the words of one machine.
    pub(crate) fn map<P>(self, words: impl FnOnce(T) -> P) -> Durable<P> {
        Durable(words(self.0))
    }
}

impl Durable<Epoch> {
    /// The accepted epoch that a server starts with was read from its disk.
    pub(crate) const fn loaded(own: &OwnHistory) -> Self {
        Self(own.accepted_epoch)
    }
}

/// Promises that wait for the disk, in the order of its work.
#[derive(Debug)]
pub(crate) struct Promises<P> {
    /// The newest token that was given out.
    asked: u64,
    /// The newest one that is done.
    done: u64,
    /// By the token that they wait for, which never decreases.
    held: VecDeque<(u64, P)>,
}

impl<P> Promises<P> {
    pub(crate) const fn new() -> Self {
        let held = VecDeque::new();
        let (asked, done) = (0, 0);
        Self { asked, done, held }
    }

    /// A token for new work.
    pub(crate) fn ask(&mut self) -> PersistToken {
        self.asked += 1;
        PersistToken(self.asked)
    }

    /// Holds a promise until all the work asked for so far is done.
    pub(crate) fn hold(&mut self, promise: P) {
        self.held.push_back((self.asked, promise));
    }

    /// Notes that the work up to a token is done. A token that was never
    /// given out is the caller's mistake and finishes nothing.
    pub(crate) fn complete(&mut self, token: PersistToken) {
        debug_assert!(token.0 <= self.asked, "{token:?} was never given out");
        if token.0 <= self.asked {
            self.done = self.done.max(token.0);
        }
    }

    /// The oldest promise whose work is done.
    pub(crate) fn release(&mut self) -> Option<Durable<P>> {
        let (token, _) = self.held.front()?;
        if *token > self.done && !is_back("ack_before_disk") {
            return None;
        }
        self.held.pop_front().map(|(_, promise)| Durable(promise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_wait_for_their_work_and_leave_in_order() {
        let mut promises = Promises::new();
        let first = promises.ask();
        promises.hold("a");
        promises.hold("b");
        let second = promises.ask();
        promises.hold("c");
        assert_eq!(promises.release(), None);
        promises.complete(first);
        assert_eq!(promises.release(), Some(Durable("a")));
        assert_eq!(promises.release(), Some(Durable("b")));
        assert_eq!(promises.release(), None);
        promises.complete(second);
        promises.complete(first);
        assert_eq!(promises.release(), Some(Durable("c")));
        promises.hold("d");
        assert_eq!(
            promises.release(),
            Some(Durable("d")),
            "nothing to wait for"
        );
    }
}
