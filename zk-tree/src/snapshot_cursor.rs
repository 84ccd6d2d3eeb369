//! Walks the tree for a snapshot while transactions go on being applied
//! between the steps. It writes bytes into buffers and opens no file.
//!
//! Sessions and access control lists are those of the moment when the cursor
//! was made; znodes are those of that moment that are still there when the
//! walk gets to them, with the data and numbers that they have then. What
//! came, went or changed meanwhile is in the log behind the snapshot, and
//! applying that log gives the right tree.

use crate::node::{Node, NodeId};
use crate::{AclIndex, DataTree};
use std::sync::Arc;
use zk_proto::snapshot::{NodeEntry, SessionEntry, SnapshotDigest, append_end};
use zk_proto::{Acl, Buffer, Ustr, Zxid, jute};

/// Written for a list that is newer than the table. Tables begin with 1, so
/// a znode with this number is open to nobody until the log behind the
/// snapshot sets its list again.
const UNLISTED_ACL_INDEX: i64 = 0;

/// A snapshot in the making. Between [`SnapshotCursor::next_chunk`] calls it
/// needs no access to the tree.
#[derive(Debug)]
pub struct SnapshotCursor {
    zxid: Zxid,
    /// Znodes created later are left out.
    newest_zxid: Zxid,
    sessions: Vec<SessionEntry>,
    /// List `i` of the tree's table at `i - 1`.
    acls: Vec<Option<Arc<[Acl<'static>]>>>,
    is_begun: bool,
    /// From the root down; the children that are still to be visited.
    frames: Vec<Frame>,
    path: String,
}

#[derive(Debug)]
struct Frame {
    id: NodeId,
    czxid: Zxid,
    path_len: usize,
    /// As they were when this znode was written.
    children: std::vec::IntoIter<NodeId>,
}

impl DataTree {
    /// Begins a snapshot. Copies sessions and access control lists, so this
    /// takes time in proportion to them.
    #[must_use]
    pub fn snapshot_cursor(&self) -> SnapshotCursor {
        let sessions = self
            .sessions()
            .map(|(id, timeout_ms)| SessionEntry { id, timeout_ms });
        let mut acls = Vec::new();
        for (index, list) in self.acls.iter() {
            acls.resize(index.0 as usize - 1, None);
            acls.push(Some(Arc::clone(list)));
        }
        SnapshotCursor {
            zxid: self.last_zxid,
            newest_zxid: self.last_zxid.max(self.loaded_zxid),
            sessions: sessions.collect(),
            acls,
            is_begun: false,
            frames: Vec::new(),
            path: String::new(),
        }
    }
}

impl SnapshotCursor {
    /// The last transaction whose effects are all in the snapshot: the number
    /// in the file's name.
    #[must_use]
    pub const fn zxid(&self) -> Zxid {
        self.zxid
    }

    /// Appends sessions and access control lists: what stands before the
    /// znodes.
    pub fn head(&self, out: &mut Vec<u8>) {
        written(jute::append(out, &(self.sessions.len() as i32)));
        for session in &self.sessions {
            written(jute::append(out, session));
        }
        let lists = self.acls.iter().flatten().count();
        written(jute::append(out, &(lists as i32)));
        for (index, list) in (1i64..).zip(&self.acls) {
            if let Some(list) = list {
                written(jute::append(out, &(index, &**list)));
            }
        }
    }

    /// Appends znodes until `target_bytes` are reached or passed, parents
    /// before their children. False when none is left. `tree` is the one
    /// that the cursor was made from.
    pub fn next_chunk(&mut self, tree: &DataTree, out: &mut Vec<u8>, target_bytes: usize) -> bool {
        let enough = out.len().saturating_add(target_bytes);
        self.drop_deleted(tree);
        if !self.is_begun {
            self.is_begun = true;
            self.write(tree, NodeId::ROOT, out);
        }
        while out.len() < enough {
            if !self.step(tree, out) {
                return false;
            }
        }
        true
    }

    /// Appends the end mark of the znodes. The digest belongs behind it: from
    /// its zxid on a tree made from this snapshot is no longer fuzzy.
    #[must_use]
    pub fn end(self, tree: &DataTree, out: &mut Vec<u8>) -> SnapshotDigest {
        written(append_end(out));
        tree.snapshot_digest()
    }

    /// Leaves the frames of znodes that were deleted since the last step.
    /// Their numbers may have gone to others, and so may those of their
    /// children.
    fn drop_deleted(&mut self, tree: &DataTree) {
        let mut parent = NodeId::ROOT;
        let kept = self.frames.iter().position(|frame| {
            let above = std::mem::replace(&mut parent, frame.id);
            !tree
                .slab
                .get(frame.id)
                .is_some_and(|node| node.parent == above && node.czxid == frame.czxid)
        });
        if let Some(kept) = kept {
            self.frames.truncate(kept);
        }
    }

    /// Visits the next child of the innermost frame, or leaves the frame.
    /// False when there is no frame.
    fn step(&mut self, tree: &DataTree, out: &mut Vec<u8>) -> bool {
        let Some(frame) = self.frames.last_mut() else {
            return false;
        };
        let Some(child) = frame.children.next() else {
            self.frames.pop();
            return true;
        };
        let Some(node) = tree.slab.get(child) else {
            return true;
        };
        if node.parent == frame.id && node.czxid <= self.newest_zxid {
            self.path.truncate(frame.path_len);
            self.path.push('/');
            self.path.push_str(node.name());
            self.write(tree, child, out);
        }
        true
    }

    fn write(&mut self, tree: &DataTree, id: NodeId, out: &mut Vec<u8>) {
        let node = tree.node(id);
        let entry = NodeEntry {
            path: Ustr::from(&*self.path),
            data: node.data().map(Buffer),
            acl: self.stored_acl(tree, node),
            stat: node.stored(),
        };
        written(jute::append(out, &entry));
        if !node.children().is_empty() {
            self.frames.push(Frame {
                id,
                czxid: node.czxid,
                path_len: self.path.len(),
                children: node.children().to_vec().into_iter(),
            });
        }
    }

    /// A list's number may have gone to another list since the table was
    /// copied, so the lists are compared by their addresses.
    fn stored_acl(&self, tree: &DataTree, node: &Node) -> i64 {
        let index = AclIndex(node.acl);
        let Some(list) = tree.acls.list(index) else {
            return index.stored();
        };
        match self.acls.get(index.0 as usize - 1) {
            Some(Some(copied)) if Arc::ptr_eq(copied, list) => index.stored(),
            _ => UNLISTED_ACL_INDEX,
        }
    }
}

fn written(result: Result<(), jute::Error>) {
    result.expect("what was decoded from Jute can be encoded");
}
