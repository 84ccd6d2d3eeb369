//! Rules about single files: module docs, unfinished code, `unsafe`, size, machine paths.

use super::Finding;
use super::sources::Source;

/// A longer file holds more than one concept.
const LINES_MAX: usize = 700;

/// The only file with `unsafe`: a memory map cannot be made without it.
const UNSAFE_FILE: &str = "zk-log/src/storage/mmap.rs";

/// What says that code is not done, or a test not run.
const UNFINISHED: [&str; 3] = ["todo!(", "unimplemented!(", "#[ignore"];

/// Directories of the machines this was written on, split so that this file does not name them.
const MACHINE: [&str; 2] = [concat!("/wo", "rk/"), concat!("/fa", "rm/")];

/// The rules for a Rust file.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(module_doc(source));
    findings.extend(size(source));
    findings.extend(unfinished(source));
    findings.extend(unsafe_code(source));
    findings
}

/// The rule for every file: it must mean the same on another machine.
pub(super) fn machine_paths(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate();
    let findings = lines.filter_map(|(at, line)| {
        let path = MACHINE.iter().find(|path| begins_a_path(line, path))?;
        let message = format!("names `{path}`, a directory of one machine");
        Some(Finding::new(&source.path, at + 1, message))
    });
    findings.collect()
}

/// Whether the needle stands at the start of an absolute path, not inside a longer one.
fn begins_a_path(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.}".contains(c))
    })
}

fn module_doc(source: &Source) -> Option<Finding> {
    let opens = source.text.starts_with("//!");
    (!opens).then(|| {
        let message = "opens without `//!`: say what the module is for and what it refuses to know";
        Finding::new(&source.path, 1, message)
    })
}

fn size(source: &Source) -> Option<Finding> {
    let lines = source.text.lines().count();
    (lines > LINES_MAX).then(|| {
        let message = format!("{lines} lines, more than {LINES_MAX}: split it by concept");
        Finding::new(&source.path, 0, message)
    })
}

fn unfinished(source: &Source) -> Vec<Finding> {
    let lines = source.code.lines().enumerate();
    let findings = lines.filter_map(|(at, line)| {
        let marker = UNFINISHED.iter().find(|marker| line.contains(**marker))?;
        let message = format!("`{marker}` must not be committed: finish it or leave it out");
        Some(Finding::new(&source.path, at + 1, message))
    });
    findings.collect()
}

fn unsafe_code(source: &Source) -> Vec<Finding> {
    if source.path == UNSAFE_FILE {
        return Vec::new();
    }
    let lines = source.code.lines().enumerate();
    let findings = lines.filter(|(_, line)| words(line).any(|word| word == "unsafe"));
    let message = format!("`unsafe` is allowed in {UNSAFE_FILE} only");
    findings
        .map(|(at, _)| Finding::new(&source.path, at + 1, &message))
        .collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn lines(text: &str) -> Vec<usize> {
        let source = Source::new("zk-log/src/a.rs".to_owned(), text.to_owned());
        let findings = check(&source).into_iter().chain(machine_paths(&source));
        findings.map(|finding| finding.line).collect()
    }

    #[test]
    fn a_file_that_follows_the_rules_has_no_finding() {
        let text = "//! A module.\n#![deny(unsafe_code)]\n// todo!() and unsafe\nfn f() {}\n";
        assert!(lines(text).is_empty());
    }

    #[test]
    fn each_rule_names_the_line() {
        assert_eq!(lines("fn f() {}\n"), [1]);
        assert_eq!(lines("//! A.\nfn f() { todo!() }\n"), [2]);
        assert_eq!(lines("//! A.\n\n#[ignore = \"slow\"]\nfn f() {}\n"), [3]);
        assert_eq!(lines("//! A.\nunsafe fn f() {}\n"), [2]);
        assert_eq!(lines(&"//! A.\n".repeat(701)), [0]);
    }

    #[test]
    fn machine_paths_are_found_at_the_start_of_a_path() {
        let path = MACHINE[0];
        assert_eq!(lines(&format!("//! A.\n// see {path}main\n")), [2]);
        assert!(lines(&format!("//! A.\n// see target{path}main\n")).is_empty());
    }

    #[test]
    fn the_memory_map_may_be_unsafe() {
        let source = Source::new(UNSAFE_FILE.to_owned(), "//! A.\nunsafe {}\n".to_owned());
        assert!(check(&source).is_empty());
    }
}
