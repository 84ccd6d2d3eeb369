//! The word `mntr`: every metric, one a line, `zk_NAME`, a tab, the value
//! (`MonitorCommand`, `DefaultMetricsProvider.dump`).
//!
//! Names and order are those of Apache 3.9.5. Which values cannot move here
//! is told in `metrics::catalog`. Differences in meaning: the names of
//! namespaces are sorted; percentiles are of all points, not of a sample; the
//! points of `prep_process_time` and `sync_process_time` are batches; reads
//! that nothing holds up count with a latency of 0.

use super::java::Double;
use crate::metrics::{Distribution, Families, Gauge, Gauges, SummaryValues};
use std::fmt::{Display, Write as _};
use zk_proto::ServerId;

/// What `mntr` shows.
#[derive(Debug, Clone)]
pub(super) struct Monitor<'a> {
    pub(super) version: &'a str,
    pub(super) server_state: &'a str,
    /// Of a server of an ensemble.
    pub(super) peer_state: Option<&'a str>,
    /// Of an observer: whom it observes.
    pub(super) observer_master: Option<ServerId>,
    pub(super) gauges: Gauges,
    pub(super) families: Families,
}

/// The whole answer to `mntr`.
pub(super) fn mntr(monitor: &Monitor<'_>) -> String {
    let mut lines = Lines::default();
    lines.put("version", monitor.version);
    lines.put("server_state", monitor.server_state);
    if let Some(state) = monitor.peer_state {
        lines.put("peer_state", state);
    }
    if let Some(master) = monitor.observer_master {
        lines.put("observer_master_id", master);
    }
    lines.gauges(&monitor.gauges);
    lines.families(&monitor.families);
    lines.text
}

/// Shares and the names that stand for them.
const QUANTILES: [(f64, &str); 4] = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (0.999, "p999")];

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn put(&mut self, name: impl Display, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "zk_{name}\t{value}");
    }

    fn gauges(&mut self, gauges: &Gauges) {
        for (name, value) in gauges.list() {
            match value {
                Gauge::Whole(value) => self.put(name, value),
                Gauge::Fraction(value) => self.put(name, Double(value)),
            }
        }
        for (name, values) in gauges.quotas.list() {
            for (namespace, value) in values {
                self.put(format_args!("{namespace}_{name}"), value);
            }
        }
    }

    fn families(&mut self, families: &Families) {
        for (name, value) in &families.counters {
            self.put(name, value);
        }
        for (name, values) in &families.counter_sets {
            for (namespace, value) in values {
                self.put(format_args!("{namespace}_{name}"), value);
            }
        }
        for (name, values) in &families.summaries {
            self.summary(name, *values);
        }
        for (name, values) in &families.distributions {
            self.distribution(name, values);
        }
        for (name, sets) in &families.summary_sets {
            for (namespace, values) in sets {
                self.summary(format_args!("{namespace}_{name}"), *values);
            }
        }
    }

    fn summary(&mut self, name: impl Display, values: SummaryValues) {
        self.put(format_args!("avg_{name}"), Double(values.average()));
        self.put(format_args!("min_{name}"), values.min);
        self.put(format_args!("max_{name}"), values.max);
        self.put(format_args!("cnt_{name}"), values.count);
        self.put(format_args!("sum_{name}"), values.sum);
    }

    fn distribution(&mut self, name: &str, values: &Distribution) {
        self.summary(name, values.summary);
        for (share, quantile) in QUANTILES {
            self.put(format_args!("{quantile}_{name}"), values.quantile(share));
        }
    }
}
