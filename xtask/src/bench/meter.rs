//! What a measurement costs and yields: operations, time, CPU of the server and of the load.
//!
//! CPU of the server comes from `/proc`, in clock ticks; so it also works for a server that this
//! program did not start. It knows nothing of protocols.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::histogram::Histogram;
use super::measure::{self, Measures};
use crate::error::{Error, Result};

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
        let Some(pid) = self.pid else {
            return Ok(Duration::ZERO);
        };
        let ticks = stat_ticks(&read_proc(pid, "stat")?);
        let ticks = ticks.ok_or_else(|| Error::wrong("/proc/PID/stat has another form"))?;
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
    }

    /// Resident memory in bytes; zero for an unknown process.
    pub(super) fn rss(&self) -> Result<f64> {
        let Some(pid) = self.pid else {
            return Ok(0.0);
        };
        let kib = status_kib(&read_proc(pid, "status")?, "VmRSS:");
        let kib = kib.ok_or_else(|| Error::wrong("/proc/PID/status has no VmRSS"))?;
        Ok(kib * 1024.0)
    }
}

/// The beginning of a measurement.
#[derive(Debug)]
pub(super) struct Meter {
    target: Target,
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
    /// Begins now.
    pub(super) fn start(target: Target) -> Result<Self> {
        Ok(Self {
            target,
            server: target.cpu()?,
            own: own_cpu(),
            began: Instant::now(),
        })
    }

    /// Ends now.
    pub(super) fn finish(self, operations: u64, latencies: Histogram) -> Result<Window> {
        Ok(Window {
            operations,
            elapsed: self.began.elapsed(),
            server: self.target.cpu()?.saturating_sub(self.server),
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

/// CPU that this process has used.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn read_proc(pid: u32, file: &str) -> Result<String> {
    let path = PathBuf::from(format!("/proc/{pid}/{file}"));
    std::fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))
}

/// utime and stime. The name of the program may hold spaces and parentheses, so fields are
/// counted from its end.
fn stat_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn status_kib(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_program_name() {
        let stat = "1 (a) b) c) S 0 1 2 3 4 5 6 7 8 9 120 34 7 7 20 0";
        assert_eq!(stat_ticks(stat), Some(154));
        assert_eq!(stat_ticks("1 (a) S 0"), None);
    }

    #[test]
    fn memory_is_found_by_its_name() {
        let status = "VmHWM:\t  200 kB\nVmRSS:\t  100 kB\n";
        assert_eq!(status_kib(status, "VmRSS:"), Some(100.0));
        assert_eq!(status_kib(status, "VmSwap:"), None);
    }

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

    #[test]
    fn this_process_can_be_measured() {
        let target = Target {
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            pid: Some(std::process::id()),
        };
        assert!(target.rss().unwrap() > 0.0);
        target.cpu().unwrap();
    }
}
