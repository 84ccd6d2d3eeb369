//! Znodes by what their data say.

use super::{parse, path, tell_refused};
use crate::commands::{Context, Outcome, on};
use crate::crawl::{Crawl, Wanted};
use crate::error::{CliError, kind};
use crate::flags::{Flag, flag};
use regex::bytes::{Regex, RegexBuilder};
use serde_json::json;

pub(super) const ARGUMENTS: &str = "[-i] [-l] [-F] pattern [path]";
pub(super) const HELP: &str = "\
  -i   upper and lower case are the same
  -l   paths only, no lines
  -F   the pattern is text, not a regular expression
  Exits with 1 if nothing matches.";
const FLAGS: &[Flag] = &[flag("i"), flag("l"), flag("F")];

pub(super) async fn grep(context: &Context<'_>, words: &[String]) -> Outcome {
    let parsed = parse(FLAGS, words, 1..=2)?;
    let pattern = match parsed.has("F") {
        true => regex::escape(&parsed.words[0]),
        false => parsed.words[0].clone(),
    };
    let pattern = RegexBuilder::new(&pattern)
        .case_insensitive(parsed.has("i"))
        .build()
        .map_err(|error| CliError::usage(error.to_string()))?;
    let root = path(context, &parsed, 1);
    let wanted = Wanted {
        data: true,
        ..Wanted::default()
    };
    let mut crawl = Crawl::new(context.client, &root, wanted);
    let mut matches = 0u64;
    while let Some(found) = crawl.next().await.map_err(on(&root))? {
        for found in found {
            let data = found.data.as_deref().unwrap_or_default();
            matches += print(context, &pattern, &found.path, data, parsed.has("l"));
        }
    }
    tell_refused(context, &crawl)?;
    match matches {
        0 => Err(CliError::silent(kind::FAILED)),
        _ => Ok(()),
    }
}

/// Prints the lines that match; answers how many there were.
fn print(context: &Context<'_>, pattern: &Regex, path: &str, data: &[u8], only_path: bool) -> u64 {
    let mut count = 0;
    for (at, line) in data.split(|&byte| byte == b'\n').enumerate() {
        if !pattern.is_match(line) {
            continue;
        }
        count += 1;
        let text = String::from_utf8_lossy(line);
        match (only_path, context.json) {
            (true, false) => context.output.line(path),
            (false, false) => context.output.line(&format!("{path}: {text}")),
            (true, true) => context.value(&json!({ "path": path })),
            (false, true) => {
                context.value(&json!({ "path": path, "line": at + 1, "text": text }));
            }
        }
        if only_path {
            break;
        }
    }
    count
}
