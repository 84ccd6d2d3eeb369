//! A portable archive of znodes in MessagePack, for export and import of a
//! subtree with binary data, and for recorded histories.
//!
//! Fields are named, so that a reader of another language, or of another
//! version, finds them. It holds what a client can restore: paths, data and
//! ACLs. It does not know where the znodes come from.

use bytes::Bytes;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};

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
    /// The bytes could not be written or read.
    #[error("the archive cannot be written: {0}")]
    Io(#[from] io::Error),
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

/// Where the number of items stands, once it is known.
const COUNT_AT: u64 = HEADER.len() as u64;

/// Everything before the number of items: the outer map and its fields up to
/// `items`, whose array has a length of four bytes.
const HEADER: &[u8] =
    b"\x84\xa6format\xaazk-archive\xa7version\x01\xa4kind\xa7subtree\xa5items\xdd";

/// Writes an archive item by item, for subtrees of any size. What it writes
/// reads as an [`Archive`].
#[derive(Debug)]
pub struct ArchiveWriter<W> {
    out: W,
    count: u32,
}

impl<W: Write + Seek> ArchiveWriter<W> {
    /// Begins an archive of a subtree. Until it is finished it claims to hold
    /// more than it does, so that a part of one is not taken for a whole.
    pub fn new(mut out: W) -> Result<Self, ArchiveError> {
        out.write_all(HEADER)?;
        out.write_all(&u32::MAX.to_be_bytes())?;
        Ok(Self { out, count: 0 })
    }

    /// Appends a znode, whose parent was appended before it.
    pub fn push(&mut self, node: &ArchivedNode) -> Result<(), ArchiveError> {
        rmp_serde::encode::write_named(&mut self.out, node)?;
        self.count += 1;
        Ok(())
    }

    /// How many znodes were appended.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Writes how many items there are, and gives back the output.
    pub fn finish(mut self) -> Result<W, ArchiveError> {
        self.out.seek(SeekFrom::Start(COUNT_AT))?;
        self.out.write_all(&self.count.to_be_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Reads an archive of a subtree item by item; `take` says whether to go on.
/// Answers how many items were taken.
///
/// # Errors
/// As [`Archive::from_bytes`]; items before a bad one were taken already.
pub fn read_items(
    source: impl Read,
    take: impl FnMut(ArchivedNode) -> bool,
) -> Result<u64, ArchiveError> {
    let mut deserializer = rmp_serde::Deserializer::new(source);
    let mut items = Items {
        take,
        header: Header::default(),
        taken: 0,
        is_stopped: false,
    };
    match deserializer.deserialize_map(&mut items) {
        _ if items.is_stopped => Ok(items.taken),
        Ok(()) => Ok(items.taken),
        Err(error) => Err(items.header.check().err().unwrap_or(error.into())),
    }
}

/// The outer fields, as far as they were read.
#[derive(Default)]
struct Header {
    format: Option<String>,
    version: Option<u32>,
    kind: Option<String>,
}

impl Header {
    /// The error that says more than that the bytes are wrong.
    fn check(&self) -> Result<(), ArchiveError> {
        if let (Some(format), Some(version)) = (&self.format, self.version)
            && (format != FORMAT || version != VERSION)
        {
            let format = format.clone();
            return Err(ArchiveError::Format { format, version });
        }
        match &self.kind {
            Some(kind) if kind != SUBTREE => Err(ArchiveError::Kind(kind.clone())),
            _ => Ok(()),
        }
    }

    fn is_complete(&self) -> bool {
        self.format.is_some() && self.version.is_some() && self.kind.is_some()
    }
}

struct Items<F> {
    take: F,
    header: Header,
    taken: u64,
    is_stopped: bool,
}

impl<'de, F: FnMut(ArchivedNode) -> bool> Visitor<'de> for &mut Items<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an archive of znodes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "format" => self.header.format = Some(map.next_value()?),
                "version" => self.header.version = Some(map.next_value()?),
                "kind" => self.header.kind = Some(map.next_value()?),
                "items" if !self.header.is_complete() => {
                    return Err(de::Error::custom("items come before what they are"));
                }
                "items" => {
                    self.header.check().map_err(de::Error::custom)?;
                    map.next_value_seed(ItemSeed(self))?;
                }
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        match self.header.is_complete() {
            true => Ok(()),
            false => Err(de::Error::custom("the archive does not say what it is")),
        }
    }
}

struct ItemSeed<'a, F>(&'a mut Items<F>);

impl<'de, F: FnMut(ArchivedNode) -> bool> DeserializeSeed<'de> for ItemSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(ArchivedNode) -> bool> Visitor<'de> for ItemSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("znodes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(node) = items.next_element()? {
            self.0.taken += 1;
            if !(self.0.take)(node) {
                self.0.is_stopped = true;
                return Err(de::Error::custom("the reader has enough"));
            }
        }
        Ok(())
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

    fn some(count: usize) -> Vec<ArchivedNode> {
        let paths = (0..count).map(|n| {
            if n == 0 {
                String::new()
            } else {
                format!("/{n}")
            }
        });
        let nodes = paths.map(|path| ArchivedNode {
            data: (path.len() % 2 == 0).then(|| Bytes::from(path.clone())),
            path,
            acl: vec![ArchivedAcl {
                perms: 1,
                scheme: "world".into(),
                id: "anyone".into(),
            }],
            ttl_ms: None,
            container: true,
        });
        nodes.collect()
    }

    fn streamed(nodes: &[ArchivedNode]) -> Vec<u8> {
        let mut writer = ArchiveWriter::new(io::Cursor::new(Vec::new())).unwrap();
        nodes.iter().for_each(|node| writer.push(node).unwrap());
        writer.finish().unwrap().into_inner()
    }

    fn collect(bytes: &[u8]) -> Result<Vec<ArchivedNode>, ArchiveError> {
        let mut nodes = Vec::new();
        let taken = read_items(bytes, |node| {
            nodes.push(node);
            true
        })?;
        assert_eq!(taken, nodes.len() as u64);
        Ok(nodes)
    }

    #[test]
    fn streams_and_values_are_the_same_archive() {
        for count in [0, 1, 20, 70_000] {
            let nodes = some(count);
            let bytes = streamed(&nodes);
            assert_eq!(Archive::from_bytes(&bytes).unwrap().items, nodes);
            assert_eq!(collect(&bytes).unwrap(), nodes);
            let value = Archive::subtree(nodes.clone()).to_bytes().unwrap();
            assert_eq!(collect(&value).unwrap(), nodes);
        }
    }

    #[test]
    fn a_reader_may_stop() {
        let mut seen = 0;
        let taken = read_items(&streamed(&some(9))[..], |_| {
            seen += 1;
            seen < 3
        });
        assert_eq!(taken.unwrap(), 3);
    }

    #[test]
    fn a_part_of_a_stream_is_no_archive() {
        let bytes = streamed(&some(3));
        for end in 0..bytes.len() {
            assert!(collect(&bytes[..end]).is_err(), "{end}");
        }
        let mut unfinished = ArchiveWriter::new(io::Cursor::new(Vec::new())).unwrap();
        unfinished.push(&some(1)[0]).unwrap();
        assert!(collect(&unfinished.out.into_inner()).is_err());
        let mut other = Archive::subtree(some(1));
        other.version = 2;
        let error = collect(&other.to_bytes().unwrap()).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
    }
}
