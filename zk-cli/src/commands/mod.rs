//! The commands that need a session. Each takes its words, asks the server
//! and prints what Apache's shell prints; none knows of the others.

mod acls;
mod children;
pub(crate) mod create;
mod data;
mod delete;
mod ensemble;
mod hexdump;
mod identity;
mod quota;
mod quota_track;
mod watches;

use crate::args::Args;
use crate::error::CliError;
use crate::flags::{self, Flag, Parsed};
use crate::output::Output;
use crate::{args, more, paths, stat_text, usage};
use serde_json::{Value, json};
use std::cell::Cell;
use zk_client::{Client, Stat};

/// What a command works with.
pub(crate) struct Context<'a> {
    pub(crate) client: &'a Client,
    pub(crate) output: &'a Output,
    /// How this program was called, for sessions elsewhere.
    pub(crate) args: &'a Args,
    /// Where `cd` went, if it went anywhere.
    pub(crate) directory: Option<&'a str>,
    /// Whether results are wanted as JSON.
    pub(crate) json: bool,
    /// Set when the session made an ephemeral znode.
    pub(crate) made_ephemerals: &'a Cell<bool>,
}

impl Context<'_> {
    /// Prints a result, as JSON.
    pub(crate) fn value(&self, value: &Value) {
        self.output.line(&value.to_string());
    }

    /// The absolute path that a word means.
    pub(crate) fn path(&self, word: &str) -> String {
        paths::resolve(self.directory, word)
    }
}

pub(crate) type Outcome = Result<(), CliError>;

/// Commands whose first word is the path of a znode.
const WITH_PATH: &[&str] = &[
    "addWatch",
    "create",
    "delete",
    "deleteall",
    "delquota",
    "get",
    "getAcl",
    "getAllChildrenNumber",
    "getEphemerals",
    "listquota",
    "ls",
    "removewatches",
    "set",
    "setAcl",
    "setquota",
    "stat",
    "sync",
];

/// Runs the command that `words` start with. Those that are not of the
/// session are done already, and pass.
pub(crate) async fn run(context: &Context<'_>, words: &[String]) -> Outcome {
    match words[0].as_str() {
        "addWatch" => watches::add(context, words).await,
        "addauth" => identity::add_auth(context, words).await,
        "close" => identity::close(context).await,
        "config" => ensemble::config(context, words).await,
        "create" => create::create(context, words).await,
        "delete" => delete::delete(context, words).await,
        "deleteall" => delete::delete_all(context, words).await,
        "delquota" => quota::delete(context, words).await,
        "get" => data::get(context, words).await,
        "getAcl" => acls::get(context, words).await,
        "getAllChildrenNumber" => children::count(context, words).await,
        "getEphemerals" => children::ephemerals(context, words).await,
        "listquota" => quota::list(context, words).await,
        "ls" => children::ls(context, words).await,
        "reconfig" => ensemble::reconfig(context, words).await,
        "removewatches" => watches::remove(context, words).await,
        "set" => data::set(context, words).await,
        "setAcl" => acls::set(context, words).await,
        "setquota" => quota::set(context, words).await,
        "stat" => data::stat(context, words).await,
        "sync" => ensemble::sync(context, words).await,
        "version" => version(context, words),
        "whoami" => identity::who_am_i(context).await,
        name if more::knows(name) => more::run(context, words).await,
        _ => Ok(()),
    }
}

fn version(context: &Context<'_>, words: &[String]) -> Outcome {
    parse(context, &[], words, 1)?;
    if words.len() > 1 {
        return Err(CliError::new(usage::of("version")));
    }
    match context.json {
        true => context.value(&json!({ "version": env!("CARGO_PKG_VERSION") })),
        false => context.output.line(&args::version()),
    }
    Ok(())
}

/// Sorts a command's words, of which there must be `least` besides flags, the
/// name included.
pub(crate) fn parse(
    context: &Context<'_>,
    flags: &[Flag],
    words: &[String],
    least: usize,
) -> Result<Parsed, CliError> {
    let mut parsed = flags::parse(flags, words).map_err(CliError::usage_of_apache)?;
    let name = words[0].as_str();
    if WITH_PATH.contains(&name) {
        match parsed.words.get_mut(1) {
            Some(path) => *path = context.path(path),
            None if name == "ls" => parsed.words.extend(context.directory.map(str::to_owned)),
            None => {}
        }
    }
    match parsed.words.len() < least {
        true => Err(CliError::usage_of_apache(usage::of(name))),
        false => Ok(parsed),
    }
}

/// The same for commands that once took `path [watch]`: the third word counts
/// as `-w`.
fn parse_with_watch(
    context: &Context<'_>,
    flags: &[Flag],
    words: &[String],
    least: usize,
) -> Result<Watched, CliError> {
    let parsed = parse(context, flags, words, least)?;
    if parsed.words.len() <= 2 {
        let deprecated = false;
        return Ok(Watched { parsed, deprecated });
    }
    let mut words = words.to_vec();
    words[2] = "-w".to_owned();
    Ok(Watched {
        parsed: parse(context, flags, &words, least)?,
        deprecated: true,
    })
}

/// Words of a command, and whether they were in a form of old.
struct Watched {
    parsed: Parsed,
    deprecated: bool,
}

impl Watched {
    /// The words; says on standard error how to write them today.
    fn tell(self, context: &Context<'_>, old: &str, new: &str) -> Parsed {
        if self.deprecated {
            context.output.error(&format!(
                "'{old}' has been deprecated. Please use '{new}' instead."
            ));
        }
        self.parsed
    }
}

/// The number behind `-v`, or -1 for any version.
pub(crate) fn version_flag(parsed: &Parsed) -> Result<i32, CliError> {
    match parsed.value("v") {
        None => Ok(-1),
        Some(text) => text
            .parse()
            .map_err(|_| CliError::new("-v argument must be an int value")),
    }
}

/// The error of an operation on `path`.
pub(crate) fn on(path: &str) -> impl Fn(zk_client::Error) -> CliError + '_ {
    move |error| CliError::of(&error, path)
}

fn print_stat(context: &Context<'_>, stat: &Stat) {
    context.output.text(&stat_text::lines(stat));
}

/// Names as Java prints a list of them.
fn bracketed(names: &[String]) -> String {
    format!("[{}]", names.join(", "))
}
