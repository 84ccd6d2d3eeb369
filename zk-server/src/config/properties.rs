//! The text format of `zoo.cfg`: `java.util.Properties`, byte for byte, with
//! the line that each entry began on. It refuses to know what any key means.
//!
//! As `Properties.load(InputStream)` does, bytes are read as ISO-8859-1. A
//! UTF-8 byte order mark at the start is skipped, where Java would make it
//! part of the first key. Two more things that Java has cannot be had: half a
//! surrogate pair becomes U+FFFD, and a lone backslash at the very end is
//! nothing, where Java makes an entry with an empty key of it.

use std::fmt;
use thiserror::Error;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One `key = value` of a properties file, escapes resolved, nothing trimmed.
/// Its `Debug` leaves the value out, which may be a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    /// The key; may be empty.
    pub key: String,
    /// The value; may be empty.
    pub value: String,
    /// The line the entry begins on, from 1.
    pub line: usize,
    /// Whether the entry has bytes above 0x7f, which Java reads as ISO-8859-1
    /// although most editors write UTF-8.
    pub has_latin1: bool,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=.. on line {}", self.key, self.line)
    }
}

/// A `\u` that is not followed by four hexadecimal digits. Java refuses the
/// whole file then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: malformed \\uxxxx encoding")]
pub struct MalformedEscape {
    /// The line the entry begins on, from 1.
    pub line: usize,
}

/// All entries in the order of the file, repeated keys included.
///
/// # Errors
/// On a malformed `\u` escape, as in Java.
pub fn parse(bytes: &[u8]) -> Result<Vec<Property>, MalformedEscape> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    LogicalLines::new(bytes)
        .map(|line| line.property())
        .collect()
}

/// A natural line, or several joined by a backslash at the end of each.
struct LogicalLine {
    text: Vec<u8>,
    number: usize,
}

impl LogicalLine {
    fn property(&self) -> Result<Property, MalformedEscape> {
        let key_end = end_of_key(&self.text);
        let value_start = start_of_value(&self.text, key_end);
        let malformed = MalformedEscape { line: self.number };
        Ok(Property {
            key: unescape(&self.text[..key_end]).ok_or(malformed)?,
            value: unescape(&self.text[value_start..]).ok_or(malformed)?,
            line: self.number,
            has_latin1: !self.text.is_ascii(),
        })
    }
}

/// Iterates over logical lines; comments and blank lines are skipped.
struct LogicalLines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> LogicalLines<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            number: 0,
        }
    }

    /// The next line up to `\n`, `\r`, `\r\n` or the end, leading blanks off.
    fn next_natural(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = position(self.rest, |byte| matches!(byte, b'\n' | b'\r'));
        let (line, rest) = self.rest.split_at(end);
        self.rest = match rest {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => rest,
        };
        self.number += 1;
        Some(&line[position(line, |byte| !is_blank(byte))..])
    }
}

impl Iterator for LogicalLines<'_> {
    type Item = LogicalLine;

    fn next(&mut self) -> Option<LogicalLine> {
        let mut text = Vec::new();
        let mut number = 0;
        while let Some(line) = self.next_natural() {
            if text.is_empty() {
                if matches!(line, [] | [b'#' | b'!', ..]) {
                    continue;
                }
                number = self.number;
            }
            text.extend_from_slice(line);
            if !ends_in_lone_backslash(line) {
                return Some(LogicalLine { text, number });
            }
            text.pop();
        }
        (!text.is_empty()).then_some(LogicalLine { text, number })
    }
}

fn ends_in_lone_backslash(line: &[u8]) -> bool {
    let backslashes = line.iter().rev().take_while(|byte| **byte == b'\\').count();
    backslashes % 2 == 1
}

/// Where the key ends: before the first unescaped `=`, `:` or blank.
fn end_of_key(text: &[u8]) -> usize {
    let mut escaped = false;
    position(text, |byte| {
        let ends = !escaped && (is_separator(byte) || is_blank(byte));
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// Where the value starts: after blanks with at most one `=` or `:` in them.
fn start_of_value(text: &[u8], key_end: usize) -> usize {
    let mut separated = false;
    let rest = &text[key_end..];
    key_end
        + position(rest, |byte| {
            if is_blank(byte) {
                return false;
            }
            let starts = separated || !is_separator(byte);
            separated = true;
            starts
        })
}

/// The characters of `text` with escapes resolved; `None` for a bad `\u`.
/// UTF-16 surrogate pairs written as two escapes become one character.
fn unescape(text: &[u8]) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            units.push((*byte).into());
            continue;
        }
        // The line reader leaves no lone backslash at the end of a line.
        let [escape, tail @ ..] = rest else { break };
        rest = tail;
        units.push(match escape {
            b'u' => {
                let digits;
                (digits, rest) = rest.split_at_checked(4)?;
                hex_unit(digits)?
            }
            b't' => b'\t'.into(),
            b'n' => b'\n'.into(),
            b'r' => b'\r'.into(),
            b'f' => 0x0c,
            other => (*other).into(),
        });
    }
    Some(String::from_utf16_lossy(&units))
}

fn hex_unit(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

fn position(bytes: &[u8], mut wanted: impl FnMut(u8) -> bool) -> usize {
    let found = bytes.iter().position(|byte| wanted(*byte));
    found.unwrap_or(bytes.len())
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0c)
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'=' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];

    /// Input, and what `Properties.load` of OpenJDK 17 makes of it.
    const AS_JAVA_READS: &[(&[u8], Pairs)] = &[
        (b"a=b", &[("a", "b")]),
        (b"a:b", &[("a", "b")]),
        (b"a b", &[("a", "b")]),
        (b"a\tb", &[("a", "b")]),
        (b"a\x0cb", &[("a", "b")]),
        (b"a = b", &[("a", "b")]),
        (b"a == b", &[("a", "= b")]),
        (b"a : = b", &[("a", "= b")]),
        (b"a  b c ", &[("a", "b c ")]),
        (b"  a=b\\ \n", &[("a", "b ")]),
        (b"=v", &[("", "v")]),
        (b":", &[("", "")]),
        (b"key", &[("key", "")]),
        (b"key=", &[("key", "")]),
        (b"a\\=b=c", &[("a=b", "c")]),
        (b"a\\:b\\ c=d", &[("a:b c", "d")]),
        (b"a\\\\=b", &[("a\\", "b")]),
        (b"\\ a=b", &[(" a", "b")]),
        (b"a=b\\\nc", &[("a", "bc")]),
        (b"a=b\\\n   c", &[("a", "bc")]),
        (b"a=b\\\r\n\t c\r\nd=e", &[("a", "bc"), ("d", "e")]),
        (b"a=b\\\\\nc=d", &[("a", "b\\"), ("c", "d")]),
        (b"a=b\\\n\nc=d", &[("a", "b"), ("c", "d")]),
        (b"a=b\\\n#c\nd=e", &[("a", "b#c"), ("d", "e")]),
        (b"a\\\n  =  \\\n  b", &[("a", "b")]),
        (b"\\\n# c\nd=e", &[("d", "e")]),
        (b"a=\\", &[("a", "")]),
        (b"a=b\\", &[("a", "b")]),
        (b"a=b\\\n   ", &[("a", "b")]),
        (b"# c\\\na=b", &[("a", "b")]),
        (b"! c\na=b", &[("a", "b")]),
        (b"a=b#c", &[("a", "b#c")]),
        (b"a=b ! c", &[("a", "b ! c")]),
        (b"\n\n \t\x0c\na=b", &[("a", "b")]),
        (
            b"a=b\rc=d\r\n\r\ne=f",
            &[("a", "b"), ("c", "d"), ("e", "f")],
        ),
        (b"a=\\t\\n\\r\\f\\q\\\"", &[("a", "\t\n\r\x0cq\"")]),
        (b"a=\\u0041\\u00e9\\U0041", &[("a", "A\u{e9}U0041")]),
        (b"\\u0061\\u003db=c", &[("a=b", "c")]),
        (b"a=\\uD83D\\uDE00", &[("a", "\u{1f600}")]),
        (b"a=\xe9\xc3\xa9", &[("a", "\u{e9}\u{c3}\u{a9}")]),
        (b"a=1\na=2", &[("a", "1"), ("a", "2")]),
        (b"a=b\x0bc\0 ", &[("a", "b\x0bc\0 ")]),
        (
            b"dataDir=C:\\zk\\new\\table",
            &[("dataDir", "C:zk\new\table")],
        ),
        (b"", &[]),
    ];

    #[test]
    fn reads_as_java_does() {
        for (input, expected) in AS_JAVA_READS {
            let entries = parse(input).unwrap();
            let pairs: Vec<_> = entries
                .iter()
                .map(|entry| (entry.key.as_str(), entry.value.as_str()))
                .collect();
            assert_eq!(pairs, *expected, "input {:?}", input.escape_ascii());
        }
    }

    #[test]
    fn a_malformed_escape_names_its_line() {
        for entry in [
            "a=\\u12",
            "a=\\u12=34",
            "a\\u12=34",
            "a=\\uzzzz",
            "a=\\u+123",
        ] {
            let text = format!("# first\n\n{entry}\nb=c\n");
            assert_eq!(parse(text.as_bytes()), Err(MalformedEscape { line: 3 }));
        }
    }

    #[test]
    fn entries_know_the_line_they_began_on() {
        let entries = parse(b"# x\r\n\r\na=1\r\nb=2\\\r\n  3\r\n!\r\nc=4").unwrap();
        let lines: Vec<_> = entries.iter().map(|entry| entry.line).collect();
        assert_eq!(lines, [3, 4, 7]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_key() {
        let entries = parse(b"\xef\xbb\xbfa=b").unwrap();
        assert_eq!(entries[0].key, "a");
        assert!(!entries[0].has_latin1);
    }

    #[test]
    fn raw_latin1_is_told_from_escapes() {
        let entries = parse(b"a=\xc3\xa9\nb=\\u00e9").unwrap();
        assert!(entries[0].has_latin1);
        assert!(!entries[1].has_latin1);
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        assert_eq!(parse(b"a=\\ud83d").unwrap()[0].value, "\u{fffd}");
    }
}
