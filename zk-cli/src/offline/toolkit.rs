//! The tools with the flags, usage texts and exit codes of Apache's scripts
//! (`zkTxnLogToolkit.sh` and its like), which call this. It only sorts words:
//! what a tool does is the tool's own business.

use super::{Outcome, cleanup, compare, log_chop, log_dump, snapshot_dump, summary};
use crate::error::CliError;
use crate::flags::{self, Flag, Parsed, flag, value};
use crate::output::Output;
use std::path::Path;

const LOG_FLAGS: &[Flag] = &[
    flag("c"),
    flag("chop"),
    flag("d"),
    flag("dump"),
    flag("h"),
    flag("help"),
    flag("r"),
    flag("recover"),
    flag("v"),
    flag("verbose"),
    flag("y"),
    flag("yes"),
    value("z"),
    value("zxid"),
];

const LOG_USAGE: &str = "\
usage: TxnLogToolkit [-dhrvc] <txn_log_file_name> (-z <zxid>)
 -c,--chop         Chop mode. Chop txn file to a zxid.
 -d,--dump         Dump mode. Dump all entries of the log file with printing the content of a nodepath (default)
 -h,--help         Print help message
 -r,--recover      Recovery mode. Re-calculate CRC for broken entries.
 -v,--verbose      Be verbose in recovery mode: print all entries, not just fixed ones.
 -y,--yes          Non-interactive mode: repair all CRC errors without asking
 -z,--zxid <arg>   Used with chop. Zxid to which to chop.";

const SNAPSHOT_USAGE: &str = "\
USAGE: SnapshotFormatter [-d|-json] snapshot_file
       -d dump the data for each znode
       -json dump znode info in json format";

const COMPARE_USAGE: &str = "\
usage: SnapshotComparer
 -b,--bytes <BYTETHRESHOLD>   (Required) The node data delta size threshold, in bytes, for printing the node.
 -d,--debug                   Use debug output.
 -i,--interactive             Enter interactive mode.
 -l,--left <LEFT>             (Required) The left snapshot file.
 -n,--nodes <NODETHRESHOLD>   (Required) The descendant node delta size threshold, in nodes, for printing the node.
 -r,--right <RIGHT>           (Required) The right snapshot file.";

const SUMMARY_USAGE: &str = "\
USAGE:

SnapshotRecursiveSummary  <snapshot_file>  <starting_node>  <max_depth>

snapshot_file:    path to the zookeeper snapshot
starting_node:    the path in the zookeeper tree where the traversal should begin
max_depth:        the deepest level that is shown; 0 shows all";

/// `toolkit TOOL ...`.
pub(super) fn run(output: &Output, words: &[&str]) -> Outcome {
    match words {
        ["txn-log", rest @ ..] => txn_log(output, rest),
        ["snapshot", rest @ ..] => snapshot(output, rest),
        ["compare", rest @ ..] => comparison(output, rest),
        ["summary", rest @ ..] => summed_up(output, rest),
        ["purge", rest @ ..] => cleanup::cleanup(output, rest),
        _ => Err(CliError::usage(super::usage("toolkit"))),
    }
}

fn txn_log(output: &Output, words: &[&str]) -> Outcome {
    let parsed = sorted(LOG_FLAGS, words).map_err(|error| {
        output.line(LOG_USAGE);
        CliError::new(format!("{error}\n"))
    })?;
    let has = |short: &str, long: &str| parsed.has(short) || parsed.has(long);
    if has("h", "help") {
        output.line(LOG_USAGE);
        return Ok(());
    }
    let Some(file) = parsed.words.first() else {
        output.line(LOG_USAGE);
        return Err(CliError::silent(1));
    };
    let zxid = parsed.value("z").or(parsed.value("zxid"));
    if let (true, Some(zxid)) = (has("c", "chop"), zxid) {
        return log_chop::chop(output, &["-z", zxid, file]);
    }
    if !has("r", "recover") {
        return log_dump::dump(output, &[file]);
    }
    let mut words = vec![file.as_str()];
    words.extend(has("v", "verbose").then_some("-v"));
    words.extend(has("y", "yes").then_some("-y"));
    log_dump::recover(output, &words)
}

fn snapshot(output: &Output, words: &[&str]) -> Outcome {
    let (Some(file), true) = (words.last(), words.len() <= 2) else {
        return Err(CliError::usage(SNAPSHOT_USAGE));
    };
    let is_known = |word: &&str| matches!(*word, "-d" | "-json" | "--json");
    if is_known(file) || !words.iter().rev().skip(1).all(is_known) {
        return Err(CliError::usage(SNAPSHOT_USAGE));
    }
    if !Path::new(file).exists() {
        return Err(CliError::usage(format!("File '{file}' does not exist.")));
    }
    snapshot_dump::dump(output, words)
}

fn comparison(output: &Output, words: &[&str]) -> Outcome {
    let usage = |error: &str| {
        output.line(COMPARE_USAGE);
        CliError::usage(error)
    };
    let parsed = sorted(compare::FLAGS, words).map_err(|error| usage(&error))?;
    let required = [
        ("l", "left"),
        ("r", "right"),
        ("b", "bytes"),
        ("n", "nodes"),
    ];
    let missing: Vec<&str> = required
        .iter()
        .filter(|(short, long)| parsed.value(short).or(parsed.value(long)).is_none())
        .map(|(short, _)| *short)
        .collect();
    match missing.as_slice() {
        [] => compare::compare(output, words),
        [one] => Err(usage(&format!("Missing required option: {one}"))),
        many => Err(usage(&format!(
            "Missing required options: {}",
            many.join(", ")
        ))),
    }
}

fn summed_up(output: &Output, words: &[&str]) -> Outcome {
    match words {
        [_, _, depth] if depth.parse::<usize>().is_ok() => summary::summary(output, words),
        _ => Err(CliError::usage(SUMMARY_USAGE)),
    }
}

fn sorted(flags: &[Flag], words: &[&str]) -> Result<Parsed, String> {
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    flags::parse(flags, &words)
}
