//! Bytes that are no UTF-8, read as Java's `new String(bytes, UTF_8)` reads
//! them. This module does not know lengths or records.

const REPLACEMENT: char = '\u{fffd}';

/// The text of `bytes` with U+FFFD for what is malformed.
///
/// Java and Rust agree on how many replacements a malformed run gives, but for
/// surrogates: three bytes that would encode one (as Java's own
/// `BinaryOutputArchive` writes them for characters beyond U+FFFF) are a
/// single U+FFFD in Java.
pub(super) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut of_surrogate = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        match chunk.invalid() {
            [] => {}
            [0x80..=0xbf] if of_surrogate > 0 && chunk.valid().is_empty() => of_surrogate -= 1,
            invalid => {
                text.push(REPLACEMENT);
                of_surrogate = if invalid == [0xed] { 2 } else { 0 };
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::lossy;

    /// Inputs and what `new String(bytes, UTF_8)` of OpenJDK 17 makes of them.
    #[test]
    fn agrees_with_java() {
        let cases: [(&[u8], &str); 22] = [
            (b"\xed\xa0\xbd\xed\xb8\x80", "\u{fffd}\u{fffd}"),
            (b"\xed\xa0\xbd\xbd", "\u{fffd}\u{fffd}"),
            (b"\xed\xa0\xbda\xbd", "\u{fffd}a\u{fffd}"),
            (b"\xed\xa0", "\u{fffd}"),
            (b"\xed\xbf", "\u{fffd}"),
            (b"\xed\xa0a", "\u{fffd}a"),
            (b"\xed\xa0a\xbf", "\u{fffd}a\u{fffd}"),
            (b"\xed/", "\u{fffd}/"),
            (b"\xed", "\u{fffd}"),
            (b"\xed\xed\xa0\x80", "\u{fffd}\u{fffd}"),
            (b"\xed\xa0\xed\xa0\x80\x80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xed\x9f\xbf", "\u{d7ff}"),
            (b"\xee\x80\x80", "\u{e000}"),
            (b"\xf0\x90", "\u{fffd}"),
            (b"\xf0\x9f\x98\x80", "\u{1f600}"),
            (b"\xf4\x90\x80\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xf3\x8f\xc2\x90", "\u{fffd}\u{90}"),
            (b"\xe0", "\u{fffd}"),
            (b"\xe0\x80", "\u{fffd}\u{fffd}"),
            (b"\xe0\x80\x80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xc0\xaf", "\u{fffd}\u{fffd}"),
            (b"a\xffb", "a\u{fffd}b"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(lossy(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
