//! Values that every thread changes all the time, kept apart so that none
//! waits for another's cache line. It refuses to know what they mean.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A power of two; threads beyond share.
const STRIPES: usize = 16;

/// Two cache lines, because some machines fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe<T>(T);

/// One value for each of some threads.
#[derive(Debug)]
pub(crate) struct Striped<T>(Box<[Stripe<T>]>);

impl<T: Default> Default for Striped<T> {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Stripe::default()).collect())
    }
}

impl<T> Striped<T> {
    /// The value of the thread that asks.
    pub(crate) fn local(&self) -> &T {
        &self.0[stripe() % STRIPES].0
    }

    /// The values of all threads.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|stripe| &stripe.0)
    }
}

fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static STRIPE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    STRIPE.with(|stripe| match stripe.get() {
        Some(number) => number,
        None => {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            stripe.set(Some(number));
            number
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Counter;

    #[test]
    fn threads_add_up() {
        let counts: Striped<Counter> = Striped::default();
        std::thread::scope(|scope| {
            for _ in 0..STRIPES * 2 {
                scope.spawn(|| counts.local().add(3));
            }
        });
        let total: u64 = counts.iter().map(Counter::value).sum();
        assert_eq!(total, STRIPES as u64 * 6);
        assert!(counts.iter().filter(|count| count.value() > 0).count() > 1);
    }
}
