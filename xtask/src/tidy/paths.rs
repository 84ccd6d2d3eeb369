//! The paths that Rust code names, with `use` trees written out.

/// A path such as `std::fs::read`, and the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedPath {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

/// Every path in code whose comments and literals are blanked.
pub(super) fn named(code: &str) -> Vec<NamedPath> {
    let tokens = tokens(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = if tokens[at].text == "use" {
            use_statement(&tokens, at + 1, &mut paths)
        } else {
            inline(&tokens, at, &mut paths)
        };
    }
    paths
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    line: usize,
    /// A word, `::`, or one other character.
    text: &'a str,
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = token_length(rest, first);
            tokens.push(Token {
                line: number + 1,
                text: &rest[..length],
            });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

fn token_length(rest: &str, first: char) -> usize {
    if is_word(first) {
        return rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    }
    if rest.starts_with("::") {
        2
    } else {
        first.len_utf8()
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads a `use` tree; returns where the statement ended.
fn use_statement(tokens: &[Token<'_>], start: usize, paths: &mut Vec<NamedPath>) -> usize {
    let mut tree = UseTree::default();
    for (at, token) in tokens.iter().enumerate().skip(start) {
        paths.extend(tree.step(token));
        if token.text == ";" {
            return at + 1;
        }
    }
    tokens.len()
}

/// A `use` tree half read.
#[derive(Default)]
struct UseTree {
    /// The path so far.
    segments: Vec<String>,
    /// How much of the path each open brace began with.
    open: Vec<usize>,
    /// Whether the path so far is a leaf that was not yet handed out.
    leaf: bool,
    /// Whether the next word is a new name and not part of the path.
    renamed: bool,
}

impl UseTree {
    fn step(&mut self, token: &Token<'_>) -> Option<NamedPath> {
        match token.text {
            "{" => self.open.push(self.segments.len()),
            "," => return self.end_leaf(token.line, self.open.last().copied()),
            "}" | ";" => {
                let kept = self.open.pop();
                return self.end_leaf(token.line, kept);
            }
            "as" => self.renamed = true,
            "::" => self.leaf = false,
            word if !self.renamed => {
                self.segments.push(word.to_owned());
                self.leaf = true;
            }
            _ => {}
        }
        None
    }

    /// Hands out a finished leaf and goes back to the first `kept` segments.
    fn end_leaf(&mut self, line: usize, kept: Option<usize>) -> Option<NamedPath> {
        let segments = self.segments.clone();
        self.segments.truncate(kept.unwrap_or(0));
        self.renamed = false;
        std::mem::take(&mut self.leaf).then_some(NamedPath { line, segments })
    }
}

/// Reads one path outside a `use`, or steps over one token.
fn inline(tokens: &[Token<'_>], start: usize, paths: &mut Vec<NamedPath>) -> usize {
    let first = tokens[start];
    if !first.text.starts_with(is_word) {
        return start + 1;
    }
    let mut segments = vec![first.text.to_owned()];
    let mut at = start + 1;
    while let [colons, word, ..] = &tokens[at..] {
        if colons.text != "::" || !word.text.starts_with(is_word) {
            break;
        }
        segments.push(word.text.to_owned());
        at += 2;
    }
    if segments.len() > 1 {
        paths.push(NamedPath {
            line: first.line,
            segments,
        });
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: &[(usize, &str)]) {
        let named = named(code);
        let found: Vec<_> = named
            .iter()
            .map(|path| (path.line, path.segments.join("::")))
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|(line, path)| (*line, path.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn use_trees_are_written_out() {
        check("use std::fs;", &[(1, "std::fs")]);
        check(
            "pub use std::{fs, net::{self, IpAddr},\n time::Duration as D};\nuse rand;",
            &[
                (1, "std::fs"),
                (1, "std::net::self"),
                (1, "std::net::IpAddr"),
                (2, "std::time::Duration"),
                (3, "rand"),
            ],
        );
    }

    #[test]
    fn paths_in_code_are_found() {
        check("let t = a.b(Instant::now());", &[(1, "Instant::now")]);
        check("fn f(x: Vec<std::fs::File>) {}", &[(1, "std::fs::File")]);
        check("#[tokio::test]\nfn f() {}", &[(1, "tokio::test")]);
    }
}
