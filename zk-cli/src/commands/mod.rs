//! The commands that need a session. Each takes its words, asks the server
//! and prints what Apache's shell prints; none knows of the others.

mod acls;
mod children;
mod create;
mod data;
mod delete;
mod ensemble;
mod hexdump;
mod identity;
mod quota;
mod quota_track;
mod watches;

use crate::error::CliError;
use crate::flags::{self, Flag, Parsed};
use crate::output::Output;
use crate::{args, stat_text, usage};
use std::cell::Cell;
use zk_client::{Client, Stat};

/// What a command works with.
pub(crate) struct Context<'a> {
    pub(crate) client: &'a Client,
    pub(crate) output: &'a Output,
    /// Set when the session made an ephemeral znode.
    pub(crate) made_ephemerals: &'a Cell<bool>,
}

type Outcome = Result<(), CliError>;

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
        _ => Ok(()),
    }
}

fn version(context: &Context<'_>, words: &[String]) -> Outcome {
    parse(&[], words, 1)?;
    if words.len() > 1 {
        return Err(CliError::new(usage::of("version")));
    }
    context.output.line(&args::version());
    Ok(())
}

/// Sorts a command's words, of which there must be `least` besides flags, the
/// name included.
fn parse(flags: &[Flag], words: &[String], least: usize) -> Result<Parsed, CliError> {
    let parsed = flags::parse(flags, words).map_err(CliError::new)?;
    match parsed.words.len() < least {
        true => Err(CliError::new(usage::of(&words[0]))),
        false => Ok(parsed),
    }
}

/// The same for commands that once took `path [watch]`: the third word counts
/// as `-w`.
fn parse_with_watch(flags: &[Flag], words: &[String], least: usize) -> Result<Watched, CliError> {
    let parsed = parse(flags, words, least)?;
    if parsed.words.len() <= 2 {
        let deprecated = false;
        return Ok(Watched { parsed, deprecated });
    }
    let mut words = words.to_vec();
    words[2] = "-w".to_owned();
    Ok(Watched {
        parsed: parse(flags, &words, least)?,
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
fn version_flag(parsed: &Parsed) -> Result<i32, CliError> {
    match parsed.value("v") {
        None => Ok(-1),
        Some(text) => text
            .parse()
            .map_err(|_| CliError::new("-v argument must be an int value")),
    }
}

/// The error of an operation on `path`.
fn on(path: &str) -> impl Fn(zk_client::Error) -> CliError + '_ {
    move |error| CliError::of(&error, path)
}

fn print_stat(context: &Context<'_>, stat: &Stat) {
    context.output.text(&stat_text::lines(stat));
}

/// Names as Java prints a list of them.
fn bracketed(names: &[String]) -> String {
    format!("[{}]", names.join(", "))
}
