//! Which strings are paths of znodes, and how paths come apart.
//!
//! The rules are those of `PathUtils.validatePath`. Java counts UTF-16 units,
//! so every character beyond the Basic Multilingual Plane is refused: its
//! surrogates fall into the refused range.

use std::fmt;

/// Why a string is no path. Positions count UTF-16 units, as in Java.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// The path is "".
    Empty,
    /// It does not start with '/'.
    Relative,
    /// It ends with '/' and is not the root.
    TrailingSlash,
    /// A component is empty: its closing slash stands here.
    EmptyName(usize),
    /// A component is "." or "..": its last dot stands here.
    RelativeName(usize),
    /// A character that no path may hold stands here.
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
            Self::Character('\0', at) => write!(f, "null character not allowed @{at}"),
            Self::Character(_, at) => write!(f, "invalid character @{at}"),
        }
    }
}

impl std::error::Error for PathError {}

impl PathError {
    /// The message of Java's exception for `path`, as its shell prints it.
    #[must_use]
    pub fn java_message(&self, path: &str) -> String {
        match self {
            Self::Empty | Self::Relative | Self::TrailingSlash => {
                self.to_string().replacen('p', "P", 1)
            }
            _ => format!("Invalid path string \"{path}\" caused by {self}"),
        }
    }
}

/// Checks that `path` may name a znode.
#[inline]
pub fn validate(path: &str) -> Result<(), PathError> {
    if is_plain(path.as_bytes()) {
        return Ok(());
    }
    examine(path)
}

/// Checks that `path` with a sequence number behind it may name a znode: it
/// may be a parent's path and a slash.
pub fn validate_sequential(path: &str) -> Result<(), PathError> {
    validate(&format!("{path}1"))
}

/// Whether these are printable ASCII with a slash in front, none at the end,
/// and no name that is empty or starts with a dot: surely a path. One pass
/// without branches, so that it is vectorised.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let [b'/', rest @ ..] = bytes else {
        return false;
    };
    let odd = bytes.iter().zip(rest).fold(false, |odd, (&before, &byte)| {
        let unprintable = byte.wrapping_sub(0x20) >= 0x5f;
        let odd_name = (before == b'/') & ((byte == b'/') | (byte == b'.'));
        odd | unprintable | odd_name
    });
    !odd && (rest.is_empty() || bytes.last() != Some(&b'/'))
}

/// The whole check, in the order in which Java finds faults.
#[cold]
fn examine(path: &str) -> Result<(), PathError> {
    match path.as_bytes() {
        [] => return Err(PathError::Empty),
        [b'/'] => return Ok(()),
        [b'/', .., b'/'] => return Err(PathError::TrailingSlash),
        [b'/', ..] => {}
        _ => return Err(PathError::Relative),
    }
    let (mut name, mut unit) = (1, 1);
    for (at, c) in path.char_indices().skip(1) {
        if c == '/' {
            check_name(&path[name..at], unit)?;
            name = at + 1;
        } else if is_refused(c) {
            return Err(PathError::Character(c, unit));
        }
        unit += c.len_utf16();
    }
    check_name(&path[name..], unit)
}

/// Checks the component that ends before the UTF-16 unit `end`.
fn check_name(name: &str, end: usize) -> Result<(), PathError> {
    match name {
        "" => Err(PathError::EmptyName(end)),
        "." | ".." => Err(PathError::RelativeName(end - 1)),
        _ => Ok(()),
    }
}

const fn is_refused(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..
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
            "/a./.b",
            "/..a/...",
            "/a/..b/c",
            "/\u{a0}",
            "/a b",
            "/\u{d7ff}",
            "/\u{f900}é",
            "/\u{ffef}",
        ] {
            assert_eq!(validate(path), Ok(()), "{path:?}");
        }
    }

    /// Paths and the message of `PathUtils.validatePath`.
    #[test]
    fn bad_paths_are_told_as_java_tells_them() {
        let cases = [
            ("", "Path length must be > 0"),
            ("a", "Path must start with / character"),
            ("a/b/", "Path must start with / character"),
            ("/a/", "Path must not end with / character"),
            ("//", "Path must not end with / character"),
            ("/a/./", "Path must not end with / character"),
            ("//a", "empty node name specified @1"),
            ("/a//b", "empty node name specified @3"),
            ("/é//b", "empty node name specified @3"),
            ("/.", "relative paths not allowed @1"),
            ("/..", "relative paths not allowed @2"),
            ("/./a", "relative paths not allowed @1"),
            ("/../a", "relative paths not allowed @2"),
            ("/a/./b", "relative paths not allowed @3"),
            ("/a/../b", "relative paths not allowed @4"),
            ("/é/..", "relative paths not allowed @4"),
            ("/éx/../y", "relative paths not allowed @5"),
            ("/é/./\u{1}", "relative paths not allowed @3"),
            ("/\0", "null character not allowed @1"),
            ("/a\0b", "null character not allowed @2"),
            ("/a\u{1}", "invalid character @2"),
            ("/a/.\u{1}", "invalid character @4"),
            ("/\u{1f}", "invalid character @1"),
            ("/\u{7f}", "invalid character @1"),
            ("/\u{9f}", "invalid character @1"),
            ("/\u{e000}", "invalid character @1"),
            ("/\u{f8ff}", "invalid character @1"),
            ("/\u{fff0}", "invalid character @1"),
            ("/\u{fffd}", "invalid character @1"),
            ("/é😀", "invalid character @2"),
            ("/a/b😀/..", "invalid character @4"),
        ];
        for (path, expected) in cases {
            let message = validate(path).unwrap_err().java_message(path);
            match expected.strip_prefix("Path") {
                Some(_) => assert_eq!(message, expected),
                None => assert_eq!(
                    message,
                    format!("Invalid path string \"{path}\" caused by {expected}")
                ),
            }
        }
    }

    #[test]
    fn a_sequence_number_completes_a_name() {
        for path in ["/", "/a/", "/a/.", "/a/..", "/a"] {
            assert_eq!(validate_sequential(path), Ok(()), "{path}");
        }
        for path in ["", "a", "//", "/a//", "/./"] {
            assert!(validate_sequential(path).is_err(), "{path}");
        }
    }

    /// The quick check only ever says yes where the slow one does.
    #[test]
    fn both_checks_agree() {
        let letters = ["/", ".", "a", "\u{1f}", " ", "~", "\u{7f}", "é"];
        for mut number in 0..letters.len().pow(5) {
            let mut path = String::from("/");
            while number > 0 {
                path.push_str(letters[number % letters.len()]);
                number /= letters.len();
            }
            assert_eq!(validate(&path), examine(&path), "{path:?}");
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
