//! When to say something again. It does not know what.

use std::time::Duration;

/// A deadline that moves away: each repetition doubles the time to the next.
#[derive(Debug)]
pub(crate) struct Resend {
    first: Duration,
    last: Duration,
    interval: Duration,
    at: Duration,
}

impl Resend {
    pub(crate) fn new(now: Duration, first: Duration, last: Duration) -> Self {
        Self {
            first,
            last,
            interval: first,
            at: now.saturating_add(first),
        }
    }

    pub(crate) fn at(&self) -> Duration {
        self.at
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        now >= self.at
    }

    /// Something new was said: its first repetition comes soon.
    pub(crate) fn restart(&mut self, now: Duration) {
        *self = Self::new(now, self.first, self.last);
    }

    /// The same was said again.
    pub(crate) fn back_off(&mut self, now: Duration) {
        self.interval = self.interval.saturating_mul(2).min(self.last);
        self.at = now.saturating_add(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_doubles_up_to_the_last() {
        let ms = Duration::from_millis;
        let mut resend = Resend::new(ms(5), ms(200), ms(1000));
        assert!(!resend.is_due(ms(204)) && resend.is_due(ms(205)));
        let mut waits = Vec::new();
        for _ in 0..4 {
            let now = resend.at();
            resend.back_off(now);
            waits.push(resend.at() - now);
        }
        assert_eq!(waits, [ms(400), ms(800), ms(1000), ms(1000)]);
        resend.restart(ms(0));
        assert_eq!(resend.at(), ms(200));
    }

    #[test]
    fn time_does_not_overflow() {
        let mut resend = Resend::new(Duration::MAX, Duration::MAX, Duration::MAX);
        resend.back_off(Duration::MAX);
        assert_eq!(resend.at(), Duration::MAX);
    }
}
