//! How many znodes and bytes lie below each znode.

use super::{number, parse, path, tell_refused};
use crate::commands::{Context, Outcome, on};
use crate::crawl::{Crawl, Wanted};
use crate::flags::{Flag, value};
use crate::paths;
use serde_json::json;
use std::collections::BTreeMap;

pub(super) const ARGUMENTS: &str = "[-L depth] [path]";
pub(super) const HELP: &str = "  -L depth   show levels down to this one (1)";
const FLAGS: &[Flag] = &[value("L")];

pub(super) async fn du(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 0..=1)?;
    let root = path(context, &parsed, 0);
    let deepest = number(&parsed, "L", 1usize)?;
    let mut crawl = Crawl::new(context.client, &root, Wanted::default());
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    while let Some(found) = crawl.next().await.map_err(on(&root))? {
        for found in found {
            let bytes = u64::try_from(found.stat.data_length).unwrap_or(0);
            for above in ancestors(&root, &found.path, deepest) {
                let above = paths::join(&root, above);
                let sum = sums.entry(above).or_default();
                *sum = (sum.0 + bytes, sum.1 + 1);
            }
        }
    }
    for (path, (bytes, znodes)) in &sums {
        match context.json {
            true => context.value(&json!({ "path": path, "bytes": bytes, "znodes": znodes })),
            false => context
                .output
                .line(&format!("{bytes:>12} B {znodes:>9}  {path}")),
        }
    }
    tell_refused(context, &crawl)
}

/// The znodes from the root to `path` itself, as seen from the root, down to
/// a level.
fn ancestors<'a>(root: &str, path: &'a str, deepest: usize) -> impl Iterator<Item = &'a str> {
    let below = paths::below(root, path);
    let ends = below
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([below.len()]);
    let mut ends: Vec<usize> = ends.collect();
    ends.dedup();
    ends.into_iter()
        .take(deepest.saturating_add(1))
        .map(|end| &below[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_znode_counts_for_all_above_it() {
        let all = |root, path, deepest| ancestors(root, path, deepest).collect::<Vec<_>>();
        assert_eq!(all("/", "/a/b/c", 1), ["", "/a"]);
        assert_eq!(all("/a", "/a/b/c", 9), ["", "/b", "/b/c"]);
        assert_eq!(all("/a", "/a", 1), [""]);
    }
}
