//! The tree digest, version 2 (`DigestCalculator`, `AdHash`): a sum over the
//! znodes of a CRC-32 each, so that it can be kept up to date by subtracting a
//! znode's old part and adding its new one.
//!
//! A part is the CRC of path, data and the 60 bytes of the stored stat. Its
//! first two are kept per znode as one number, [`content_crc`]; joining a stat
//! to it costs four table look-ups, because the number of bytes behind is
//! always 60. This module does not know the tree.

use zk_proto::StatPersisted;

/// Bytes of a stored stat in the digest.
const STAT_LEN: usize = 60;

/// Whether the znode at `path` counts: all do but those under `/zookeeper/`.
#[must_use]
pub fn covers(path: &str) -> bool {
    !path.starts_with("/zookeeper/")
}

/// CRC-32 of a znode's path ("" for the root) and data.
#[must_use]
pub fn content_crc(path: &str, data: Option<&[u8]>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    if path != "/" {
        hasher.update(path.as_bytes());
    }
    hasher.update(data.unwrap_or_default());
    hasher.finalize()
}

/// A znode's part of the sum.
#[must_use]
pub fn node_digest(content_crc: u32, stat: &StatPersisted) -> u64 {
    u64::from(shift(content_crc) ^ crc32fast::hash(&stat_bytes(stat)))
}

/// The stat in the digest's order, which is not that of snapshots.
fn stat_bytes(stat: &StatPersisted) -> [u8; STAT_LEN] {
    let mut bytes = [0; STAT_LEN];
    let longs = [
        stat.czxid.0,
        stat.mzxid.0,
        stat.pzxid.0,
        stat.ctime,
        stat.mtime,
    ];
    for (place, value) in bytes.chunks_exact_mut(8).zip(longs) {
        place.copy_from_slice(&value.to_be_bytes());
    }
    let ints = [stat.version, stat.cversion, stat.aversion];
    for (place, value) in bytes[40..].chunks_exact_mut(4).zip(ints) {
        place.copy_from_slice(&value.to_be_bytes());
    }
    bytes[52..].copy_from_slice(&stat.ephemeral_owner.to_be_bytes());
    bytes
}

/// What becomes of a CRC when [`STAT_LEN`] zero bytes follow.
fn shift(crc: u32) -> u32 {
    let [a, b, c, d] = crc.to_be_bytes();
    SHIFT[3][usize::from(a)]
        ^ SHIFT[2][usize::from(b)]
        ^ SHIFT[1][usize::from(c)]
        ^ SHIFT[0][usize::from(d)]
}

/// [`shift`] of each byte in each place; it is linear over XOR.
static SHIFT: [[u32; 256]; 4] = shift_tables();

const fn shift_tables() -> [[u32; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut bit = 0;
    while bit < 32 {
        let image = shift_slowly(1 << bit);
        let mut byte = 0;
        while byte < 256 {
            if byte >> (bit % 8) & 1 == 1 {
                tables[bit / 8][byte] ^= image;
            }
            byte += 1;
        }
        bit += 1;
    }
    tables
}

const fn shift_slowly(mut crc: u32) -> u32 {
    let mut bit = 0;
    while bit < STAT_LEN * 8 {
        let carry = crc & 1;
        crc >>= 1;
        if carry == 1 {
            crc ^= 0xedb8_8320;
        }
        bit += 1;
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::Zxid;

    #[test]
    fn a_joined_part_is_the_crc_of_the_whole() {
        let stat = StatPersisted {
            czxid: Zxid(0x0102_0304_0506_0708),
            mzxid: Zxid(-1),
            ctime: 5,
            mtime: 1_795_251_296_971,
            version: 7,
            cversion: -3,
            aversion: 9,
            ephemeral_owner: i64::MIN,
            pzxid: Zxid(11),
        };
        let mut whole = b"/a/b".to_vec();
        whole.extend(b"data");
        whole.extend(stat_bytes(&stat));
        let crc = content_crc("/a/b", Some(b"data"));
        assert_eq!(node_digest(crc, &stat), u64::from(crc32fast::hash(&whole)));
    }

    #[test]
    fn the_root_counts_by_the_empty_path() {
        assert_eq!(content_crc("/", Some(b"x")), crc32fast::hash(b"x"));
        assert_eq!(content_crc("", None), 0);
        assert!(covers("/zookeeper") && covers("/zookeepers/a"));
        assert!(!covers("/zookeeper/quota"));
    }
}
