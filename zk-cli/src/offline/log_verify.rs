//! Whether logs are sound: frames, checksums, records, and the order of
//! zxids. Nothing is changed.

use super::{Outcome, parse};
use crate::error::CliError;
use crate::output::Output;
use std::path::{Path, PathBuf};
use zk_log::{FileStorage, LogError, LogNext, LogReader, LogStart};
use zk_proto::Zxid;

pub(super) fn verify(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("log", &[], words, 1..=usize::MAX)?;
    let mut bad = 0u64;
    for path in super::files(&parsed.words, "log.")? {
        match read(&path) {
            Ok(health) => output.line(&format!("{}: {health}", path.display())),
            Err(error) => {
                bad += 1;
                output.line(&format!("{}: {}", path.display(), error.message));
            }
        }
    }
    match bad {
        0 => Ok(()),
        _ => Err(CliError::new(format!("{bad} file(s) not sound"))),
    }
}

/// What is said of a sound log.
fn read(path: &Path) -> Result<String, CliError> {
    let wrong = |error: LogError| CliError::new(error.to_string());
    let mut reader = LogReader::open(&FileStorage, path).map_err(wrong)?;
    if reader.start().map_err(wrong)? == LogStart::Blank {
        return Ok("nothing was ever written to it".to_owned());
    }
    let mut seen = Seen::default();
    loop {
        let at = reader.position();
        match reader.next().map_err(wrong)? {
            LogNext::Record(record) => {
                record.decode(path).map_err(wrong)?;
                seen.take(record.zxid)
                    .map_err(|what| CliError::new(format!("at offset {at}: {what}")))?;
            }
            LogNext::End => return Ok(seen.text(at, reader.size())),
            LogNext::Bad(fault) => {
                return Err(CliError::new(format!(
                    "{}; at offset {at}: {fault}",
                    seen.text(at, reader.size())
                )));
            }
        }
    }
}

#[derive(Default)]
struct Seen {
    zxids: Option<(Zxid, Zxid)>,
    count: u64,
}

impl Seen {
    /// Zxids only grow. An error of a request that could not be decoded
    /// repeats the one before.
    fn take(&mut self, next: Zxid) -> Result<(), String> {
        let (first, last) = self.zxids.unwrap_or((next, next));
        if next < last {
            return Err(format!("zxid 0x{:x} follows 0x{:x}", next.0, last.0));
        }
        self.zxids = Some((first, next));
        self.count += 1;
        Ok(())
    }

    fn text(&self, end: u64, size: u64) -> String {
        let Some((first, last)) = self.zxids else {
            return format!("no transactions, {size} bytes");
        };
        format!(
            "{} transactions, zxid 0x{:x} to 0x{:x}, {end} of {size} bytes used",
            self.count, first.0, last.0
        )
    }
}

/// The files that `names` stand for; a directory stands for those in it, or
/// in its `version-2`, whose names start with `prefix`.
pub(super) fn expand(names: &[String], prefix: &str) -> Result<Vec<PathBuf>, CliError> {
    let mut paths = Vec::new();
    for name in names {
        let path = Path::new(name);
        match path.is_dir() {
            true => paths.extend(in_directory(path, prefix)?),
            false => paths.push(path.to_owned()),
        }
    }
    Ok(paths)
}

fn in_directory(dir: &Path, prefix: &str) -> Result<Vec<PathBuf>, CliError> {
    let inner = dir.join("version-2");
    let dir = if inner.is_dir() { &inner } else { dir };
    let listed = std::fs::read_dir(dir)
        .map_err(|error| CliError::new(format!("{}: {error}", dir.display())))?;
    let mut paths: Vec<_> = listed
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| super::file_name(path).starts_with(prefix))
        .collect();
    paths.sort_by_key(|path| super::zxid_of_name(path));
    Ok(paths)
}
