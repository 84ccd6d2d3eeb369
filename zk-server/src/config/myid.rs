//! The file `myid` in the data directory: which server this one is. It
//! refuses to know who else there is.

use super::error::ConfigError;
use super::notice::Notices;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use zk_proto::ServerId;

/// Reads the id out of `data_dir/myid`; `None` if there is no such file, which
/// only an ensemble minds.
///
/// Apache takes the first line as it is. Here a byte order mark and blanks
/// around the number are forgiven, with a warning.
///
/// # Errors
/// When the file cannot be read or does not begin with a number.
pub(super) fn read(
    data_dir: &Path,
    notices: &mut Notices,
) -> Result<Option<ServerId>, ConfigError> {
    let path = data_dir.join("myid");
    if path.is_dir() {
        return Ok(None);
    }
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ConfigError::Read { path, source }),
    };
    let text = String::from_utf8_lossy(&bytes);
    let line = first_line(&text);
    let number = line.trim_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    let Ok(id) = number.parse() else {
        let text = line.chars().take(40).collect();
        return Err(ConfigError::MyId { path, text });
    };
    if number != line {
        notices.warn(format!(
            "{}: there is more than the number {id} on the first line: Apache ZooKeeper refuses it",
            path.display(),
        ));
    }
    Ok(Some(ServerId(id)))
}

/// Up to `\n`, `\r` or the end, as Java's `readLine`.
fn first_line(text: &str) -> &str {
    let end = text.find(['\n', '\r']);
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> (Result<Option<i64>, String>, usize) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("myid"), bytes).unwrap();
        let mut notices = Notices::default();
        let read = read(dir.path(), &mut notices);
        let id = read.map(|id| id.map(|id| id.0));
        (id.map_err(|error| error.to_string()), notices.0.len())
    }

    #[test]
    fn takes_the_first_line() {
        for bytes in [&b"7"[..], b"7\n", b"7\r\n", b"7\rjunk", b"7\n8\n", b"+7"] {
            assert_eq!(read_bytes(bytes), (Ok(Some(7)), 0), "{bytes:?}");
        }
    }

    #[test]
    fn forgives_blanks_and_marks_with_a_warning() {
        for bytes in [&b" 7 \n"[..], b"\xef\xbb\xbf7\r\n", b"7\t"] {
            assert_eq!(read_bytes(bytes), (Ok(Some(7)), 1), "{bytes:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for bytes in [&b""[..], b"\n7", b"seven", b"7 8", b"9223372036854775808"] {
            let (read, _) = read_bytes(bytes);
            let message = read.unwrap_err();
            assert!(message.contains("is not a number"), "{message}");
        }
    }

    #[test]
    fn a_missing_file_is_no_error_here() {
        let dir = tempfile::tempdir().unwrap();
        let read = read(dir.path(), &mut Notices::default());
        assert!(matches!(read, Ok(None)));
    }
}
