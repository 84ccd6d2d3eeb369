//! Other processes: what `/proc` tells of them, and signals to them.
//!
//! Everything goes by process id, so that it also works for a process that this program did not
//! start.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result};

/// User and system time of the process and all its threads since it started.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let ticks = stat_ticks(&read_proc(pid, "stat")?);
    let ticks = ticks.ok_or_else(|| Error::wrong("/proc/PID/stat has another form"))?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}

/// Resident memory in bytes.
pub(crate) fn rss(pid: u32) -> Result<f64> {
    let kib = status_kib(&read_proc(pid, "status")?, "VmRSS:");
    let kib = kib.ok_or_else(|| Error::wrong("/proc/PID/status has no VmRSS"))?;
    Ok(kib * 1024.0)
}

/// Whether the process runs or is stopped; one that ended and was not yet waited for does not.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = read_proc(pid, "stat").unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, fields)| fields.trim_start());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

/// Sends a signal.
pub(crate) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let raw = raw.ok_or_else(|| Error::wrong(format!("{pid} is no process id")))?;
    kill_process(raw, signal).map_err(|error| Error::Io {
        what: format!("cannot signal process {pid}"),
        source: error.into(),
    })
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
    fn this_process_can_be_measured() {
        let own = std::process::id();
        assert!(rss(own).unwrap() > 0.0);
        assert!(is_alive(own));
        cpu(own).unwrap();
    }

    #[test]
    fn no_process_is_not_alive() {
        assert!(!is_alive(u32::MAX));
        assert!(cpu(u32::MAX).is_err());
        assert!(signal(u32::MAX, Signal::TERM).is_err());
        assert!(signal(0, Signal::TERM).is_err());
    }
}
