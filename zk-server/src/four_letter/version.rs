//! The version that clients and tools are told.
//!
//! They look for the numbers of the ZooKeeper release whose behaviour this is
//! (kazoo, for one, enables features by them), so these come first and the
//! server's own version behind them. Some tools also want a date behind
//! `built on`, written as Apache writes it. It is that of the version, not of
//! the build, which stays reproducible.

/// `3.9.5-zk-server-0.1.0, built on 2026-11-21 00:00 UTC`
/// (`Version.getFullVersion`).
pub(crate) const FULL: &str = concat!(
    "3.9.5-zk-server-",
    env!("CARGO_PKG_VERSION"),
    ", built on 2026-11-21 00:00 UTC"
);

#[cfg(test)]
mod tests {
    use super::FULL;

    /// The date belongs to the version: who changes one changes both.
    #[test]
    fn the_date_is_that_of_the_version() {
        assert_eq!(FULL, "3.9.5-zk-server-0.1.0, built on 2026-11-21 00:00 UTC");
    }

    /// The expressions with which kazoo, aiozk, Datadog's agent and
    /// go-zookeeper look at it ask for no more than this.
    #[test]
    fn tools_find_numbers_a_dash_and_a_date() {
        let (version, date) = FULL.split_once(", built on ").unwrap();
        let (numbers, rest) = version.split_once('-').unwrap();
        assert!(
            numbers
                .split('.')
                .all(|number| number.parse::<u32>().is_ok())
        );
        assert_eq!(numbers.split('.').count(), 3);
        assert!(
            rest.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
        );
        let digits = date.replace(|c: char| c.is_ascii_digit(), "0");
        assert_eq!(digits, "0000-00-00 00:00 UTC");
    }
}
