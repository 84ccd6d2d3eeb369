//! Where two snapshots differ in size, level by level (`SnapshotComparer`).

use super::snapshot_tree::{Totals, Tree};
use super::{Outcome, file_name, parse};
use crate::error::CliError;
use crate::flags::{Flag, Parsed, flag, value};
use crate::output::Output;
use std::cmp::Ordering;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

pub(super) const FLAGS: &[Flag] = &[
    value("l"),
    value("left"),
    value("r"),
    value("right"),
    value("b"),
    value("bytes"),
    value("n"),
    value("nodes"),
    flag("d"),
    flag("debug"),
    flag("i"),
    flag("interactive"),
];

const QUESTION: &str = "\
- Press enter to move to print current depth layer;
- Type a number to jump to and print all nodes at a given depth;
- Enter an ABSOLUTE path to print the immediate subtree of a node. Path must start with '/'.";

pub(super) fn compare(output: &Output, words: &[&str]) -> Outcome {
    let parsed = parse("snapshot", FLAGS, words, 0..=0)?;
    let missing = || CliError::usage(super::usage("snapshot"));
    let left = either(&parsed, "l", "left").ok_or_else(missing)?;
    let right = either(&parsed, "r", "right").ok_or_else(missing)?;
    let is_interactive = parsed.has("i") || parsed.has("interactive");
    let rules = Rules {
        output,
        bytes: threshold(either(&parsed, "b", "bytes"))?,
        nodes: threshold(either(&parsed, "n", "nodes"))?,
        debug: parsed.has("d") || parsed.has("debug"),
        is_interactive,
    };
    output.line("Successfully parsed options!");
    let left = Side::read(output, Path::new(left))?;
    let right = Side::read(output, Path::new(right))?;
    output.line(&left.text());
    output.line(&right.text());
    match is_interactive {
        true => rules.ask(&left, &right)?,
        false => rules.all(&left, &right),
    }
    output.line("All layers compared.");
    left.tree.check_end().and(right.tree.check_end())
}

fn either<'a>(parsed: &'a Parsed, short: &str, long: &str) -> Option<&'a str> {
    parsed.value(short).or_else(|| parsed.value(long))
}

fn threshold(text: Option<&str>) -> Result<u64, CliError> {
    let text = text.unwrap_or("0");
    text.parse()
        .map_err(|_| CliError::usage(format!("{text:?} is no number")))
}

/// One of the two snapshots.
struct Side {
    tree: Tree,
    totals: Vec<Totals>,
    /// Znodes by level, each level sorted by path as Java compares strings.
    levels: Vec<Vec<usize>>,
}

impl Side {
    fn read(output: &Output, path: &Path) -> Result<Self, CliError> {
        let started = Instant::now();
        let tree = Tree::read(path, false)?;
        output.line(&format!(
            "Deserialized snapshot in {} in {:.6} seconds",
            file_name(path),
            started.elapsed().as_secs_f64()
        ));
        let started = Instant::now();
        let side = Self::of(tree);
        output.line(&format!(
            "Processed data tree in {:.6} seconds",
            started.elapsed().as_secs_f64()
        ));
        Ok(side)
    }

    fn of(tree: Tree) -> Self {
        let mut levels: Vec<Vec<usize>> = Vec::new();
        for (at, node) in tree.nodes.iter().enumerate() {
            let depth = node.path.matches('/').count();
            if levels.len() <= depth {
                levels.resize_with(depth + 1, Vec::new);
            }
            levels[depth].push(at);
        }
        let mut side = Self {
            totals: tree.totals(),
            tree,
            levels,
        };
        for level in &mut side.levels {
            level.sort_by(|&a, &b| java_order(&side.tree.nodes[a].path, &side.tree.nodes[b].path));
        }
        side
    }

    fn text(&self) -> String {
        let bytes = self.totals.first().map_or(0, |totals| totals.bytes);
        let mut text = format!(
            "Node count: {}\nTotal size: {bytes}\nMax depth: {}\n",
            self.tree.nodes.len(),
            self.levels.len()
        );
        for (depth, level) in self.levels.iter().enumerate() {
            let count = level.len();
            text.push_str(&format!("Count of nodes at depth {depth}: {count}\n"));
        }
        text
    }

    fn level(&self, depth: usize) -> &[usize] {
        self.levels.get(depth).map_or(&[], Vec::as_slice)
    }

    /// The children of `path`, sorted; `None` if it is not there.
    fn children(&self, path: &str) -> Option<Vec<usize>> {
        let nodes = &self.tree.nodes;
        let found = nodes.iter().find(|node| &*node.path == path)?;
        let mut children = found.children.clone();
        children.sort_by(|&a, &b| java_order(&nodes[a].path, &nodes[b].path));
        Some(children)
    }

    fn path(&self, at: usize) -> &str {
        &self.tree.nodes[at].path
    }
}

/// `String.compareTo`: by UTF-16 units.
fn java_order(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// What is worth a line.
struct Rules<'a> {
    output: &'a Output,
    bytes: u64,
    nodes: u64,
    debug: bool,
    is_interactive: bool,
}

impl Rules<'_> {
    fn all(&self, left: &Side, right: &Side) {
        self.announce();
        for depth in 0..left.levels.len().max(right.levels.len()) {
            self.depth(left, right, depth);
        }
    }

    fn announce(&self) {
        self.output.line(&format!(
            "Printing analysis for nodes difference larger than {} bytes or node count \
             difference larger than {}.",
            self.bytes, self.nodes
        ));
    }

    fn depth(&self, left: &Side, right: &Side, depth: usize) {
        self.output.line(&format!("Analysis for depth {depth}"));
        self.nodes(left, right, left.level(depth), right.level(depth));
    }

    /// Asks for a level or a path, until all levels were shown.
    fn ask(&self, left: &Side, right: &Side) -> Outcome {
        let deepest = left.levels.len().max(right.levels.len());
        let mut lines = std::io::stdin().lock().lines();
        let mut depth = 0;
        while depth < deepest {
            self.output.line(&format!("Current depth is {depth}"));
            self.output.line(QUESTION);
            self.output.flush();
            let Some(Ok(line)) = lines.next() else {
                return Err(CliError::new("No line found"));
            };
            self.announce();
            if line.is_empty() {
                self.depth(left, right, depth);
                depth += 1;
            } else if line.starts_with('/') {
                self.output.line(&format!("Analysis for node {line}"));
                self.subtree(left, right, &line);
            } else if let Ok(wanted) = line.parse::<i64>() {
                let range = format!("Depth must be in range [0, {}]", deepest - 1);
                match usize::try_from(wanted) {
                    Ok(wanted) if wanted < deepest => {
                        depth = wanted;
                        self.depth(left, right, depth);
                    }
                    _ => {
                        self.output.line(&range);
                        continue;
                    }
                }
            } else {
                self.output.line(&format!(
                    "Input {line} is not valid. Depth must be in range [0, {}]. Path must be an \
                     absolute path which starts with '/'.",
                    deepest - 1
                ));
            }
            self.output.line("");
        }
        Ok(())
    }

    fn subtree(&self, left: &Side, right: &Side, path: &str) {
        match (left.children(path), right.children(path)) {
            (None, None) => self.output.line(&format!(
                "Path {path} is neither found in left tree nor right tree."
            )),
            (of_left, of_right) => self.nodes(
                left,
                right,
                &of_left.unwrap_or_default(),
                &of_right.unwrap_or_default(),
            ),
        }
    }

    fn nodes(&self, left: &Side, right: &Side, mut of_left: &[usize], mut of_right: &[usize]) {
        loop {
            let order = match (of_left.first(), of_right.first()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(&a), Some(&b)) => self.order(left.path(a), right.path(b)),
            };
            if order.is_le() {
                if order.is_lt() {
                    self.only("left", left, of_left[0]);
                } else {
                    self.both(left, of_left[0], right, of_right[0]);
                }
                of_left = &of_left[1..];
            } else {
                self.only("right", right, of_right[0]);
            }
            if order.is_ge() {
                of_right = &of_right[1..];
            }
        }
    }

    fn order(&self, left: &str, right: &str) -> Ordering {
        let order = java_order(left, right);
        if self.debug {
            self.output.line(&format!("Comparing {left} to {right}"));
            self.output.line(match order {
                Ordering::Less => "left is less",
                Ordering::Greater => "right is less",
                Ordering::Equal => "same",
            });
        }
        order
    }

    fn only(&self, which: &str, side: &Side, at: usize) {
        let Totals { descendants, bytes } = side.totals[at];
        let path = side.path(at);
        if bytes > self.bytes || descendants > self.nodes {
            self.output.line(&format!(
                "Node {path} found only in {which} tree. Descendant size: {bytes}. Descendant \
                 count: {descendants}"
            ));
        } else if self.debug || self.is_interactive {
            let text = format!("Filtered {which} node {path} of size {bytes}");
            self.output.line(&text);
        }
    }

    fn both(&self, left: &Side, of_left: usize, right: &Side, of_right: usize) {
        let (before, after) = (left.totals[of_left], right.totals[of_right]);
        let path = left.path(of_left);
        let is_large = before.bytes.abs_diff(after.bytes) > self.bytes
            || before.descendants.abs_diff(after.descendants) > self.nodes;
        if is_large {
            let delta = |before: u64, after: u64| i128::from(after) - i128::from(before);
            self.output.line(&format!(
                "Node {path} found in both trees. Delta: {} bytes, {} descendants",
                delta(before.bytes, after.bytes),
                delta(before.descendants, after.descendants)
            ));
        } else if self.debug || self.is_interactive {
            self.output.line(&format!(
                "Filtered node {path} of left size {}, right size {}",
                before.bytes, after.bytes
            ));
        }
    }
}
