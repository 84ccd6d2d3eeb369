//! File names: `log.<zxid>`, `snapshot.<zxid>` with the ending of its
//! compression, and `.tmp` behind what is not finished. Names that are not
//! exactly so belong to somebody else and are left alone.

use crate::Compression;
use zk_proto::Zxid;

/// What is appended to the name of a file until it is complete.
pub(crate) const TEMP: &str = ".tmp";

/// The log whose first transaction is `zxid`.
pub(crate) fn log(zxid: Zxid) -> String {
    format!("log.{:x}", zxid.0)
}

/// The snapshot begun at `zxid`.
pub(crate) fn snapshot(zxid: Zxid, compression: Compression) -> String {
    format!("snapshot.{:x}{}", zxid.0, compression.ending())
}

/// The zxid of a log's name.
pub(crate) fn parse_log(name: &str) -> Option<Zxid> {
    zxid(name.strip_prefix("log.")?)
}

/// The zxid and compression of a snapshot's name.
pub(crate) fn parse_snapshot(name: &str) -> Option<(Zxid, Compression)> {
    let rest = name.strip_prefix("snapshot.")?;
    let (digits, ending) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let compression = Compression::ALL
        .into_iter()
        .find(|c| c.ending() == ending)?;
    Some((zxid(digits)?, compression))
}

/// Whether it is a snapshot that was never finished.
pub(crate) fn is_snapshot_temp(name: &str) -> bool {
    name.strip_suffix(TEMP).and_then(parse_snapshot).is_some()
}

/// Hexadecimal digits of a zxid that Java's `long` can hold, as a server
/// writes them: so no two names have the same zxid.
fn zxid(digits: &str) -> Option<Zxid> {
    let zxid = i64::from_str_radix(digits, 16).ok().map(Zxid)?;
    (format!("{:x}", zxid.0) == digits).then_some(zxid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        assert_eq!(parse_log(&log(Zxid(0x10b))), Some(Zxid(0x10b)));
        for compression in Compression::ALL {
            let name = snapshot(Zxid(0x1_0000_0071), compression);
            assert_eq!(
                parse_snapshot(&name),
                Some((Zxid(0x1_0000_0071), compression))
            );
            assert!(is_snapshot_temp(&format!("{name}{TEMP}")));
        }
    }

    #[test]
    fn foreign_names_are_left_alone() {
        for name in [
            "log.",
            "log.zz",
            "log.05",
            "log.A",
            "log.5.bak",
            "log.-5",
            "log.+5",
            "log.fffffffffffffffff",
        ] {
            assert_eq!(parse_log(name), None, "{name}");
        }
        for name in [
            "snapshot.",
            "snapshot.zz",
            "snapshot.1.tmp",
            "snapshot.1.GZ",
            "snapshot.1.gz.tmp",
        ] {
            assert_eq!(parse_snapshot(name), None, "{name}");
        }
        assert!(!is_snapshot_temp("snapshot.tmp") && !is_snapshot_temp("currentEpoch.tmp"));
    }
}
