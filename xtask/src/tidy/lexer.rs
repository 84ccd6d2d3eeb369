//! Just enough of Rust's lexical rules to tell code from comments and literals.

/// The text with every comment, string and character literal replaced by blanks.
///
/// Lines keep their numbers. Text that is not valid Rust gives some answer and no panic.
pub(super) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at).unwrap_or(at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            let blanks = chars[at..end].iter();
            code.extend(blanks.map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment or literal that begins at `at` ends, if one begins there.
fn literal_end(chars: &[char], at: usize) -> Option<usize> {
    let rest = &chars[at..];
    let length = match rest {
        ['/', '/', ..] => line_comment(rest),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => 1 + quoted(&rest[1..], '"'),
        ['\'', '\\', ..] => 1 + quoted(&rest[1..], '\''),
        ['\'', _, '\'', ..] => 3,
        ['r' | 'b' | 'c', ..] if !continues_a_word(chars, at) => prefixed(rest)?,
        _ => return None,
    };
    Some((at + length).min(chars.len()))
}

fn continues_a_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}

fn line_comment(rest: &[char]) -> usize {
    rest.iter().position(|&c| c == '\n').unwrap_or(rest.len())
}

/// Block comments nest.
fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length up to and with the closing quote.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// String literals that begin with `r`, `b`, `c`, `br` or `cr`, and byte characters.
fn prefixed(rest: &[char]) -> Option<usize> {
    let letters = rest.iter().take_while(|c| "rbc".contains(**c)).count();
    if letters > 2 {
        return None;
    }
    let (prefix, rest) = rest.split_at(letters);
    if prefix.contains(&'r') {
        let hashes = rest.iter().take_while(|&&c| c == '#').count();
        return (rest.get(hashes) == Some(&'"'))
            .then(|| letters + hashes + 1 + raw(&rest[hashes + 1..], hashes));
    }
    match rest.first()? {
        '"' => Some(letters + 1 + quoted(&rest[1..], '"')),
        '\'' if prefix == ['b'] => Some(letters + 1 + quoted(&rest[1..], '\'')),
        _ => None,
    }
}

fn raw(rest: &[char], hashes: usize) -> usize {
    let closes = |at: usize| {
        rest[at] == '"' && rest[at + 1..].iter().take_while(|&&c| c == '#').count() >= hashes
    };
    (0..rest.len())
        .find(|&at| closes(at))
        .map_or(rest.len(), |at| at + 1 + hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str) {
        let squeezed: Vec<_> = blank(text).split_whitespace().map(str::to_owned).collect();
        assert_eq!(squeezed.join(" "), code);
    }

    #[test]
    fn comments_are_no_code() {
        check("a // b\nc", "a c");
        check("a /* b /* c */ d */ e", "a e");
        check("a / b", "a / b");
    }

    #[test]
    fn literals_are_no_code() {
        check(r#"f("a \" b", c)"#, "f( , c)");
        check(r##"f(r#"a " b"#, c)"##, "f( , c)");
        check(r#"f(b"a", br"\", c"x", b'\'', '"', g)"#, "f( , , , , , g)");
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)");
        check("r#type + crab", "r#type + crab");
    }

    #[test]
    fn lines_keep_their_numbers_and_unfinished_text_ends() {
        assert_eq!(blank("\"a\nb\"\nc"), "  \n  \nc");
        for text in ["\"a", "/* a", "r#\"a", "'\\", "b'", "\"\\"] {
            blank(text);
        }
    }
}
