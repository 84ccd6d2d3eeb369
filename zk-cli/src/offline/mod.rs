//! Tools over files: logs, snapshots, data directories. They need no server
//! and speak to none; what Apache's tools print is kept (`TxnLogToolkit`,
//! `SnapshotFormatter`, `SnapshotComparer`, `SnapshotRecursiveSummary`,
//! `PurgeTxnLog`), what they lack is added.

mod cleanup;
mod compare;
mod digest;
mod java_set;
mod json_text;
mod log_chop;
mod log_dump;
mod log_verify;
mod password;
mod raw_log;
mod snapshot_dump;
mod snapshot_export;
mod snapshot_json;
mod snapshot_tree;
mod snapshot_verify;
mod summary;
mod toolkit;
mod tree_sink;
mod txn_text;

use crate::error::CliError;
use crate::flags::{self, Flag, Parsed};
use crate::output::Output;
use log_verify::expand as files;
use std::path::Path;
use zk_proto::Zxid;

type Outcome = Result<(), CliError>;

/// The first words of the tools.
pub(crate) const NAMES: [&str; 6] = [
    "cleanup",
    "digest",
    "digest-password",
    "log",
    "snapshot",
    "toolkit",
];

/// Whether this command works on files alone.
pub(crate) fn knows(command: &str) -> bool {
    NAMES.contains(&command)
}

/// Runs the tool that `words` start with.
pub(crate) fn run(output: &Output, words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["log", "dump", rest @ ..] => log_dump::dump(output, rest),
        ["log", "recover", rest @ ..] => log_dump::recover(output, rest),
        ["log", "verify", rest @ ..] => log_verify::verify(output, rest),
        ["log", "chop", rest @ ..] => log_chop::chop(output, rest),
        ["snapshot", "dump", rest @ ..] => snapshot_dump::dump(output, rest),
        ["snapshot", "export", rest @ ..] => snapshot_export::export(output, rest),
        ["snapshot", "verify", rest @ ..] => snapshot_verify::verify(output, rest),
        ["snapshot", "compare", rest @ ..] => compare::compare(output, rest),
        ["snapshot", "summary", rest @ ..] => summary::summary(output, rest),
        ["digest", rest @ ..] => digest::digest(output, rest),
        ["cleanup", rest @ ..] => cleanup::cleanup(output, rest),
        ["toolkit", rest @ ..] => toolkit::run(output, rest),
        ["digest-password", rest @ ..] => password::digest(output, rest),
        [family, ..] => Err(CliError::usage(usage(family))),
        [] => Ok(()),
    }
}

/// How the commands of a family are written.
pub(crate) fn usage(family: &str) -> &'static str {
    match family {
        "log" => {
            "\
log dump [-d] FILE              print every transaction
log verify FILE|DIR...          check frames, checksums and order
log recover [-v] [-y] FILE      write FILE.fixed with every checksum right
log chop -z ZXID FILE           write FILE.choppedZXID without what follows"
        }
        "snapshot" => {
            "\
snapshot dump [-d | -json | -o json] FILE
snapshot verify FILE|DIR...
snapshot export FILE START_PATH ARCHIVE|-
snapshot compare -l FILE -r FILE [-b BYTES] [-n NODES] [-d] [-i]
snapshot summary FILE START_PATH MAX_DEPTH"
        }
        "toolkit" => "toolkit txn-log|snapshot|summary|compare|purge ARGUMENTS OF APACHE'S TOOL",
        "digest" => "digest DATADIR [DATALOGDIR] [-o json]",
        "cleanup" => {
            "\
PurgeTxnLog dataLogDir [snapDir] -n count
\tdataLogDir -- path to the txn log directory
\tsnapDir -- path to the snapshot directory
\tcount -- the number of old snaps/logs you want to keep, value should be greater than or equal to 3"
        }
        _ => "digest-password USER:PASSWORD...",
    }
}

/// What stands behind the last slash of a file's path.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The zxid in the name of a log or snapshot.
fn zxid_of_name(path: &Path) -> Option<Zxid> {
    let name = file_name(path);
    let digits = name.split('.').nth(1)?;
    i64::from_str_radix(digits, 16).ok().map(Zxid)
}

/// Sorts the words behind a tool's name, of which there must be as many
/// besides flags as `wanted` says.
fn parse(
    family: &str,
    flags: &[Flag],
    words: &[&str],
    wanted: std::ops::RangeInclusive<usize>,
) -> Result<Parsed, CliError> {
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let parsed = flags::parse(flags, &words)
        .map_err(|error| CliError::usage(format!("{error}\n{}", usage(family))))?;
    match wanted.contains(&parsed.words.len()) {
        true => Ok(parsed),
        false => Err(CliError::usage(usage(family))),
    }
}
