//! Znodes by what their path and their Stat say.

use super::{number, parse, path, tell_refused};
use crate::commands::{Context, Outcome, on};
use crate::crawl::{Crawl, Wanted};
use crate::error::CliError;
use crate::flags::{Flag, Parsed, flag, value};
use crate::{json, paths};
use regex::Regex;
use serde_json::json;
use std::time::{Duration, SystemTime};
use zk_client::Stat;

pub(super) const ARGUMENTS: &str = "[path] [-name pattern] [-path regex] [-size +n|-n|n] [-type \
                                    e|p] [-empty] [-older s] [-newer s] [-L depth]";
pub(super) const HELP: &str = "\
  -name pattern  the name, with * for anything and ? for one character
  -path regex    a regular expression somewhere in the path
  -size n        n bytes of data; +n for more, -n for less
  -type e|p      ephemeral, or not
  -empty         no children and no data
  -older s       not changed for so many seconds
  -newer s       changed within so many seconds
  -L depth       no deeper than this below the path";
const FLAGS: &[Flag] = &[
    value("name"),
    value("path"),
    value("size"),
    value("type"),
    flag("empty"),
    value("older"),
    value("newer"),
    value("L"),
];

pub(super) async fn find(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 0..=1)?;
    let root = path(context, &parsed, 0);
    let rules = Rules::new(&parsed)?;
    let deepest = number(&parsed, "L", usize::MAX)?;
    let mut crawl = Crawl::new(context.client, &root, Wanted::default()).no_deeper(deepest);
    let mut matching = Vec::new();
    while let Some(found) = crawl.next().await.map_err(on(&root))? {
        let found = found.into_iter();
        matching.extend(found.filter(|it| rules.match_(&it.path, &it.stat)));
    }
    matching.sort_by(|a, b| a.path.cmp(&b.path));
    for found in &matching {
        match context.json {
            true => {
                let stat = json::stat(&found.stat);
                context.value(&json!({ "path": found.path, "stat": stat }));
            }
            false => context.output.line(&found.path),
        }
    }
    tell_refused(context, &crawl)
}

/// What a znode must be; a rule that was not given holds for all.
struct Rules {
    name: Option<Regex>,
    path: Option<Regex>,
    size: Option<(Option<char>, i32)>,
    is_ephemeral: Option<bool>,
    is_empty: bool,
    older: Option<i64>,
    newer: Option<i64>,
}

impl Rules {
    fn new(parsed: &Parsed) -> Result<Self, CliError> {
        let pattern = |text: &str| {
            Regex::new(text).map_err(|error| CliError::usage(format!("{text:?}: {error}")))
        };
        let is_ephemeral = match parsed.value("type") {
            None => None,
            Some("e") => Some(true),
            Some("p") => Some(false),
            Some(other) => return Err(CliError::usage(format!("-type {other}: e or p"))),
        };
        Ok(Self {
            name: parsed
                .value("name")
                .map(glob)
                .as_deref()
                .map(pattern)
                .transpose()?,
            path: parsed.value("path").map(pattern).transpose()?,
            size: parsed.value("size").map(size).transpose()?,
            is_ephemeral,
            is_empty: parsed.has("empty"),
            older: moment(parsed, "older")?,
            newer: moment(parsed, "newer")?,
        })
    }

    fn match_(&self, path: &str, stat: &Stat) -> bool {
        let length = stat.data_length;
        self.name
            .as_ref()
            .is_none_or(|name| name.is_match(paths::name(path)))
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(path))
            && self.size.is_none_or(|(sign, size)| match sign {
                Some('+') => length > size,
                Some(_) => length < size,
                None => length == size,
            })
            && self
                .is_ephemeral
                .is_none_or(|wanted| wanted == (stat.ephemeral_owner != 0))
            && (!self.is_empty || length == 0 && stat.num_children == 0)
            && self.older.is_none_or(|moment| stat.mtime < moment)
            && self.newer.is_none_or(|moment| stat.mtime >= moment)
    }
}

/// A pattern with `*` and `?` as a regular expression.
fn glob(pattern: &str) -> String {
    let parts = pattern.chars().map(|c| match c {
        '*' => ".*".to_owned(),
        '?' => ".".to_owned(),
        c => regex::escape(c.encode_utf8(&mut [0; 4])),
    });
    format!("(?s)^{}$", parts.collect::<String>())
}

fn size(text: &str) -> Result<(Option<char>, i32), CliError> {
    let sign = text.chars().next().filter(|c| matches!(c, '+' | '-'));
    let number = if sign.is_some() { &text[1..] } else { text };
    let number = number.parse();
    let number = number.map_err(|_| CliError::usage(format!("-size {text}: +n, -n or n")))?;
    Ok((sign, number))
}

/// So many seconds ago, in ms since 1970.
fn moment(parsed: &Parsed, flag: &str) -> Result<Option<i64>, CliError> {
    if !parsed.has(flag) {
        return Ok(None);
    }
    let ago = Duration::from_secs(number(parsed, flag, 0)?);
    let then = SystemTime::now().checked_sub(ago);
    let since = then.and_then(|then| then.duration_since(SystemTime::UNIX_EPOCH).ok());
    Ok(Some(since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        let matches = |pattern, name| Regex::new(&glob(pattern)).unwrap().is_match(name);
        assert!(matches("lock-*", "lock-0000000001"));
        assert!(matches("?.b", "a.b"));
        assert!(!matches("?.b", "acb"));
        assert!(!matches("lock", "locks"));
    }

    #[test]
    fn sizes_have_signs() {
        assert_eq!(size("+10").unwrap(), (Some('+'), 10));
        assert_eq!(size("7").unwrap(), (None, 7));
        assert!(size("x").is_err());
    }
}
