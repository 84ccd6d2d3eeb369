//! The directories that Apache left, from zk-log's tests.

use flate2::read::GzDecoder;
use serde_json::Value;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../zk-log/tests/fixtures")
}

/// Whether there is a directory of this name.
pub(crate) fn is_dir(path: &str) -> bool {
    root().join(path).is_dir()
}

/// A file, unpacked if need be.
fn unpacked(path: &Path) -> Vec<u8> {
    if let Ok(bytes) = fs::read(path) {
        return bytes;
    }
    let packed = fs::read(path.with_added_extension("packed"))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    GzDecoder::new(&packed[..])
        .read_to_end(&mut bytes)
        .expect("a packed fixture");
    bytes
}

pub(crate) fn json(path: &str) -> Value {
    serde_json::from_slice(&unpacked(&root().join(path))).expect("a fixture is JSON")
}

/// The files of a directory with their names, unpacked.
pub(crate) fn files(path: &str) -> Vec<(String, Vec<u8>)> {
    let dir = root().join(path);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut files: Vec<_> = names
        .map(|name| {
            let name = name.into_string().expect("a name");
            let name = name.strip_suffix(".packed").unwrap_or(&name).to_owned();
            let bytes = unpacked(&dir.join(&name));
            (name, bytes)
        })
        .collect();
    files.sort();
    files
}

/// Puts files into the `version-2` of a data directory.
pub(crate) fn put(data_dir: &Path, files: &[(String, Vec<u8>)]) {
    let dir = data_dir.join("version-2");
    fs::create_dir_all(&dir).expect("a directory");
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).expect("a file");
    }
}

/// The files of a `version-2`.
pub(crate) fn content(data_dir: &Path) -> Vec<(String, Vec<u8>)> {
    let dir = data_dir.join("version-2");
    let entries = fs::read_dir(&dir).expect("a directory");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a name");
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

/// The zxid in the name of a snapshot or log; what a killed server has not
/// finished is neither.
pub(crate) fn zxid_of(name: &str, prefix: &str) -> Option<i64> {
    if Path::new(name).extension().is_some_and(|it| it == "tmp") {
        return None;
    }
    let digits = name.strip_prefix(prefix)?.split('.').next()?;
    i64::from_str_radix(digits, 16).ok()
}
