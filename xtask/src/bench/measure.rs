//! The kinds of figures, each with its name, unit and the key under which it is recorded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A kind of figure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Measure {
    /// The key in recorded figures.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
}

const fn measure(key: &'static str, name: &'static str, unit: &'static str) -> Measure {
    Measure { key, name, unit }
}

pub(super) const CPU: Measure = measure("cpu_us", "CPU per operation", "µs");
pub(super) const THROUGHPUT: Measure = measure("per_second", "throughput", "/s");
pub(super) const P50: Measure = measure("p50_us", "p50", "µs");
pub(super) const P99: Measure = measure("p99_us", "p99", "µs");
pub(super) const P999: Measure = measure("p999_us", "p99.9", "µs");
pub(super) const GENERATOR: Measure = measure("generator_us", "generator CPU", "µs");
pub(super) const RSS: Measure = measure("rss_mib", "RSS", "MiB");
pub(super) const ZNODE: Measure = measure("znode_bytes", "RSS per znode", "B");
pub(super) const LOAD: Measure = measure("load_s", "time to load", "s");
pub(super) const START_CPU: Measure = measure("start_cpu_s", "CPU to first read", "s");
pub(super) const START: Measure = measure("start_s", "time to first read", "s");
pub(super) const QUIET_P999: Measure = measure("quiet_p999_us", "p99.9 without", "µs");
pub(super) const P999_GROWTH: Measure = measure("p999_growth", "p99.9, with / without", "×");
pub(super) const RSS_GROWTH: Measure = measure("rss_growth", "RSS, with / without", "×");
pub(super) const SNAPSHOTS: Measure = measure("snapshots", "snapshots", "");
pub(super) const SESSION: Measure = measure("session_kib", "RSS per session", "KiB");
pub(super) const CONNECT: Measure = measure("connect_s", "time to connect all", "s");

pub(super) const GAP: Measure = measure("gap_ms", "longest gap", "ms");
/// Not recorded: the largest of the recorded gaps.
pub(super) const GAP_MAX: Measure = measure("gap_max_ms", "longest gap of all rounds", "ms");

/// The latencies that every window has.
pub(super) const QUANTILES: [(&Measure, f64); 3] = [(&P50, 0.5), (&P99, 0.99), (&P999, 0.999)];

/// Every kind, in the order of a report.
pub(super) const ALL: [&Measure; 18] = [
    &CPU,
    &THROUGHPUT,
    &P50,
    &P99,
    &P999,
    &GENERATOR,
    &RSS,
    &ZNODE,
    &LOAD,
    &START_CPU,
    &START,
    &QUIET_P999,
    &P999_GROWTH,
    &RSS_GROWTH,
    &SNAPSHOTS,
    &SESSION,
    &CONNECT,
    &GAP,
];

/// The figures of one round on one server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Measures(BTreeMap<String, f64>);

impl Measures {
    /// No figures.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Records a figure.
    pub(super) fn set(&mut self, measure: &Measure, value: f64) {
        self.0.insert(measure.key.to_owned(), value);
    }

    /// A recorded figure.
    pub(super) fn of(&self, measure: &Measure) -> Option<f64> {
        self.0.get(measure.key).copied()
    }
}

/// The largest of a figure over the rounds that have it.
pub(super) fn maximum(rounds: &[Measures], measure: &Measure) -> Option<f64> {
    let values = rounds.iter().filter_map(|round| round.of(measure));
    values.max_by(f64::total_cmp)
}

/// The median of a figure over the rounds that have it.
pub(super) fn median(rounds: &[Measures], measure: &Measure) -> Option<f64> {
    let mut values: Vec<_> = rounds
        .iter()
        .filter_map(|round| round.of(measure))
        .collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_distinct() {
        let keys: std::collections::BTreeSet<_> = ALL.iter().map(|measure| measure.key).collect();
        assert_eq!(keys.len(), ALL.len());
    }

    #[test]
    fn the_median_leaves_out_rounds_without_the_figure() {
        let round = |value| {
            let mut measures = Measures::new();
            measures.set(&CPU, value);
            measures
        };
        let mut rounds = vec![Measures::new()];
        assert_eq!(median(&rounds, &CPU), None);
        rounds.extend([round(9.0), round(1.0)]);
        assert_eq!(median(&rounds, &CPU), Some(5.0));
        rounds.push(round(2.0));
        assert_eq!(median(&rounds, &CPU), Some(2.0));
        assert_eq!(maximum(&rounds, &CPU), Some(9.0));
        assert_eq!(maximum(&rounds[..1], &CPU), None);
    }
}
