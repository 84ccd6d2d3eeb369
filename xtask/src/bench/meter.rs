//! What a measurement costs and yields: operations, time, CPU of the server and of the load.
//!
//! It also works for a server that this program did not start. It knows nothing of protocols.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::histogram::Histogram;
use super::measure::{self, Measures};
use crate::error::Result;
use crate::process;

/// A running server: where it listens, and its process if that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) pid: Option<u32>,
}

impl Target {
    /// User and system time of the process and all its threads since it started; zero for an
    /// unknown process.
    pub(super) fn cpu(&self) -> Result<Duration> {
        self.pid.map_or(Ok(Duration::ZERO), process::cpu)
    }

    /// Resident memory in bytes; zero for an unknown process.
    pub(super) fn rss(&self) -> Result<f64> {
        self.pid.map_or(Ok(0.0), process::rss)
    }
}

/// The beginning of a measurement.
#[derive(Debug)]
pub(super) struct Meter {
    targets: Vec<Target>,
    began: Instant,
    server: Duration,
    own: Duration,
}

/// A finished measurement.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) operations: u64,
    pub(super) elapsed: Duration,
    pub(super) server: Duration,
    pub(super) own: Duration,
    pub(super) latencies: Histogram,
}

impl Meter {
    /// Begins now. The CPU of several servers is summed.
    pub(super) fn start(targets: &[Target]) -> Result<Self> {
        Ok(Self {
            targets: targets.to_owned(),
            server: cpu(targets)?,
            own: own_cpu(),
            began: Instant::now(),
        })
    }

    /// Ends now.
    pub(super) fn finish(self, operations: u64, latencies: Histogram) -> Result<Window> {
        Ok(Window {
            operations,
            elapsed: self.began.elapsed(),
            server: cpu(&self.targets)?.saturating_sub(self.server),
            own: own_cpu().saturating_sub(self.own),
            latencies,
        })
    }
}

impl Window {
    /// The figures of the window.
    pub(super) fn measures(&self) -> Measures {
        let mut measures = Measures::new();
        let operations = self.operations.max(1) as f64;
        let per_operation = |cpu: Duration| cpu.as_secs_f64() * 1e6 / operations;
        measures.set(&measure::CPU, per_operation(self.server));
        measures.set(&measure::GENERATOR, per_operation(self.own));
        let seconds = self.elapsed.as_secs_f64();
        measures.set(&measure::THROUGHPUT, self.operations as f64 / seconds);
        for (measure, fraction) in measure::QUANTILES {
            if let Some(nanos) = self.latencies.quantile(fraction) {
                measures.set(measure, nanos as f64 / 1e3);
            }
        }
        measures
    }
}

fn cpu(targets: &[Target]) -> Result<Duration> {
    targets.iter().map(Target::cpu).sum()
}

/// CPU that this process has used.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_per_operation_and_second() {
        let mut latencies = Histogram::new();
        latencies.record(64_000);
        let window = Window {
            operations: 1000,
            elapsed: Duration::from_secs(2),
            server: Duration::from_millis(5),
            own: Duration::from_millis(1),
            latencies,
        };
        let measures = window.measures();
        assert_eq!(measures.of(&measure::CPU), Some(5.0));
        assert_eq!(measures.of(&measure::GENERATOR), Some(1.0));
        assert_eq!(measures.of(&measure::THROUGHPUT), Some(500.0));
    }
}
