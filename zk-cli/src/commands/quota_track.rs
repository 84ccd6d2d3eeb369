//! The numbers of a quota or of its use, as text in a znode (`StatsTrack`):
//! `count=5,bytes=-1=;byteHardLimit=9;countHardLimit=-1`.

use std::collections::BTreeMap;
use std::fmt;

pub(super) const COUNT: &str = "count";
pub(super) const BYTES: &str = "bytes";
pub(super) const COUNT_HARD: &str = "countHardLimit";
pub(super) const BYTES_HARD: &str = "byteHardLimit";

/// Named numbers; one that is absent counts as -1, no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Track(BTreeMap<String, i64>);

impl Track {
    /// All four limits, none of them set.
    pub(super) fn unlimited() -> Self {
        let names = [COUNT, BYTES, COUNT_HARD, BYTES_HARD];
        Self(names.map(|name| (name.to_owned(), -1)).into())
    }

    /// What a znode holds; what is no number is left out.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split([',', ';']).filter_map(|pair| {
            let mut parts = pair.split('=');
            let (name, value) = (parts.next()?, parts.next()?);
            Some((name.to_owned(), value.parse().unwrap_or(-1)))
        });
        Self(pairs.collect())
    }

    pub(super) fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(-1)
    }

    /// The numbers by name.
    pub(super) fn json(&self) -> serde_json::Value {
        let numbers = self.0.iter();
        numbers
            .map(|(name, number)| (name.clone(), (*number).into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    pub(super) fn set(&mut self, name: &str, value: i64) {
        self.0.insert(name.to_owned(), value);
    }
}

/// Count and bytes come first, and the equals sign before the others makes
/// old servers stop reading.
impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COUNT}={},{BYTES}={}", self.get(COUNT), self.get(BYTES))?;
        let mut separator = "=;";
        for (name, value) in &self.0 {
            if name != COUNT && name != BYTES {
                write!(f, "{separator}{name}={value}")?;
                separator = ";";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        for text in [
            "count=2,bytes=6",
            "count=5,bytes=100=;byteHardLimit=1000;countHardLimit=10",
        ] {
            assert_eq!(Track::parse(text).to_string(), text);
        }
        assert_eq!(Track::parse("").to_string(), "count=-1,bytes=-1");
        assert_eq!(
            Track::unlimited().to_string(),
            "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=-1"
        );
    }
}
