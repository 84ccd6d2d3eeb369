//! Reads the fixtures. It does not know any record.

use serde_json::Value;
use std::path::PathBuf;

/// One captured message, or several that were written at once.
pub(crate) struct Captured {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) conn: String,
    pub(crate) from_client: bool,
    pub(crate) bytes: Vec<u8>,
    /// What the capture says that it holds; null where nothing was decoded.
    pub(crate) decoded: Value,
}

impl Captured {
    pub(crate) fn label(&self) -> String {
        format!("{} {:?} on {}", self.file, self.name, self.conn)
    }
}

/// All client connections, each file in the order of capture.
pub(crate) fn client_wire() -> Vec<Captured> {
    let mut all = Vec::new();
    for file in files("client-wire", ".jsonl") {
        let text = read_text(&format!("client-wire/{file}"));
        all.extend(text.lines().filter_map(|line| captured(&file, line)));
    }
    assert!(all.len() > 1900, "only {} messages", all.len());
    all
}

/// A line with bytes. Lines of events have none, and two tell only lengths.
fn captured(file: &str, line: &str) -> Option<Captured> {
    let line: Value = serde_json::from_str(line).unwrap();
    let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    Some(Captured {
        file: file.to_owned(),
        name: text("name"),
        conn: text("conn"),
        from_client: line["direction"] == "c2s",
        bytes: unhex(line.get("hex")?.as_str()?),
        decoded: line["decoded"].clone(),
    })
}

/// Names of the files below a folder of the fixtures, sorted.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .collect();
    names.sort();
    names
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

pub(crate) fn read_text(name: &str) -> String {
    String::from_utf8(read(name)).unwrap()
}

pub(crate) fn read_json(name: &str) -> Value {
    serde_json::from_slice(&read(name)).unwrap()
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(name)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
