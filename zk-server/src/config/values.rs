//! How the text of a value is read: as strictly, or as forgivingly, as the
//! Java method that reads this key in Apache ZooKeeper. It refuses to know
//! which key it reads.

use super::keys::Kind;
use super::secret::Secret;

/// A value that has been read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Int(i32),
    Long(i64),
    Number(f64),
    Text(String),
    Secret(Secret),
}

/// What became of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Parsed {
    /// Read, and no doubt about it.
    Sure(Value),
    /// Read, but the text may have meant something else; says why.
    Doubtful(Value, String),
    /// Not read; Apache keeps the default without a word. Says what it should
    /// have been.
    Ignored(&'static str),
}

const WHOLE_NUMBER: &str = "a whole number";
const DECIMAL_NUMBER: &str = "a number";

/// Reads `text` as a value of `kind`.
///
/// # Errors
/// What the text should have been, for the kinds whose bad values Apache
/// refuses.
pub(super) fn parse(kind: Kind, text: &str) -> Result<Parsed, &'static str> {
    let sure = |value| Ok(Parsed::Sure(value));
    match kind {
        Kind::Int => sure(Value::Int(text.parse().map_err(|_| WHOLE_NUMBER)?)),
        Kind::Long => sure(Value::Long(text.parse().map_err(|_| WHOLE_NUMBER)?)),
        Kind::Port => sure(Value::Int(port(text)?)),
        Kind::Bool => sure(Value::Bool(strict_bool(text)?)),
        Kind::Number => sure(Value::Number(text.parse().map_err(|_| DECIMAL_NUMBER)?)),
        Kind::Choice(words, expected) => sure(Value::Text(choice(words, expected, text)?)),
        Kind::Text => sure(Value::Text(text.to_owned())),
        Kind::Secret => sure(Value::Secret(Secret::new(text.to_owned()))),
        Kind::LenientInt => Ok(forgiving(decode(text), Value::Int)),
        Kind::LenientLong => Ok(forgiving(decode_long(text), Value::Long)),
        Kind::LenientDecimal => Ok(forgiving(text.parse().ok(), Value::Long)),
        Kind::LenientNumber => Ok(text
            .parse()
            .map_or(Parsed::Ignored(DECIMAL_NUMBER), |number| {
                Parsed::Sure(Value::Number(number))
            })),
        Kind::Flag => Ok(flag(text)),
        Kind::OnlyOn(word) => Ok(by_word(text, word, true)),
        Kind::OnlyOff(word) => Ok(by_word(text, word, false)),
    }
}

/// As `new InetSocketAddress(Integer.parseInt(text))` accepts it.
fn port(text: &str) -> Result<i32, &'static str> {
    let port: Option<u16> = text.parse().ok();
    port.map(i32::from).ok_or("a port, 0 to 65535")
}

/// As `QuorumPeerConfig.parseBoolean` does.
fn strict_bool(text: &str) -> Result<bool, &'static str> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err("true or false")
    }
}

fn choice(
    words: &[&'static str],
    expected: &'static str,
    text: &str,
) -> Result<String, &'static str> {
    let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    found.map(|word| (*word).to_owned()).ok_or(expected)
}

fn forgiving<T>(number: Option<T>, value: impl FnOnce(T) -> Value) -> Parsed {
    number.map_or(Parsed::Ignored(WHOLE_NUMBER), |number| {
        Parsed::Sure(value(number))
    })
}

/// As `Integer.decode` does, which `Integer.getInteger` uses.
fn decode(text: &str) -> Option<i32> {
    decode_long(text)?.try_into().ok()
}

/// As `Long.decode` does: a sign, then `0x`, `0X` or `#` for hexadecimal, a
/// leading `0` for octal, decimal otherwise.
fn decode_long(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = radix(digits);
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -magnitude } else { magnitude };
    value.try_into().ok()
}

fn radix(digits: &str) -> (u32, &str) {
    for prefix in ["0x", "0X", "#"] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return (16, digits);
        }
    }
    match digits.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => (8, digits),
        _ => (10, digits),
    }
}

/// As `Boolean.parseBoolean` does: everything but "true" is false.
fn flag(text: &str) -> Parsed {
    match strict_bool(text) {
        Ok(on) => Parsed::Sure(Value::Bool(on)),
        Err(_) => doubtful_bool(false, "true"),
    }
}

/// As `"yes".equals(text)` and its negation do: exactly one word decides.
fn by_word(text: &str, word: &str, meaning: bool) -> Parsed {
    if text == word {
        Parsed::Sure(Value::Bool(meaning))
    } else if text == opposite(word) {
        Parsed::Sure(Value::Bool(!meaning))
    } else {
        doubtful_bool(!meaning, word)
    }
}

fn opposite(word: &str) -> &'static str {
    match word {
        "yes" => "no",
        "no" => "yes",
        "true" => "false",
        _ => "true",
    }
}

fn doubtful_bool(taken: bool, word: &str) -> Parsed {
    let (taken_as, turns) = if taken { ("on", "off") } else { ("off", "on") };
    let why = format!("is taken as {taken_as}: only \"{word}\" turns it {turns}");
    Parsed::Doubtful(Value::Bool(taken), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sure(kind: Kind, text: &str) -> Option<Value> {
        match parse(kind, text) {
            Ok(Parsed::Sure(value)) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn strict_integers_are_java_parse_int() {
        assert_eq!(sure(Kind::Int, "+5"), Some(Value::Int(5)));
        assert_eq!(sure(Kind::Int, "-1"), Some(Value::Int(-1)));
        assert_eq!(sure(Kind::Int, "007"), Some(Value::Int(7)));
        for bad in ["", "+", "0x10", "1 ", "2147483648", "1.0", "1_000"] {
            assert_eq!(parse(Kind::Int, bad), Err(WHOLE_NUMBER), "{bad:?}");
        }
    }

    #[test]
    fn forgiving_integers_are_java_decode() {
        let decoded = [
            ("10", Some(10)),
            ("-0x10", Some(-16)),
            ("#ff", Some(255)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("+7", Some(7)),
            ("-2147483648", Some(i32::MIN)),
            ("2147483648", None),
            ("08", None),
            ("0x-1", None),
            ("--1", None),
            ("", None),
            ("-", None),
            ("10k", None),
        ];
        for (text, expected) in decoded {
            let value = sure(Kind::LenientInt, text);
            assert_eq!(value, expected.map(Value::Int), "{text:?}");
        }
    }

    #[test]
    fn the_longest_long_fits() {
        let text = "-9223372036854775808";
        assert_eq!(sure(Kind::LenientLong, text), Some(Value::Long(i64::MIN)));
        assert_eq!(sure(Kind::LenientLong, "9223372036854775808"), None);
        assert_eq!(sure(Kind::LenientDecimal, "010"), Some(Value::Long(10)));
    }

    #[test]
    fn booleans_of_zoo_cfg_are_strict() {
        assert_eq!(sure(Kind::Bool, "TRUE"), Some(Value::Bool(true)));
        assert_eq!(sure(Kind::Bool, "False"), Some(Value::Bool(false)));
        assert_eq!(parse(Kind::Bool, "yes"), Err("true or false"));
        assert_eq!(parse(Kind::Bool, ""), Err("true or false"));
    }

    #[test]
    fn booleans_of_properties_are_not() {
        assert_eq!(sure(Kind::Flag, "True"), Some(Value::Bool(true)));
        let Ok(Parsed::Doubtful(value, why)) = parse(Kind::Flag, "yes") else {
            panic!("yes is not a plain boolean");
        };
        assert_eq!(value, Value::Bool(false));
        assert_eq!(why, "is taken as off: only \"true\" turns it on");
    }

    #[test]
    fn one_word_decides() {
        assert_eq!(sure(Kind::OnlyOn("yes"), "yes"), Some(Value::Bool(true)));
        assert_eq!(sure(Kind::OnlyOn("yes"), "no"), Some(Value::Bool(false)));
        assert_eq!(sure(Kind::OnlyOff("no"), "no"), Some(Value::Bool(false)));
        let doubtful = parse(Kind::OnlyOff("no"), "false");
        let why = "is taken as on: only \"no\" turns it off".to_owned();
        assert_eq!(doubtful, Ok(Parsed::Doubtful(Value::Bool(true), why)));
    }

    #[test]
    fn ports_have_bounds() {
        assert_eq!(sure(Kind::Port, "0"), Some(Value::Int(0)));
        assert_eq!(sure(Kind::Port, "65535"), Some(Value::Int(65535)));
        assert!(parse(Kind::Port, "65536").is_err());
        assert!(parse(Kind::Port, "-1").is_err());
    }
}
