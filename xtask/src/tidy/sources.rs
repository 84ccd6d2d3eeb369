//! The files that rules look at: what git tracks or would track.
//!
//! Untracked files that are not ignored count too, so that a rule speaks before the commit.

use std::path::Path;
use std::process::Command;

use super::lexer;
use crate::error::{Error, Result};
use crate::sh;

/// A file of the repository.
pub(super) struct Source {
    /// From the repository's root, with forward slashes.
    pub(super) path: String,
    /// The text; a file that is not UTF-8 has its foreign bytes replaced.
    pub(super) text: String,
    /// For Rust: the text with comments and literals blanked, line by line where it was.
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(path: String, text: String) -> Self {
        let rust = path.ends_with(".rs");
        let code = if rust {
            lexer::blank(&text)
        } else {
            String::new()
        };
        Self { path, text, code }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Reads every file that git tracks, and those it would if they were added.
pub(super) fn tracked(root: &Path) -> Result<Vec<Source>> {
    let mut git = Command::new("git");
    git.current_dir(root);
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listing = sh::read(&mut git)?;
    let paths = listing.split('\0').filter(|path| !path.is_empty());
    paths
        .filter_map(|path| read(root, path).transpose())
        .collect()
}

/// `None` for a file that is tracked but was deleted, and for what is not a file.
fn read(root: &Path, path: &str) -> Result<Option<Source>> {
    let file = root.join(path);
    if !file.is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(&file).map_err(|source| Error::io("read", &file, source))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Some(Source::new(path.to_owned(), text)))
}
