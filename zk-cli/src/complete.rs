//! What could stand at the end of a line: a command, a flag of it, a znode, a
//! file. Who has the names of znodes is asked elsewhere.

use crate::{more, offline, usage};

/// What would complete a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// One of these, from this byte on.
    Words(usize, Vec<String>),
    /// A child of `parent` whose name begins with `prefix`, from this byte on.
    Child {
        start: usize,
        parent: &'a str,
        prefix: &'a str,
    },
    /// The name of a file.
    File,
}

/// What is wanted behind `line`.
pub(crate) fn wanted(line: &str) -> Wanted<'_> {
    let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = &line[start..];
    let Some(command) = line[..start].split_whitespace().next() else {
        return Wanted::Words(start, beginning_with(word, commands()));
    };
    let before = line[..start].split_whitespace().last();
    if word.starts_with('-') {
        return Wanted::Words(start, beginning_with(word, flags(command)));
    }
    if command == "help" {
        return Wanted::Words(start, beginning_with(word, commands()));
    }
    if offline::knows(command) || before == Some("-f") {
        return Wanted::File;
    }
    let (parent, prefix) = match word.rfind('/') {
        Some(0) => ("/", &word[1..]),
        Some(at) => (&word[..at], &word[at + 1..]),
        None => (".", word),
    };
    Wanted::Child {
        start: line.len() - prefix.len(),
        parent,
        prefix,
    }
}

fn beginning_with(word: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.filter(|name| name.starts_with(word)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn commands() -> impl Iterator<Item = String> {
    let names = usage::names()
        .chain(more::names())
        .chain(offline::NAMES.iter().copied());
    names.map(str::to_owned)
}

/// Whatever in the text of a command's usage begins with a dash.
fn flags(command: &str) -> impl Iterator<Item = String> {
    let mut text = more::help(command).unwrap_or_default();
    if usage::exists(command) {
        text = usage::of(command) + " " + usage::more(command);
    }
    if offline::knows(command) {
        text = offline::usage(command).to_owned();
    }
    let words = text.split(|c: char| c.is_whitespace() || "[]|(),".contains(c));
    let flags: Vec<String> = words
        .filter(|word| word.len() > 1 && word.starts_with('-'))
        .map(str::to_owned)
        .collect();
    flags.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        match wanted(line) {
            Wanted::Words(_, words) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commands_and_flags_are_completed() {
        assert_eq!(words("getA"), ["getAcl", "getAllChildrenNumber"]);
        assert_eq!(words("  exp"), ["export"]);
        assert_eq!(words("help wa"), ["watch"]);
        assert_eq!(
            words("import --"),
            ["--dry-run", "--no-acl", "--overwrite", "--skip"]
        );
        let flags = words("create -");
        for flag in ["-s", "-e", "-c", "-t", "-p"] {
            assert!(flags.iter().any(|found| found == flag), "{flag}: {flags:?}");
        }
    }

    #[test]
    fn znodes_are_asked_for_by_their_parent() {
        let child = |start, parent, prefix| Wanted::Child {
            start,
            parent,
            prefix,
        };
        assert_eq!(wanted("get /"), child(5, "/", ""));
        assert_eq!(wanted("get /a/bc"), child(7, "/a", "bc"));
        assert_eq!(wanted("ls b"), child(3, ".", "b"));
        assert_eq!(wanted("ls -s x/"), child(8, "x", ""));
        assert_eq!(wanted("snapshot dump sn"), Wanted::File);
    }
}
