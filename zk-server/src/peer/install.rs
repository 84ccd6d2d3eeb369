//! A snapshot that comes from a leader, item by item, as its bytes arrive. It
//! refuses to know the link, and touches no tree but the one that it builds.

use zk_proto::jute::{Error, Reader};
use zk_proto::snapshot::{self, AclEntry, SessionEntry, WIRE_SIGNATURE};
use zk_proto::{Ustr, Zxid};
use zk_tree::{DataTree, TreeConfig, TreeLoader};

/// The longest item: data is limited by `jute.maxbuffer`, far below.
const ITEM_MAX: usize = 256 << 20;

/// Why a snapshot cannot be installed.
#[derive(Debug, thiserror::Error)]
pub(super) enum InstallError {
    #[error("its bytes make no snapshot: {0}")]
    Jute(#[from] Error),
    #[error("its znodes make no tree: {0}")]
    Tree(#[from] zk_tree::TreeError),
    #[error("it does not end as a snapshot does")]
    Signature,
    #[error("it holds an item that is too long")]
    TooLong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    SessionCount,
    Sessions(i32),
    AclCount,
    Acls(i32),
    Nodes,
    Signature,
    Done,
}

/// A snapshot in the making.
pub(super) struct Install {
    at: Zxid,
    loader: TreeLoader,
    part: Part,
}

impl Install {
    pub(super) fn new(at: Zxid, config: TreeConfig) -> Self {
        Self {
            at,
            loader: DataTree::loader(config),
            part: Part::SessionCount,
        }
    }

    /// Takes as many items as are whole; how many bytes they were.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<usize, InstallError> {
        let mut reader = Reader::new(bytes);
        let mut taken = 0;
        while self.part != Part::Done {
            match self.item(&mut reader) {
                Ok(()) => taken = bytes.len() - reader.remaining().len(),
                Err(InstallError::Jute(error)) if may_be_unfinished(&error) => {
                    if bytes.len() - taken > ITEM_MAX {
                        return Err(InstallError::TooLong);
                    }
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    pub(super) fn is_done(&self) -> bool {
        self.part == Part::Done
    }

    /// The tree, when everything came. The leader went on while it sent it:
    /// some of what follows may be in the tree already.
    pub(super) fn finish(self) -> Result<DataTree, InstallError> {
        Ok(self.loader.finish_fuzzy(self.at)?)
    }

    fn item(&mut self, reader: &mut Reader<'_>) -> Result<(), InstallError> {
        self.part = match self.part {
            Part::SessionCount => Part::Sessions(reader.read()?),
            Part::Sessions(1..) => {
                self.loader.session(reader.read::<SessionEntry>()?);
                self.part.one_less()
            }
            Part::Sessions(_) => Part::AclCount,
            Part::AclCount => Part::Acls(reader.read()?),
            Part::Acls(1..) => {
                self.loader.acl(&reader.read::<AclEntry<'_>>()?)?;
                self.part.one_less()
            }
            Part::Acls(_) => Part::Nodes,
            Part::Nodes => match snapshot::read_node(reader)? {
                Some(node) => {
                    self.loader.node(&node)?;
                    Part::Nodes
                }
                None => Part::Signature,
            },
            Part::Signature => {
                let signature: Ustr<'_> = reader.read()?;
                if signature != WIRE_SIGNATURE {
                    return Err(InstallError::Signature);
                }
                Part::Done
            }
            Part::Done => Part::Done,
        };
        Ok(())
    }
}

impl Part {
    fn one_less(self) -> Self {
        match self {
            Self::Sessions(left) => Self::Sessions(left - 1),
            Self::Acls(left) => Self::Acls(left - 1),
            other => other,
        }
    }
}

/// Whether more bytes may make it right. A length beyond what has come so far
/// looks like one that cannot be.
fn may_be_unfinished(error: &Error) -> bool {
    match error {
        Error::Truncated { .. } => true,
        Error::Length(length) => *length > 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::jute;

    const CONFIG: TreeConfig = TreeConfig {
        hash_seed: 7,
        extended_types: false,
        digest: true,
    };

    fn stream() -> Vec<u8> {
        let tree = DataTree::new(CONFIG);
        let mut cursor = tree.snapshot_cursor();
        let mut bytes = Vec::new();
        cursor.head(&mut bytes);
        while cursor.next_chunk(&tree, &mut bytes, 64) {}
        let _ = cursor.end(&tree, &mut bytes);
        jute::append(&mut bytes, WIRE_SIGNATURE).unwrap();
        bytes
    }

    #[test]
    fn a_snapshot_comes_in_pieces_of_any_size() {
        let bytes = stream();
        for size in 1..bytes.len() {
            let mut install = Install::new(Zxid(7), CONFIG);
            let (mut from, mut to) = (0, 0);
            while !install.is_done() {
                to = (to + size).min(bytes.len());
                from += install.feed(&bytes[from..to]).unwrap();
            }
            assert_eq!(from, bytes.len());
            assert_eq!(install.finish().unwrap().last_zxid(), Zxid(7));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let mut bytes = stream();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let mut install = Install::new(Zxid(7), CONFIG);
        let refused = install.feed(&bytes);
        assert!(matches!(refused, Err(InstallError::Signature)));
        let mut install = Install::new(Zxid(7), CONFIG);
        let bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0];
        assert!(install.feed(&bytes).is_err());
    }
}
