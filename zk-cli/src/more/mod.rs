//! Commands that Apache's shell has not. Their output is for people and for
//! other programs alike: results on standard output and nothing else there,
//! `-o json` for those that read.

pub(crate) mod archive_file;
mod bench;
mod cp;
mod diff;
mod du;
mod edit;
mod export;
mod find;
mod grep;
mod import;
mod place;
mod progress;
mod top;
mod transfer;
mod tree;
mod txn;
mod txn_text;
mod watch;

use crate::commands::{Context, Outcome};
use crate::crawl::Crawl;
use crate::error::{CliError, kind};
use crate::flags::{self, Flag, Parsed};

/// A command: its name, its arguments, what it does, and what `help` adds.
type Entry = (&'static str, &'static str, &'static str, &'static str);

const COMMANDS: &[Entry] = &[
    (
        "bench",
        bench::ARGUMENTS,
        "measure create, get, set and delete",
        bench::HELP,
    ),
    ("cd", "[path]", "relative paths start here from now on", ""),
    (
        "cp",
        cp::ARGUMENTS,
        "copy znodes, also to and from other ensembles",
        cp::HELP,
    ),
    (
        "diff",
        diff::ARGUMENTS,
        "where two subtrees differ",
        diff::HELP,
    ),
    (
        "du",
        du::ARGUMENTS,
        "znodes and bytes below each znode",
        du::HELP,
    ),
    (
        "edit",
        edit::ARGUMENTS,
        "change data in an editor",
        edit::HELP,
    ),
    (
        "export",
        export::ARGUMENTS,
        "write a subtree to an archive",
        export::HELP,
    ),
    (
        "find",
        find::ARGUMENTS,
        "znodes by name, size, kind or age",
        find::HELP,
    ),
    (
        "grep",
        grep::ARGUMENTS,
        "znodes whose data match",
        grep::HELP,
    ),
    (
        "help",
        "[command]",
        "how a command is written, and what its flags do",
        "",
    ),
    (
        "import",
        import::ARGUMENTS,
        "create a subtree from an archive",
        import::HELP,
    ),
    ("pwd", "", "where relative paths start", ""),
    (
        "top",
        top::ARGUMENTS,
        "the largest znodes, and those with most children",
        top::HELP,
    ),
    (
        "tree",
        tree::ARGUMENTS,
        "a subtree as a drawing",
        tree::HELP,
    ),
    (
        "txn",
        txn::ARGUMENTS,
        "several writes, all or none",
        txn::HELP,
    ),
    (
        "watch",
        watch::ARGUMENTS,
        "follow the changes of a subtree",
        watch::HELP,
    ),
];

/// Whether this is one of the commands here.
pub(crate) fn knows(name: &str) -> bool {
    COMMANDS.iter().any(|entry| entry.0 == name)
}

/// Names of all of them, sorted.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|entry| entry.0)
}

/// A line for each.
pub(crate) fn all() -> String {
    let lines = COMMANDS
        .iter()
        .map(|(name, _, what, _)| format!("\t{name:<8}{what}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// How one is written, with its flags.
pub(crate) fn help(name: &str) -> Option<String> {
    let (name, arguments, what, more) = COMMANDS.iter().find(|entry| entry.0 == name)?;
    let more = match more.trim_start() {
        "" => String::new(),
        more => format!("\n  {more}"),
    };
    Some(format!("{name} {arguments}\n  {what}{more}"))
}

/// Runs one. Those of the shell itself, `cd` and the like, are done already.
pub(crate) async fn run(context: &Context<'_>, words: &[String]) -> Outcome {
    match words[0].as_str() {
        "bench" => bench::bench(context, words).await,
        "cp" => cp::cp(context, words).await,
        "diff" => diff::diff(context, words).await,
        "du" => du::du(context, words).await,
        "edit" => edit::edit(context, words).await,
        "export" => export::export(context, words).await,
        "find" => find::find(context, words).await,
        "grep" => grep::grep(context, words).await,
        "import" => import::import(context, words).await,
        "top" => top::top(context, words).await,
        "tree" => tree::tree(context, words).await,
        "txn" => txn::txn(context, words).await,
        "watch" => watch::watch(context, words).await,
        _ => Ok(()),
    }
}

/// Sorts a command's words, of which there must be as many besides flags as
/// `wanted` says, the name not counted.
fn parse(
    flags: &[Flag],
    words: &[String],
    wanted: std::ops::RangeInclusive<usize>,
) -> Result<Parsed, CliError> {
    let help = || help(&words[0]).unwrap_or_default();
    let mut parsed = flags::parse(flags, words)
        .map_err(|error| CliError::usage(format!("{error}\n{}", help())))?;
    parsed.words.remove(0);
    match wanted.contains(&parsed.words.len()) {
        true => Ok(parsed),
        false => Err(CliError::usage(help())),
    }
}

/// The path that the only word means; without one that of the shell.
fn path(context: &Context<'_>, parsed: &Parsed, at: usize) -> String {
    let word = parsed.words.get(at).map(String::as_str);
    word.or(context.directory)
        .map_or("/".to_owned(), |word| context.path(word))
}

/// The number behind a flag.
fn number<T: std::str::FromStr>(parsed: &Parsed, flag: &str, default: T) -> Result<T, CliError> {
    match parsed.value(flag) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| CliError::usage(format!("-{flag} {text}: not a number that fits"))),
    }
}

/// Says which znodes could not be read; that is a failure in the end.
fn tell_refused(context: &Context<'_>, crawl: &Crawl) -> Outcome {
    for path in crawl.refused() {
        context
            .output
            .error(&format!("Insufficient permission : {path}"));
    }
    match crawl.refused().len() {
        0 => Ok(()),
        count => Err(CliError {
            kind: kind::NO_AUTH,
            ..CliError::new(format!("{count} znode(s) not read"))
        }),
    }
}
