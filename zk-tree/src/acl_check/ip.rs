//! Ids of the `ip` scheme: an address, or an address and the number of its
//! leading bits that count. It parses what Apache's `IPAuthenticationProvider`
//! parses, quirks of `Integer.parseInt` included, and opens no socket.

/// The bytes of an IPv4 or IPv6 address: 4 or 16 of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Address {
    V4([u8; 4]),
    V6([u8; 16]),
}

/// Addresses with common leading bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    address: Address,
    bits: usize,
}

impl Range {
    /// Reads `address` or `address/bits`.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (address, bits) = match id.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (id, None),
        };
        let address = Address::parse(address)?;
        let bits_max = address.bytes().len() * 8;
        let bits = match bits {
            None => bits_max,
            Some(bits) => usize::try_from(bits.parse::<i32>().ok()?).ok()?,
        };
        (bits <= bits_max).then_some(Self { address, bits })
    }

    /// Whether the address of a client lies in the range.
    pub(super) fn contains(&self, client: &str) -> bool {
        match (self.address, Address::parse(client)) {
            (Address::V4(own), Some(Address::V4(client))) => same_start(&own, &client, self.bits),
            (Address::V6(own), Some(Address::V6(client))) => same_start(&own, &client, self.bits),
            _ => false,
        }
    }
}

fn same_start(a: &[u8], b: &[u8], bits: usize) -> bool {
    let whole = bits / 8;
    let rest = bits % 8;
    a[..whole] == b[..whole] && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0)
}

impl Address {
    fn parse(text: &str) -> Option<Self> {
        if text.contains(':') {
            parse_v6(text).map(Self::V6)
        } else {
            parse_v4(text).map(Self::V4)
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::V4(bytes) => bytes,
            Self::V6(bytes) => bytes,
        }
    }
}

/// Four decimal numbers. `parse::<i32>` takes signs and leading zeros as
/// Java does, so "+1" and "010" are numbers.
fn parse_v4(text: &str) -> Option<[u8; 4]> {
    let mut bytes = [0; 4];
    let mut parts = text.split('.');
    for byte in &mut bytes {
        let value: i32 = parts.next()?.parse().ok()?;
        *byte = u8::try_from(value).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

/// Eight hexadecimal groups, or fewer around one "::".
fn parse_v6(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut halves = text.split("::");
    let head = halves.next()?;
    match (halves.next(), halves.next()) {
        (None, _) => (fill(&mut bytes, head)? == 8).then_some(bytes),
        (Some(tail), None) => {
            let head = fill(&mut bytes, head)?;
            let mut end = [0; 16];
            let tail = fill(&mut end, tail)?;
            if head + tail >= 8 {
                return None;
            }
            bytes[16 - 2 * tail..].copy_from_slice(&end[..2 * tail]);
            Some(bytes)
        }
        _ => None,
    }
}

/// Writes the groups of `text` from the first byte on; how many there were.
fn fill(bytes: &mut [u8; 16], text: &str) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let mut groups = 0;
    for group in text.split(':') {
        if group.is_empty() || group.len() > 4 {
            return None;
        }
        let value = i32::from_str_radix(group, 16).ok()?;
        let [_, _, high, low] = value.to_be_bytes();
        bytes
            .get_mut(2 * groups..2 * groups + 2)?
            .copy_from_slice(&[high, low]);
        groups += 1;
    }
    Some(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_parse_as_in_java() {
        for good in [
            "1.2.3.4",
            "0.0.0.0/0",
            "10.0.0.0/8",
            "+1.02.-0.4",
            "::1",
            "::",
            "1::",
            "::/0",
            "1:2:3:4:5:6:7:8",
            "2001:db8::1/64",
            "1:2:3:4:5:6::8/128",
            "fe80::1/10",
        ] {
            assert!(Range::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "1",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.x",
            "1.2.3.4/33",
            "1.2.3.4/-1",
            "1.2.3.4/",
            "1.2.3.4/8/8",
            ":",
            ":::",
            "1::2::3",
            "1:2:3:4:5:6:7",
            "12345::",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4::5:6:7:8",
            "::ffff:1.2.3.4",
            "::1/129",
            "fe80::1%lo",
            "1:2:3:4:5:6:7:8:",
            "g::",
        ] {
            assert!(Range::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn ranges_contain_by_leading_bits() {
        let inside = |range: &str, client: &str| {
            Range::parse(range).is_some_and(|range| range.contains(client))
        };
        assert!(inside("10.1.2.3", "10.1.2.3"));
        assert!(!inside("10.1.2.3", "10.1.2.4"));
        assert!(inside("10.0.0.0/8", "10.255.0.1"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("10.128.0.0/9", "10.200.0.1"));
        assert!(!inside("10.128.0.0/9", "10.127.0.1"));
        assert!(inside("0.0.0.0/0", "1.2.3.4"));
        assert!(!inside("0.0.0.0/0", "::1"));
        assert!(inside("::1", "0:0:0:0:0:0:0:1"));
        assert!(inside("2001:db8::/33", "2001:db8:7fff::1"));
        assert!(!inside("2001:db8::/33", "2001:db8:8000::1"));
        assert!(!inside("::/0", "1.2.3.4"));
        assert!(!inside("::/0", "nonsense"));
    }
}
