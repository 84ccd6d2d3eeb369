//! The eleven lines of a Stat (`StatPrinter`), with times as Java prints them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zk_client::Stat;

/// The lines, each with its end. Times are in the zone of `TZ`, or of the
/// machine, or UTC.
pub(crate) fn lines(stat: &Stat) -> String {
    lines_in(stat, &TimeZone::try_system().unwrap_or(TimeZone::UTC))
}

fn lines_in(stat: &Stat, zone: &TimeZone) -> String {
    format!(
        "cZxid = 0x{:x}\nctime = {}\nmZxid = 0x{:x}\nmtime = {}\npZxid = 0x{:x}\n\
         cversion = {}\ndataVersion = {}\naclVersion = {}\nephemeralOwner = 0x{:x}\n\
         dataLength = {}\nnumChildren = {}\n",
        stat.czxid.0,
        date(stat.ctime, zone),
        stat.mzxid.0,
        date(stat.mtime, zone),
        stat.pzxid.0,
        stat.cversion,
        stat.version,
        stat.aversion,
        stat.ephemeral_owner,
        stat.data_length,
        stat.num_children,
    )
}

/// `java.util.Date.toString`. Beyond the years that can be told (-9999 to
/// 9999) the milliseconds stand for themselves.
fn date(millis: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(time) => {
            let time = time.to_zoned(zone.clone());
            time.strftime("%a %b %d %H:%M:%S %Z %Y").to_string()
        }
        Err(_) => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_client::Zxid;

    #[test]
    fn times_read_as_java_prints_them() {
        let utc = TimeZone::UTC;
        assert_eq!(date(0, &utc), "Thu Jan 01 00:00:00 UTC 1970");
        assert_eq!(
            date(1_551_957_547_999, &utc),
            "Thu Mar 07 11:19:07 UTC 2019"
        );
        assert_eq!(date(i64::MAX, &utc), "9223372036854775807 ms");
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let summer = date(1_782_000_000_000, &berlin);
        assert_eq!(summer, "Sun Jun 21 02:00:00 CEST 2026");
    }

    #[test]
    fn zxids_and_owners_are_hexadecimal() {
        let stat = Stat {
            czxid: Zxid(0x1_0000_000f),
            ephemeral_owner: -1,
            aversion: -1,
            ..Stat::default()
        };
        let text = lines_in(&stat, &TimeZone::UTC);
        assert!(text.starts_with("cZxid = 0x10000000f\n"));
        assert!(text.contains("aclVersion = -1\nephemeralOwner = 0xffffffffffffffff\n"));
        assert_eq!(text.lines().count(), 11);
    }
}
