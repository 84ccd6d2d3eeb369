//! Several writes, of which all happen or none.

use super::parse;
use super::txn_text::{self, Write};
use crate::commands::{Context, Outcome};
use crate::error::CliError;
use crate::flags::{Flag, value};
use crate::input;
use serde_json::json;
use zk_client::{Error, OpResult};

pub(super) const ARGUMENTS: &str = "-f file|- | write ; write ...";
pub(super) const HELP: &str = "\
  Writes are: create [-s] [-e] [-c] [-t ttl] path [data] [acl]
              set [-v version] path data
              delete [-v version] path
              check path version
  One a line in a file (# starts a comment), or as words with ; between them.
  In the shell, `txn` alone reads lines until `commit` or `abort`.";
const FLAGS: &[Flag] = &[value("f")];

pub(super) async fn txn(context: &Context<'_>, words: &[String]) -> Outcome {
    let writes = match words.get(1).map(String::as_str) {
        Some("-f" | "--file") => {
            let parsed = parse(FLAGS, words, 0..=0)?;
            let text = input::read(parsed.value("f").unwrap_or("-"))?;
            txn_text::parse(context, &String::from_utf8_lossy(&text))?
        }
        Some(_) => from_words(context, &words[1..])?,
        None => return Err(CliError::usage(super::help("txn").unwrap_or_default())),
    };
    run(context, &writes).await
}

/// Words with a `;` between writes, as a word of its own or behind one.
fn from_words(context: &Context<'_>, words: &[String]) -> Result<Vec<Write>, CliError> {
    let mut writes = vec![Vec::new()];
    for word in words {
        let (word, ends) = match word.strip_suffix(';') {
            Some(word) => (word, true),
            None => (word.as_str(), false),
        };
        if let (Some(write), false) = (writes.last_mut(), word.is_empty() && ends) {
            write.push(word.to_owned());
        }
        if ends {
            writes.push(Vec::new());
        }
    }
    let writes = writes.into_iter().filter(|words| !words.is_empty());
    // A whole line may have come as one word.
    let writes = writes.map(|words| match words.as_slice() {
        [line] => crate::words::split(line),
        _ => words,
    });
    writes
        .map(|words| txn_text::parse_words(context, words))
        .collect()
}

async fn run(context: &Context<'_>, writes: &[Write]) -> Outcome {
    let ops: Vec<_> = writes.iter().map(Write::op).collect();
    let results = context.client.multi(&ops).await;
    let results = results.map_err(|error| failure(&error, writes))?;
    if writes.iter().any(Write::is_ephemeral) {
        context.made_ephemerals.set(true);
    }
    for (write, result) in writes.iter().zip(&results) {
        print(context, &write.path, result);
    }
    Ok(())
}

fn print(context: &Context<'_>, path: &str, result: &OpResult) {
    let (done, path, version) = match result {
        OpResult::Created(path, stat) => ("Created", path.as_str(), Some(stat.version)),
        OpResult::DataSet(stat) => ("Set", path, Some(stat.version)),
        OpResult::Deleted => ("Deleted", path, None),
        OpResult::Checked => ("Checked", path, None),
    };
    match context.json {
        true => context.value(&json!({ "done": done, "path": path, "version": version })),
        false => context.output.line(&format!("{done} {path}")),
    }
}

/// Says which of the writes failed.
fn failure(error: &Error, writes: &[Write]) -> CliError {
    let of = CliError::of(error, "");
    match error {
        Error::Multi { index, .. } => {
            let text = writes.get(*index).map_or("", |write| &write.text);
            let message = format!("write {} ({text}): {}", index + 1, of.message);
            CliError { message, ..of }
        }
        _ => of,
    }
}
