//! Reading a snapshot item by item. Items are handed out before the seals
//! have been checked, so the receiver must be able to forget them.

use super::compress;
use super::content::{Content, ContentError};
use crate::error::Context;
use crate::{Compression, LogError, Storage, names};
use std::path::{Path, PathBuf};
use zk_proto::jute::Error;
use zk_proto::snapshot::{
    AclEntry, END_MARK, NodeEntry, SEAL_LEN, SessionEntry, SnapshotDigest, SnapshotFileHeader,
    read_node,
};
use zk_proto::txn::DIGEST_VERSION;
use zk_proto::{Ustr, Zxid};

/// A snapshot file that is read from its start. (`FileSnap`, `SnapStream`)
pub struct SnapshotReader {
    path: PathBuf,
    /// From the name.
    zxid: Zxid,
    content: Content,
    stage: Stage,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Header,
    Sessions(i32),
    Acls(i32),
    Nodes,
    Done(SnapshotEnd),
}

/// A part of a snapshot, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum SnapshotItem<'a> {
    /// A session.
    Session(SessionEntry),
    /// An access control list.
    Acl(AclEntry<'a>),
    /// A znode; parents come before their children.
    Node(NodeEntry<'a>),
    /// The end, with all seals checked.
    End(SnapshotEnd),
}

/// What stands behind the znodes, as far as the writer wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotEnd {
    /// The tree's digest, and from where on it holds.
    pub digest: Option<SnapshotDigest>,
    /// The last transaction applied when the znodes had been written.
    pub last_zxid: Option<Zxid>,
}

impl SnapshotEnd {
    /// The last transaction of which a snapshot with `name` may hold a part:
    /// the tree changed while it was written.
    #[must_use]
    pub fn may_hold_up_to(&self, name: Zxid) -> Zxid {
        let known = self.digest.filter(|digest| !is_unknown(digest.zxid));
        let digest = known.map_or(name, |digest| digest.zxid);
        name.max(digest).max(self.last_zxid.unwrap_or(name))
    }
}

/// A snapshot that a leader sent does not say until when it is fuzzy, and its
/// digest stands for an epoch that never comes. It holds nothing but what is
/// committed, which no leader ever takes back.
fn is_unknown(zxid: Zxid) -> bool {
    zxid.epoch().0 >= i32::MAX.cast_unsigned()
}

impl SnapshotReader {
    /// Opens a snapshot; the name says how it is compressed.
    pub fn open(storage: &dyn Storage, path: &Path) -> Result<Self, LogError> {
        let name = path.file_name().and_then(|name| name.to_str());
        let parsed = name.and_then(names::parse_snapshot);
        let (zxid, compression) = parsed.ok_or_else(|| LogError::BadSnapshot {
            path: path.to_owned(),
            offset: 0,
            reason: "its name is not that of a snapshot".to_owned(),
        })?;
        Self::open_as(storage, path, zxid, compression)
    }

    /// Opens a snapshot whose name says nothing: a copy, or one under another
    /// name. `zxid` is what its name would say.
    pub fn open_as(
        storage: &dyn Storage,
        path: &Path,
        zxid: Zxid,
        compression: Compression,
    ) -> Result<Self, LogError> {
        let file = storage.open(path).at("open", path)?;
        Ok(Self {
            path: path.to_owned(),
            zxid,
            content: Content::new(compress::reader(file, compression)),
            stage: Stage::Header,
        })
    }

    /// The zxid in the name.
    #[must_use]
    pub const fn zxid(&self) -> Zxid {
        self.zxid
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where in the uncompressed content the next item starts.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.content.offset()
    }

    /// Reads it to its end and returns what stands there.
    pub fn check(mut self) -> Result<SnapshotEnd, LogError> {
        loop {
            if let SnapshotItem::End(end) = self.next()? {
                return Ok(end);
            }
        }
    }

    /// The next item; after [`SnapshotItem::End`] that one again.
    ///
    /// # Errors
    /// [`LogError::BadSnapshot`] for whatever is wrong with the content.
    #[allow(
        clippy::should_implement_trait,
        reason = "the item borrows from the window"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<SnapshotItem<'_>, LogError> {
        match self.stage {
            Stage::Nodes => {}
            _ => self.advance()?,
        }
        let offset = self.content.offset();
        let Self {
            path,
            zxid,
            content,
            stage,
        } = self;
        item(content, stage, *zxid).map_err(|error| locate(path, offset, error))
    }

    /// Steps from a part that has ended to the next one.
    fn advance(&mut self) -> Result<(), LogError> {
        let offset = self.content.offset();
        advance(&mut self.content, &mut self.stage)
            .map_err(|error| locate(&self.path, offset, error))
    }
}

fn advance(content: &mut Content, stage: &mut Stage) -> Result<(), ContentError> {
    if matches!(stage, Stage::Header) {
        read_header(content)?;
        *stage = Stage::Sessions(read_count(content)?);
    }
    if matches!(stage, Stage::Sessions(0)) {
        *stage = Stage::Acls(read_count(content)?);
    }
    if matches!(stage, Stage::Acls(0)) {
        *stage = Stage::Nodes;
    }
    Ok(())
}

#[inline]
fn item<'a>(
    content: &'a mut Content,
    stage: &mut Stage,
    name: Zxid,
) -> Result<SnapshotItem<'a>, ContentError> {
    match stage {
        Stage::Sessions(left) => {
            *left -= 1;
            Ok(SnapshotItem::Session(content.item(12, |r| r.read())?))
        }
        Stage::Acls(left) => {
            *left -= 1;
            let length = content.acl_length()?;
            Ok(SnapshotItem::Acl(content.item(length, |r| r.read())?))
        }
        Stage::Nodes => match content.node_length()? {
            END_MARK_LEN => {
                let end = read_end(content, name)?;
                *stage = Stage::Done(end);
                Ok(SnapshotItem::End(end))
            }
            length => {
                let node = content.item(length, read_node)?;
                let node = node.ok_or_else(|| broken("the end stands where a znode should"))?;
                Ok(SnapshotItem::Node(node))
            }
        },
        Stage::Done(end) => Ok(SnapshotItem::End(*end)),
        Stage::Header => Err(broken("the header was not read")),
    }
}

/// Bytes of the end mark; a znode is longer.
const END_MARK_LEN: usize = 4 + END_MARK.len();

fn read_header(content: &mut Content) -> Result<(), ContentError> {
    let header: SnapshotFileHeader = content.item(SnapshotFileHeader::LEN, |r| r.read())?;
    if header.magic != SnapshotFileHeader::MAGIC {
        return Err(broken("it does not start with the header of a snapshot"));
    }
    Ok(())
}

fn read_count(content: &mut Content) -> Result<i32, ContentError> {
    let count: i32 = content.item(4, |r| r.read())?;
    if count < 0 {
        return Err(Error::Length(count).into());
    }
    Ok(count)
}

/// The end mark and everything behind it. A part may be missing at the end,
/// since older servers did not write it; how many bytes are left tells which
/// parts there are.
fn read_end(content: &mut Content, name: Zxid) -> Result<SnapshotEnd, ContentError> {
    content.item(END_MARK_LEN, |r| r.read::<Ustr<'_>>().map(drop))?;
    read_seal(content)?;
    let mut end = SnapshotEnd::default();
    let left = content.fill(TAIL_MAX)?;
    if left != 0 && left != LAST_ZXID_LEN {
        end.digest = read_digest(content)?;
        read_seal(content)?;
    }
    if content.fill(1)? > 0 {
        end.last_zxid = Some(content.item(8, |r| r.read())?);
        read_seal(content)?;
    }
    if content.fill(1)? > 0 {
        return Err(broken("bytes follow the last seal"));
    }
    match end.last_zxid {
        Some(last) if last < name => Err(broken(&format!(
            "it was written at zxid {last}, before the one in its name"
        ))),
        _ => Ok(end),
    }
}

/// A last zxid and its seal.
const LAST_ZXID_LEN: usize = 8 + SEAL_LEN;
/// More than everything behind the first seal.
const TAIL_MAX: usize = 256;

fn read_seal(content: &mut Content) -> Result<(), ContentError> {
    let checksum = i64::from(content.checksum());
    let (stored, mark): (i64, Ustr<'_>) = content.item(SEAL_LEN, |r| r.read())?;
    if stored != checksum {
        return Err(broken(&format!(
            "the seal says 0x{stored:x}, but the checksum is 0x{checksum:x}"
        )));
    }
    if mark != END_MARK {
        return Err(broken("a seal ends wrongly"));
    }
    Ok(())
}

/// Versions before 2 hold the digest as text and are not compared.
fn read_digest(content: &mut Content) -> Result<Option<SnapshotDigest>, ContentError> {
    content.item(TAIL_MAX, |r| {
        let (zxid, version): (Zxid, i32) = r.read()?;
        if version < DIGEST_VERSION {
            return r.read::<Ustr<'_>>().map(|_| None);
        }
        Ok(Some(SnapshotDigest {
            zxid,
            version,
            tree: r.read()?,
        }))
    })
}

fn broken(reason: &str) -> ContentError {
    Error::Record(reason.to_owned()).into()
}

/// A disk that fails is another matter than a file that is bad. Decoders
/// report bad content as errors of these kinds.
fn locate(path: &Path, offset: u64, error: ContentError) -> LogError {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let reason = match error {
        ContentError::Jute(error) => error.to_string(),
        ContentError::Io(error)
            if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) =>
        {
            error.to_string()
        }
        ContentError::Io(source) => {
            return LogError::Io {
                action: "read",
                path: path.to_owned(),
                source,
            };
        }
    };
    LogError::BadSnapshot {
        path: path.to_owned(),
        offset,
        reason,
    }
}

impl std::fmt::Debug for SnapshotReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SnapshotReader")
            .field("path", &self.path)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::Epoch;

    fn end(zxid: Zxid) -> SnapshotEnd {
        let digest = Some(SnapshotDigest {
            zxid,
            version: 2,
            tree: 0,
        });
        let last_zxid = None;
        SnapshotEnd { digest, last_zxid }
    }

    #[test]
    fn a_snapshot_that_a_leader_sent_can_be_the_base_of_a_cut() {
        assert_eq!(end(Zxid(9)).may_hold_up_to(Zxid(7)), Zxid(9));
        let never = Zxid::new(Epoch(i32::MAX as u32), 0);
        assert_eq!(end(never).may_hold_up_to(Zxid(7)), Zxid(7));
    }
}
