//! How many znodes and bytes lie below each znode of a snapshot
//! (`SnapshotRecursiveSummary`).

use super::snapshot_tree::Tree;
use super::{Outcome, parse};
use crate::error::CliError;
use crate::output::Output;
use std::path::Path;

/// FILE, START_PATH and MAX_DEPTH; 0 shows every level, else levels up to
/// and with it. Znodes without children are not shown.
pub(super) fn summary(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("snapshot", &[], words, 3..=3)?;
    let [file, start, depth] = parsed.words.as_slice() else {
        return Err(CliError::usage(super::usage("snapshot")));
    };
    let Ok(max_depth) = depth.parse::<usize>() else {
        return Err(CliError::usage(super::usage("snapshot")));
    };
    let mut tree = Tree::read(Path::new(file), false)?;
    tree.order_as_java();
    let key = if start == "/" { "" } else { start };
    let Some(root) = tree.nodes.iter().position(|node| &*node.path == key) else {
        return Err(CliError::new(format!("Node does not exist: {start}")));
    };
    let totals = tree.totals();
    let mut stack = vec![(0, root)];
    while let Some((level, at)) = stack.pop() {
        let node = &tree.nodes[at];
        stack.extend(node.children.iter().rev().map(|&child| (level + 1, child)));
        if node.children.is_empty() || max_depth != 0 && level > max_depth {
            continue;
        }
        let tab = "--".repeat(level);
        output.line(&format!(
            "{tab} {}\n{tab}   children: {}\n{tab}   data: {}",
            node.shown_path(),
            totals[at].descendants,
            totals[at].bytes
        ));
    }
    output.line("");
    tree.check_end()
}
