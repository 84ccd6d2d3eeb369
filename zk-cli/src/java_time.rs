//! Times as Java prints them in English, in the zone of `TZ`, or of the
//! machine, or UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `java.util.Date.toString`: `Thu Mar 07 11:19:07 UTC 2019`.
pub(crate) fn date(millis: i64) -> String {
    date_in(millis, &zone())
}

/// `DateFormat` with SHORT and LONG: `3/7/19, 11:19:07 AM UTC`.
pub(crate) fn short_date_long_time(millis: i64) -> String {
    format(millis, &zone(), "%-m/%-d/%y, %-I:%M:%S %p %Z")
}

/// `DateFormat` as it comes: `Mar 7, 2019, 11:19:07 AM`.
pub(crate) fn medium(millis: i64) -> String {
    format(millis, &zone(), "%b %-d, %Y, %-I:%M:%S %p")
}

/// [`date`] in a zone.
pub(crate) fn date_in(millis: i64, zone: &TimeZone) -> String {
    format(millis, zone, "%a %b %d %H:%M:%S %Z %Y")
}

fn zone() -> TimeZone {
    TimeZone::try_system().unwrap_or(TimeZone::UTC)
}

/// Beyond the years that can be told (-9999 to 9999) the milliseconds stand
/// for themselves.
fn format(millis: i64, zone: &TimeZone, pattern: &str) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(time) => time.to_zoned(zone.clone()).strftime(pattern).to_string(),
        Err(_) => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_java_prints_them() {
        let utc = TimeZone::UTC;
        assert_eq!(date_in(0, &utc), "Thu Jan 01 00:00:00 UTC 1970");
        let march = 1_551_957_547_999;
        assert_eq!(date_in(march, &utc), "Thu Mar 07 11:19:07 UTC 2019");
        assert_eq!(date_in(i64::MAX, &utc), "9223372036854775807 ms");
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let summer = date_in(1_782_000_000_000, &berlin);
        assert_eq!(summer, "Sun Jun 21 02:00:00 CEST 2026");
        let short = "%-m/%-d/%y, %-I:%M:%S %p %Z";
        assert_eq!(format(march, &utc, short), "3/7/19, 11:19:07 AM UTC");
    }
}
