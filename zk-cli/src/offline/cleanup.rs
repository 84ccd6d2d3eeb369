//! Removing old snapshots and logs (`PurgeTxnLog`).

use super::digest::version_dir;
use super::{Outcome, parse};
use crate::error::CliError;
use crate::flags::{Flag, flag, value};
use crate::java_time;
use crate::output::Output;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use zk_log::{FileStorage, KEEP_MIN, LogDirs, purge};

const FLAGS: &[Flag] = &[value("n"), flag("h")];

pub(super) fn cleanup(output: &Output, words: &[&str]) -> Outcome {
    let usage = |text: &str| {
        let usage = super::usage("cleanup");
        CliError::new(format!("{text}Usage:\n{usage}"))
    };
    let parsed = parse("cleanup", FLAGS, words, 1..=2).map_err(|_| usage(""))?;
    let Some(count) = parsed.value("n") else {
        return Err(usage(""));
    };
    let keep = count
        .parse::<usize>()
        .map_err(|_| usage(&format!("'{count}' can not be parsed to integer.\n")))?;
    if keep < KEEP_MIN {
        let text = format!("count should be greater than or equal to {KEEP_MIN}\n");
        return Err(usage(&text));
    }
    let log_dir = version_dir(&parsed.words[0]).map_err(|error| usage(&(error.message + "\n")))?;
    let snap_dir = match parsed.words.get(1) {
        Some(dir) => version_dir(dir).map_err(|error| usage(&(error.message + "\n")))?,
        None => log_dir.clone(),
    };
    let dirs = LogDirs { snap_dir, log_dir };
    let times = times(&dirs);
    let purged =
        purge(&FileStorage, &dirs, keep).map_err(|error| CliError::new(error.to_string()))?;
    for path in purged.logs.iter().chain(&purged.snapshots) {
        let time = times.get(path).copied().unwrap_or(0);
        output.line(&format!(
            "Removing file: {}\t{}",
            java_time::medium(time),
            path.display()
        ));
    }
    Ok(())
}

/// When each file was last written, in ms; they are gone when it is told.
fn times(dirs: &LogDirs) -> HashMap<PathBuf, i64> {
    let of = |dir: &Path| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let modified = entry.metadata().ok()?.modified().ok()?;
            let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            Some((entry.path(), i64::try_from(since.as_millis()).ok()?))
        })
    };
    of(&dirs.snap_dir).chain(of(&dirs.log_dir)).collect()
}
