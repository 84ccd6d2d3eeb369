//! A subtree as a drawing.

use super::{number, parse, path, tell_refused};
use crate::commands::{Context, Outcome, on};
use crate::crawl::{Crawl, Found, Wanted};
use crate::flags::{Flag, flag, value};
use crate::{json, paths};
use serde_json::json;
use std::collections::HashMap;

pub(super) const ARGUMENTS: &str = "[-L depth] [-s] [path]";
pub(super) const HELP: &str = "\
  -L depth   no deeper than this below the path
  -s         with bytes, versions and owners";
const FLAGS: &[Flag] = &[value("L"), flag("s")];

pub(super) async fn tree(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 0..=1)?;
    let root = path(context, &parsed, 0);
    let deepest = number(&parsed, "L", usize::MAX)?;
    let mut crawl = Crawl::new(context.client, &root, Wanted::default()).no_deeper(deepest);
    let found = crawl.all().await.map_err(on(&root))?;
    let found: HashMap<&str, &Found> = found.iter().map(|it| (it.path.as_str(), it)).collect();
    let mut drawing = Drawing {
        context,
        found: &found,
        with_stat: parsed.has("s"),
    };
    drawing.draw(&root);
    tell_refused(context, &crawl)
}

struct Drawing<'a> {
    context: &'a Context<'a>,
    found: &'a HashMap<&'a str, &'a Found>,
    with_stat: bool,
}

/// A znode that is to be drawn, with what stands before it.
struct Line {
    path: String,
    /// In front of the lines below it.
    indent: String,
    /// In front of its own.
    branch: String,
}

impl Drawing<'_> {
    /// Without recursion: depth costs memory only.
    fn draw(&mut self, root: &str) {
        let mut lines = vec![Line {
            path: root.to_owned(),
            indent: String::new(),
            branch: String::new(),
        }];
        while let Some(line) = lines.pop() {
            let Some(found) = self.found.get(line.path.as_str()) else {
                continue;
            };
            self.print(found, &line, root);
            let known = found
                .children
                .iter()
                .map(|name| paths::child(&line.path, name));
            let known: Vec<String> = known
                .filter(|it| self.found.contains_key(it.as_str()))
                .collect();
            let last = known.len().saturating_sub(1);
            for (at, path) in known.into_iter().enumerate().rev() {
                let (branch, below) = if at == last {
                    ("└── ", "    ")
                } else {
                    ("├── ", "│   ")
                };
                lines.push(Line {
                    path,
                    indent: format!("{}{below}", line.indent),
                    branch: format!("{}{branch}", line.indent),
                });
            }
        }
    }

    fn print(&self, found: &Found, line: &Line, root: &str) {
        let stat = &found.stat;
        if self.context.json {
            let stat = json::stat(stat);
            self.context
                .value(&json!({ "path": found.path, "stat": stat }));
            return;
        }
        let name = if found.path == root {
            root
        } else {
            paths::name(&found.path)
        };
        let owner = match stat.ephemeral_owner {
            0 => String::new(),
            owner => format!(", ephemeral of 0x{owner:x}"),
        };
        let more = match self.with_stat {
            true => format!(
                "  ({} B, version {}{owner})",
                stat.data_length, stat.version
            ),
            false => String::new(),
        };
        let branch = &line.branch;
        self.context.output.line(&format!("{branch}{name}{more}"));
    }
}
