//! Snapshots as a stream of items. The same items, without header and seals,
//! are what a SNAP sync puts on the wire.
//!
//! Layout: file header, sessions, ACL table, znodes with parents before their
//! children, the path "/" as the end mark, a seal; then optionally the digest
//! and a seal, and the last zxid and a seal. A seal is the Adler-32 of all
//! bytes before it and the string "/". This module computes no checksum and
//! opens no file.

use crate::jute::{self, Error, Reader};
use crate::{Acl, Buffer, SessionId, StatPersisted, Ustr, Zxid};
use serde::{Deserialize, Serialize};

/// The start of a snapshot file: 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotFileHeader {
    /// [`SnapshotFileHeader::MAGIC`].
    pub magic: i32,
    /// 2.
    pub version: i32,
    /// -1.
    pub dbid: i64,
}

impl SnapshotFileHeader {
    /// "ZKSN".
    pub const MAGIC: i32 = 0x5a4b_534e;
    /// Bytes of the header.
    pub const LEN: usize = 16;

    /// The header that servers of today write.
    #[must_use]
    pub const fn current() -> Self {
        Self {
            magic: Self::MAGIC,
            version: 2,
            dbid: -1,
        }
    }
}

/// A session that was alive, with its timeout in ms.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionEntry {
    /// The session.
    pub id: SessionId,
    /// Its negotiated timeout.
    pub timeout_ms: i32,
}

/// An access control list and the number by which znodes refer to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AclEntry<'a> {
    /// From 1.
    pub index: i64,
    /// The list.
    #[serde(borrow)]
    pub acl: Option<Vec<Acl<'a>>>,
}

/// The index of a znode with `world:anyone:all`, which stands in no table.
pub const OPEN_ACL_INDEX: i64 = -1;

/// A znode.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeEntry<'a> {
    /// Full path; "" for the root.
    #[serde(borrow)]
    pub path: Ustr<'a>,
    /// Data.
    #[serde(borrow)]
    pub data: Option<Buffer<'a>>,
    /// Number of its access control list.
    pub acl: i64,
    /// Its numbers.
    pub stat: StatPersisted,
}

/// The tree's digest and the zxid from which it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotDigest {
    /// Last zxid applied when the znodes had been written.
    pub zxid: Zxid,
    /// [`crate::txn::DIGEST_VERSION`].
    pub version: i32,
    /// The sum, as a signed long.
    pub tree: i64,
}

impl SnapshotDigest {
    /// Reads the digest of a snapshot of any version. Before version 2 the
    /// sum was hex text; text that is no number reads as 0, and as digests of
    /// other versions are compared with nothing, that is all one
    /// (`DataTree.ZxidDigest`).
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (zxid, version) = reader.read()?;
        let tree = if version < crate::txn::DIGEST_VERSION {
            let hex: Option<Ustr<'_>> = reader.read()?;
            hex.and_then(|hex| i64::from_str_radix(&hex, 16).ok())
                .unwrap_or(0)
        } else {
            reader.read()?
        };
        Ok(Self {
            zxid,
            version,
            tree,
        })
    }
}

/// The path that ends the znodes, and the string in every seal.
pub const END_MARK: &str = "/";

/// The string that ends a SNAP sync on the wire.
pub const WIRE_SIGNATURE: &str = "BenWasHere";

/// Bytes of a seal.
pub const SEAL_LEN: usize = 13;

/// Reads the znode that starts here, or `None` at the end mark.
pub fn read_node<'a>(reader: &mut Reader<'a>) -> Result<Option<NodeEntry<'a>>, Error> {
    let path: Ustr<'a> = reader.read()?;
    if path == END_MARK {
        return Ok(None);
    }
    Ok(Some(NodeEntry {
        path,
        data: reader.read()?,
        acl: reader.read()?,
        stat: reader.read()?,
    }))
}

/// Appends the end mark behind the last znode.
pub fn append_end(out: &mut Vec<u8>) -> Result<(), Error> {
    jute::append(out, END_MARK)
}

/// Appends a seal over everything before it.
pub fn append_seal(out: &mut Vec<u8>, adler32: u32) -> Result<(), Error> {
    jute::append(out, &(i64::from(adler32), END_MARK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_today_and_of_old() {
        let today = SnapshotDigest {
            zxid: Zxid(7),
            version: 2,
            tree: -5,
        };
        let bytes = jute::to_vec(&today).unwrap();
        let mut reader = Reader::new(&bytes);
        assert_eq!(SnapshotDigest::read(&mut reader), Ok(today));
        assert!(reader.is_empty());

        let bytes = jute::to_vec(&(7i64, 1i32, "51c4")).unwrap();
        let mut reader = Reader::new(&bytes);
        let old = SnapshotDigest {
            zxid: Zxid(7),
            version: 1,
            tree: 0x51c4,
        };
        assert_eq!(SnapshotDigest::read(&mut reader), Ok(old));
        assert!(reader.is_empty());
    }
}
