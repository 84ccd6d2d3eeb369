//! Which strings are paths of znodes, and how paths come apart.
//!
//! The rules are those of `PathUtils.validatePath`. Java counts UTF-16 units,
//! so every character beyond the Basic Multilingual Plane is refused: its
//! surrogates fall into the refused range.

use std::fmt;

/// Why a string is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// The path is "".
    Empty,
    /// It does not start with '/'.
    Relative,
    /// It ends with '/' and is not the root.
    TrailingSlash,
    /// A component is empty, at this byte.
    EmptyName(usize),
    /// A component is "." or "..", ending at this byte.
    RelativeName(usize),
    /// A character that no path may hold, at this byte.
    Character(char, usize),
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("path length must be > 0"),
            Self::Relative => f.write_str("path must start with / character"),
            Self::TrailingSlash => f.write_str("path must not end with / character"),
            Self::EmptyName(at) => write!(f, "empty node name specified @{at}"),
            Self::RelativeName(at) => write!(f, "relative paths not allowed @{at}"),
            Self::Character(c, at) => write!(f, "invalid character \\u{:04x} @{at}", *c as u32),
        }
    }
}

impl std::error::Error for PathError {}

/// Checks that `path` may name a znode.
pub fn validate(path: &str) -> Result<(), PathError> {
    let bytes = path.as_bytes();
    match bytes {
        [] => return Err(PathError::Empty),
        [b'/'] => return Ok(()),
        [b'/', .., b'/'] => return Err(PathError::TrailingSlash),
        [b'/', ..] => {}
        _ => return Err(PathError::Relative),
    }
    let mut start = 1;
    for (at, &byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            b'/' => {
                check_name(&bytes[start..at], at)?;
                start = at + 1;
            }
            0x20..0x7f => {}
            _ => return check_slowly(path),
        }
    }
    check_name(&bytes[start..], bytes.len())
}

fn check_name(name: &[u8], at: usize) -> Result<(), PathError> {
    match name {
        [] => Err(PathError::EmptyName(at)),
        b"." | b".." => Err(PathError::RelativeName(at)),
        _ => Ok(()),
    }
}

/// The same check for paths with characters beyond printable ASCII.
fn check_slowly(path: &str) -> Result<(), PathError> {
    let mut start = 1;
    for (at, c) in path.char_indices().skip(1) {
        if c == '/' {
            check_name(&path.as_bytes()[start..at], at)?;
            start = at + 1;
        } else if is_refused(c) {
            return Err(PathError::Character(c, at));
        }
    }
    check_name(&path.as_bytes()[start..], path.len())
}

const fn is_refused(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}'
            | '\u{10000}'..
    )
}

/// The path of the parent and the name, cut at the last slash. The parent of
/// "/a" is "" in this form, as Java's `substring` has it; see [`parent`].
#[must_use]
pub fn split(path: &str) -> Option<(&str, &str)> {
    path.rfind('/').map(|at| (&path[..at], &path[at + 1..]))
}

/// The path of the parent: "/" for "/a". `None` for the root and for what has
/// no slash.
#[must_use]
pub fn parent(path: &str) -> Option<&str> {
    if path == "/" {
        return None;
    }
    match split(path)? {
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_paths() {
        for path in [
            "/",
            "/a",
            "/a/b.c",
            "/..a/...",
            "/a b",
            "/\u{d7ff}",
            "/\u{f900}é",
            "/\u{ffef}",
        ] {
            assert_eq!(validate(path), Ok(()), "{path:?}");
        }
    }

    #[test]
    fn bad_paths() {
        for path in [
            "",
            "a",
            "a/b",
            "/a/",
            "//",
            "//a",
            "/a//b",
            "/.",
            "/..",
            "/./a",
            "/a/..",
            "/a/./b",
            "/é//b",
            "/é/..",
            "/\0",
            "/a\u{1}",
            "/\u{1f}",
            "/\u{7f}",
            "/\u{9f}",
            "/\u{e000}",
            "/\u{f8ff}",
            "/\u{fff0}",
            "/\u{fffd}",
            "/😀",
        ] {
            assert!(validate(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn parents() {
        assert_eq!(parent("/a/b"), Some("/a"));
        assert_eq!(parent("/a"), Some("/"));
        assert_eq!(parent("/"), None);
        assert_eq!(parent("a"), None);
        assert_eq!(split("/a/"), Some(("/a", "")));
    }
}
