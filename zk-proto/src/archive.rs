//! A portable archive of znodes in MessagePack, for export and import of a
//! subtree with binary data, and for recorded histories.
//!
//! Fields are named, so that a reader of another language, or of another
//! version, finds them. It holds what a client can restore: paths, data and
//! ACLs. It does not know where the znodes come from.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What `format` says.
pub const FORMAT: &str = "zk-archive";
/// The version that this crate writes.
pub const VERSION: u32 = 1;

/// What `kind` says.
pub const SUBTREE: &str = "subtree";

/// An archive of znodes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Archive {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// What the items are: [`SUBTREE`].
    pub kind: String,
    /// The znodes, parents before their children.
    pub items: Vec<ArchivedNode>,
}

/// One znode of an archive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArchivedNode {
    /// Path below the archive's root; "" for the root itself.
    pub path: String,
    /// Data; `None` is null.
    pub data: Option<Bytes>,
    /// Access control list.
    pub acl: Vec<ArchivedAcl>,
    /// Time to live in ms, for a TTL znode.
    #[serde(default)]
    pub ttl_ms: Option<i64>,
    /// Whether it is a container.
    #[serde(default)]
    pub container: bool,
}

/// One entry of an access control list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArchivedAcl {
    /// Permission bits.
    pub perms: i32,
    /// Authentication scheme.
    pub scheme: String,
    /// Identity within the scheme.
    pub id: String,
}

/// Why bytes are no archive that this crate can read, or could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The value could not be written.
    #[error("the archive cannot be written: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
    /// The bytes are no MessagePack of this shape.
    #[error("the archive cannot be read: {0}")]
    Decode(#[from] rmp_serde::decode::Error),
    /// The outer fields name something else.
    #[error("this is {format} version {version}, not {FORMAT} version {VERSION}")]
    Format {
        /// The format that it names.
        format: String,
        /// Its version.
        version: u32,
    },
    /// The items are of another kind.
    #[error("this archive holds a {0}, not a {SUBTREE}")]
    Kind(String),
}

impl Archive {
    /// An archive of a subtree.
    #[must_use]
    pub fn subtree(items: Vec<ArchivedNode>) -> Self {
        Self {
            format: FORMAT.into(),
            version: VERSION,
            kind: SUBTREE.into(),
            items,
        }
    }

    /// The archive as MessagePack with named fields.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ArchiveError> {
        Ok(rmp_serde::to_vec_named(self)?)
    }

    /// Reads an archive and checks what it says it is.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let archive: Self = rmp_serde::from_slice(bytes)?;
        if archive.format != FORMAT || archive.version != VERSION {
            return Err(ArchiveError::Format {
                format: archive.format,
                version: archive.version,
            });
        }
        if archive.kind != SUBTREE {
            return Err(ArchiveError::Kind(archive.kind));
        }
        Ok(archive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_data_and_null_survive() {
        let node = |path: &str, data: Option<&'static [u8]>| ArchivedNode {
            path: path.into(),
            data: data.map(Bytes::from_static),
            acl: vec![ArchivedAcl {
                perms: 31,
                scheme: "world".into(),
                id: "anyone".into(),
            }],
            ttl_ms: None,
            container: false,
        };
        let archive = Archive::subtree(vec![node("", None), node("/a", Some(&[0, 255, 7]))]);
        let bytes = archive.to_bytes().unwrap();
        assert_eq!(Archive::from_bytes(&bytes).unwrap(), archive);
    }

    #[test]
    fn another_version_is_named() {
        let mut archive = Archive::subtree(vec![]);
        archive.version = 2;
        let error = Archive::from_bytes(&archive.to_bytes().unwrap()).unwrap_err();
        assert!(error.to_string().contains("version 2"));
    }

    #[test]
    fn another_kind_is_named() {
        let mut archive = Archive::subtree(vec![]);
        archive.kind = "history".into();
        let error = Archive::from_bytes(&archive.to_bytes().unwrap()).unwrap_err();
        assert!(error.to_string().contains("a history"));
    }

    /// Maps with named fields, data as MessagePack's `bin`: what other
    /// languages see, and what later versions must still read.
    #[test]
    fn bytes_of_version_1() {
        let archive = Archive::subtree(vec![ArchivedNode {
            path: "/a".into(),
            data: Some(Bytes::from_static(&[0xff])),
            acl: vec![],
            ttl_ms: Some(5),
            container: false,
        }]);
        let expected = [
            &b"\x84\xa6format\xaazk-archive\xa7version\x01\xa4kind\xa7subtree\xa5items\x91"[..],
            b"\x85\xa4path\xa2/a\xa4data\xc4\x01\xff\xa3acl\x90\xa6ttl_ms\x05\xa9container\xc2",
        ]
        .concat();
        assert_eq!(archive.to_bytes().unwrap(), expected);
    }

    #[test]
    fn broken_bytes_are_errors() {
        let bytes = Archive::subtree(vec![]).to_bytes().unwrap();
        for end in 0..bytes.len() {
            assert!(Archive::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
        let mut lying = bytes;
        let last = lying.pop().unwrap();
        assert_eq!(last, 0x90);
        lying.extend([0xdd, 0xff, 0xff, 0xff, 0xff]);
        assert!(Archive::from_bytes(&lying).is_err());
    }
}
