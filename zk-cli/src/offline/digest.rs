//! What a server would start with from a data directory: the last zxid and
//! the digest of the tree, to compare servers of an ensemble by. The files
//! are only read; the server may be running.

use super::tree_sink::TreeSink;
use super::{Outcome, parse};
use crate::error::CliError;
use crate::flags::{Flag, value};
use crate::output::Output;
use serde_json::json;
use std::path::{Path, PathBuf};
use zk_log::{FileStorage, LogConfig, LogDirs, replay};

const FLAGS: &[Flag] = &[value("o")];

pub(super) fn digest(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("digest", FLAGS, words, 1..=2)?;
    let snap_dir = version_dir(&parsed.words[0])?;
    let log_dir = match parsed.words.get(1) {
        Some(dir) => version_dir(dir)?,
        None => snap_dir.clone(),
    };
    let dirs = LogDirs { snap_dir, log_dir };
    let mut sink = TreeSink::new();
    let recovered = replay(&FileStorage, &dirs, &LogConfig::default(), &mut sink)
        .map_err(|error| CliError::new(error.to_string()))?;
    let tree = sink.finish();
    let zxid = format!("0x{:x}", recovered.last_zxid.0);
    let digest = format!("{:016x}", tree.digest());
    let (nodes, mismatches) = (tree.node_count() - 1, tree.digest_mismatches());
    output.line(&match parsed.value("o") {
        Some("json") => json!({
            "lastZxid": zxid,
            "digest": digest,
            "nodes": nodes,
            "txns": recovered.txns,
            "digestMismatches": mismatches,
        })
        .to_string(),
        _ => format!(
            "lastZxid = {zxid}\ndigest = {digest}\nnodes = {nodes}\ntxns = {}\ndigestMismatches = \
             {mismatches}",
            recovered.txns
        ),
    });
    Ok(())
}

/// `dir` may be a data directory or the `version-2` in it.
pub(super) fn version_dir(dir: &str) -> Result<PathBuf, CliError> {
    let dir = Path::new(dir);
    let inner = dir.join("version-2");
    let found = if inner.is_dir() { &inner } else { dir };
    match found.is_dir() {
        true => Ok(found.to_owned()),
        false => Err(CliError::new(format!(
            "Path '{}' does not exist. ",
            dir.display()
        ))),
    }
}
