//! Flags of a command among its words, by the rules of the parser that
//! Apache's shell uses (commons-cli): flags may stand anywhere, may be joined
//! (`-sw`), a value may be attached (`-v3`, `-v=3`), and `--` ends them.

/// A flag that a command has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) takes_value: bool,
}

pub(crate) const fn flag(name: &'static str) -> Flag {
    Flag {
        name,
        takes_value: false,
    }
}

pub(crate) const fn value(name: &'static str) -> Flag {
    Flag {
        name,
        takes_value: true,
    }
}

/// The words of a command, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    given: Vec<(&'static str, Option<String>)>,
    /// All words that are neither flags nor values of flags; the first is the
    /// command's name.
    pub(crate) words: Vec<String>,
}

impl Parsed {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }

    /// The first value that was given for the flag.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut given = self.given.iter().filter(|(given, _)| *given == name);
        given.find_map(|(_, value)| value.as_deref())
    }

    /// The names that were given, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.given.iter().map(|(name, _)| *name)
    }
}

/// Sorts `words`, of which the first is the command's name.
pub(crate) fn parse(flags: &[Flag], words: &[String]) -> Result<Parsed, String> {
    let mut parser = Parser {
        flags,
        parsed: Parsed::default(),
        wants_value: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" && !parser.wants_value {
            parser.parsed.words.extend(words.cloned());
            break;
        }
        parser.word(word)?;
    }
    parser.finish()
}

struct Parser<'a> {
    flags: &'a [Flag],
    parsed: Parsed,
    /// Whether the last flag still lacks its value.
    wants_value: bool,
}

impl Parser<'_> {
    fn word(&mut self, word: &str) -> Result<(), String> {
        if self.wants_value && (!self.is_flag(word) || is_negative_number(word)) {
            self.give_value(word);
            return Ok(());
        }
        match word.strip_prefix('-') {
            None | Some("") => {
                self.parsed.words.push(word.to_owned());
                Ok(())
            }
            Some(rest) => self.flags_in(word, rest.strip_prefix('-').unwrap_or(rest)),
        }
    }

    fn flags_in(&mut self, word: &str, text: &str) -> Result<(), String> {
        if let Some(flag) = self.find(text) {
            return self.give(flag);
        }
        if let Some((name, value)) = text.split_once('=')
            && let Some(flag) = self.find(name).filter(|flag| flag.takes_value)
        {
            self.give(flag)?;
            self.give_value(value);
            return Ok(());
        }
        self.joined(word, text)
    }

    /// `-sw` or `-v3`.
    fn joined(&mut self, word: &str, text: &str) -> Result<(), String> {
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            let Some(flag) = self.find(&text[at..end]) else {
                return Err(format!("Unrecognized option: {word}"));
            };
            self.give(flag)?;
            if flag.takes_value && end < text.len() {
                self.give_value(&text[end..]);
                break;
            }
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<Flag> {
        self.flags.iter().copied().find(|flag| flag.name == name)
    }

    /// Whether a word that should be a value is a flag instead.
    fn is_flag(&self, word: &str) -> bool {
        word.strip_prefix('-').is_some_and(|rest| {
            let name = rest.split('=').next().unwrap_or(rest);
            let first = &rest[..rest.chars().next().map_or(0, char::len_utf8)];
            self.find(name).is_some() || self.find(first).is_some()
        })
    }

    fn give(&mut self, flag: Flag) -> Result<(), String> {
        self.check_value()?;
        self.parsed.given.push((flag.name, None));
        self.wants_value = flag.takes_value;
        Ok(())
    }

    fn give_value(&mut self, value: &str) {
        if let Some(last) = self.parsed.given.last_mut() {
            last.1 = Some(value.to_owned());
        }
        self.wants_value = false;
    }

    fn check_value(&self) -> Result<(), String> {
        match self.parsed.given.last() {
            Some((name, _)) if self.wants_value => {
                Err(format!("Missing argument for option: {name}"))
            }
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<Parsed, String> {
        self.check_value()?;
        Ok(self.parsed)
    }
}

fn is_negative_number(word: &str) -> bool {
    word.starts_with('-') && word.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[flag("s"), flag("w"), value("v"), value("file")];

    fn sorted(line: &str) -> Result<Parsed, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(FLAGS, &words)
    }

    #[track_caller]
    fn check(line: &str, given: &[(&str, Option<&str>)], words: &[&str]) {
        let parsed = sorted(line).unwrap();
        let found: Vec<_> = parsed
            .given
            .iter()
            .map(|(name, value)| (*name, value.as_deref()))
            .collect();
        assert_eq!(found, given, "{line}");
        assert_eq!(parsed.words, words, "{line}");
    }

    #[test]
    fn flags_stand_anywhere() {
        check("set /a b", &[], &["set", "/a", "b"]);
        check(
            "set -s /a -v 3 b",
            &[("s", None), ("v", Some("3"))],
            &["set", "/a", "b"],
        );
        check("set /a - -w", &[("w", None)], &["set", "/a", "-"]);
        check("set -- -s /a", &[], &["set", "-s", "/a"]);
    }

    #[test]
    fn flags_are_joined_and_values_attached() {
        check("x -sw", &[("s", None), ("w", None)], &["x"]);
        check("x -v3", &[("v", Some("3"))], &["x"]);
        check("x -sv3", &[("s", None), ("v", Some("3"))], &["x"]);
        check("x -v=3", &[("v", Some("3"))], &["x"]);
        check("x -v -1", &[("v", Some("-1"))], &["x"]);
        check("x -file f", &[("file", Some("f"))], &["x"]);
        check("x -file=f", &[("file", Some("f"))], &["x"]);
    }

    #[test]
    fn errors_are_apaches() {
        assert_eq!(sorted("x -z"), Err("Unrecognized option: -z".into()));
        assert_eq!(sorted("x -sz"), Err("Unrecognized option: -sz".into()));
        let missing = Err("Missing argument for option: v".to_owned());
        assert_eq!(sorted("x -v"), missing);
        assert_eq!(sorted("x -v -s"), missing);
    }
}
