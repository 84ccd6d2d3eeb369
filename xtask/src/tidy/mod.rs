//! `cargo xtask tidy`: the repository's own rules, each a file here.
//!
//! A rule reads tracked files (and cargo's metadata) and returns findings that name a file and a
//! line. Rules know nothing of each other. They also run as a test of this crate, so that plain
//! `cargo test` enforces them.

mod crates;
mod layering;
mod lexer;
mod paths;
mod purity;
mod sources;
mod text;

use std::fmt;

use crate::error::{Error, Result};
use crate::workspace::Workspace;

use sources::Source;

/// Checks every rule and prints what breaks one.
pub(crate) fn run() -> Result<()> {
    let findings = check(&Workspace::load()?)?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: every rule holds");
        return Ok(());
    }
    Err(Error::wrong(format!("{} findings", findings.len())))
}

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// From the repository's root, with forward slashes.
    path: String,
    /// Counted from 1; 0 when the finding is about the file as a whole.
    line: usize,
    /// The rule and what to do.
    message: String,
}

impl Finding {
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let sources = sources::tracked(&workspace.root)?;
    let mut findings = layering::check(workspace)?;
    findings.extend(crates::check(workspace));
    findings.extend(sources.iter().flat_map(check_source));
    findings.sort();
    Ok(findings)
}

fn check_source(source: &Source) -> Vec<Finding> {
    let mut findings = text::machine_paths(source);
    if source.is_rust() {
        findings.extend(text::check(source));
        findings.extend(purity::check(source));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let findings = check(&Workspace::load().unwrap()).unwrap();
        let shown: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(shown.is_empty(), "{}", shown.join("\n"));
    }
}
