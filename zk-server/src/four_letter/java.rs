//! Numbers, addresses and dates as Java prints them. It refuses to know what
//! they are of.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// As `Double.toString`, for numbers that are neither negative nor infinite.
#[derive(Debug, Clone, Copy)]
pub(super) struct Double(pub(super) f64);

impl fmt::Display for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        if value == 0.0 || (1e-3..1e7).contains(&value) {
            return write!(f, "{value:?}");
        }
        let scientific = format!("{value:E}");
        match scientific.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => {
                write!(f, "{digits}.0E{exponent}")
            }
            _ => f.write_str(&scientific),
        }
    }
}

/// As `InetSocketAddress.toString` of an address without a name: Java writes
/// out all eight parts of an IPv6 address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address(pub(super) SocketAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.port();
        match self.0.ip().to_canonical() {
            IpAddr::V4(ip) => write!(f, "/{ip}:{port}"),
            IpAddr::V6(ip) => {
                let parts = ip.segments().map(|part| format!("{part:x}"));
                write!(f, "/[{}]:{port}", parts.join(":"))
            }
        }
    }
}

/// As `Date.toString` in the time zone UTC, of ms since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Date(pub(super) i64);

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;
/// The first of January 1970 was a Thursday.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(MS_PER_DAY);
        let second = self.0.rem_euclid(MS_PER_DAY) / 1000;
        let (year, month, day) = civil(days);
        let weekday = DAYS[days.rem_euclid(7) as usize];
        let month = MONTHS[month];
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}"
        )
    }
}

/// Year, month from 0 and day from 1 of a day since 1970. Years are counted
/// from March on, so that the leap day is a year's last; 400 of them have
/// always the same number of days.
fn civil(days: i64) -> (i64, usize, i64) {
    const DAYS_PER_400_YEARS: i64 = 146_097;
    const FROM_YEAR_0: i64 = 719_468;
    let from_0 = days + FROM_YEAR_0;
    let (era, day) = (
        from_0.div_euclid(DAYS_PER_400_YEARS),
        from_0.rem_euclid(DAYS_PER_400_YEARS),
    );
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let in_january = month >= 10;
    let month = (month + 2) % 12;
    (
        era * 400 + year + i64::from(in_january),
        month as usize,
        day,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        let shown = |value| Double(value).to_string();
        assert_eq!(shown(0.0), "0.0");
        assert_eq!(shown(1.0), "1.0");
        assert_eq!(shown(28.7778), "28.7778");
        assert_eq!(shown(0.001), "0.001");
        assert_eq!(shown(0.0005), "5.0E-4");
        assert_eq!(shown(9_999_999.5), "9999999.5");
        assert_eq!(shown(10_000_000.0), "1.0E7");
        assert_eq!(shown(12_345_678.25), "1.234567825E7");
    }

    #[test]
    fn addresses() {
        let shown = |text: &str| Address(text.parse().unwrap()).to_string();
        assert_eq!(shown("127.0.0.1:48730"), "/127.0.0.1:48730");
        assert_eq!(shown("[::ffff:10.0.0.7]:1"), "/10.0.0.7:1");
        assert_eq!(shown("[::1]:2181"), "/[0:0:0:0:0:0:0:1]:2181");
        assert_eq!(shown("[2001:db8::a:0]:9"), "/[2001:db8:0:0:0:0:a:0]:9");
    }

    #[test]
    fn dates() {
        let shown = |ms| Date(ms).to_string();
        assert_eq!(shown(0), "Thu Jan 01 00:00:00 UTC 1970");
        assert_eq!(shown(-1), "Wed Dec 31 23:59:59 UTC 1969");
        assert_eq!(shown(951_782_400_000), "Tue Feb 29 00:00:00 UTC 2000");
        assert_eq!(shown(1_709_251_199_999), "Thu Feb 29 23:59:59 UTC 2024");
        assert_eq!(shown(1_709_251_200_000), "Fri Mar 01 00:00:00 UTC 2024");
        assert_eq!(shown(1_795_254_138_000), "Sat Nov 21 09:42:18 UTC 2026");
        assert_eq!(shown(4_107_542_400_000), "Mon Mar 01 00:00:00 UTC 2100");
    }

    /// A second way to count: day by day over four centuries.
    #[test]
    fn every_day_of_400_years() {
        let leap = |year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let mut days = 0;
        for year in 1970..2370 {
            let february = 28 + i64::from(leap(year));
            let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in lengths.into_iter().enumerate() {
                for day in 1..=length {
                    assert_eq!(civil(days), (year, month, day));
                    days += 1;
                }
            }
        }
    }
}
