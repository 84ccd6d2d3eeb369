//! The text in quota znodes: `count=N,bytes=N=;byteHardLimit=N` and so on
//! (`StatsTrack`). What the numbers mean is decided elsewhere.

use std::collections::BTreeMap;
use std::fmt;

const COUNT: &str = "count";
const BYTES: &str = "bytes";
const COUNT_HARD_LIMIT: &str = "countHardLimit";
const BYTE_HARD_LIMIT: &str = "byteHardLimit";

/// Numbers of a quota: what is used in `zookeeper_stats`, what is allowed in
/// `zookeeper_limits`. Absent ones read as -1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatsTrack {
    values: BTreeMap<String, i64>,
}

impl StatsTrack {
    /// Two numbers and nothing else.
    #[must_use]
    pub fn new(count: i64, bytes: i64) -> Self {
        let mut track = Self::default();
        track.set_count(count);
        track.set_bytes(bytes);
        track
    }

    /// Reads the text. `None` where Java's server would fail with an
    /// exception: null, a key without a value, a value that is no number.
    #[must_use]
    pub fn parse(data: Option<&[u8]>) -> Option<Self> {
        let text = String::from_utf8_lossy(data?);
        let pairs = text.trim_end_matches([',', ';']);
        let mut track = Self::default();
        if pairs.is_empty() {
            return Some(track);
        }
        if pairs.starts_with([',', ';']) {
            return None;
        }
        for pair in pairs.split([',', ';']).filter(|pair| !pair.is_empty()) {
            let (key, value) = parse_pair(pair)?;
            track.values.insert(key.to_owned(), value);
        }
        Some(track)
    }

    /// Znodes, the quota's own root included.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.value(COUNT)
    }

    /// Bytes of data.
    #[must_use]
    pub fn bytes(&self) -> i64 {
        self.value(BYTES)
    }

    /// Znodes that may not be exceeded where quotas are enforced.
    #[must_use]
    pub fn count_hard_limit(&self) -> i64 {
        self.value(COUNT_HARD_LIMIT)
    }

    /// Bytes that may not be exceeded where quotas are enforced.
    #[must_use]
    pub fn byte_hard_limit(&self) -> i64 {
        self.value(BYTE_HARD_LIMIT)
    }

    /// Sets [`StatsTrack::count`].
    pub fn set_count(&mut self, count: i64) {
        self.values.insert(COUNT.to_owned(), count);
    }

    /// Sets [`StatsTrack::bytes`].
    pub fn set_bytes(&mut self, bytes: i64) {
        self.values.insert(BYTES.to_owned(), bytes);
    }

    fn value(&self, key: &str) -> i64 {
        self.values.get(key).copied().unwrap_or(-1)
    }
}

/// `key=value`, cut at "=" as Java's `split` does: what follows a second "="
/// is ignored, and an empty value, if something follows it, reads as -1.
fn parse_pair(pair: &str) -> Option<(&str, i64)> {
    let mut parts = pair.trim_end_matches('=').split('=');
    let key = parts.next()?;
    match parts.next()? {
        "" => Some((key, -1)),
        value => Some((key, value.parse().ok()?)),
    }
}

impl fmt::Display for StatsTrack {
    /// Count and bytes first; the "=" behind them makes servers before 3.5
    /// overlook the rest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COUNT}={},{BYTES}={}", self.count(), self.bytes())?;
        let mut mark = "=";
        for (key, value) in &self.values {
            if key != COUNT && key != BYTES {
                write!(f, "{mark};{key}={value}")?;
                mark = "";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> Option<String> {
        StatsTrack::parse(Some(text.as_bytes())).map(|track| track.to_string())
    }

    #[test]
    fn texts_read_and_write_as_in_java() {
        for (text, written) in [
            ("", "count=-1,bytes=-1"),
            (",;", "count=-1,bytes=-1"),
            ("count=4,bytes=5", "count=4,bytes=5"),
            ("bytes=5,count=+4", "count=4,bytes=5"),
            ("count=1,bytes=2=;z=3;a=4", "count=1,bytes=2=;a=4;z=3"),
            (
                "count=-1,bytes=-1=;byteHardLimit=9;countHardLimit=8",
                "count=-1,bytes=-1=;byteHardLimit=9;countHardLimit=8",
            ),
        ] {
            assert_eq!(again(text).as_deref(), Some(written), "{text:?}");
        }
    }

    #[test]
    fn texts_that_java_fails_on() {
        for text in ["count", "count=", "count=x", ",count=1", "=", "count=1.5"] {
            assert_eq!(again(text), None, "{text:?}");
        }
        assert_eq!(StatsTrack::parse(None), None);
    }

    #[test]
    fn limits() {
        let track = StatsTrack::parse(Some(b"count=1,bytes=2=;byteHardLimit=9;countHardLimit=8"));
        let track = track.unwrap();
        assert_eq!((track.count(), track.bytes()), (1, 2));
        assert_eq!((track.count_hard_limit(), track.byte_hard_limit()), (8, 9));
        assert_eq!(StatsTrack::default().byte_hard_limit(), -1);
    }
}
