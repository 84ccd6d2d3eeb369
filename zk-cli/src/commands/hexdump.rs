//! Bytes as the table that `get -x` prints: sixteen a row, in hexadecimal and
//! as text.

const RULE: &str = "+--------+-------------------------------------------------+----------------+";
const HEAD: &str = concat!(
    "         +-------------------------------------------------+\n",
    "         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n",
);

/// The table, without the end of its last line; "" for no bytes.
pub(super) fn table(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    let mut text = format!("{HEAD}{RULE}\n");
    for (row, chunk) in bytes.chunks(16).enumerate() {
        let hex: String = chunk.iter().map(|byte| format!(" {byte:02x}")).collect();
        let shown: String = chunk.iter().map(|byte| printable(*byte)).collect();
        text.push_str(&format!("|{:08x}|{hex:<48} |{shown:<16}|\n", row * 16));
    }
    text.push_str(RULE);
    text
}

const fn printable(byte: u8) -> char {
    match byte {
        0x20..0x7f => byte as char,
        _ => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_row_is_filled_up() {
        let expected = format!(
            "{HEAD}{RULE}\n\
             |00000000| 68 65 6c 6c 6f 00 ff 7f                         |hello...        |\n{RULE}"
        );
        assert_eq!(table(b"hello\0\xff\x7f"), expected);
        assert_eq!(table(b""), "");
        assert!(table(&[b'a'; 17]).contains("|aaaaaaaaaaaaaaaa|\n|00000010| 61  "));
    }
}
