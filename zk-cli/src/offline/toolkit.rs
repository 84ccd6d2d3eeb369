//! The same tools under the arguments of Apache's, for the scripts of an
//! installation: `zk toolkit txn-log -r -y FILE`.

use super::{Outcome, cleanup, compare, log_chop, log_dump, parse, snapshot_dump, summary};
use crate::error::CliError;
use crate::flags::{Flag, flag, value};
use crate::output::Output;

const TXN_LOG_FLAGS: &[Flag] = &[
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

const TXN_LOG_HELP: &str = "\
usage: TxnLogToolkit [-dhrvc] <txn_log_file_name> (-z <zxid>)
 -c,--chop         Chop mode. Chop txn file to a zxid.
 -d,--dump         Dump mode. Dump all entries of the log file with printing the content of a nodepath (default)
 -h,--help         Print help message
 -r,--recover      Recovery mode. Re-calculate CRC for broken entries.
 -v,--verbose      Be verbose in recovery mode: print all entries, not just fixed ones.
 -y,--yes          Non-interactive mode: repair all CRC errors without asking
 -z,--zxid <arg>   Used with chop. Zxid to which to chop.";

const SNAPSHOT_HELP: &str = "\
USAGE: SnapshotFormatter [-d|-json] snapshot_file
       -d dump the data for each znode
       -json dump znode info in json format";

const SUMMARY_HELP: &str = "\
USAGE: SnapshotRecursiveSummary  <snapshot_file>  <starting_node>  <max_depth>
max_depth 0 shows every level, 1 the starting node and its children, and so on.";

const COMPARE_HELP: &str = "\
usage: SnapshotComparer
 -b,--bytes <BYTETHRESHOLD>   (Required) The node data delta size threshold, in bytes, for printing the node.
 -d,--debug                   Use debug output.
 -i,--interactive             Enter interactive mode.
 -l,--left <LEFT>             (Required) The left snapshot file.
 -n,--nodes <NODETHRESHOLD>   (Required) The descendant node delta size threshold, in nodes, for printing the node.
 -r,--right <RIGHT>           (Required) The right snapshot file.";

pub(super) fn run(output: &Output, words: &[&str]) -> Outcome {
    match words {
        ["txn-log", rest @ ..] => txn_log(output, rest),
        ["snapshot", rest @ ..] => match rest.last() {
            Some(last) if !last.starts_with('-') => snapshot_dump::dump(output, rest),
            _ => Err(CliError::usage(SNAPSHOT_HELP)),
        },
        ["summary", rest @ ..] if rest.len() == 3 => summary::summary(output, rest),
        ["summary", ..] => Err(CliError::usage(SUMMARY_HELP)),
        ["compare"] => Err(CliError::usage(COMPARE_HELP)),
        ["compare", rest @ ..] => compare::compare(output, rest),
        ["purge", rest @ ..] => cleanup::cleanup(output, rest),
        _ => Err(CliError::usage(super::usage("toolkit"))),
    }
}

fn txn_log(output: &Output, words: &[&str]) -> Outcome {
    let parsed =
        parse("log", TXN_LOG_FLAGS, words, 0..=1).map_err(|_| CliError::new(TXN_LOG_HELP))?;
    let has = |short, long| parsed.has(short) || parsed.has(long);
    if has("h", "help") {
        output.line(TXN_LOG_HELP);
        return Ok(());
    }
    let Some(file) = parsed.words.first() else {
        output.line(TXN_LOG_HELP);
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
