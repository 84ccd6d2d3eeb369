//! Fixtures, and a history made up for a test.

use flate2::read::GzDecoder;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zk_log::{LogConfig, LogDirs, MemStorage, Recovered, Storage};
use zk_proto::Zxid;

use crate::model::Model;

/// The directory of every test in memory.
pub(crate) fn dirs() -> LogDirs {
    LogDirs::new(Path::new("/data"), Path::new("/data"))
}

/// A small step, so that files grow and roll in tests.
pub(crate) fn config() -> LogConfig {
    LogConfig {
        prealloc_bytes: 4096,
        ..LogConfig::default()
    }
}

pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(path)
}

/// A file of the fixtures, unpacked if need be.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    if let Ok(bytes) = fs::read(path) {
        return bytes;
    }
    let packed = fs::read(path.with_added_extension("packed"))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    bytes
}

pub(crate) fn json(path: &str) -> serde_json::Value {
    serde_json::from_slice(&read(&fixture(path))).unwrap()
}

/// The files of a fixture directory, unpacked.
pub(crate) fn files(path: &str) -> Vec<(String, Vec<u8>)> {
    let dir = fixture(path);
    let mut files: Vec<_> = fs::read_dir(&dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let name = name.strip_suffix(".packed").unwrap_or(&name).to_owned();
            let bytes = read(&dir.join(&name));
            (name, bytes)
        })
        .collect();
    files.sort();
    files
}

/// A disk that holds these files in the directory of logs and snapshots.
pub(crate) fn disk(files: &[(String, Vec<u8>)]) -> MemStorage {
    let storage = MemStorage::new();
    storage.create_dirs(&dirs().snap_dir).unwrap();
    for (name, bytes) in files {
        storage.put(&dirs().snap_dir.join(name), bytes);
    }
    storage
}

/// Recovers into a model.
pub(crate) fn recover(storage: &dyn Storage) -> Result<(Recovered, Model), zk_log::LogError> {
    let mut model = Model::default();
    let recovered = zk_log::recover(storage, &dirs(), &config(), &mut model)?;
    Ok((recovered, model))
}

/// A history of a test: states by zxid, from [`Model::write`].
pub(crate) fn shared(storage: &MemStorage) -> Arc<dyn Storage> {
    Arc::new(storage.clone())
}

/// A generator of numbers that are the same for the same seed (SplitMix64).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.bytes().filter(|&digit| digit != b'=') {
        let value = DIGITS.iter().position(|&it| it == digit).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

/// `0x1f` or `31`.
pub(crate) fn zxid(value: &serde_json::Value) -> Zxid {
    match value.as_str() {
        Some(text) => Zxid(i64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()),
        None => Zxid(value.as_i64().unwrap()),
    }
}
