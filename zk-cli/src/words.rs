//! A line of the interactive shell into words. Quotes hold a word together
//! only where the word starts with one, as in Apache's shell.

/// The words of `line`, without the quotes around them.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => quoted(&rest[1..], first),
            _ => plain(rest),
        };
        words.extend(word.map(str::to_owned));
        rest = after.trim_start();
    }
    words
}

/// What follows an opening quote. A quote that is not closed is dropped.
fn quoted(rest: &str, quote: char) -> (Option<&str>, &str) {
    match rest.split_once(quote) {
        Some((word, after)) => (Some(word), after),
        None => (None, rest),
    }
}

fn plain(rest: &str) -> (Option<&str>, &str) {
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    (Some(&rest[..end]), &rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, words: &[&str]) {
        assert_eq!(split(line), words);
    }

    #[test]
    fn words_are_split_as_apache_splits_them() {
        check("", &[]);
        check("  \t ", &[]);
        check(" get  -s /a ", &["get", "-s", "/a"]);
        check("set /a 'two words'", &["set", "/a", "two words"]);
        check("set /a \"it's\"", &["set", "/a", "it's"]);
        check("set /a ''", &["set", "/a", ""]);
        check("set /a it's", &["set", "/a", "it's"]);
        check("set /a 'open end", &["set", "/a", "open", "end"]);
        check("'a'b", &["a", "b"]);
    }
}
